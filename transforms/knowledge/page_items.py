"""Titles of pages → the pages that they redirect to, and their items: joins of tables within a bucket.

A title belongs to the item with this page in the encyclopaedia (names of the kind `title`). Dumps without such names
have labels only: the title, else the title without its bracketed part, must be the label of a single item.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import required
from schemas.knowledge import PARAGRAPHS
from transforms.knowledge import titles
from transforms.knowledge.item_tables import grouped

REDIRECTS = pa.schema([required("title", pa.string()), required("target", pa.string())])
"""Where a page redirects to."""

TITLES = pa.schema([required("title", pa.string()), required("target", pa.string()), required("shard", pa.int32())])
"""The titles in a shard of paragraphs, distinct, with redirects resolved in `target`."""

KEYED_NAMES = pa.schema(
    [
        required("key", pa.string()),
        required("name", pa.string()),  # starts with a capital, as titles do
        required("qid", pa.int64()),
        required("title", pa.bool_()),  # whether the name is the title of the item's page
    ]
)

ITEMS_OF_TITLES = pa.schema(
    [required("title", pa.string()), required("target", pa.string()), pa.field("qid", pa.int64())]
)


def by_bucket(table: pa.Table, column: str, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    """(bucket, its rows): the bucket of a row is a hash of the string in `column`."""
    hashes = [zlib.crc32(value.encode("utf-8", "surrogatepass")) for value in table[column].to_pylist()]
    yield from grouped(table, np.array(hashes, np.int64) % buckets)


def redirect_table(redirects: Sequence[tuple[str, str]]) -> pa.Table:
    columns = list(zip(*redirects, strict=True)) or [(), ()]
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], schema=REDIRECTS)


def as_titles(redirects: pa.Table) -> pa.Table:
    """Redirects as TITLES of no shard."""
    return redirects.append_column(TITLES.field("shard"), pa.array([-1] * redirects.num_rows, pa.int32()))


def distinct_redirects(tables: Iterable[pa.Table]) -> pa.Table:
    """One redirect per title: if dumps contradict each other, that to the first target."""
    return pa.concat_tables(tables).group_by("title").aggregate([("target", "min")]).rename_columns(REDIRECTS.names)


def follow(rows: Iterable[pa.Table], redirects: Iterable[pa.Table]) -> tuple[pa.Table, pa.Array]:
    """TITLES with each target that redirects replaced, and which of them these are."""
    table = pa.concat_tables(rows)
    distinct = distinct_redirects([REDIRECTS.empty_table(), *redirects])
    at = pc.index_in(table["target"], value_set=distinct["title"].combine_chunks())
    target = pc.coalesce(distinct["target"].take(at), table["target"])
    replaced = table.set_column(table.schema.get_field_index("target"), table.schema.field("target"), target)
    return replaced, at.is_valid()


def titles_in(paragraphs: pa.Table, shard: int) -> pa.Table:
    """TITLES of the pages and links without an item in a table of PARAGRAPHS."""
    pages = paragraphs.filter(pc.is_null(paragraphs["page"]))["title"]
    links = link_array(paragraphs)
    linked = links.filter(pc.is_null(links.field("qid"))).field("title")
    both = pa.chunked_array([*pages.chunks, linked], pa.string())
    distinct = sorted({titles.upper_first(title) for title in both.unique().to_pylist() if title})
    column = pa.array(distinct, pa.string())
    return pa.Table.from_arrays([column, column, pa.array([shard] * len(distinct), pa.int32())], schema=TITLES)


def with_key(table: pa.Table) -> pa.Table:
    """TITLES with a column `key`: the target without its bracketed part."""
    keys = [titles.without_bracket(target) for target in table["target"].to_pylist()]
    return table.append_column(required("key", pa.string()), pa.array(keys, pa.string()))


def keyed_names(names: pa.Table) -> pa.Table:
    """KEYED_NAMES of the titles and labels in a table of NAMES."""
    chosen = names.filter(pc.is_in(names["kind"], pa.array(["title", "label"])))
    capitalized = [titles.upper_first(name) for name in chosen["name"].to_pylist()]
    keys = [titles.without_bracket(name) for name in capitalized]
    columns = [pa.array(keys, pa.string()), pa.array(capitalized, pa.string()), chosen["qid"]]
    return pa.Table.from_arrays([*columns, pc.equal(chosen["kind"], "title")], schema=KEYED_NAMES)


def find_items(queries: Iterable[pa.Table], names: Iterable[pa.Table]) -> pa.Table:
    """TITLES with keys and, in the column `qid`, their items; null if no item or more than one has the name.

    `names`: all KEYED_NAMES with the same keys.
    """
    table = pa.concat_tables(queries)
    wanted = table["key"].unique()
    pages: dict[str, int] = {}  # the lowest item, if several claim to have the page
    labelled: dict[str, int | None] = {}  # None: several items
    for part in names:
        rows = part.filter(pc.is_in(part["key"], wanted))
        columns = (rows[name].to_pylist() for name in ("name", "qid", "title"))
        for name, qid, is_title in zip(*columns, strict=True):
            if is_title:
                pages[name] = min(qid, pages.get(name, qid))
            if labelled.setdefault(name, qid) != qid:
                labelled[name] = None

    def item(target: str, key: str) -> int | None:
        if target in pages or target.isdecimal():  # a number is the title of a year, but the label of other things
            return pages.get(target)
        return labelled[target] if target in labelled else labelled.get(key)

    items = [item(*pair) for pair in zip(table["target"].to_pylist(), table["key"].to_pylist(), strict=True)]
    return table.append_column("qid", pa.array(items, pa.int64()))


def by_shard(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """(shard, ITEMS_OF_TITLES), from TITLES with a column `qid`."""
    for shard, rows in grouped(table, table["shard"].to_numpy()):
        yield shard, rows.select(ITEMS_OF_TITLES.names).cast(ITEMS_OF_TITLES)


def resolve(paragraphs: pa.Table, items: pa.Table) -> pa.Table:
    """PARAGRAPHS with the items of their pages, and with their links' titles and items (ITEMS_OF_TITLES)."""
    known, target, qid = (items[name].combine_chunks() for name in ITEMS_OF_TITLES.names)

    def positions(column: pa.Array) -> pa.Array:
        capitalized = [title and titles.upper_first(title) for title in column.to_pylist()]
        return pc.index_in(pa.array(capitalized, pa.string()), value_set=known, skip_nulls=True)

    page = pc.coalesce(paragraphs["page"].combine_chunks(), qid.take(positions(paragraphs["title"].combine_chunks())))
    links = link_array(paragraphs)
    at = positions(links.field("title"))
    linked = pc.coalesce(target.take(at), links.field("title"))
    return replace(paragraphs, page, linked, pc.coalesce(links.field("qid"), qid.take(at)))


