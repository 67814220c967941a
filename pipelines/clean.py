"""examples/ → clean/<source>/<split>-NNNNN.parquet: repaired, windowed, without duplicates, contradictions or leaks.

Only keys cross a shuffle: 16-byte hashes of every text meet by hash bucket, the decisions go back to the shard
that each row lies in, and the rows themselves never leave their shard.
"""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest import EXAMPLES_A_TABLE
from pipelines.summary import WriteSummary
from schemas.arrow import EXAMPLES, REJECTS, examples_to_table, rejects_to_table, required, table_to_examples
from schemas.errors import Reason, Reject
from schemas.example import Example
from transforms import coders, decontaminate, deduplicate, files  # noqa: F401  (coders registers the table coder)
from transforms.clean import low_quality, repair
from transforms.shards import read_batches, write_shard
from transforms.windows import windows
from validation import faultless_examples
from validation.facts import Facts, joined

BUCKETS = 64

KEYS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),  # the first one that the key stands for
        required("rows", pa.int32()),  # how many: 1 for a window, all windows of a document that was cut
        required("leakage_key", pa.binary(16)),
        required("text_key", pa.binary(16)),
        required("places", pa.list_(required("element", pa.binary(8)))),
        required("labels", pa.list_(required("element", pa.binary(8)))),
    ]
)

DROPS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),
        required("reason", pa.string()),
        required("detail", pa.string()),
    ]
)


@dataclass(frozen=True)
class Shard:
    """One element: a shard of examples/. `number` counts all shards in (key, split, file) order."""

    number: int
    key: str
    split: str
    path: str


def cut_folder(output: str) -> str:
    """Where repaired windows wait for the decisions on them."""
    return f"{output}/clean/.cut"


def cut_path(output: str, shard: Shard) -> str:
    return f"{cut_folder(output)}/{shard.number:06d}.parquet"


class Clean(beam.PTransform):
    """Shards of examples → shards of clean examples and rejects on disk, and `clean/.summary.json`."""

    def __init__(self, output: str, shards: list[Shard], max_chars: int):
        super().__init__()
        self.output, self.max_chars = output, max_chars
        self.splits = {shard.number: (shard.key, shard.split) for shard in shards}

    def expand(self, pcoll):
        cut = pcoll | "Repair and cut" >> beam.ParDo(RepairAndCut(self.output, self.max_chars)).with_outputs(
            "keys", main="shards"
        )
        drops = (
            cut["keys"]
            | "As tables" >> beam.Map(unchanged).with_output_types(tuple[int, pa.Table])  # tells Beam the coder
            | "Meet by hash" >> beam.GroupByKey()
            | "Decide" >> beam.FlatMap(decide, self.splits).with_output_types(tuple[int, pa.Table])
        )
        keyed = cut["shards"] | "Key by number" >> beam.Map(by_number)
        return (
            {"shard": keyed, "drops": drops}
            | "Back to the shard" >> beam.CoGroupByKey()
            | "Write" >> beam.ParDo(WriteClean(self.output, self.max_chars))
            | "Sum up" >> WriteSummary(f"{self.output}/clean/.summary.json")
        )


def unchanged(element: tuple[int, pa.Table]) -> tuple[int, pa.Table]:
    return element


def by_number(part: dict) -> tuple[int, dict]:
    return part["number"], part


