"""Original dataset files → examples/<source>/<split>-NNNNN.parquet, and rejects/ingest/ for unreadable records."""

import gc
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import apache_beam as beam

from pipelines import sources
from pipelines.engine import code, gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.run import run_pipeline
from pipelines.sources import Source, reading, registry
from pipelines.sources.agreement import Comparison
from pipelines.sources.judge import SplitOutcome, judge
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.registry import Located
from pipelines.sources.source import SHARES
from pipelines.sources.source_files import first_matching_form
from pipelines.stages.build_settings import BuildSettings
from pipelines.stages.split_writer import Draw, SplitWriter
from schemas.agreement import Annotators
from schemas.errors import BadRecord, MachineError, SourceError
from schemas.example import SPLITS, RawExample
from schemas.manifests import Ingested, SourceFacts
from transforms import files
from transforms.decontaminate import leakage_key
from transforms.files import File

Checksums = dict[str, tuple[tuple[str, str], ...]]
"""Split → (name, SHA-256) of its raw files."""


def stage(build: BuildSettings) -> Stage:
    config = build.config
    raw = {source.key: raw_checksums(source) for source in build.located}
    modules, data = dataset_code(raw)
    return Stage(
        "ingest",
        needs=(),
        folders=("examples", "rejects/ingest"),
        inputs=[
            config.ingest.model_dump(mode="json"),
            config.seed if config.ingest.limit else None,
            [[source.key, source.problem, raw[source.key]] for source in build.located],
        ],
        modules=(__name__, *modules),
        data=data,
        run=partial(run, build, raw),
        form=Ingested,
    )


