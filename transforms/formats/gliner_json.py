"""GLiNER's training data, a JSON array → one RawExample per text; README of https://github.com/urchade/GLiNER.

A text is a list of tokens, `tokenized_text`, which are joined by blanks except in scripts that have none, unless the
row also has the `text` that they are in, as an export of IEForge does. `ner` are [first token, last token, label],
`relations` [number of the head in `ner`, number of the tail, label].
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.head import Head
from transforms.formats.offsets import Offset
from transforms.joining import find_tokens, join_tokens

Triple = tuple[Offset, Offset, str]


class Row(msgspec.Struct):
    """A missing layer is not annotated."""

    tokenized_text: list[str]
    ner: list[Any] | None = None
    relations: list[Any] | None = None
    text: Any = None


def recognises(head: Head) -> bool:
    """Whether one of the first values has tokens under the name that GLiNER uses."""
    return any(isinstance(row, dict) and isinstance(row.get("tokenized_text"), list) for row in head.rows)


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every text."""
    return json_rows.read(files, example, Row)


def example(place: str, row: Row) -> RawExample:
    given = find_tokens(row.text, row.tokenized_text) if isinstance(row.text, str) else None
    text, tokens = join_tokens(row.tokenized_text) if given is None else (row.text, given)
    lost: list[BadRecord] = []
    entities: dict[int, Entity] = {}  # by number in `ner`
    for number, item in enumerate(row.ner or ()):
        triple = _triple(item, "entities", "[first token, last token, label]", place, lost)
        if triple is None:
            continue
        first, last, label = triple
        if 0 <= first <= last < len(tokens):
            start, end = tokens[first][0], tokens[last][1]
            entities[number] = Entity(label, Mention(text[start:end], ((start, end),)), str(number))
        else:
            detail = f"{label!r}: tokens {first} to {last} are not a span of {len(tokens)} tokens"
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, detail, (UnknownLabel("entities", label),)))
    relations = []
    for item in row.relations or ():
        triple = _triple(item, "relations", "[head, tail, label]", place, lost)
        if triple is None:
            continue
        head, tail = (entities.get(number) for number in triple[:2])
        if head and tail:
            relations.append(Relation(triple[2], head.mention, tail.mention, head.label, tail.label, head.id, tail.id))
        else:
            detail = f"{triple[2]!r}: an end is not an entity of the text"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, (UnknownLabel("relations", triple[2]),)))
    return RawExample(
        place,
        text,
        None if row.ner is None else tuple(entities.values()),
        None if row.relations is None else tuple(relations),
        lost=tuple(lost),
    )


def _triple(item: object, layer: str, form: str, place: str, lost: list[BadRecord]) -> Triple | None:
    try:
        return msgspec.convert(item, Triple)
    except msgspec.ValidationError:
        label = item[2] if isinstance(item, list) and len(item) > 2 and isinstance(item[2], str) else None
        unknown = (UnknownLabel(layer, label),) if label else ()
        lost.append(BadRecord(place, Reason.MISSING_FIELD, f"{item!r:.100} is not {form}", unknown))
        return None
