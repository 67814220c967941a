"""The Arrow schemas of all tables that IEForge writes, and the conversion between tables and structs.

Each schema has its version in its metadata. The schemas have no maps, dictionaries or large types: `datasets` cannot
read maps, and an empty shard must have the same type as a full one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import Reject, writable
from schemas.example import Argument, Entity, Event, Example, Mention, Relation, Span
from schemas.label import UnknownLabel

VERSION = {b"ieforge": b"1"}
EXAMPLES_VERSION = {b"ieforge": b"3"}
"""The version of EXAMPLES. Version 2 added ids, concepts, references and unknown labels; version 3 the scores of
relations.
"""

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
        pa.field("score", pa.float64()),
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
# `<example_id>/<task>/<batch>`; batches are numbered from 0. `instruction`, `output` and `label` are JSON. Train and
# validation rows have `output`. Test rows have `label`, the unified annotation list of the whole Example. Both are
# null if the layer is not annotated. `labels` are the names that the prompt asks for, in order (SPO: typed names);
# `positives` and `hard_negatives` are subsets of them. `text_sha256` is hex, of the UTF-8 text.
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

# Columns that follow those of INSTRUCTIONS if a build asks for them. `form` is the form of the answer that the prompt
# asks for (`transforms.answer_forms`), without which every row is in IEPile's. `messages` are the turns of a chat: the
# prompt and, where the row has an `output`, the answer.
MESSAGE = pa.struct([required("role", pa.string()), required("content", pa.string())])
MESSAGES = pa.list_(required("element", MESSAGE))
OPTIONAL_COLUMNS = (required("form", pa.string()), required("messages", MESSAGES))

REJECTS = pa.schema(
    [
        required(name, pa.string())
        for name in ("stage", "source", "split", "id", "place", "reason", "detail", "twin", "record")
    ],
    metadata=VERSION,
)


def instruction_schema(columns: Collection[str]) -> pa.Schema:
    """INSTRUCTIONS with those of the OPTIONAL_COLUMNS whose names are in `columns`."""
    return pa.schema(
        [*INSTRUCTIONS, *(field for field in OPTIONAL_COLUMNS if field.name in columns)], metadata=INSTRUCTIONS.metadata
    )


def examples_to_table(examples: Sequence[Example]) -> pa.Table:
    return pa.Table.from_arrays(
        [
            *(strings([getattr(e, name) for e in examples]) for name in ("id", "source", "split", "lang", "text")),
            list_array([e.tasks for e in examples], strings, STRINGS),
            list_array([e.entities for e in examples], entity_array, EXAMPLES.field("entities").type),
            list_array([e.relations for e in examples], relation_array, EXAMPLES.field("relations").type),
            list_array([e.events for e in examples], event_array, EXAMPLES.field("events").type),
            list_array(
                [e.unknown_labels for e in examples], unknown_label_array, EXAMPLES.field("unknown_labels").type
            ),
        ],
        schema=EXAMPLES,
    )


def strings(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def list_array(
    lists: Sequence[Sequence[T] | None], to_array: Callable[[list[T]], pa.Array], kind: pa.ListType
) -> pa.Array:
    """One Arrow list per item of `lists`, null for None; `to_array` converts the concatenated items."""
    if not any(lists) and None not in lists:  # the usual case for concepts, so it has a fast path
        return pa.ListArray.from_arrays(pa.array(np.zeros(len(lists) + 1, np.int32)), to_array([]), type=kind)
    ends = np.cumsum([len(items) if items else 0 for items in lists], dtype=np.int32)
    nulls = pa.array([items is None for items in lists], pa.bool_()) if None in lists else None
    values = to_array([item for items in lists if items for item in items])
    offsets = pa.array(np.concatenate([np.zeros(1, np.int32), ends]))
    return pa.ListArray.from_arrays(offsets, values, type=kind, mask=nulls)


def struct_array(kind: pa.StructType, columns: Sequence[pa.Array], nulls: pa.Array | None = None) -> pa.Array:
    return pa.StructArray.from_arrays(columns, fields=list(kind), mask=nulls)


def mention_array(mentions: Sequence[Mention], nulls: pa.Array | None = None) -> pa.Array:
    """`nulls`: booleans, true where the mention is null; None if no mention is null."""
    spans = list_array([m.spans for m in mentions], span_array, MENTION.field("spans").type)
    return struct_array(MENTION, [strings([m.text for m in mentions]), spans], nulls)


def span_array(spans: list[Span]) -> pa.Array:
    bounds = np.fromiter(chain.from_iterable(spans), np.int32, 2 * len(spans))
    return pa.FixedSizeListArray.from_arrays(pa.array(bounds), type=SPAN)


def entity_array(entities: list[Entity]) -> pa.Array:
    columns = [
        strings([e.label for e in entities]),
        mention_array([e.mention for e in entities]),
        strings([e.id for e in entities]),
        list_array([e.concepts for e in entities], strings, STRINGS),
    ]
    return struct_array(ENTITY, columns)


def relation_array(relations: list[Relation]) -> pa.Array:
    columns = [
        strings([r.label for r in relations]),
        mention_array([r.head for r in relations]),
        mention_array([r.tail for r in relations]),
        strings([r.head_label for r in relations]),
        strings([r.tail_label for r in relations]),
        strings([r.head_entity for r in relations]),
        strings([r.tail_entity for r in relations]),
        pa.array([r.score for r in relations], pa.float64()),
    ]
    return struct_array(RELATION, columns)


def event_array(events: list[Event]) -> pa.Array:
    triggers = [e.trigger for e in events]
    nulls = pa.array([trigger is None for trigger in triggers], pa.bool_()) if None in triggers else None
    columns = [
        strings([e.label for e in events]),
        mention_array([trigger or Mention("") for trigger in triggers], nulls),
        list_array([e.arguments for e in events], argument_array, EVENT.field("arguments").type),
    ]
    return struct_array(EVENT, columns)


def argument_array(arguments: list[Argument]) -> pa.Array:
    columns = [
        strings([a.role for a in arguments]),
        mention_array([a.mention for a in arguments]),
        strings([a.entity for a in arguments]),
    ]
    return struct_array(ARGUMENT, columns)


def unknown_label_array(unknown: list[UnknownLabel]) -> pa.Array:
    return struct_array(UNKNOWN_LABEL, [strings([u.layer for u in unknown]), strings([u.label for u in unknown])])


def has_forbidden_nulls(table: pa.Table) -> bool:
    """Whether a table of schema EXAMPLES has a null in a field that is not nullable, at any depth."""

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
    """Converts column by column: dictionaries of rows take four times as long."""
    columns = {name: table[name].combine_chunks() for name in EXAMPLES.names}
    plain = (columns[name].to_pylist() for name in ("id", "source", "split", "lang", "text"))
    tasks = read_lists(columns["tasks"], pa.Array.to_pylist)
    layers = (
        read_optional_lists(columns[name], read)
        for name, read in (("entities", read_entities), ("relations", read_relations), ("events", read_events))
    )
    return list(map(Example, *plain, tasks, *layers, read_lists(columns["unknown_labels"], read_unknown_labels)))


def read_lists(column: pa.ListArray, read: Callable[[pa.Array], list[T]]) -> list[tuple[T, ...]]:
    """One tuple per list of `column`, an empty one for null; `read` converts the items of all lists at once."""
    if not len(column):
        return []
    offsets = column.offsets.to_numpy()
    if offsets[0] == offsets[-1] and not column.null_count:
        return [()] * len(column)
    items = read(column.values.slice(offsets[0], offsets[-1] - offsets[0]))
    return [tuple(items[start:end]) for start, end in pairwise((offsets - offsets[0]).tolist())]


def read_optional_lists(column: pa.ListArray, read: Callable[[pa.Array], list[T]]) -> Sequence[tuple[T, ...] | None]:
    """As `read_lists`, but None for null."""
    if column.null_count == len(column):
        return [None] * len(column)
    return none_where_null(read_lists(column, read), column)


def none_where_null(values: Sequence[T], column: pa.Array) -> Sequence[T | None]:
    """`values`, one per row of `column`, with None where the row is null."""
    if not column.null_count:
        return values
    return [value if valid else None for value, valid in zip(values, column.is_valid().to_pylist(), strict=True)]


def read_mentions(column: pa.StructArray) -> list[Mention]:
    return list(map(Mention, column.field("text").to_pylist(), read_lists(column.field("spans"), read_spans)))


def read_spans(column: pa.FixedSizeListArray) -> list[Span]:
    bounds = column.flatten().to_numpy().reshape(-1, 2)
    return list(zip(bounds[:, 0].tolist(), bounds[:, 1].tolist(), strict=True))


def read_entities(column: pa.StructArray) -> list[Entity]:
    labels, mentions = column.field("label").to_pylist(), read_mentions(column.field("mention"))
    concepts = read_lists(column.field("concepts"), pa.Array.to_pylist)
    return list(map(Entity, labels, mentions, optional_values(column.field("id")), concepts))


def optional_values(column: pa.Array) -> Iterable[Any]:
    return repeat(None) if column.null_count == len(column) else column.to_pylist()


def read_relations(column: pa.StructArray) -> list[Relation]:
    labels, heads, tails = (column.field(name) for name in ("label", "head", "tail"))
    optional = ("head_label", "tail_label", "head_entity", "tail_entity", "score")
    others = (optional_values(column.field(name)) for name in optional)
    return list(map(Relation, labels.to_pylist(), read_mentions(heads), read_mentions(tails), *others))


def read_events(column: pa.StructArray) -> list[Event]:
    triggers = none_where_null(read_mentions(column.field("trigger")), column.field("trigger"))
    arguments = read_lists(column.field("arguments"), read_arguments)
    return list(map(Event, column.field("label").to_pylist(), triggers, arguments))


def read_arguments(column: pa.StructArray) -> list[Argument]:
    roles, mentions = column.field("role").to_pylist(), read_mentions(column.field("mention"))
    return list(map(Argument, roles, mentions, optional_values(column.field("entity"))))


def read_unknown_labels(column: pa.StructArray) -> list[UnknownLabel]:
    return list(map(UnknownLabel, column.field("layer").to_pylist(), column.field("label").to_pylist()))


def layer_items(table: pa.Table, name: str) -> tuple[pa.StructArray, np.ndarray]:
    """All items of a layer, concatenated, and the row number of each."""
    return list_items(table[name].combine_chunks(), np.arange(table.num_rows))


def list_items(column: pa.ListArray, rows: np.ndarray) -> tuple[pa.StructArray, np.ndarray]:
    """The items of all lists of `column`, concatenated, and for each the value of `rows` at its list."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return column.flatten(), np.repeat(rows, lengths)


def mention_columns(table: pa.Table) -> Iterator[tuple[pa.StructArray, np.ndarray]]:
    """The mentions of each kind, as arrays, with the row number of each mention."""
    entities, rows = layer_items(table, "entities")
    yield entities.field("mention"), rows
    relations, rows = layer_items(table, "relations")
    yield relations.field("head"), rows
    yield relations.field("tail"), rows
    events, rows = layer_items(table, "events")
    triggers = events.field("trigger")
    yield triggers.drop_null(), rows[triggers.is_valid().to_numpy(zero_copy_only=False)]
    arguments, rows = list_items(events.field("arguments"), rows)
    yield arguments.field("mention"), rows


def rejects_to_table(rejects: list[Reject]) -> pa.Table:
    """Escapes strings that UTF-8 cannot represent, such as a file name in another encoding: see `errors.writable`."""
    return pa.Table.from_arrays(
        [strings([writable(getattr(reject, name)) for reject in rejects]) for name in REJECTS.names], schema=REJECTS
    )
