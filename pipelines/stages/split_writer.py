"""The records of one split → its examples/ shards and its rejects, with counts of both."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator

from pipelines.sources import Source
from pipelines.sources.reading import barrier
from pipelines.stages.reject_lines import with_lines
from schemas.arrow import EXAMPLES, REJECTS, examples_to_table, rejects_to_table
from schemas.errors import BadRecord, Reason, Reject
from schemas.example import LAYER, Example, RawExample
from schemas.example_id import format_id
from schemas.manifests import REJECTS_KEPT, LayerCounts, RawShard, SplitRead
from transforms.deduplicate import unite
from transforms.draw import seed_key
from transforms.files import File
from transforms.shards import write_shard

EXAMPLES_PER_TABLE = 1_000

RECORD_CHARS = 2_000
"""Length of the text that is kept with a lost part of a record."""


class Draw:
    """Draws at most `size` examples of a split: those whose texts have the lowest hashes, in file order.

    Every example has the same chance, wherever it is in the file. Rows with the same text are drawn together, except
    that the limit may separate the last ones.
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
        """(number, example) of the drawn examples, in the order of their numbers."""
        for _, number, record in sorted(self.heap, key=lambda item: -item[1]):
            yield -number, record


class SplitWriter:
    """Numbers the examples of one split and writes them in shards, with at most one shard in memory.

    Rows of one-pair sources and those of a `draw` are kept in memory until `close`, because rows of one sentence may be
    far apart.
    """

    def __init__(
        self, output: str, source: Source, key: str, split: str, examples_per_shard: int, draw: Draw | None = None
    ):
        self.output, self.source, self.key, self.split = output, source, key, split
        self.examples_per_shard, self.draw = examples_per_shard, draw
        self.one_pair_rows: list[RawExample] = []
        self.waiting: list[Example] = []
        self.tables = []
        self.shards: list[RawShard] = []
        self.rejects: list[Reject] = []  # records
        self.rejected: Counter[Reason] = Counter()  # records
        self.lost: list[Reject] = []  # parts of records that were kept
        self.lost_parts: Counter[Reason] = Counter()  # parts of records
        self.read = Counter({"examples": 0, "entities": 0, "relations": 0, "events": 0})
        self.triples: set[tuple[str, str, str]] = set()  # typed ones whose name, joined by `_`, may be that of another
        self.good = 0  # readable records, drawn or not
        self.annotated = 0  # of these, those with a layer
        self.written = 0

    def reject(self, record: BadRecord) -> None:
        self.note(record, self.rejects, self.rejected)

    def note(self, problem: BadRecord, kept: list[Reject], counts: Counter, record: str = "") -> None:
        reason = Reason(problem.reason)
        counts[reason] += 1
        if len(kept) < REJECTS_KEPT:
            at = problem.place, reason, problem.detail
            kept.append(Reject("ingest", self.key, self.split, "", *at, record=record[:RECORD_CHARS]))

    def add(self, record: RawExample) -> None:
        if record.entities is not None or record.relations is not None or record.events is not None:
            self.annotated += 1
        if self.draw:
            self.draw.add(self.good, record)
        else:
            self.count_and_keep(self.good, record)
        self.good += 1

    def count_and_keep(self, number: int, record: RawExample) -> None:
        """`number`: the number of the record among the readable ones of its split, as in its id."""
        self.read["examples"] += 1
        for problem in record.lost:
            self.note(problem, self.lost, self.lost_parts, record.text)
        for layer in ("entities", "relations", "events"):
            self.read[layer] += len(getattr(record, layer) or ())
        if self.source.one_pair:
            self.one_pair_rows.append(record)
        else:
            self.keep(number, record)

    def tasks(self, record: RawExample) -> tuple[str, ...]:
        """The source's tasks whose layer is annotated; all tasks for a test text without annotations."""
        annotated = tuple(task for task in self.source.tasks if getattr(record, LAYER[task]) is not None)
        return self.source.tasks if self.split == "test" and not annotated else annotated

    def keep(self, number: int, record: RawExample) -> None:
        if "SPO" in self.source.tasks and not self.source.typed_labels:
            for relation in record.relations or ():
                head, tail = relation.head_label, relation.tail_label
                if head is not None and tail is not None and "_" in head + relation.label + tail:
                    self.triples.add((head, relation.label, tail))
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
                record.unknown_labels,
            )
        )
        self.written += 1
        if len(self.waiting) == EXAMPLES_PER_TABLE:
            self.tables.append(self.waiting_table())
        if self.written % self.examples_per_shard == 0:
            self.write_shard()

    def waiting_table(self):
        with barrier():
            table = examples_to_table(self.waiting)
        self.waiting = []
        return table

    def shard_name(self) -> str:
        """The name of the next shard, below the output."""
        return f"examples/{self.key}/{self.split}-{len(self.shards):05d}.parquet"

    def write_shard(self) -> None:
        if self.waiting:
            self.tables.append(self.waiting_table())
        name = self.shard_name()
        rows = write_shard(f"{self.output}/{name}", EXAMPLES, self.tables)
        self.shards.append(RawShard(name, rows))
        self.tables = []

    def close(self, files: Iterable[File]) -> SplitRead:
        """Writes the remaining examples and the rejects; returns the counts of the split. `files`: those that the
        records are from. Raises SourceError if one of them cannot be read again.
        """
        for number, record in self.draw.drawn() if self.draw else ():
            self.count_and_keep(number, record)
        united = unite(self.one_pair_rows)
        for number, record in enumerate(united):
            self.keep(number, record)
        if self.waiting or self.tables or not self.shards:
            self.write_shard()
        if len(united) < len(self.one_pair_rows):
            self.rejected[Reason.ONE_PAIR_UNITED] = len(self.one_pair_rows) - len(united)
        return self.conclude(files)

    def conclude(self, files: Iterable[File]) -> SplitRead:
        """As `close`, if all examples are written."""
        if self.rejects or self.lost:
            path = f"{self.output}/rejects/ingest/{self.key}/{self.split}.parquet"
            with barrier():
                table = rejects_to_table(with_lines(self.rejects, files) + self.lost)
            write_shard(path, REJECTS, [table])
        return SplitRead(
            self.key,
            self.split,
            LayerCounts(**self.read),
            annotated=self.annotated,
            beyond_limit=self.draw.left_out if self.draw else 0,
            rejected=dict(self.rejected),
            lost=dict(self.lost_parts),
            first_rejects=tuple(map(line, sorted(self.rejects, key=is_rule)[:3])),
            first_lost=tuple(map(line, sorted(self.lost, key=is_rule)[:1])),
            shards=tuple(self.shards),
        )


def is_rule(reject: Reject) -> bool:
    return reject.reason.is_rule


def line(reject: Reject) -> str:
    return f"{reject.place}: {reject.reason}: {reject.detail}"
