"""The tables that the stage `link` shuffles: names and n-grams by hash, items by id, and what comes back to a shard."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.engine.keyed_tables import KeyedTable
from schemas.arrow import list_array, read_lists, required, strings
from schemas.knowledge import CONTEXT, LINKED, MENTION, Item, Link, LinkedMention, Paragraph
from transforms.knowledge.item_tables import by_bucket, replace
from transforms.knowledge.linking import NAME_KINDS, Candidate
from transforms.knowledge.name_rules import spelling
from transforms.knowledge.spans import Recogniser, hash_names, hash_spans, is_name

LONGEST_NAME = 200
"""Longer names, in characters, are not linked."""

ITEMS_PER_NAME = 64
"""Of more items with one name, those with the best kinds of name and the lowest ids are candidates."""

NGRAMS = pa.schema([required("hash", pa.uint64()), required("shard", pa.int32())])
"""Hashes of the spans of a shard of paragraphs that may be names, each once."""

HASHED_NAMES = pa.schema(
    [
        required("hash", pa.uint64()),
        required("name", pa.string()),
        required("qid", pa.int64()),
        required("rank", pa.int8()),  # of the kind of name, see linking.NAME_KINDS
    ]
)

CANDIDATES = pa.schema(
    [
        required("row", pa.int32()),  # of the paragraph in its shard
        required("start", pa.int32()),
        required("end", pa.int32()),
        required("qid", pa.int64()),
        required("rank", pa.int8()),
        required("same_case", pa.bool_()),
    ]
)

REQUESTS = pa.schema([required("qid", pa.int64()), required("shard", pa.int32())])
"""The items that a shard needs, each once."""

KINDS = list(NAME_KINDS)


def read_paragraphs(table: pa.Table, merged: Iterable[pa.Table]) -> list[Paragraph]:
    """The rows of PARAGRAPHS. Ids of items that were merged into others are replaced (`merged`: parts of MERGED)."""
    columns = {name: table[name].combine_chunks() for name in table.schema.names}
    links = columns["links"].flatten()
    pages, link_items = columns["page"], links.field("qid")
    for part in merged:
        qids, targets = part["qid"].to_numpy(), part["target"].to_numpy()
        pages, link_items = (
            pc.if_else(ids.is_valid(), pa.array(replace(ids.fill_null(0).to_numpy(), qids, targets)), ids)
            for ids in (pages, link_items)
        )
    flat = list(
        map(Link, *(links.field(name).to_pylist() for name in ("start", "end", "title")), link_items.to_pylist())
    )
    by_row, first = [], 0
    for length in pc.list_value_length(columns["links"]).to_pylist():
        by_row.append(tuple(flat[first : first + length]))
        first += length
    plain = (columns[name].to_pylist() for name in ("id", "lang", "text", "title"))
    return list(map(Paragraph, *plain, pages.to_pylist(), by_row))


def ngram_tables(
    paragraphs: Iterable[Paragraph], shard: int, recognise: Recogniser, max_tokens: int, buckets: int
) -> Iterator[KeyedTable]:
    """(bucket, NGRAMS) of the paragraphs of a shard."""
    hashes = [np.unique(hash_spans(each.text, recognise(each.text, each.lang, max_tokens))) for each in paragraphs] or [
        np.empty(0, np.uint64)
    ]
    distinct = np.unique(np.concatenate(hashes))
    numbers = pa.array(np.full(len(distinct), shard, np.int32))
    yield from by_bucket(pa.Table.from_arrays([pa.array(distinct), numbers], schema=NGRAMS), "hash", buckets)


def hashed_names(names: pa.Table) -> pa.Table:
    """HASHED_NAMES of rows of NAMES."""
    lengths = pc.utf8_length(names["name"])
    names = names.filter(pc.and_(pc.greater(lengths, 1), pc.less_equal(lengths, LONGEST_NAME)))
    ranks = pc.index_in(names["kind"], pa.array(KINDS)).cast(pa.int8())
    hashes = pa.array(hash_names(names["name"].to_pylist()), pa.uint64())
    return pa.Table.from_arrays([hashes, names["name"], names["qid"], ranks], schema=HASHED_NAMES)


def join_names(names: Iterable[pa.Table], ngrams: Iterable[pa.Table]) -> Iterator[KeyedTable]:
    """(shard, HASHED_NAMES of its n-grams), from one bucket. Only the names must fit in memory."""
    table = pa.concat_tables([HASHED_NAMES.empty_table(), *names])
    hashes, ranks, qids = (table[name].to_numpy() for name in ("hash", "rank", "qid"))
    order = np.lexsort((qids, ranks, hashes))
    hashes = hashes[order]
    for wanted in ngrams:
        if not wanted.num_rows:
            continue
        first = np.searchsorted(hashes, wanted["hash"].to_numpy())
        last = np.searchsorted(hashes, wanted["hash"].to_numpy(), "right")
        rows = order[ranges(first, np.minimum(last - first, ITEMS_PER_NAME))]
        if len(rows):
            yield wanted["shard"][0].as_py(), table.take(pa.array(rows))


def ranges(first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The numbers first[n], first[n] + 1, …, counts[n] of them for each n, concatenated."""
    return np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def candidate_table(
    paragraphs: Iterable[Paragraph], names: Iterable[pa.Table], recognise: Recogniser, max_tokens: int
) -> pa.Table:
    """CANDIDATES: the spans of the paragraphs of a shard that spell one of the `names` (HASHED_NAMES), sorted."""
    table = pa.concat_tables([HASHED_NAMES.empty_table(), *names])
    hashes, qids, ranks = (table[name].to_numpy() for name in ("hash", "qid", "rank"))
    order = np.lexsort((qids, ranks, hashes))
    distinct, first = np.unique(hashes[order], return_index=True)
    bounds = np.append(first, len(order)).tolist()
    ordered = table.take(pa.array(order))
    texts, qids, ranks = ordered["name"].to_pylist(), ordered["qid"].to_pylist(), ordered["rank"].to_pylist()
    rows: list[tuple[int, int, int, int, int, bool]] = []
    for row, paragraph in enumerate(paragraphs):
        places = recognise(paragraph.text, paragraph.lang, max_tokens)
        wanted = hash_spans(paragraph.text, places)
        numbers = np.minimum(np.searchsorted(distinct, wanted), max(len(distinct) - 1, 0))
        hits = np.flatnonzero(distinct[numbers] == wanted) if len(distinct) else np.empty(0, np.int64)
        text, lang = paragraph.text, paragraph.lang
        for (start, end), number in zip(places[hits].tolist(), numbers[hits].tolist(), strict=True):
            span = text[start:end]
            if is_name(span, lang):
                for n in range(bounds[number], bounds[number + 1]):
                    how = "same" if texts[n] == span else spelling(text, start, end, texts[n], lang)
                    if how is not None:
                        rows.append((row, start, end, qids[n], ranks[n], how == "same"))
    columns = list(zip(*sorted(set(rows)), strict=True)) or [()] * len(CANDIDATES)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, CANDIDATES.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=CANDIDATES)


