"""Shards of clean/ → a bounded sample of examples for every label, in the compact form of the report.

The sample only depends on ids, not on shards or their order. The labels of all examples are read; the other columns
only for row groups with a sampled example.
"""

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report.samples import TEXT_CHARS, in_turn, short, within
from schemas.arrow import layer_items, table_to_examples
from schemas.example import Example, Mention
from schemas.example_id import ExampleId
from schemas.id_columns import positions
from schemas.manifests import ExampleShard
from transforms.draw import key_array, seed_key
from transforms.shards import ROW_GROUP_ROWS, read_group

EXAMPLES_PER_LABEL = 20

EXAMPLE_BYTES = 5_000_000
"""Size as JSON over all sources. Each source may use an equal part."""

SOURCE_BYTES = 150_000
"""Limit per source, even if there are few sources."""

LABEL_COLUMNS = [
    "id",
    "entities.list.element.label",
    *(f"relations.list.element.{name}" for name in ("label", "head_label", "tail_label")),
    "events.list.element.label",
]

Address = tuple[int, int]
"""The number of a table (a row group of a source) and of a row in it."""


def examples(output: str, shards: Iterable[ExampleShard], keys: Collection[str]) -> dict[str, list]:
    """Source key → a sample of its examples (see `compact`) with some of every label, as far as the size limit allows.

    `shards`: the shards of clean/. The sampled examples of one source are in memory at a time.
    """
    bound = min(SOURCE_BYTES, EXAMPLE_BYTES // max(1, len(keys)))
    groups: dict[str, list[tuple[str, int]]] = {}
    for shard in shards:
        if shard.key in keys and shard.rows:
            path, last = f"{output}/{shard.path}", (shard.rows - 1) // ROW_GROUP_ROWS
            groups.setdefault(shard.key, []).extend((path, number) for number in range(last + 1))
    return {key: within(map(compact, drawn(row_groups)), bound) for key, row_groups in sorted(groups.items())}


def drawn(groups: list[tuple[str, int]]) -> list[Example]:
    """The sampled examples of a source: one of each label, then a second, and so on. `groups`: its row groups (path and
    number).
    """
    by_label = draw_by_label(read_group(*group, LABEL_COLUMNS) for group in groups)
    order = sorted(by_label, key=lambda label: (label == "", label))
    places = list(dict.fromkeys(in_turn([by_label[label] for label in order])))  # many examples have several labels
    examples_at: dict[Address, Example] = {}
    for number in sorted({number for number, _ in places}):
        rows = [row for other, row in places if other == number]
        taken = table_to_examples(read_group(*groups[number]).take(pa.array(rows)))
        examples_at.update(zip([(number, row) for row in rows], taken, strict=True))
    return [examples_at[place] for place in places]


def draw_by_label(tables: Iterable[pa.Table]) -> dict[str, list[Address]]:
    """Label (of any layer; typed for typed relations; "" for texts without labels) → the positions of the examples
    sampled for it. Each table has rows of one source and split, with at least the LABEL_COLUMNS.
    """
    least: dict[str, list[tuple[int, Address]]] = {}
    for number, table in enumerate(tables):
        if table.num_rows:
            keys = id_keys(table["id"])
            for label, rows in rows_by_label(table, keys).items():
                new = [(key, (number, row)) for key, row in zip(keys[rows].tolist(), rows, strict=True)]
                least[label] = sorted(least.get(label, []) + new)[:EXAMPLES_PER_LABEL]
    return {label: [address for _, address in rows] for label, rows in least.items()}


def id_keys(ids: pa.ChunkedArray) -> np.ndarray:
    """Keys that order the examples of one source and split for sampling, by number and window: (rows,), uint64."""
    prefix = ExampleId.parse(ids[0].as_py()).prefix
    numbers, windows = positions(ids, prefix)
    return key_array(key_array(np.full(len(ids), seed_key(0, prefix), np.uint64), numbers), windows + 1)


def rows_by_label(table: pa.Table, keys: np.ndarray) -> dict[str, list[int]]:
    """Label → its EXAMPLES_PER_LABEL rows with the smallest keys, in that order. `keys`: (rows,)."""
    labels, rows = [], []
    bare = np.ones(table.num_rows, bool)
    for layer in ("entities", "relations", "events"):
        items, item_rows = layer_items(table, layer)
        names = items.field("label")
        if layer == "relations":
            ends = [pc.fill_null(items.field(name), "") for name in ("head_label", "tail_label")]
            names = pc.binary_join_element_wise(ends[0], names, ends[1], "\t")
        labels.append(names)
        rows.append(item_rows)
        bare[item_rows] = False
    labels.append(pa.array([""] * int(bare.sum()), pa.string()))
    rows.append(np.flatnonzero(bare))
    encoded = pa.chunked_array(labels).combine_chunks().dictionary_encode()
    order = np.argsort(keys)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    pairs = np.unique(encoded.indices.to_numpy().astype(np.int64) * len(order) + rank[np.concatenate(rows)])
    codes, ranks = np.divmod(pairs, len(order))
    bounds = np.searchsorted(codes, np.arange(len(encoded.dictionary) + 1))
    return {
        label: order[ranks[start:end][:EXAMPLES_PER_LABEL]].tolist()
        for label, start, end in zip(encoded.dictionary.to_pylist(), bounds, bounds[1:], strict=False)
    }


def compact(example: Example) -> list:
    """[id, text, entities, relations, events]; a layer is null if it is unknown.

    An entity is [label, mention], a relation [label, head, tail, head label, tail label], an event [label, trigger or
    null, [[role, mention], ...]]; a mention [start, end, ...] in code points, or its text if the source has no
    offsets. A text longer than TEXT_CHARS is cut, and annotations beyond the cut are left out.
    """
    most = TEXT_CHARS if len(example.text) > TEXT_CHARS else len(example.text)

    def shown(*mentions: Mention | None) -> bool:
        return all(end <= most for mention in mentions if mention for _, end in mention.spans)

    def marked(mention: Mention) -> list[int] | str:
        return [at for span in mention.spans for at in span] if mention.spans else short(mention.text, TEXT_CHARS)

    entities, relations, events = example.entities, example.relations, example.events
    return [
        example.id,
        short(example.text, most),
        None if entities is None else [[short(e.label), marked(e.mention)] for e in entities if shown(e.mention)],
        None
        if relations is None
        else [
            [
                short(r.label),
                marked(r.head),
                marked(r.tail),
                *(short(label or "") for label in (r.head_label, r.tail_label)),
            ]
            for r in relations
            if shown(r.head, r.tail)
        ],
        None
        if events is None
        else [
            [
                short(e.label),
                marked(e.trigger) if e.trigger else None,
                [[short(a.role), marked(a.mention)] for a in e.arguments if shown(a.mention)],
            ]
            for e in events
            if shown(e.trigger)
        ],
    ]
