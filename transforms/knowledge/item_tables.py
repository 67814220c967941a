"""Items of a dump → the tables ITEMS and NAMES of schemas/knowledge.py; dropping rows and replacing merged ids."""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import STRINGS, list_array, required, strings
from schemas.knowledge import IDS, ITEMS, NAMES, STATEMENT
from transforms.knowledge.wikidata import ItemRow, Merged, StatementRow

POSITIONS = pa.schema(
    [
        required("qid", pa.int64()),
        required("revision", pa.int64()),
        required("file", pa.int32()),
        required("shard", pa.int32()),
        required("row", pa.int32()),
    ]
)
"""Where an item is: the row of a shard, which is numbered within its file."""

MERGED = pa.schema([required("qid", pa.int64()), required("target", pa.int64())])
"""The item `qid` was merged into the item `target`. Sorted by `qid`, with distinct `qid`s."""

DROPPED = pa.schema([required("row", pa.int32())])

ID_LISTS = ("classes", "superclasses", "neighbours")


def item_table(rows: Sequence[ItemRow]) -> pa.Table:
    """ITEMS."""
    columns = (
        dict(zip(ItemRow._fields, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(ITEMS.names, ())
    )
    return pa.Table.from_arrays(
        [
            pa.array(columns["qid"], pa.int64()),
            strings(columns["label"]),
            list_array(columns["names"], strings, STRINGS),
            *(list_array(columns[name], numbers, IDS) for name in ("classes", "superclasses")),
            list_array(columns["statements"], statement_array, ITEMS.field("statements").type),
            list_array(columns["neighbours"], numbers, IDS),
        ],
        schema=ITEMS,
    )


def numbers(values: Sequence[int]) -> pa.Array:
    return pa.array(values, pa.int64())


def statement_array(rows: Sequence[StatementRow]) -> pa.StructArray:
    columns = list(zip(*rows, strict=True)) or [()] * STATEMENT.num_fields
    fields = list(STATEMENT)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def name_table(rows: Sequence[ItemRow]) -> pa.Table:
    """NAMES: the names of all items, in order."""
    qids = np.repeat(np.array([row.qid for row in rows], np.int64), [len(row.names) for row in rows])
    names = list(chain.from_iterable(row.names for row in rows))
    kinds = list(chain.from_iterable(row.kinds for row in rows))
    return pa.Table.from_arrays([strings(names), pa.array(qids), strings(kinds)], schema=NAMES)


def position_table(rows: Sequence[ItemRow], file: int, shard: int) -> pa.Table:
    """POSITIONS of all rows of a shard."""
    count = len(rows)
    return pa.Table.from_arrays(
        [
            numbers([row.qid for row in rows]),
            numbers([row.revision for row in rows]),
            pa.array(np.full(count, file, np.int32)),
            pa.array(np.full(count, shard, np.int32)),
            pa.array(np.arange(count, dtype=np.int32)),
        ],
        schema=POSITIONS,
    )


def merged_table(merged: Sequence[Merged]) -> pa.Table:
    """MERGED, unsorted."""
    return pa.Table.from_arrays(
        [numbers([row.qid for row in merged]), numbers([row.target for row in merged])], schema=MERGED
    )


def by_bucket(table: pa.Table, column: str, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """(bucket, the rows of this bucket, in order): the bucket of a row is the id in `column` modulo `buckets`."""
    yield from grouped(table, table[column].to_numpy() % buckets)


def by_shard(positions: pa.Table) -> Iterator[tuple[int, int, pa.Table]]:
    """(file, shard, POSITIONS in it)."""
    keys = positions["file"].to_numpy().astype(np.int64) << 32 | positions["shard"].to_numpy()
    for key, rows in grouped(positions, keys):
        yield key >> 32, key & 0xFFFFFFFF, rows


def grouped(table: pa.Table, keys: np.ndarray) -> Iterator[tuple[int, pa.Table]]:
    """(key, the rows with this key, in order). `keys`: one per row."""
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    ordered = table.take(pa.array(order))
    for key, (start, end) in zip(distinct.tolist(), pairwise([*starts.tolist(), len(keys)]), strict=True):
        yield key, ordered.slice(start, end - start)


def list_items(table: pa.Table, column: str) -> int:
    """The number of items in all lists of a column."""
    return pc.sum(pc.list_value_length(table[column])).as_py() or 0


def superseded(positions: pa.Table) -> pa.Table:
    """POSITIONS of the rows that another row of the same item supersedes: the latest revision stays, and of several
    with this revision the first one in the order of files.
    """
    order = [("qid", "ascending"), ("revision", "descending")]
    order += [(name, "ascending") for name in ("file", "shard", "row")]
    ordered = positions.sort_by(order)
    qids = ordered["qid"].to_numpy()
    repeats = np.zeros(len(qids), bool)
    repeats[1:] = qids[1:] == qids[:-1]
    return ordered.filter(pa.array(repeats))


def resolve(merged: pa.Table) -> tuple[pa.Table, int]:
    """MERGED whose targets are not merged themselves, and the number of ids that are left out.

    Left out are ids that lead into a loop, and those with themselves as target. Of several targets, the least counts.
    """
    ordered = merged.sort_by([("qid", "ascending"), ("target", "ascending")])
    qids, targets = ordered["qid"].to_numpy(), ordered["target"].to_numpy()
    first = np.r_[True, qids[1:] != qids[:-1]][: len(qids)]
    qids, targets = qids[first], targets[first]
    # Each round doubles the length of the chains that have been followed
    for _ in range(len(qids).bit_length()):
        targets = replace(targets, qids, targets)
    ends = ~np.isin(targets, qids)
    table = pa.Table.from_arrays([pa.array(qids[ends]), pa.array(targets[ends])], schema=MERGED)
    return table, int(len(qids) - ends.sum())


def replace(values: np.ndarray, qids: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """`values` with the targets in place of merged ids. `qids`: sorted, distinct."""
    if not len(qids):
        return values
    places = np.minimum(np.searchsorted(qids, values), len(qids) - 1)
    return np.where(qids[places] == values, targets[places], values)


def drop_rows(items: pa.Table, names: pa.Table, rows: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """ITEMS and NAMES of a shard without the items in these `rows`."""
    stays = np.ones(items.num_rows, bool)
    stays[rows] = False
    counts = pc.list_value_length(items["names"]).to_numpy()
    return items.filter(pa.array(stays)), names.filter(pa.array(np.repeat(stays, counts)))


def merged_rows(items: pa.Table, merged: pa.Table) -> np.ndarray:
    """The numbers of the rows of items that were merged into others."""
    return np.flatnonzero(np.isin(items["qid"].to_numpy(), merged["qid"].to_numpy()))


def replace_merged(items: pa.Table, merged: pa.Table) -> pa.Table:
    """ITEMS whose classes, statements and neighbours have the targets in place of merged ids, each once."""
    qids, targets = merged["qid"].to_numpy(), merged["target"].to_numpy()
    changed = np.zeros(items.num_rows, bool)
    for name in (*ID_LISTS, "statements"):
        column = items[name].combine_chunks()
        values = column.flatten() if name in ID_LISTS else pc.struct_field(column.flatten(), "item").fill_null(0)
        rows = np.repeat(np.arange(items.num_rows), pc.list_value_length(column).to_numpy())
        changed[rows[np.isin(values.to_numpy(), qids)]] = True
    if not changed.any():
        return items
    replaced = items.filter(pa.array(changed)).to_pylist()
    for row in replaced:
        for name in ID_LISTS:
            row[name] = list(dict.fromkeys(replace(np.array(row[name], np.int64), qids, targets).tolist()))
        row["neighbours"].sort()
        for statement in row["statements"]:
            if statement["item"] is not None:
                statement["item"] = int(replace(np.array([statement["item"]]), qids, targets)[0])
        row["statements"] = [dict(key) for key in dict.fromkeys(tuple(each.items()) for each in row["statements"])]
    order = np.arange(items.num_rows)
    order[changed] = items.num_rows + np.arange(len(replaced))
    both = pa.concat_tables([items, pa.Table.from_pylist(replaced, schema=ITEMS)]).combine_chunks()
    return both.take(pa.array(order))
