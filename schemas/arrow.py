"""The Arrow schemas of every table that IEForge writes, and the way between tables and dataclasses.

The version stands in each schema's metadata. No maps, dictionaries or large types: `datasets` reads none of the
first, and an all-empty shard must have the type of a full one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import Reject, writable
from schemas.example import Argument, Entity, Event, Example, Mention, Relation, Span
from schemas.label import UnknownLabel

VERSION = {b"ieforge": b"1"}
EXAMPLES_VERSION = {b"ieforge": b"2"}
"""Of EXAMPLES. 2: ids, concepts, references and unknown labels."""

T = TypeVar("T")


def required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


STRINGS = pa.list_(required("element", pa.string()))
SPAN = pa.list_(required("element", pa.int32()), 2)
MENTION = pa.struct([required("text", pa.string()), required("spans", pa.list_(required("element", SPAN)))])
ENTITY = pa.struct(
    [
        required("label", pa.string()),
        required("mention", MENTION),
        pa.field("id", pa.string()),
        required("concepts", STRINGS),
    ]
)
RELATION = pa.struct(
    [
        required("label", pa.string()),
        required("head", MENTION),
        required("tail", MENTION),
        pa.field("head_label", pa.string()),
        pa.field("tail_label", pa.string()),
        pa.field("head_entity", pa.string()),
        pa.field("tail_entity", pa.string()),
    ]
)
ARGUMENT = pa.struct([required("role", pa.string()), required("mention", MENTION), pa.field("entity", pa.string())])
EVENT = pa.struct(
    [
        required("label", pa.string()),
        pa.field("trigger", MENTION),
        required("arguments", pa.list_(required("element", ARGUMENT))),
    ]
)
UNKNOWN_LABEL = pa.struct([required("layer", pa.string()), required("label", pa.string())])

EXAMPLES = pa.schema(
    [
        required("id", pa.string()),
        required("source", pa.string()),
        required("split", pa.string()),
        required("lang", pa.string()),
        required("text", pa.string()),
        required("tasks", STRINGS),
        pa.field("entities", pa.list_(required("element", ENTITY))),
        pa.field("relations", pa.list_(required("element", RELATION))),
        pa.field("events", pa.list_(required("element", EVENT))),
        required("unknown_labels", pa.list_(required("element", UNKNOWN_LABEL))),
    ],
    metadata=EXAMPLES_VERSION,
)

# A row of the corpus: one prompt that asks for a batch of labels of one Example, and its gold answer. `id` is
# `<example_id>/<task>/<batch>`, batches numbered from 0. `instruction`, `output`, `label` are JSON: train and
# validation rows have `output`, test rows `label`, the unified annotation list of the whole example; both are null
# where nothing is annotated. `labels` are the names asked, in order (SPO: typed names); `positives` and
# `hard_negatives` are among them. `text_sha256`: hex, of the UTF-8 text.
INSTRUCTIONS = pa.schema(
    [
        required("id", pa.string()),
        required("example_id", pa.string()),
        required("text_sha256", pa.string()),
        required("task", pa.string()),
        required("source", pa.string()),
        required("lang", pa.string()),
        required("split", pa.string()),
        required("instruction", pa.string()),
        pa.field("output", pa.string()),
        pa.field("label", pa.string()),
        required("labels", STRINGS),
        required("positives", STRINGS),
        required("hard_negatives", STRINGS),
    ],
    metadata=VERSION,
)

REJECTS = pa.schema(
    [required(name, pa.string()) for name in ("stage", "source", "split", "id", "place", "reason", "detail")],
    metadata=VERSION,
)


def examples_to_table(examples: Sequence[Example]) -> pa.Table:
    return pa.Table.from_arrays(
        [
            *(strings([getattr(e, name) for e in examples]) for name in ("id", "source", "split", "lang", "text")),
            listed([e.tasks for e in examples], strings, STRINGS),
            listed([e.entities for e in examples], entity_array, EXAMPLES.field("entities").type),
            listed([e.relations for e in examples], relation_array, EXAMPLES.field("relations").type),
            listed([e.events for e in examples], event_array, EXAMPLES.field("events").type),
            listed([e.unknown_labels for e in examples], unknown_array, EXAMPLES.field("unknown_labels").type),
        ],
        schema=EXAMPLES,
    )


def strings(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def listed(lists: Sequence[Sequence[T] | None], to_array: Callable[[list[T]], pa.Array], kind: pa.ListType) -> pa.Array:
    """A list for each of `lists`, null for None; `to_array` is given what they hold, end to end."""
    if not any(lists) and None not in lists:  # at once, as in nearly all tables no entity has a concept
        return pa.ListArray.from_arrays(pa.array(np.zeros(len(lists) + 1, np.int32)), to_array([]), type=kind)
    ends = np.cumsum([len(items) if items else 0 for items in lists], dtype=np.int32)
    nulls = pa.array([items is None for items in lists], pa.bool_()) if None in lists else None
    values = to_array([item for items in lists if items for item in items])
    offsets = pa.array(np.concatenate([np.zeros(1, np.int32), ends]))
    return pa.ListArray.from_arrays(offsets, values, type=kind, mask=nulls)


def struct(kind: pa.StructType, columns: Sequence[pa.Array], nulls: pa.Array | None = None) -> pa.Array:
    return pa.StructArray.from_arrays(columns, fields=list(kind), mask=nulls)


def mention_array(mentions: Sequence[Mention], nulls: pa.Array | None = None) -> pa.Array:
    """`nulls`: booleans, true where the mention is to be null; None where none is."""
    spans = listed([m.spans for m in mentions], span_array, MENTION.field("spans").type)
    return struct(MENTION, [strings([m.text for m in mentions]), spans], nulls)


def span_array(spans: list[Span]) -> pa.Array:
    bounds = np.fromiter(chain.from_iterable(spans), np.int32, 2 * len(spans))
    return pa.FixedSizeListArray.from_arrays(pa.array(bounds), type=SPAN)


def entity_array(entities: list[Entity]) -> pa.Array:
    columns = [
        strings([e.label for e in entities]),
        mention_array([e.mention for e in entities]),
        strings([e.id for e in entities]),
        listed([e.concepts for e in entities], strings, STRINGS),
    ]
    return struct(ENTITY, columns)


def relation_array(relations: list[Relation]) -> pa.Array:
    columns = [
        strings([r.label for r in relations]),
        mention_array([r.head for r in relations]),
        mention_array([r.tail for r in relations]),
        strings([r.head_label for r in relations]),
        strings([r.tail_label for r in relations]),
        strings([r.head_entity for r in relations]),
        strings([r.tail_entity for r in relations]),
    ]
    return struct(RELATION, columns)


def event_array(events: list[Event]) -> pa.Array:
    triggers = [e.trigger for e in events]
    nulls = pa.array([trigger is None for trigger in triggers], pa.bool_()) if None in triggers else None
    columns = [
        strings([e.label for e in events]),
        mention_array([trigger or Mention("") for trigger in triggers], nulls),
        listed([e.arguments for e in events], argument_array, EVENT.field("arguments").type),
    ]
    return struct(EVENT, columns)


def argument_array(arguments: list[Argument]) -> pa.Array:
    columns = [
        strings([a.role for a in arguments]),
        mention_array([a.mention for a in arguments]),
        strings([a.entity for a in arguments]),
    ]
    return struct(ARGUMENT, columns)


def unknown_array(unknown: list[UnknownLabel]) -> pa.Array:
    return struct(UNKNOWN_LABEL, [strings([u.layer for u in unknown]), strings([u.label for u in unknown])])


def nulls_where_none_may_be(table: pa.Table) -> bool:
    """Whether a table of schema EXAMPLES lacks a value that it must have, at any depth."""

    def any_null(field: pa.Field, column: pa.Array) -> bool:
        kind = field.type
        if column.null_count and not field.nullable:
            return True
        if isinstance(kind, pa.ListType):
            return any_null(kind.value_field, column.flatten())
        if isinstance(kind, pa.FixedSizeListType):
            return column.flatten().null_count > 0
        if isinstance(kind, pa.StructType):
            present = column.drop_null()
            return any(any_null(inner, present.field(inner.name)) for inner in kind)
        return False

    return any(any_null(field, table[field.name].combine_chunks()) for field in EXAMPLES)


def table_to_examples(table: pa.Table) -> list[Example]:
    """Column by column: a row at a time, as dictionaries, takes four times as long."""
    columns = {name: table[name].combine_chunks() for name in EXAMPLES.names}
    plain = (columns[name].to_pylist() for name in ("id", "source", "split", "lang", "text"))
    tasks = lists_of(columns["tasks"], pa.Array.to_pylist)
    layers = (
        optional_lists_of(columns[name], read)
        for name, read in (("entities", entities_of), ("relations", relations_of), ("events", events_of))
    )
    return list(map(Example, *plain, tasks, *layers, lists_of(columns["unknown_labels"], unknown_of)))


def lists_of(column: pa.ListArray, read: Callable[[pa.Array], list[T]]) -> list[tuple[T, ...]]:
    """A tuple for each list of `column`, an empty one for null; `read` is given the items of all lists at once."""
    if not len(column):
        return []
    offsets = column.offsets.to_numpy()
    if offsets[0] == offsets[-1] and not column.null_count:
        return [()] * len(column)
    items = read(column.values.slice(offsets[0], offsets[-1] - offsets[0]))
    return [tuple(items[start:end]) for start, end in pairwise((offsets - offsets[0]).tolist())]


def optional_lists_of(column: pa.ListArray, read: Callable[[pa.Array], list[T]]) -> Sequence[tuple[T, ...] | None]:
    """As `lists_of`, but None for null."""
    if column.null_count == len(column):
        return [None] * len(column)
    return none_where_null(lists_of(column, read), column)


def none_where_null(values: Sequence[T], column: pa.Array) -> Sequence[T | None]:
    """`values`, one per row of `column`, with None where the row is null."""
    if not column.null_count:
        return values
    return [value if valid else None for value, valid in zip(values, column.is_valid().to_pylist(), strict=True)]


def mentions_of(column: pa.StructArray) -> list[Mention]:
    return list(map(Mention, column.field("text").to_pylist(), lists_of(column.field("spans"), spans_of)))


def spans_of(column: pa.FixedSizeListArray) -> list[Span]:
    bounds = column.flatten().to_numpy().reshape(-1, 2)
    return list(zip(bounds[:, 0].tolist(), bounds[:, 1].tolist(), strict=True))


def entities_of(column: pa.StructArray) -> list[Entity]:
    labels, mentions = column.field("label").to_pylist(), mentions_of(column.field("mention"))
    concepts = lists_of(column.field("concepts"), pa.Array.to_pylist)
    return list(map(Entity, labels, mentions, optional_strings(column.field("id")), concepts))


def optional_strings(column: pa.StringArray) -> Iterable[str | None]:
    return repeat(None) if column.null_count == len(column) else column.to_pylist()


def relations_of(column: pa.StructArray) -> list[Relation]:
    labels, heads, tails = (column.field(name) for name in ("label", "head", "tail"))
    optional = ("head_label", "tail_label", "head_entity", "tail_entity")
    others = (optional_strings(column.field(name)) for name in optional)
    return list(map(Relation, labels.to_pylist(), mentions_of(heads), mentions_of(tails), *others))


def events_of(column: pa.StructArray) -> list[Event]:
    triggers = none_where_null(mentions_of(column.field("trigger")), column.field("trigger"))
    arguments = lists_of(column.field("arguments"), arguments_of)
    return list(map(Event, column.field("label").to_pylist(), triggers, arguments))


def arguments_of(column: pa.StructArray) -> list[Argument]:
    roles, mentions = column.field("role").to_pylist(), mentions_of(column.field("mention"))
    return list(map(Argument, roles, mentions, optional_strings(column.field("entity"))))


def unknown_of(column: pa.StructArray) -> list[UnknownLabel]:
    return list(map(UnknownLabel, column.field("layer").to_pylist(), column.field("label").to_pylist()))


def layer_items(table: pa.Table, name: str) -> tuple[pa.StructArray, np.ndarray]:
    """All items of a layer, end to end, and the row of each."""
    return items_of(table[name].combine_chunks(), np.arange(table.num_rows))


def items_of(column: pa.ListArray, rows: np.ndarray) -> tuple[pa.StructArray, np.ndarray]:
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return column.flatten(), np.repeat(rows, lengths)


def mention_columns(table: pa.Table) -> Iterator[tuple[pa.StructArray, np.ndarray]]:
    """Mentions and the row that each is in."""
    entities, rows = layer_items(table, "entities")
    yield entities.field("mention"), rows
    relations, rows = layer_items(table, "relations")
    yield relations.field("head"), rows
    yield relations.field("tail"), rows
    events, rows = layer_items(table, "events")
    triggers = events.field("trigger")
    yield triggers.drop_null(), rows[triggers.is_valid().to_numpy(zero_copy_only=False)]
    arguments, rows = items_of(events.field("arguments"), rows)
    yield arguments.field("mention"), rows


def rejects_to_table(rejects: list[Reject]) -> pa.Table:
    """Strings that UTF-8 cannot hold, such as a file's name in another encoding, are escaped: see `errors.writable`."""
    return pa.Table.from_arrays(
        [strings([writable(getattr(reject, name)) for reject in rejects]) for name in REJECTS.names], schema=REJECTS
    )
