"""GLiNER2's training data, JSON lines → one RawExample per text, without offsets.

`{"input": text, "output": {...}}` or `{"text": text, "schema": {...}}`; tutorial/8-train_data.md of
https://github.com/fastino-ai/GLiNER2. Read are `entities` (a map from type to mentions) and those `relations` that have
one head and one tail. An entity type that a text does not name is unknown in it, and a mention that its text does not
contain is lost, as in `unified`. Classifications and structures are not read, descriptions of labels neither.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.head import Head
from transforms.formats.json_values import list_in
from transforms.formats.lost_parts import ignored
from transforms.formats.unified import Mentions

KEYS = (("input", "output"), ("text", "schema"))
UNREAD = ("classifications", "json_structures")
LAYERS = ("entities", "relations", *UNREAD)


def recognises(head: Head) -> bool:
    """Whether one of the first values is a text with its annotations."""
    return any(
        isinstance(row, dict) and (parts := _parts(row)) and any(layer in parts[1] for layer in LAYERS)
        for row in head.rows
    )


def _parts(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The text and its annotations; None if the row does not have them."""
    for text, annotations in KEYS:
        if isinstance(row.get(text), str) and isinstance(row.get(annotations), dict):
            return row[text], row[annotations]
    return None


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every text. The files are read twice: first for the entity types that any text names."""
    files = list(files)
    types: dict[str, None] = {}
    for parts in json_rows.read(files, lambda _, row: _parts(row), dict[str, Any]):
        if isinstance(parts, tuple) and isinstance(parts[1].get("entities"), dict):
            types |= dict.fromkeys(parts[1]["entities"])
    return json_rows.read(files, lambda place, row: _example(place, row, sorted(types)), dict[str, Any])


def _example(place: str, row: Mapping[str, Any], types: Iterable[str]) -> RawExample | BadRecord:
    parts = _parts(row)
    if parts is None:
        return BadRecord(place, Reason.MISSING_FIELD, "a row has `input` and `output`, or `text` and `schema`")
    text, output = parts
    mentions = Mentions(place, text)
    entities: list[Entity] | None = None
    unknown: list[UnknownLabel] = []
    if isinstance(output.get("entities"), dict):
        entities = []
        for label in output["entities"]:
            for string in list_in(output["entities"], label):
                mention = mentions.mention(str(string), "entity", label, label)
                if mention is not None:
                    entities.append(Entity(label, mention))
        unknown = [UnknownLabel("entities", label) for label in types if label not in output["entities"]]
    relations: list[Relation] | None = None
    if isinstance(output.get("relations"), list):
        relations = []
        for item in output["relations"]:
            for label, ends in item.items() if isinstance(item, dict) else ():
                head, tail = (_one(ends.get(end)) if isinstance(ends, dict) else None for end in ("head", "tail"))
                if head is None or tail is None:
                    detail = f"{label!r} does not have one head and one tail"
                    lost = BadRecord(place, Reason.MISSING_FIELD, detail, (UnknownLabel("relations", label),))
                    mentions.lost.append(lost)
                    continue
                first = mentions.mention(head, "relation", label, label)
                second = mentions.mention(tail, "relation", label, label) if first else None
                if first and second:
                    relations.append(Relation(label, first, second))
    counts = {layer: len(output[layer]) for layer in UNREAD if isinstance(output.get(layer), list) and output[layer]}
    return RawExample(
        place,
        text,
        None if entities is None else tuple(entities),
        None if relations is None else tuple(relations),
        lost=(*mentions.lost, *ignored(place, counts)),
        unknown_labels=tuple(unknown),
    )


def _one(value: object) -> str | None:
    """The string, or the only string of a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None
