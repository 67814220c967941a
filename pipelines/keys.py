"""The texts of all shards → the rows that share one, and what is decided on them.

First only a key of 16 bytes for each text, few enough to be in one place; then, of rows whose key some other row has,
all that deciding needs, met by hash bucket.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.arrow import required, table_to_examples
from schemas.errors import Reason
from schemas.example import Example
from transforms import decontaminate, deduplicate, files
from transforms.shards import read_batches

ROWS_A_TABLE = 5_000
BUCKETS = 8
"""A shuffle takes longer for many small tables than for what is in them, and each shard has one a bucket."""

KEY_BYTES = 16

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


def write_keys(path: str, keys: Iterable[bytes]) -> None:
    """Puts the leakage keys of a shard's rows on disk, where `shared_rows` finds them: a runner would hold several
    copies of them.
    """
    with files.atomic_write(path) as stream:
        stream.write(b"".join(keys))


def keep_keys(source: str, path: str, stays: np.ndarray) -> None:
    """Of the keys at `source`, puts those of the rows that stay at `path`; keys of documents come after all rows'."""
    keys = np.frombuffer(files.read_bytes(source), f"V{KEY_BYTES}")
    write_keys(path, [keys[: len(stays)][stays].tobytes()])


def shared_rows(written: Iterable[tuple[int, str]]) -> list[tuple[int, np.ndarray]]:
    """See `rows_with_shared_keys`, of all shards (number, path of its keys)."""
    return rows_with_shared_keys([(shard, files.read_bytes(path)) for shard, path in written])


def rows_with_shared_keys(keys: list[tuple[int, bytes]]) -> list[tuple[int, np.ndarray]]:
    """(Shard, its rows whose key some other row has too (or, once in 2**64 pairs, half of it)), where there are any.

    `keys`: (shard, the leakage keys of its rows, end to end).
    """
    keys = sorted(keys)
    half = np.frombuffer(b"".join(found for _, found in keys), np.uint64)[::2]
    order = np.argsort(half, kind="stable")
    same = half[order[1:]] == half[order[:-1]]
    shared = np.zeros(len(half), bool)
    shared[order[1:][same]] = shared[order[:-1][same]] = True
    bounds = np.cumsum([0, *(len(found) // KEY_BYTES for _, found in keys)]).tolist()
    rows = [(shard, np.flatnonzero(shared[a:b])) for (shard, _), (a, b) in zip(keys, pairwise(bounds), strict=True)]
    return [(shard, found) for shard, found in rows if len(found)]


def keys_of_rows(path: str, shard: int, rows: np.ndarray) -> Iterator[tuple[int, pa.Table]]:
    """The keys of some rows of the shard's file at `path`, by hash bucket."""
    keys, first = KeyTables(shard), 0
    for table in read_batches(path, ROWS_A_TABLE):
        own = rows[(rows >= first) & (rows < first + table.num_rows)]
        if len(own):
            examples = table_to_examples(table.take(pa.array(own - first)))
            for row, example in zip(own.tolist(), examples, strict=True):
                keys.add(example, row)
        first += table.num_rows
    yield from keys.tables()


class Row(NamedTuple):
    """What deciding needs of an example: KEYS but for the shard."""

    row: int
    rows: int
    leakage_key: bytes
    text_key: bytes
    places: list[bytes]
    labels: list[bytes]


class KeyTables:
    """Gathers the keys of a shard's rows and deals them into hash buckets, one Arrow table each."""

    def __init__(self, shard: int):
        self.shard = shard
        self.rows: list[Row] = []

    def add(self, example: Example, row: int, rows: int = 1) -> None:
        """An example that is the row with this number, or a document that is the `rows` windows from there on."""
        items = deduplicate.annotation_items(example)
        places, labels = [place for place, _ in items], [label for _, label in items]
        text = example.text
        self.rows.append(Row(row, rows, decontaminate.leakage_key(text), deduplicate.text_key(text), places, labels))

    def tables(self) -> Iterator[tuple[int, pa.Table]]:
        buckets: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows:
            buckets[row.leakage_key[0] % BUCKETS].append(row)
        for bucket, rows in buckets.items():
            columns = [[self.shard] * len(rows), *zip(*rows, strict=True)]
            arrays = [pa.array(column, kind) for column, kind in zip(columns, KEYS.types, strict=True)]
            yield bucket, pa.Table.from_arrays(arrays, schema=KEYS)


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
