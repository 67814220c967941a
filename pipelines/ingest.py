"""Original dataset files → examples/<source>/<split>-NNNNN.parquet, and rejects/ingest for what cannot be read."""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam

from pipelines import registry
from pipelines.sources import Source, form_of
from pipelines.summary import WriteSummary
from schemas.arrow import EXAMPLES, REJECTS, examples_to_table, rejects_to_table
from schemas.errors import BadRecord, Reason, Reject, SourceError
from schemas.example import LAYER, SPLITS, Example, RawExample
from transforms.decontaminate import leakage_key
from transforms.deduplicate import unite
from transforms.files import File
from transforms.normalize import normalize
from transforms.shards import write_shard

EXAMPLES_A_TABLE = 1_000


@dataclass(frozen=True)
class SplitFiles:
    """One element: the files of one split of one source. `split` is "all" for a set without official splits."""

    data_root: str
    key: str
    split: str
    files: tuple[File, ...]


class Ingest(beam.PTransform):
    """SplitFiles → shards and rejects below `output`, and `examples/.summary.json` of what was read."""

    def __init__(self, output: str, limit: int | None, examples_per_shard: int, collapse: tuple[str, ...]):
        super().__init__()
        self.output = output
        self.read = IngestSplit(output, limit, examples_per_shard, collapse)

    def expand(self, pcoll):
        return (
            pcoll | "Read" >> beam.ParDo(self.read) | "Sum up" >> WriteSummary(f"{self.output}/examples/.summary.json")
        )


class IngestSplit(beam.DoFn):
    """SplitFiles → one summary a resulting split, or one that says why the source failed."""

    def __init__(self, output: str, limit: int | None, examples_per_shard: int, collapse: tuple[str, ...]):
        self.output, self.limit, self.examples_per_shard, self.collapse = output, limit, examples_per_shard, collapse

    def setup(self):
        gc.freeze()  # what is loaded by now stays: every collection of rows would look through it again

    def process(self, element: SplitFiles):
        writers: dict[str, SplitWriter] = {}
        try:
            source = registry.source_at(element.data_root, element.key)
            for record in self.records(source, element):
                if element.split != "all":
                    split = element.split
                else:  # a record without a readable text has no hash; its rejects lie with the largest split
                    split = "train" if isinstance(record, BadRecord) else hash_split(record.text)
                if split not in writers:
                    writers[split] = SplitWriter(self.output, source, element.key, split, self.examples_per_shard)
                writer = writers[split]
                if isinstance(record, BadRecord):
                    writer.reject(record)
                elif self.limit is None or writer.read["examples"] < self.limit:
                    writer.add(record)
                else:
                    writer.beyond_limit += 1
                    if element.split != "all" or len(full(writers, self.limit)) == len(SPLITS):
                        break
            if not writers:
                names = ", ".join(file.name for file in element.files)
                raise SourceError(f"{names}: no record in it; is the file empty or in another format?")
        except SourceError as error:
            yield {"key": element.key, "split": element.split, "failed": str(error)}
        else:
            for _, writer in sorted(writers.items()):
                yield writer.close()

    def records(self, source: Source, element: SplitFiles) -> Iterator[RawExample | BadRecord]:
        """The split's records in prompt words."""
        entity_labels = source.entity_labels
        if element.key in self.collapse:
            entity_labels = {raw: label and source.collapsed for raw, label in entity_labels.items()}
        for record in form_of(source, element.files).read(element.files):
            if isinstance(record, RawExample):
                record = normalize(
                    record, entity_labels, source.relation_labels, source.event_labels, source.role_names
                )
            yield record


def full(writers: dict[str, "SplitWriter"], limit: int) -> list[str]:
    """The splits that have as many examples as were asked for."""
    return [split for split, writer in writers.items() if writer.read["examples"] >= limit]


