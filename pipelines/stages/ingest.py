"""Original dataset files → examples/<source>/<split>-NNNNN.parquet, and rejects/ingest/ for unreadable records."""

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import TypeVar

import apache_beam as beam

from pipelines import sources
from pipelines.engine import code, gather
from pipelines.engine.dag import Stage
from pipelines.engine.gather import WriteSummary
from pipelines.engine.options import worker_count
from pipelines.engine.run import run_pipeline
from pipelines.sources import Source, reading, registry
from pipelines.sources.agreement import Comparison
from pipelines.sources.judge import SplitOutcome, judge
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.registry import Located
from pipelines.sources.source import SHARES
from pipelines.sources.source_files import first_matching_form
from pipelines.stages.build_settings import BuildSettings
from pipelines.stages.ingest_result import Checksums, NothingRead, conclude, counted
from pipelines.stages.parts import (
    PART_BYTES,
    JoinedSplit,
    PartOutcome,
    PartWriter,
    Shard,
    WriteShards,
    cut_group,
    parts_folder,
)
from pipelines.stages.split_writer import Draw, SplitWriter
from schemas.errors import BadRecord, MachineError, SourceError
from schemas.example import RawExample
from schemas.manifests import Ingested
from transforms import files
from transforms.decontaminate import leakage_key
from transforms.file_ranges import whole_file
from transforms.files import File


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
    by_key = {source.key: source.source for source in build.located}
    elements = cut_uneven(elements, by_key, config.limit, worker_count(build.options))
    in_parts = any(element.part is not None for element in elements)
    read = IngestSplit(output, config.limit, build.config.seed, config.examples_per_shard, build.collapse)
    run_pipeline("ingest", elements, Ingest(output, read, in_parts), build.options, output, "examples")
    summary = f"{output}/examples/.summary.json"
    outcomes = gather.read(summary, SplitOutcome)
    if in_parts:
        parts = gather.read(f"{parts_folder(output)}/summary.json", PartOutcome)
        joined = list(join_splits(output, elements, by_key, parts, config.examples_per_shard))
        outcomes += (outcome for outcome, _ in joined)
        gather.write(list(map(gather.encode, outcomes)), summary)
        outcomes = gather.read(summary, SplitOutcome)  # the same as if no split had been cut
        shards = [shard for _, planned in joined for shard in planned]
        run_pipeline("ingest (shards)", shards, WriteShards(output), build.options, output, "examples", len(shards))
        files.remove_tree(parts_folder(output))
    verdict = judge(outcomes, by_key, config.max_reject_rate)
    failed = {source.key: source.problem for source in build.located if source.problem} | verdict.failed
    for source in build.located:
        if source.trace:
            failed[source.key] += f": {write_trace(output, source.key, 'listing', source.trace)}"
    without = {*failed, *verdict.absent}
    for key in without:
        remove_shards(f"{output}/examples/{key}")
    splits = [outcome.read for outcome in outcomes if outcome.read and outcome.key not in without]
    if not splits:
        raise NothingRead(failed, conclude(build, raw, verdict.absent, failed, outcomes, counted(outcomes)))
    return conclude(build, raw, verdict.absent, failed, outcomes, splits)


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
    """One element: the files of one split of one source. `split` is "all" for a dataset without official splits.

    `part`: the number of the part of the split that these files are; None if they are the whole split.
    """

    data_root: str
    key: str
    split: str
    files: tuple[File, ...]
    part: int | None = None


UNEVEN = 1.25
"""A split is cut if it has more than this multiple of the bytes that each worker reads."""


def cut_uneven(
    elements: Sequence[SplitFiles], by_key: Mapping[str, Source], limit: int | None, workers: int
) -> list[SplitFiles]:
    """The elements, with parts instead of splits that would keep one of the workers busy while the others are idle.

    `workers`: 0 if their number is unknown. A split whose texts are drawn or united is not cut: that needs all of them.
    """
    sizes = [files.total_bytes(element.files) for element in elements]
    share = UNEVEN * sum(sizes) / workers if workers else 0
    parts = []
    for element, size in zip(elements, sizes, strict=True):
        is_large = size > max(share, 2 * PART_BYTES) and limit is None and not by_key[element.key].one_pair
        parts += cut_split(element, by_key[element.key], PART_BYTES) if is_large else [element]
    return parts


def cut_split(element: SplitFiles, source: Source, size: int) -> list[SplitFiles]:
    """The split in parts of about `size` bytes; itself if its records need not be single lines or it has one part."""
    form = first_matching_form(source, element.files)
    try:
        if form is None or not reading.has_one_record_per_line(form, element.files):
            return [element]
        groups = cut_group(element.files, size)
    except SourceError:  # reading the split fails for the same reason
        return [element]
    return [replace(element, files=group, part=number) for number, group in enumerate(groups)]


