"""The texts of all shards → the rows that share one, and what is decided on them.

First only a key of 16 bytes for each text, few enough to be in one place; then, of rows whose key some other row has,
all that deciding needs, met by hash bucket.
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
"""A shuffle takes longer for many small tables than for what is in them, and each shard has one a bucket."""

KEY_BYTES = 16

KEYS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),  # the first one that the key stands for
        required("rows", pa.int32()),  # how many: 1 for a window, all windows of a document that was cut
        pa.field("document", pa.int32()),  # of such a document its row in the shard of examples/
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
        required("into", STRINGS),  # the keys of the sources into whose test split it leaks
        required("detail", pa.string()),
    ]
)

UNIONS = pa.schema(
    [
        required("shard", pa.int32()),
        required("row", pa.int32()),
        pa.field("document", pa.int32()),  # where it is a document: its row in the shard of examples/
        required("to_shard", pa.int32()),
        required("to_row", pa.int32()),
        pa.field("to_document", pa.int32()),
    ]
)
"""Which row takes up what another annotates, by places in the shards: the rows themselves are read where they lie."""


def write_keys(path: str, keys: Iterable[bytes]) -> None:
    """Puts the leakage keys of a shard's rows on disk, where `shared_rows` finds them: a runner would hold several
    copies of them.
    """
    with files.atomic_write(path) as stream:
        stream.write(b"".join(keys))


def filter_keys(source: str, path: str, stays: np.ndarray) -> None:
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


def read_row_keys(path: str, shard: int, rows: np.ndarray) -> Iterator[tuple[int, pa.Table]]:
    """The keys of some rows of the shard's file at `path`, by hash bucket."""
    keys = KeyTables(shard)
    for numbers, table in read_rows(path, rows, ROWS_PER_TABLE):
        for row, example in zip(numbers.tolist(), table_to_examples(table), strict=True):
            keys.add(example, row)
    yield from keys.tables()


class Row(NamedTuple):
    """What deciding needs of an example: KEYS but for the shard."""

    row: int
    rows: int
    document: int | None
    leakage_key: bytes
    text_key: bytes
    places: list[bytes]
    labels: list[bytes]


class KeyTables:
    """Gathers the keys of a shard's rows and deals them into hash buckets, one Arrow table each."""

    def __init__(self, shard: int):
        self.shard = shard
        self.rows: list[Row] = []

    def add(self, example: Example, row: int, rows: int = 1, document: int | None = None) -> None:
        """An example that is the row with this number, or a document (its row in examples/ is `document`) that is the
        `rows` windows from there on.
        """
        items = deduplicate.annotation_items(example)
        places, labels = [place for place, _ in items], [label for _, label in items]
        keys = decontaminate.leakage_key(example.text), deduplicate.text_key(example.text)
        self.rows.append(Row(row, rows, document, *keys, places, labels))

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
    Reason.LEAKAGE: "the same text stands in a test split: {}",
    Reason.DUPLICATE: "the same text stands elsewhere in this split, annotated alike",
    Reason.CONTRADICTION: "the same text stands elsewhere in this split, and a place in it is labelled otherwise there",
    Reason.SAME_TEXT: "the same text stands elsewhere in this split, and other things are annotated there",
    Reason.SAME_TEXT_UNITED: "united with the row of this text that comes first in the split",
}


def decide(
    tables: Iterable[pa.Table], splits: dict[int, tuple[str, str]], same_text: deduplicate.SameText
) -> Iterator[tuple[int, pa.Table, pa.Table]]:
    """All keys that fell into one hash bucket → (shard number, DECISIONS on its rows, UNIONS of them with others)."""
    decisions: dict[int, list[tuple]] = defaultdict(list)
    unions: dict[int, list[tuple]] = defaultdict(list)
    for rows in same_key_groups(pa.concat_tables(tables)):
        for row, decision, into in decide_rows(rows, splits, same_text):
            if decision.stays and row["document"] is not None:
                continue  # its windows are what stays, and some of them may be alike
            shard, detail = row["shard"], DETAILS[decision.reason].format(", ".join(into))
            for number in range(row["row"], row["row"] + row["rows"]):
                decisions[shard].append((shard, number, str(decision.reason), decision.stays, into, detail))
            if decision.reason == Reason.SAME_TEXT_UNITED:
                ends = (row, rows[decision.position])
                unions[shard].append(tuple(end[name] for end in ends for name in ("shard", "row", "document")))
    for shard, decided in sorted(decisions.items()):
        yield shard, to_table(sorted(decided), DECISIONS), to_table(sorted(unions[shard], key=itemgetter(1)), UNIONS)


def decide_rows(
    rows: list[dict], splits: dict[int, tuple[str, str]], same_text: deduplicate.SameText
) -> Iterator[tuple[dict, deduplicate.Decision, tuple[str, ...]]]:
    """Of the rows that share a leakage key (KEYS, in file order): leaks into a test split first, with the keys of the
    sources leaked into; of the rest, within each source and split, what `deduplicate.decide` says of those of exactly
    one text. A decision's position is a number in `rows`.
    """
    leaking = set()
    for leak in decontaminate.leaks((*splits[row["shard"]], n) for n, row in enumerate(rows)):
        leaking.add(leak.ordinal)
        yield rows[leak.ordinal], deduplicate.Decision(leak.ordinal, Reason.LEAKAGE, leak.ordinal), leak.into
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