class SplitWriter:
    """Writes the examples of one split as they come: numbers them, keeps at most a shard in memory.

    Rows of one-pair sources are held until `close`, because rows of one sentence may stand far apart.
    """

    def __init__(self, output: str, source: Source, key: str, split: str, examples_per_shard: int):
        self.output, self.source, self.key, self.split = output, source, key, split
        self.examples_per_shard = examples_per_shard
        self.held: list[RawExample] = []
        self.waiting: list[Example] = []
        self.tables = []
        self.shards: list[dict] = []
        self.rejects: list[Reject] = []  # records
        self.lost: list[Reject] = []  # parts of records that were kept
        self.read = Counter({"examples": 0, "entities": 0, "relations": 0, "events": 0})
        self.written = 0
        self.beyond_limit = 0  # good records that were read and not kept

    def reject(self, record: BadRecord) -> None:
        self.rejects.append(self.as_reject(record))

    def as_reject(self, record: BadRecord) -> Reject:
        return Reject("ingest", self.key, self.split, "", record.place, Reason(record.reason), record.detail)

    def add(self, record: RawExample) -> None:
        self.read["examples"] += 1
        self.lost.extend(map(self.as_reject, record.lost))
        for layer in ("entities", "relations", "events"):
            self.read[layer] += len(getattr(record, layer) or ())
        if self.source.one_pair:
            self.held.append(record)
        else:
            self.keep(record)

    def tasks(self, record: RawExample) -> tuple[str, ...]:
        """The source's tasks whose layer is annotated; all tasks of a test text without any, which is to predict on."""
        annotated = tuple(task for task in self.source.tasks if getattr(record, LAYER[task]) is not None)
        return self.source.tasks if self.split == "test" and not annotated else annotated

    def keep(self, record: RawExample) -> None:
        self.waiting.append(
            Example(
                f"{self.key}/{self.split}/{self.written}",
                self.source.name,
                self.split,
                self.source.lang,
                record.text,
                self.tasks(record),
                record.entities,
                record.relations,
                record.events,
            )
        )
        self.written += 1
        if len(self.waiting) == EXAMPLES_A_TABLE:
            self.tables.append(examples_to_table(self.waiting))
            self.waiting = []
        if self.written % self.examples_per_shard == 0:
            self.write_shard()

    def write_shard(self) -> None:
        if self.waiting:
            self.tables.append(examples_to_table(self.waiting))
        name = f"examples/{self.key}/{self.split}-{len(self.shards):05d}.parquet"
        rows = write_shard(f"{self.output}/{name}", EXAMPLES, self.tables)
        self.shards.append({"path": name, "rows": rows})
        self.waiting, self.tables = [], []

    def close(self) -> dict:
        """Writes what waits and returns the split's summary."""
        united = unite(self.held)
        for record in united:
            self.keep(record)
        if self.waiting or self.tables or not self.shards:
            self.write_shard()
        if self.rejects or self.lost:
            path = f"{self.output}/rejects/ingest/{self.key}/{self.split}.parquet"
            write_shard(path, REJECTS, [rejects_to_table(self.rejects + self.lost)])
        rejected = Counter(str(reject.reason) for reject in self.rejects)
        if len(united) < len(self.held):
            rejected[str(Reason.ONE_PAIR_UNITED)] = len(self.held) - len(united)
        return {
            "key": self.key,
            "split": self.split,
            "read": dict(self.read),
            "beyond_limit": self.beyond_limit,
            "rejected": dict(rejected),
            "lost": dict(sorted(Counter(str(reject.reason) for reject in self.lost).items())),
            "first_rejects": [f"{reject.place}: {reject.reason}: {reject.detail}" for reject in self.rejects[:3]],
            "shards": self.shards,
        }


def hash_split(text: str) -> str:
    """The split of a text in a set without official splits: 90/5/5 by a hash of the text, the same for ever.

    Texts that differ only in case, blanks or Unicode form fall on the same side.
    """
    share = int.from_bytes(hashlib.blake2b(leakage_key(text), digest_size=8).digest()) / 2**64
    return "train" if share < 0.9 else "validation" if share < 0.95 else "test"


def source_failures(parts: Iterable[dict], max_reject_rate: float) -> dict[str, str]:
    """Source key → why it failed, from the summaries: a file that cannot be read, or too many bad records."""
    failed: dict[str, str] = {}
    read, bad, first = Counter(), Counter(), {}
    for part in parts:
        key = part["key"]
        if "failed" in part:
            failed.setdefault(key, part["failed"])
            continue
        read[key] += part["read"]["examples"] + part["beyond_limit"]
        bad[key] += sum(n for reason, n in part["rejected"].items() if not Reason(reason).is_rule)
        first.setdefault(key, []).extend(part["first_rejects"])
    for key in sorted(bad):
        share = bad[key] / max(1, read[key] + bad[key])
        if key not in failed and share > max_reject_rate:
            failed[key] = (
                f"{bad[key]} of {read[key] + bad[key]} records rejected ({share:.1%}, allowed {max_reject_rate:.1%}), "
                f"first {first[key][0]}; mend the file or raise ingest.max_reject_rate"
            )
    return failed