def join_splits(
    output: str,
    elements: Sequence[SplitFiles],
    by_key: Mapping[str, Source],
    read: Iterable[PartOutcome],
    examples_per_shard: int,
) -> Iterator[tuple[SplitOutcome, list[Shard]]]:
    """The outcome of each split that was read in parts, and its shards, which are still to be written.

    `elements`: those that were read, in any order.
    """
    groups: dict[tuple[str, str], list[PartOutcome]] = {}
    for outcome in sorted(read, key=lambda outcome: outcome.number):
        groups.setdefault((outcome.key, outcome.split), []).append(outcome)
    for (key, split), group in sorted(groups.items()):
        parts = sorted((each for each in elements if (each.key, each.split) == (key, split)), key=part_number)
        whole = replace(parts[0], files=tuple(dict.fromkeys(whole_file(file) for part in parts for file in part.files)))
        joined: dict[str, JoinedSplit] = {}

        def close(group=group, joined=joined, whole=whole) -> list[SplitWriter]:
            for outcome in group:
                if outcome.failed:
                    raise Unforeseen(outcome.failed, outcome.trace) if outcome.trace else SourceError(outcome.failed)
                for part in outcome.parts:
                    at = output, by_key[whole.key], whole.key, part.split, examples_per_shard
                    joined.setdefault(part.split, JoinedSplit(*at)).take(part)
            return [writer for _, writer in sorted(joined.items())]

        for result in split_outcomes(output, whole, close, Comparison()):
            yield result, joined[result.split].plans if result.counts else []


def part_number(element: SplitFiles) -> int:
    return element.part or 0


class Ingest(beam.PTransform):
    """SplitFiles → shards and rejects below `output`, and `examples/.summary.json` with a SplitOutcome per split.

    `in_parts`: whether splits are read in parts, whose PartOutcomes are then in `summary.json` beside the parts.
    """

    def __init__(self, output: str, read: "IngestSplit", in_parts: bool):
        super().__init__()
        self.output, self.read, self.in_parts = output, read, in_parts

    def expand(self, pcoll):
        read = pcoll | "Read" >> beam.ParDo(self.read).with_outputs("parts", main="splits")
        if self.in_parts:
            read.parts | "Sum up parts" >> WriteSummary(f"{parts_folder(self.output)}/summary.json")
        return read.splits | "Sum up" >> WriteSummary(f"{self.output}/examples/.summary.json")


def split_outcomes(
    output: str, element: SplitFiles, read: Callable[[], Sequence[SplitWriter]], comparison: Comparison
) -> Iterator[SplitOutcome]:
    """The outcome for each writer that `read` returns, sorted by split, or one with the reason why there is none."""
    try:
        writers = read()
        if not writers:
            raise reading.no_record(element.files)
        splits = [writer.close(element.files) for writer in writers]
    except Unforeseen as error:
        path = write_trace(output, element.key, element.split, error.trace)
        yield SplitOutcome(element.key, element.split, failed=f"{error}: {path}")
    except reading.NoRecord as error:
        yield SplitOutcome(element.key, element.split, empty=str(error))
    except SourceError as error:
        yield SplitOutcome(element.key, element.split, failed=str(error))
    else:
        annotators = comparison.annotators(pairs=None) if comparison.texts else None
        for writer, split in zip(writers, splits, strict=True):
            triples = tuple(sorted(writer.triples))
            yield SplitOutcome(split.key, split.split, split, annotators=annotators, triples=triples)
            annotators = None


Writer = TypeVar("Writer", bound=SplitWriter)


class IngestSplit(beam.DoFn):
    """SplitFiles → a SplitOutcome for each resulting split, or one with the reason why there is none; for a part of a
    split, a PartOutcome with the tag `parts`.

    `limit`: number of examples to keep per split, sampled by a hash of `seed` and their text (None: all).
    """

    def __init__(self, output: str, limit: int | None, seed: int, examples_per_shard: int, collapse: tuple[str, ...]):
        self.output, self.limit, self.seed = output, limit, seed
        self.examples_per_shard, self.collapse = examples_per_shard, collapse

    def setup(self):
        gc.freeze()  # else every garbage collection would traverse the imported modules again

    def process(self, element: SplitFiles):
        if element.part is not None:
            yield beam.pvalue.TaggedOutput("parts", self.read_part(element, element.part))
            return
        comparison = Comparison()

        def writer(source: Source, split: str) -> SplitWriter:
            draw = None if self.limit is None else Draw(self.limit, self.seed, f"{element.key}/{split}")
            return SplitWriter(self.output, source, element.key, split, self.examples_per_shard, draw)

        yield from split_outcomes(self.output, element, lambda: self.read(element, comparison, writer), comparison)

    def read_part(self, element: SplitFiles, number: int) -> PartOutcome:
        at = element.key, element.split, number

        def writer(source: Source, split: str) -> PartWriter:
            return PartWriter(self.output, source, element.key, split)

        try:
            writers = self.read(element, Comparison(), writer)
            parts = [writer.close_part(f"{element.split}-{number:05d}") for writer in writers]
        except Unforeseen as error:
            return PartOutcome(*at, failed=str(error), trace=error.trace)
        except SourceError as error:
            return PartOutcome(*at, failed=str(error))
        return PartOutcome(*at, tuple(parts))

    def read(
        self, element: SplitFiles, comparison: Comparison, writer_of: Callable[[Source, str], Writer]
    ) -> list[Writer]:
        """The writers of the records, sorted by split. `comparison`: what compares the annotators. `writer_of`: makes
        the writer of a split.

        Raises SourceError if the source cannot be read.
        """
        writers: dict[str, Writer] = {}
        with barrier():
            source = registry.source_at(element.data_root, element.key)
        for record in self.records(source, element, comparison):
            split = element.split if element.split != "all" else hashed_split(record, source)
            if split not in writers:
                writers[split] = writer_of(source, split)
            writer = writers[split]
            if isinstance(record, BadRecord):
                writer.reject(record)
            else:
                writer.add(record)
        return [writer for _, writer in sorted(writers.items())]

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
