"""Original dataset files → examples/<source>/<split>-NNNNN.parquet, and rejects/ingest for what cannot be read."""

import gc
import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam

from pipelines import reading, registry
from pipelines.reading import Unforeseen, barrier
from pipelines.sources import Source, form_of
from pipelines.summary import WriteSummary
from schemas.arrow import EXAMPLES, REJECTS, examples_to_table, rejects_to_table
from schemas.errors import BadRecord, Reason, Reject, SourceError
from schemas.example import LAYER, Example, RawExample
from schemas.example_id import format_id
from transforms import files
from transforms.decontaminate import leakage_key
from transforms.deduplicate import unite
from transforms.draw import seed_key
from transforms.files import File
from transforms.shards import write_shard

EXAMPLES_A_TABLE = 1_000

REJECTS_KEPT = 10_000
"""Of each split so many are kept with place and detail; beyond that they are counted: a file may be all rejects."""


@dataclass(frozen=True)
class SplitFiles:
    """One element: the files of one split of one source. `split` is "all" for a set without official splits."""

    data_root: str
    key: str
    split: str
    files: tuple[File, ...]


class Ingest(beam.PTransform):
    """SplitFiles → shards and rejects below `output`, and `examples/.summary.json` of what was read.

    `limit`: how many examples of each split are kept, drawn by a hash of `seed` and their text (None: all).
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
    """SplitFiles → one summary a resulting split, or one that says why the source failed or gave nothing."""

    def __init__(self, output: str, limit: int | None, seed: int, examples_per_shard: int, collapse: tuple[str, ...]):
        self.output, self.limit, self.seed = output, limit, seed
        self.examples_per_shard, self.collapse = examples_per_shard, collapse

    def setup(self):
        gc.freeze()  # what is loaded by now stays: every collection of rows would look through it again

    def process(self, element: SplitFiles):
        try:
            writers = self.read(element)
            if not writers:
                raise reading.no_record(element.files)
            parts = [writer.close() for _, writer in sorted(writers.items())]
        except Unforeseen as error:
            path = keep_trace(self.output, element.key, element.split, error.trace)
            yield {"key": element.key, "split": element.split, "failed": f"{error}: {path}"}
        except reading.NoRecord as error:
            yield {"key": element.key, "split": element.split, "nothing": str(error)}
        except SourceError as error:
            yield {"key": element.key, "split": element.split, "failed": str(error)}
        else:
            yield from parts

    def read(self, element: SplitFiles) -> dict[str, "SplitWriter"]:
        """Split → the writer that holds what was read of it. Raises SourceError where the source cannot be read."""
        writers: dict[str, SplitWriter] = {}
        with barrier():
            source = registry.source_at(element.data_root, element.key)
        for record in self.records(source, element):
            if element.split != "all":
                split = element.split
            else:  # a record without a readable text has no hash; its rejects lie with the largest split
                split = "train" if isinstance(record, BadRecord) else hash_split(record.text)
            if split not in writers:
                draw = None if self.limit is None else Draw(self.limit, self.seed, f"{element.key}/{split}")
                writers[split] = SplitWriter(self.output, source, element.key, split, self.examples_per_shard, draw)
            writer = writers[split]
            if isinstance(record, BadRecord):
                writer.reject(record)
            else:
                writer.add(record)
        return writers

    def records(self, source: Source, element: SplitFiles) -> Iterator[RawExample | BadRecord]:
        """The split's records in prompt words."""
        entity_labels = source.entity_labels
        if element.key in self.collapse:
            entity_labels = {raw: label and source.collapsed for raw, label in entity_labels.items()}
        return reading.records(source, form_of(source, element.files), element.files, entity_labels)


def keep_trace(output: str, key: str, name: str, trace: str) -> str:
    """Writes a traceback beside the rejects of its source; returns its path below the output."""
    path = f"rejects/ingest/{key}/{name}.traceback.txt"
    files.write_text(f"{output}/{path}", trace)
    return path


class Draw:
    """At most `size` of the examples of a split: those whose texts have the lowest hashes, in the order of the file.

    Every example of the split has the same chance, wherever in the file it stands; rows of one text are drawn together
    but for the last.
    """

    def __init__(self, size: int, seed: int, split: str):
        self.size, self.seed, self.split = size, seed, split
        self.heap: list[tuple[int, int, RawExample]] = []  # the highest hash first: (-hash, -number, example)
        self.left_out = 0

    def add(self, number: int, record: RawExample) -> None:
        item = (-seed_key(self.seed, self.split, record.text), -number, record)
        if len(self.heap) < self.size:
            heapq.heappush(self.heap, item)
        else:
            self.left_out += 1
            heapq.heappushpop(self.heap, item)

    def drawn(self) -> Iterator[tuple[int, RawExample]]:
        """(number, example) of each that was drawn, in the order of the numbers."""
        for _, number, record in sorted(self.heap, key=lambda item: -item[1]):
            yield -number, record


