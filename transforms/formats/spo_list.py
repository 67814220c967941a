"""JSON lines with a text and its `spo_list`, typed triples without offsets (DuIE, CMeIE) → RawExamples.

Format: Li et al. 2019 (DuIE, https://doi.org/10.1007/978-3-030-32236-6_72), and DuIE 2.0, whose objects have slots.
"""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.errors import BadRecord
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats import json_rows


class Value(msgspec.Struct):
    """The main slot of an object. The others (`inWork`, `onDate`, ...) qualify the triple and are left out."""

    value: str = msgspec.field(name="@value")


class Triple(msgspec.Struct):
    predicate: str
    subject: str
    subject_type: str
    object: Value
    object_type: Value


class Row(msgspec.Struct):
    """`spo_list` is missing in unlabelled test files."""

    text: str
    spo_list: list[Triple] | None = None


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every text with its triples. The label is the whole typed triple, `subjectType_predicate_objectType`, so that a
    predicate between types other than those of the schema is an unknown label.
    """
    return json_rows.read(files, to_example, Row)


def to_example(place: str, row: Row) -> RawExample:
    if row.spo_list is None:
        return RawExample(place, row.text)
    return RawExample(
        place,
        row.text,
        relations=tuple(
            Relation(
                f"{triple.subject_type}_{triple.predicate}_{triple.object_type.value}",
                Mention(triple.subject),
                Mention(triple.object.value),
                triple.subject_type,
                triple.object_type.value,
            )
            for triple in row.spo_list
        ),
    )