class RepairAndCut(beam.DoFn):
    """A shard → its repaired windows on disk, the keys of each by hash bucket, and what has been dropped so far."""

    def __init__(self, output: str, max_chars: int):
        self.output, self.max_chars = output, max_chars

    def setup(self):
        gc.freeze()  # what is loaded by now stays: every collection of rows would look through it again

    def process(self, shard: Shard):
        part = {"number": shard.number, "key": shard.key, "split": shard.split, "path": shard.path}
        crossing, rejects = Counter(), []
        keys = KeyTables(shard.number)
        rows = write_shard(cut_path(self.output, shard), EXAMPLES, self.tables(shard, keys, crossing, rejects))
        part |= {"windows": rows, "crosses_window": dict(sorted(crossing.items())), "rejects": rejects}
        yield part
        for bucket, table in keys.tables():
            yield beam.pvalue.TaggedOutput("keys", (bucket, table))

    def tables(self, shard: Shard, keys: "KeyTables", crossing: Counter, rejects: list) -> Iterator[pa.Table]:
        for table in read_batches(f"{self.output}/{shard.path}", EXAMPLES_A_TABLE):
            kept, whole = [], []
            for number, example in enumerate(table_to_examples(table)):
                repaired = repair(example)
                cut, crossed = windows(repaired, self.max_chars)
                crossing.update(crossed)
                first = keys.count
                for window in cut:
                    problem = low_quality(window)
                    if not window.tasks:
                        rejects.append([window.id, str(Reason.UNANNOTATED), "its annotations are unknown"])
                    elif problem:
                        rejects.append([window.id, str(Reason.LOW_QUALITY), problem])
                    else:
                        kept.append(window)
                        keys.add(window)
                        if window is example:
                            whole.append(number)
                if len(cut) > 1:
                    keys.add_document(repaired, first)
            if kept:  # rows that nothing has changed need not be written anew
                yield table.take(pa.array(whole)) if len(whole) == len(kept) else examples_to_table(kept)


class KeyTables:
    """Gathers the keys of a shard's rows and deals them into hash buckets, one Arrow table each."""

    def __init__(self, shard: int):
        self.shard = shard
        self.rows: dict[int, list[tuple]] = defaultdict(list)
        self.count = 0

    def add(self, example: Example) -> None:
        self.append(example, self.count, 1)
        self.count += 1

    def add_document(self, document: Example, first: int) -> None:
        """The whole document, beside its windows from row `first` on: where it was cut depends on its annotations, so
        another copy of it may have other windows.
        """
        if first < self.count:
            self.append(document, first, self.count - first)

    def append(self, example: Example, row: int, rows: int) -> None:
        key = decontaminate.leakage_key(example.text)
        items = deduplicate.annotation_items(example)
        places, labels = [place for place, _ in items], [label for _, label in items]
        self.rows[key[0] % BUCKETS].append((row, rows, key, deduplicate.text_key(example.text), places, labels))

    def tables(self) -> Iterator[tuple[int, pa.Table]]:
        for bucket, rows in self.rows.items():
            columns = list(zip(*rows, strict=True))
            yield (
                bucket,
                pa.Table.from_arrays(
                    [pa.array([self.shard] * len(rows), pa.int32())]
                    + [pa.array(column, kind) for column, kind in zip(columns, KEYS.types[1:], strict=True)],
                    schema=KEYS,
                ),
            )


def decide(element: tuple[int, Iterable[pa.Table]], splits: dict[int, tuple[str, str]]):
    """One hash bucket with all keys that fell into it → (shard number, its rows to drop with reason and detail)."""
    _, tables = element
    drops: dict[int, list[tuple]] = defaultdict(list)
    for rows in same_key_groups(pa.concat_tables(tables)):
        for row, reason, detail in drops_of(rows, splits):
            for number in range(row["row"], row["row"] + row["rows"]):
                drops[row["shard"]].append((row["shard"], number, str(reason), detail))
    for shard, dropped in sorted(drops.items()):
        columns = zip(*sorted(dropped), strict=True)
        yield (
            shard,
            pa.Table.from_arrays(
                [pa.array(column, kind) for column, kind in zip(columns, DROPS.types, strict=True)], schema=DROPS
            ),
        )


