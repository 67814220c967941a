"""PubAnnotation JSON → one RawExample per document and project; https://www.pubannotation.org/docs/annotation-format/.

A file contains a document, an array of them, or one per line. `denotations` are the entities, with spans in code points
(several for a discontinuous one), and `relations` refer to them by id. A document with `tracks` has the annotations of
several projects, which count as annotators. Divisions of one article have the same document. Attributes, blocks and
modifications are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.head import Head
from transforms.formats.json_values import convert_part, list_in
from transforms.formats.lost_parts import ignored
from transforms.formats.offsets import Offset

Part = TypeVar("Part")

RELATIONS = re.compile(r'"relations"\s*:\s*\[\s*\{')
UNREAD = ("attributes", "blocks", "modifications")


class Place(msgspec.Struct):
    begin: Offset
    end: Offset


class Denotation(msgspec.Struct):
    obj: str
    span: Place | list[Place]
    id: str | int | None = None


class Link(msgspec.Struct):
    pred: str
    subj: str | int
    obj: str | int


def recognises(head: Head) -> bool:
    """Whether one of the first values is a text with denotations, or with tracks or a target of PubAnnotation."""
    return any(
        isinstance(row, dict)
        and isinstance(row.get("text"), str)
        and any(isinstance(row.get(key), list) for key in ("denotations", "tracks"))
        for row in head.rows
    )


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document, for each of its projects. Relations are unknown if no document has any."""
    files = list(files)
    with_relations = json_rows.contains(files, RELATIONS)
    for item in json_rows.read(files, partial(_examples, with_relations=with_relations), dict[str, Any]):
        yield from [item] if isinstance(item, BadRecord) else item


def _examples(place: str, row: Mapping[str, Any], with_relations: bool) -> list[RawExample] | BadRecord:
    if not isinstance(row.get("text"), str):
        return BadRecord(place, Reason.MISSING_FIELD, "the document has no text")
    tracks: list[Mapping[str, Any]] = [track for track in list_in(row, "tracks") if isinstance(track, dict)]
    names = [str(row[key]) for key in ("sourcedb", "sourceid") if row.get(key) is not None]
    document = ":".join(names) or None
    item = document if row.get("divid") is None else f"{document}:{row['divid']}"
    return [_example(place, row["text"], track, with_relations, document, item) for track in tracks or [row]]


def _example(
    place: str, text: str, track: Mapping[str, Any], with_relations: bool, document: str | None, item: str | None
) -> RawExample:
    lost: list[BadRecord] = []
    entities: list[Entity] = []
    by_id: dict[str, Entity] = {}
    for value in list_in(track, "denotations"):
        denotation = _as(Denotation, value, "entities", "obj", place, lost)
        if denotation is None:
            continue
        places = denotation.span if isinstance(denotation.span, list) else [denotation.span]
        spans = tuple(sorted((each.begin, each.end) for each in places))
        if not spans or not all(0 <= start < end <= len(text) for start, end in spans):
            unknown = (UnknownLabel("entities", denotation.obj),)
            detail = f"{denotation.obj!r}: {list(spans)} is not in a text of {len(text)} characters, or empty"
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, detail, unknown))
            continue
        identifier = None if denotation.id is None or str(denotation.id) in by_id else str(denotation.id)
        entities.append(Entity(denotation.obj, Mention(surface(text, spans), spans), identifier))
        if identifier is not None:
            by_id[identifier] = entities[-1]
    relations = []
    for value in list_in(track, "relations"):
        link = _as(Link, value, "relations", "pred", place, lost)
        if link is None:
            continue
        head, tail = by_id.get(str(link.subj)), by_id.get(str(link.obj))
        if head and tail:
            relations.append(Relation(link.pred, head.mention, tail.mention, head.label, tail.label, head.id, tail.id))
        else:
            detail = f"{link.pred!r}: {link.subj} or {link.obj} is not a denotation of the document"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, (UnknownLabel("relations", link.pred),)))
    lost += ignored(place, {key: len(track[key]) for key in UNREAD if list_in(track, key)})
    annotated = "denotations" in track
    return RawExample(
        place,
        text,
        tuple(entities) if annotated else None,
        tuple(relations) if annotated and with_relations else None,
        lost=tuple(lost),
        document=document,
        item=item,
        annotator=str(track["project"]) if isinstance(track.get("project"), str) else None,
    )


def _as(form: type[Part], value: object, layer: str, label: str, place: str, lost: list[BadRecord]) -> Part | None:
    """The value as a part of a document; None if it is none, which is added to `lost`."""
    try:
        return convert_part(value, form)
    except msgspec.ValidationError as error:
        name = value.get(label) if isinstance(value, dict) else None
        unknown = (UnknownLabel(layer, name),) if isinstance(name, str) else ()
        lost.append(BadRecord(place, Reason.MISSING_FIELD, f"{layer}: {error}", unknown))
        return None
