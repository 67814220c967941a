"""The texts of all shards → the rows that share a text, and the decisions on them.

First, 16-byte keys of all texts are gathered in one place. Then, for rows whose key occurs more than once, everything
that the decisions need is grouped by hash bucket.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.arrow import STRINGS, required, table_to_examples
from schemas.errors import Reason
from schemas.example import Example
from transforms import decontaminate, deduplicate, files
from transforms.shards import read_rows

ROWS_PER_TABLE = 5_000
BUCKETS = 8
"""Few, because each shard has one table per bucket, and many small tables make a shuffle slow."""

KEY_BYTES = 16

KEYS = pa.schema(
    [
        required("shard", pa.int32()),
        required("id", pa.string()),  # of the window, or of the document that was cut
        required("row", pa.int32()),  # the first row that the key covers
        required("rows", pa.int32()),  # number of rows: 1 for a window, all windows for a document that was cut
        pa.field("document", pa.int32()),  # row of such a document in the shard of examples/
        required("leakage_key", pa.binary(16)),
        required("text_key", pa.binary(16)),
        required("places", pa.list_(required("element", pa.binary(8)))),
        required("labels", pa.list_(required("element", pa.binary(8)))),
    ]
)

DECISIONS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),
        required("reason", pa.string()),
        required("stays", pa.bool_()),  # the row is only counted
        required("into", STRINGS),  # keys of the sources into whose test splits it leaks
        required("twin", pa.string()),  # id of the text that it repeats, contradicts, differs from or leaks into
        required("detail", pa.string()),
    ]
)

UNIONS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),
        pa.field("document", pa.int32()),  # for a document: its row in the shard of examples/
        required("to_shard", pa.int32()),
        required("to_row", pa.int32()),
        pa.field("to_document", pa.int32()),
    ]
)
"""Positions of rows, and of the rows (`to_*`) that their annotations are united into."""


def write_keys(path: str, keys: Iterable[bytes]) -> None:
    """Writes the leakage keys of the rows of a shard to disk, for `shared_rows`. As elements of a pipeline they would
    be in memory several times.
    """
    with files.atomic_write(path) as stream:
        stream.write(b"".join(keys))


def filter_keys(source: str, path: str, stays: np.ndarray) -> None:
    """Copies the keys of the rows that stay from `source` to `path`, without the keys of documents, which come last."""
    keys = np.frombuffer(files.read_bytes(source), f"V{KEY_BYTES}")
    write_keys(path, [keys[: len(stays)][stays].tobytes()])


def shared_rows(written: Iterable[tuple[int, str]]) -> list[tuple[int, np.ndarray]]:
    """`rows_with_shared_keys` of all shards. `written`: (number of a shard, path of its keys)."""
    return rows_with_shared_keys([(shard, files.read_bytes(path)) for shard, path in written])


def rows_with_shared_keys(keys: list[tuple[int, bytes]]) -> list[tuple[int, np.ndarray]]:
    """(shard, numbers of its rows whose key occurs more than once), without shards that have no such row.

    `keys`: (shard, the concatenated leakage keys of its rows). Only the first half of a key is compared, which adds a
    wrong row in one of 2**64 pairs.
    """
    keys = sorted(keys)
    half = np.frombuffer(b"".join(content for _, content in keys), np.uint64)[::2]
    order = np.argsort(half, kind="stable")
    same = half[order[1:]] == half[order[:-1]]
    shared = np.zeros(len(half), bool)
    shared[order[1:][same]] = shared[order[:-1][same]] = True
    bounds = np.cumsum([0, *(len(content) // KEY_BYTES for _, content in keys)]).tolist()
    rows = [(shard, np.flatnonzero(shared[a:b])) for (shard, _), (a, b) in zip(keys, pairwise(bounds), strict=True)]
    return [(shard, numbers) for shard, numbers in rows if len(numbers)]


def read_row_keys(path: str, shard: int, rows: np.ndarray) -> Iterator[tuple[int, pa.Table]]:
    """(hash bucket, KEYS) of some rows of the shard in the file `path`."""
    keys = KeyTables(shard)
    for numbers, table in read_rows(path, rows, ROWS_PER_TABLE):
        for row, example in zip(numbers.tolist(), table_to_examples(table), strict=True):
            keys.add(example, row)
    yield from keys.tables()


class Row(NamedTuple):
    """The columns of KEYS without the shard: what the decisions need of an example."""

    id: str
    row: int
    rows: int
    document: int | None
    leakage_key: bytes
    text_key: bytes
    places: list[bytes]
    labels: list[bytes]


class KeyTables:
    """Collects the keys of the rows of a shard, and divides them into hash buckets with one Arrow table each."""

    def __init__(self, shard: int):
        self.shard = shard
        self.rows: list[Row] = []

    def add(self, example: Example, row: int, rows: int = 1, document: int | None = None) -> None:
        """Adds an example: the row with the number `row`, or a document that was cut into `rows` windows from `row` on.

        `document`: row of such a document in the shard of examples/.
        """
        items = deduplicate.annotation_items(example)
        places, labels = [place for place, _ in items], [label for _, label in items]
        keys = decontaminate.leakage_key(example.text), deduplicate.text_key(example.text)
        self.rows.append(Row(example.id, row, rows, document, *keys, places, labels))

    def tables(self) -> Iterator[tuple[int, pa.Table]]:
        buckets: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows:
            buckets[row.leakage_key[0] % BUCKETS].append(row)
        for bucket, rows in buckets.items():
            yield bucket, to_table(((self.shard, *row) for row in rows), KEYS)


def to_table(rows: Iterable[tuple], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


DETAILS = {
    Reason.LEAKAGE: "the same text occurs in a test split: {}",
    Reason.DUPLICATE: "the same text occurs elsewhere in this split with the same annotations",
    Reason.CONTRADICTION: "the same text occurs elsewhere in this split with another label for the same mention",
    Reason.SAME_TEXT: "the same text occurs elsewhere in this split with other annotations",
    Reason.SAME_TEXT_UNITED: "merged into the first row of the split with this text",
}


def decide(
    tables: Iterable[pa.Table], splits: dict[int, tuple[str, str]], same_text: deduplicate.SameText
) -> Iterator[tuple[int, pa.Table, pa.Table]]:
    """(shard number, DECISIONS on its rows, UNIONS of its rows with other rows), from all KEYS of one hash bucket."""
    decisions: dict[int, list[tuple]] = defaultdict(list)
    unions: dict[int, list[tuple]] = defaultdict(list)
    for rows in same_key_groups(pa.concat_tables(tables)):
        for row, decision, into in decide_rows(rows, splits, same_text):
            twin = rows[decision.position]["id"]
            if decision.stays and row["document"] is not None:
                continue  # its windows are decided on separately: some of them may be duplicates
            shard, detail = row["shard"], DETAILS[decision.reason].format(", ".join(into))
            for number in range(row["row"], row["row"] + row["rows"]):
                decisions[shard].append((shard, number, str(decision.reason), decision.stays, into, twin, detail))
            if decision.reason == Reason.SAME_TEXT_UNITED:
                ends = (row, rows[decision.position])
                unions[shard].append(tuple(end[name] for end in ends for name in ("shard", "row", "document")))
    for shard, decided in sorted(decisions.items()):
        yield shard, to_table(sorted(decided), DECISIONS), to_table(sorted(unions[shard], key=itemgetter(1)), UNIONS)


def decide_rows(
    rows: list[dict], splits: dict[int, tuple[str, str]], same_text: deduplicate.SameText
) -> Iterator[tuple[dict, deduplicate.Decision, tuple[str, ...]]]:
    """(row, decision, keys of the sources that it leaks into) for rows that share a leakage key (KEYS, in file order).

    Leaks into a test split come first. The other rows are grouped by source, split and exact text, and decided on by
    `deduplicate.decide`. The position in a decision is an index into `rows`, for a leak that of the first test text.
    """
    leaking = set()
    tests = [n for n, row in enumerate(rows) if splits[row["shard"]][1] == "test"]
    for leak in decontaminate.leaks((*splits[row["shard"]], n) for n, row in enumerate(rows)):
        leaking.add(leak.ordinal)
        yield rows[leak.ordinal], deduplicate.Decision(leak.ordinal, Reason.LEAKAGE, tests[0]), leak.into
    same: dict[tuple, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        if n not in leaking:
            same[*splits[row["shard"]], row["text_key"]].append(n)
    for group in same.values():
        if len(group) > 1:
            items = [(n, n, list(zip(rows[n]["places"], rows[n]["labels"], strict=True))) for n in group]
            for decision in deduplicate.decide(items, same_text):
                yield rows[decision.ordinal], decision, ()


def same_key_groups(keys: pa.Table) -> Iterator[list[dict]]:
    """Groups of two or more rows with the same leakage key, each in (shard, row) order."""
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