def replace_merged(paragraphs: pa.Table, merged: pa.Table) -> pa.Table:
    """PARAGRAPHS with the ids of items that were merged into others (`item_tables.MERGED`) replaced."""
    qids, targets = (merged[name].combine_chunks() for name in ("qid", "target"))

    def current(column: pa.Array) -> pa.Array:
        return pc.coalesce(targets.take(pc.index_in(column, value_set=qids, skip_nulls=True)), column)

    links = link_array(paragraphs)
    page = current(paragraphs["page"].combine_chunks())
    return replace(paragraphs, page, links.field("title"), current(links.field("qid")))


def replace(paragraphs: pa.Table, page: pa.Array, titles: pa.Array, qids: pa.Array) -> pa.Table:
    """PARAGRAPHS with other pages, and with other titles and items of all links."""
    links = link_array(paragraphs)
    column = paragraphs["links"].combine_chunks()
    kind = PARAGRAPHS.field("links").type
    columns = [links.field("start"), links.field("end"), titles, qids]
    values = pa.StructArray.from_arrays(columns, fields=list(kind.value_type))
    changed = {"page": page, "links": pa.ListArray.from_arrays(column.offsets, values, type=kind)}
    arrays = [changed.get(name, paragraphs[name]) for name in PARAGRAPHS.names]
    return pa.Table.from_arrays(arrays, schema=PARAGRAPHS)


def renumber(paragraphs: pa.Table, before: int) -> pa.Table:
    """The paragraphs with the number in `<key>/<number>/…`, their ids, increased by `before`."""
    key, number, rest = (pc.list_element(pc.split_pattern(paragraphs["id"], "/", max_splits=2), n) for n in range(3))
    increased = pc.utf8_lpad(pc.add(number.cast(pa.int64()), before).cast(pa.string()), 8, "0")
    ids = pc.binary_join_element_wise(key, increased, rest, "/")
    return paragraphs.set_column(paragraphs.schema.get_field_index("id"), paragraphs.schema.field("id"), ids)


def link_array(paragraphs: pa.Table) -> pa.StructArray:
    """The links of all paragraphs, one after another."""
    return paragraphs["links"].combine_chunks().flatten()