def dataset_code(keys: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(modules of the datasets in `keys`, paths of the tables beside them). Other datasets do not affect the result.

    Folders of users are read by `sources.user_data`, which this module imports.
    """
    names = sorted({f"pipelines.sources.datasets.{sources.folder(key)}" for key in keys if key in sources.keys()})
    tables = (f"{name.replace('.', '/')}.yaml" for name in names)
    return tuple(names), tuple(table for table in tables if (code.ROOT / table).exists())


def raw_checksums(source: Located) -> Checksums:
    """Checksums of the source's files, and under "schema" of the files that describe the format of a user's folder.

    The checksum of a file that cannot be read is "".
    """
    groups = dict(source.files.splits) if source.files else {}
    if source.settings:
        groups["schema"] = list(source.settings)
    return {name: tuple((file.name, checksum_if_readable(file)) for file in group) for name, group in groups.items()}


def checksum_if_readable(file: File) -> str:
    try:
        return files.checksum(file.path)
    except MachineError:  # the source fails with the reason when it is read
        return ""


def run(build: BuildSettings, raw: dict[str, Checksums], output: str) -> Ingested:
    """Raises SourceError if no source can be read."""
    config = build.config.ingest
    elements = [
        SplitFiles(build.data_root, source.key, split, tuple(group))
        for source in build.located
        if not source.problem
        for split, group in source.files.splits.items()
    ]
    # Largest first. Runners assign elements to workers in turn: in (key, split) order, one of two workers would get
    # every train split, and a large split at the end would be read while all other workers are idle.
    elements.sort(key=lambda element: (-files.total_bytes(element.files), element.key, element.split))
    transform = Ingest(output, config.limit, build.config.seed, config.examples_per_shard, build.collapse)
    run_pipeline("ingest", elements, transform, build.options, output, "examples")
    outcomes = gather.read(f"{output}/examples/.summary.json", SplitOutcome)
    verdict = judge(outcomes, {source.key: source.source for source in build.located}, config.max_reject_rate)
    failed = {source.key: source.problem for source in build.located if source.problem} | verdict.failed
    for source in build.located:
        if source.trace:
            failed[source.key] += f": {write_trace(output, source.key, 'listing', source.trace)}"
    without = {*failed, *verdict.absent}
    for key in without:
        remove_shards(f"{output}/examples/{key}")
    splits = [outcome.read for outcome in outcomes if outcome.read and outcome.key not in without]
    if not splits:
        raise SourceError("; ".join(f"source {key}: {reason}" for key, reason in sorted(failed.items())))
    kept = {split.key for split in splits}
    return Ingested(
        sources={source.key: facts(source.source) for source in build.located if source.key in kept},
        raw={source.key: raw[source.key] for source in build.located if source.key in kept},
        splits=tuple(splits),
        failed=dict(sorted(failed.items())),
        absent=tuple(verdict.absent),
        user_sources=registry.user_sources(source for source in build.located if source.key in kept),
        annotators={key: each for key, each in sorted(annotators(outcomes).items()) if key in kept},
    )


def annotators(outcomes: Iterable[SplitOutcome]) -> dict[str, Annotators]:
    """Key → the annotators of the source, if its files name any."""
    comparisons: dict[str, Comparison] = {}
    order = ("all", *SPLITS)
    for outcome in sorted(outcomes, key=lambda outcome: order.index(outcome.split)):
        if outcome.annotators:
            comparisons.setdefault(outcome.key, Comparison()).add_texts(outcome.annotators)
    return {key: each.annotators() for key, each in comparisons.items()}


def facts(source: Source) -> SourceFacts:
    return SourceFacts(**{name: getattr(source, name) for name in SourceFacts.__struct_fields__})


def remove_shards(folder: str) -> None:
    """Deletes the shards of a source, but not subfolders: the key of another source may begin with this key."""
    if not files.is_folder(folder):
        return
    shards = files.list_files(folder, recursive=False)
    if len(shards) == len(files.list_files(folder)):
        files.remove_tree(folder)
    for shard in shards:
        files.remove_file(shard.path)


@dataclass(frozen=True)
class SplitFiles:
    """One element: the files of one split of one source. `split` is "all" for a dataset without official splits."""

    data_root: str
    key: str
    split: str
    files: tuple[File, ...]


class Ingest(beam.PTransform):
    """SplitFiles → shards and rejects below `output`, and `examples/.summary.json` with a SplitOutcome per split.

    `limit`: number of examples to keep per split, sampled by a hash of `seed` and their text (None: all).
    """

    def __init__(self, output: str, limit: int | None, seed: int, examples_per_shard: int, collapse: tuple[str, ...]):
        super().__init__()
        self.output = output
        self.read = IngestSplit(output, limit, seed, examples_per_shard, collapse)

    def expand(self, pcoll):
        return (
            pcoll | "Read" >> beam.ParDo(self.read) | "Sum up" >> WriteSummary(f"{self.output}/examples/.summary.json")
        )


class IngestSplit(beam.DoFn):
    """SplitFiles → a SplitOutcome for each resulting split, or one with the reason why there is none."""

    def __init__(self, output: str, limit: int | None, seed: int, examples_per_shard: int, collapse: tuple[str, ...]):
        self.output, self.limit, self.seed = output, limit, seed
        self.examples_per_shard, self.collapse = examples_per_shard, collapse

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: SplitFiles):
        comparison = Comparison()
        try:
            writers = self.read(element, comparison)
            if not writers:
                raise reading.no_record(element.files)
            splits = [writer.close(element.files) for _, writer in sorted(writers.items())]
        except Unforeseen as error:
            path = write_trace(self.output, element.key, element.split, error.trace)
            yield SplitOutcome(element.key, element.split, failed=f"{error}: {path}")
        except reading.NoRecord as error:
            yield SplitOutcome(element.key, element.split, empty=str(error))
        except SourceError as error:
            yield SplitOutcome(element.key, element.split, failed=str(error))
        else:
            annotators = comparison.annotators(pairs=None) if comparison.texts else None
            for split in splits:
                triples = tuple(sorted(writers[split.split].triples))
                yield SplitOutcome(split.key, split.split, split, annotators=annotators, triples=triples)
                annotators = None

    def read(self, element: SplitFiles, comparison: Comparison) -> dict[str, "SplitWriter"]:
        """Split → the writer of its records. `comparison`: what compares the annotators. Raises SourceError if the
        source cannot be read.
        """
        writers: dict[str, SplitWriter] = {}
        with barrier():
            source = registry.source_at(element.data_root, element.key)
        for record in self.records(source, element, comparison):
            split = element.split if element.split != "all" else hashed_split(record, source)
            if split not in writers:
                draw = None if self.limit is None else Draw(self.limit, self.seed, f"{element.key}/{split}")
                writers[split] = SplitWriter(self.output, source, element.key, split, self.examples_per_shard, draw)
            writer = writers[split]
            if isinstance(record, BadRecord):
                writer.reject(record)
            else:
                writer.add(record)
        return writers

    def records(self, source: Source, element: SplitFiles, comparison: Comparison) -> Iterator[RawExample | BadRecord]:
        """The records of the split, with labels in the words of the prompts."""
        entity_labels = source.entity_labels
        if element.key in self.collapse:
            entity_labels = {raw: label and source.collapsed for raw, label in entity_labels.items()}
        form = first_matching_form(source, element.files)
        return reading.records(source, form, element.files, entity_labels, comparison)


def write_trace(output: str, key: str, name: str, trace: str) -> str:
    """Writes a traceback beside the rejects of its source; returns its path below the output."""
    path = f"rejects/ingest/{key}/{name}.traceback.txt"
    files.write_text(f"{output}/{path}", trace)
    return path


def hashed_split(record: RawExample | BadRecord, source: Source) -> str:
    """The split of a record of a dataset without official splits. A bad record without a text to hash is counted with
    the largest split.
    """
    group = record.group if isinstance(record, BadRecord) else record.document or record.text
    if isinstance(record, BadRecord) and not group:
        return max(source.shares, key=source.shares.__getitem__)
    return hash_split(group, source.shares)


def hash_split(text: str, shares: Mapping[str, float] = SHARES) -> str:
    """The split of a text, or of the document with this name, in a dataset without official splits: by a hash of it,
    stable over versions. `shares`: split → its share, 1 in all.

    Texts that differ only in case, spaces or Unicode form get the same split.
    """
    place = int.from_bytes(hashlib.blake2b(leakage_key(text), digest_size=8).digest()) / 2**64
    used = [split for split, share in shares.items() if share]
    ends = accumulate(shares[split] for split in used)
    return next((split for split, end in zip(used, ends, strict=True) if place < end), used[-1])