class SplitWriter:
    """Writes the examples of one split as they come: numbers them, keeps at most a shard in memory.

    Rows of one-pair sources are held until `close`, because rows of one sentence may stand far apart; so are those of
    a `draw`.
    """

    def __init__(
        self, output: str, source: Source, key: str, split: str, examples_per_shard: int, draw: Draw | None = None
    ):
        self.output, self.source, self.key, self.split = output, source, key, split
        self.examples_per_shard, self.draw = examples_per_shard, draw
        self.held: list[RawExample] = []
        self.waiting: list[Example] = []
        self.tables = []
        self.shards: list[dict] = []
        self.rejects: list[Reject] = []  # records
        self.rejected = Counter()  # reason → records
        self.lost: list[Reject] = []  # parts of records that were kept
        self.lost_parts = Counter()  # reason → parts
        self.read = Counter({"examples": 0, "entities": 0, "relations": 0, "events": 0})
        self.good = 0  # records that could be read, drawn or not
        self.annotated = 0  # of these, those with a layer
        self.written = 0

    def reject(self, record: BadRecord) -> None:
        self.note(record, self.rejects, self.rejected)

    def note(self, problem: BadRecord, kept: list[Reject], counts: Counter) -> None:
        counts[str(problem.reason)] += 1
        if len(kept) < REJECTS_KEPT:
            reason = Reason(problem.reason)
            kept.append(Reject("ingest", self.key, self.split, "", problem.place, reason, problem.detail))

    def add(self, record: RawExample) -> None:
        if record.entities is not None or record.relations is not None or record.events is not None:
            self.annotated += 1
        if self.draw:
            self.draw.add(self.good, record)
        else:
            self.count_and_keep(self.good, record)
        self.good += 1

    def count_and_keep(self, number: int, record: RawExample) -> None:
        """`number`: the record's among the good ones of its split, which is its example's number in the id."""
        self.read["examples"] += 1
        for problem in record.lost:
            self.note(problem, self.lost, self.lost_parts)
        for layer in ("entities", "relations", "events"):
            self.read[layer] += len(getattr(record, layer) or ())
        if self.source.one_pair:
            self.held.append(record)
        else:
            self.keep(number, record)

    def tasks(self, record: RawExample) -> tuple[str, ...]:
        """The source's tasks whose layer is annotated; all tasks of a test text without any, which is to predict on."""
        annotated = tuple(task for task in self.source.tasks if getattr(record, LAYER[task]) is not None)
        return self.source.tasks if self.split == "test" and not annotated else annotated

    def keep(self, number: int, record: RawExample) -> None:
        self.waiting.append(
            Example(
                format_id(self.key, self.split, number),
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
            self.tables.append(self.waiting_table())
        if self.written % self.examples_per_shard == 0:
            self.write_shard()

    def waiting_table(self):
        with barrier():
            table = examples_to_table(self.waiting)
        self.waiting = []
        return table

    def write_shard(self) -> None:
        if self.waiting:
            self.tables.append(self.waiting_table())
        name = f"examples/{self.key}/{self.split}-{len(self.shards):05d}.parquet"
        rows = write_shard(f"{self.output}/{name}", EXAMPLES, self.tables)
        self.shards.append({"path": name, "rows": rows})
        self.tables = []

    def close(self) -> dict:
        """Writes what waits and returns the split's summary."""
        for number, record in self.draw.drawn() if self.draw else ():
            self.count_and_keep(number, record)
        united = unite(self.held)
        for number, record in enumerate(united):
            self.keep(number, record)
        if self.waiting or self.tables or not self.shards:
            self.write_shard()
        if self.rejects or self.lost:
            path = f"{self.output}/rejects/ingest/{self.key}/{self.split}.parquet"
            with barrier():
                table = rejects_to_table(self.rejects + self.lost)
            write_shard(path, REJECTS, [table])
        if len(united) < len(self.held):
            self.rejected[str(Reason.ONE_PAIR_UNITED)] = len(self.held) - len(united)
        return {
            "key": self.key,
            "split": self.split,
            "read": dict(self.read),
            "annotated": self.annotated,
            "beyond_limit": self.draw.left_out if self.draw else 0,
            "rejected": dict(self.rejected),
            "lost": dict(self.lost_parts),
            "first_rejects": [f"{reject.place}: {reject.reason}: {reject.detail}" for reject in self.rejects[:3]],
            "first_lost": [f"{reject.place}: {reject.reason}: {reject.detail}" for reject in self.lost[:1]],
            "shards": self.shards,
        }


def hash_split(text: str) -> str:
    """The split of a text in a set without official splits: 90/5/5 by a hash of the text, the same for ever.

    Texts that differ only in case, blanks or Unicode form fall on the same side.
    """
    share = int.from_bytes(hashlib.blake2b(leakage_key(text), digest_size=8).digest()) / 2**64
    return "train" if share < 0.9 else "validation" if share < 0.95 else "test"
