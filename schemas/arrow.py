"""The Arrow schemas of every table that IEForge writes, and the way between tables and dataclasses.

The version stands in each schema's metadata. No maps, dictionaries or large types: `datasets` reads none of the
first, and an all-empty shard must have the type of a full one.
"""

import msgspec
import pyarrow as pa

from schemas.errors import Reject
from schemas.example import Example
from schemas.instruction import Instruction

VERSION = {b"ieforge": b"1"}


def required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


STRINGS = pa.list_(required("element", pa.string()))
SPAN = pa.list_(required("element", pa.int32()), 2)
MENTION = pa.struct([required("text", pa.string()), required("spans", pa.list_(required("element", SPAN)))])
ENTITY = pa.struct([required("label", pa.string()), required("mention", MENTION)])
RELATION = pa.struct(
    [
        required("label", pa.string()),
        required("head", MENTION),
        required("tail", MENTION),
        pa.field("head_label", pa.string()),
        pa.field("tail_label", pa.string()),
    ]
)
ARGUMENT = pa.struct([required("role", pa.string()), required("mention", MENTION)])
EVENT = pa.struct(
    [
        required("label", pa.string()),
        pa.field("trigger", MENTION),
        required("arguments", pa.list_(required("element", ARGUMENT))),
    ]
)

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
    ],
    metadata=VERSION,
)

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


def examples_to_table(examples: list[Example]) -> pa.Table:
    return pa.Table.from_pylist(msgspec.to_builtins(examples), schema=EXAMPLES)


def table_to_examples(table: pa.Table) -> list[Example]:
    return msgspec.convert(table.to_pylist(), list[Example])


def instructions_to_table(rows: list[Instruction]) -> pa.Table:
    return pa.Table.from_arrays(
        [pa.array([getattr(row, field.name) for row in rows], field.type) for field in INSTRUCTIONS],
        schema=INSTRUCTIONS,
    )


def rejects_to_table(rejects: list[Reject]) -> pa.Table:
    return pa.Table.from_pylist(msgspec.to_builtins(rejects), schema=REJECTS)