def drops_of(rows: list[dict], splits: dict[int, tuple[str, str]]) -> Iterator[tuple[dict, Reason, str]]:
    """Of the rows that share a leakage key: leaks into a test split first; of the rest, within each source and
    split, those of exactly one text that repeat or contradict each other. `detail` of a leak is the sources leaked
    into, comma-separated.
    """
    leaking = {}
    for leak in decontaminate.leaks((*splits[row["shard"]], n) for n, row in enumerate(rows)):
        leaking[leak.ordinal] = leak
        yield rows[leak.ordinal], Reason.LEAKAGE, ",".join(leak.into)
    same: dict[tuple, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        if n not in leaking:
            same[*splits[row["shard"]], row["text_key"]].append(n)
    for group in same.values():
        if len(group) > 1:
            # `group` is in file order, so that a row's number in it serves as its position too.
            items = [(n, n, list(zip(rows[n]["places"], rows[n]["labels"], strict=True))) for n in group]
            for drop in deduplicate.decide(items):
                yield rows[drop.ordinal], drop.reason, "the same text stands elsewhere in this split"


def same_key_groups(keys: pa.Table) -> Iterator[list[dict]]:
    """The rows that share their leakage key with another row, by key, in (shard, row) order."""
    ordered = keys.sort_by(
        [("leakage_key", "ascending"), ("shard", "ascending"), ("row", "ascending")]
    ).combine_chunks()
    column = ordered["leakage_key"].chunk(0)
    raw = np.frombuffer(column.buffers()[1], dtype="V16", count=len(column), offset=column.offset * 16)
    starts = np.flatnonzero(np.r_[True, raw[1:] != raw[:-1]])
    lengths = np.diff(np.r_[starts, len(raw)])
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length > 1:
            yield ordered.slice(start, length).to_pylist()


class WriteClean(beam.DoFn):
    """A shard with all decisions on its rows → what is kept and what is rejected, on disk, and a summary with what the
    checks of the kept rows found.
    """

    def __init__(self, output: str, max_chars: int):
        self.output, self.max_chars = output, max_chars

    def process(self, element: tuple[int, dict]):
        _, given = element
        (part,) = given["shard"]
        every = [row for table in given["drops"] for row in table.to_pylist()]
        # A window may be dropped on its own and with its document: one reason counts, whatever order they come in.
        drops = {row["row"]: row for row in sorted(every, key=lambda row: (row["reason"], row["detail"]), reverse=True)}
        shard = Shard(part["number"], part["key"], part["split"], part["path"])
        checked: list[Facts | None] = []
        kept_counts, leaks = Counter({"examples": 0, "entities": 0, "relations": 0, "events": 0}), Counter()
        rejects = [
            Reject("clean", shard.key, shard.split, row_id, shard.path, Reason(reason), detail)
            for row_id, reason, detail in part["rejects"]
        ]

        def kept() -> Iterator[pa.Table]:
            first = 0
            for table in read_batches(cut_path(self.output, shard), EXAMPLES_A_TABLE):
                mask = np.ones(table.num_rows, dtype=bool)
                ids = table["id"]
                for offset in range(table.num_rows) if drops else ():
                    drop = drops.get(first + offset)
                    if drop:
                        mask[offset] = False
                        rejects.append(
                            Reject(
                                "clean",
                                shard.key,
                                shard.split,
                                ids[offset].as_py(),
                                shard.path,
                                Reason(drop["reason"]),
                                drop["detail"],
                            )
                        )
                        if drop["reason"] == Reason.LEAKAGE:
                            leaks.update(drop["detail"].split(","))
                first += table.num_rows
                left = table.filter(pa.array(mask))
                count_layers(left, kept_counts)
                checked.append(faultless_examples.facts(left, shard.key, shard.split, self.max_chars))
                yield left

        path = shard.path.replace("examples/", "clean/", 1)
        rows = write_shard(f"{self.output}/{path}", EXAMPLES, kept())
        if rejects:
            write_shard(
                f"{self.output}/rejects/{path}", REJECTS, [rejects_to_table(sorted(rejects, key=lambda r: r.id))]
            )
        yield {
            "number": shard.number,
            "key": shard.key,
            "split": shard.split,
            "path": path,
            "rows": rows,
            "sha256": files.checksum(f"{self.output}/{path}"),
            "facts": msgspec.to_builtins(joined(checked)),
            "windows": part["windows"] + len(part["rejects"]),
            "crosses_window": part["crosses_window"],
            "kept": dict(kept_counts),
            "rejected": dict(sorted(Counter(str(reject.reason) for reject in rejects).items())),
            "leaks_into": dict(sorted(leaks.items())),
        }


def count_layers(table: pa.Table, counts: Counter) -> None:
    """Adds the table's examples, entities, relations and events; an unknown layer counts none."""
    counts["examples"] += table.num_rows
    for layer in ("entities", "relations", "events"):
        counts[layer] += pc.sum(pc.list_value_length(table[layer])).as_py() or 0