def candidates_by_row(table: pa.Table, rows: int) -> list[list[Candidate]]:
    """The candidates of each paragraph of a shard."""
    result: list[list[Candidate]] = [[] for _ in range(rows)]
    for row, start, end, qid, rank, case in zip(*(column.to_pylist() for column in table.columns), strict=True):
        result[row].append(Candidate(start, end, qid, KINDS[rank], case))
    return result


def requests(paragraphs: Iterable[Paragraph], candidates: pa.Table, shard: int, buckets: int) -> Iterator[KeyedTable]:
    """(bucket, REQUESTS): the items of the candidates, of links and of the pages."""
    known = [qid for each in paragraphs for qid in (each.page, *(link.qid for link in each.links)) if qid is not None]
    wanted = np.unique(np.concatenate([candidates["qid"].to_numpy(), np.array(known, np.int64)]))
    numbers = pa.array(np.full(len(wanted), shard, np.int32))
    yield from by_bucket(pa.Table.from_arrays([pa.array(wanted), numbers], schema=REQUESTS), "qid", buckets)


def context_rows(items: pa.Table, types: pa.Table) -> pa.Table:
    """CONTEXT, from rows of ITEMS and the same rows of TYPES. Raises ValueError if they are of different items."""
    if not items["qid"].equals(types["qid"]):
        raise ValueError("types of other items")
    columns = {name: types[name] if name == "types" else items[name] for name in CONTEXT.names}
    return pa.Table.from_arrays(list(columns.values()), schema=CONTEXT)


def join_items(items: Iterable[pa.Table], wanted: Iterable[pa.Table]) -> Iterator[KeyedTable]:
    """(shard, CONTEXT of the items that it requests), from one bucket. Only the items must fit in memory."""
    table = pa.concat_tables([CONTEXT.empty_table(), *items])
    qids = table["qid"].to_numpy()
    order = np.argsort(qids, kind="stable")
    qids = qids[order]
    for request in wanted:
        requested = request["qid"].to_numpy()
        places = np.searchsorted(qids, requested)
        places = places[places < len(qids)]
        rows = order[places[np.isin(qids[places], requested)]]
        if len(rows):
            yield request["shard"][0].as_py(), table.take(pa.array(np.unique(rows)))


def context_table(parts: Iterable[pa.Table]) -> pa.Table:
    """CONTEXT sorted by qid."""
    return pa.concat_tables([CONTEXT.empty_table(), *parts]).sort_by("qid").combine_chunks()


def read_items(context: pa.Table) -> dict[int, Item]:
    """The items without their statements, which linking does not use."""
    columns = {name: context[name].combine_chunks() for name in ("qid", "label", "names", "types", "neighbours")}
    lists = (read_lists(columns[name], pa.Array.to_pylist) for name in ("names", "types", "neighbours"))
    rows = zip(columns["qid"].to_pylist(), columns["label"].to_pylist(), *lists, strict=True)
    return {
        qid: Item(qid, label, names, types, (), frozenset(neighbours)) for qid, label, names, types, neighbours in rows
    }


def linked_table(
    paragraphs: Sequence[Paragraph], table: pa.Table, mentions: Sequence[tuple[LinkedMention, ...]]
) -> pa.Table:
    """LINKED. `table`: PARAGRAPHS of the paragraphs, whose page and links are replaced by those of `paragraphs`."""
    columns = {name: table[name] for name in table.schema.names}
    columns["page"] = pa.array([each.page for each in paragraphs], pa.int64())
    columns["links"] = list_array([each.links for each in paragraphs], link_array, LINKED.field("links").type)
    columns["mentions"] = list_array(mentions, mention_array, LINKED.field("mentions").type)
    return pa.Table.from_arrays(list(columns.values()), schema=LINKED)


def link_array(links: Sequence[Link]) -> pa.StructArray:
    fields = list(LINKED.field("links").type.value_type)
    arrays = [pa.array([getattr(link, field.name) for link in links], field.type) for field in fields]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def mention_array(mentions: Sequence[LinkedMention]) -> pa.StructArray:
    fields = list(MENTION)
    plain = {
        name: pa.array([getattr(each, name) for each in mentions], MENTION.field(name).type)
        for name in ("start", "end", "kind", "qid")
    }
    types = list_array([each.types for each in mentions], strings, MENTION.field("types").type)
    return pa.StructArray.from_arrays([*plain.values(), types], fields=fields)
