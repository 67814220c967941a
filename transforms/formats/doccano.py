"""doccano JSONL and JSON → one RawExample per text and annotator.

https://doccano.github.io/doccano/tutorial/ and backend/data_export in github.com/doccano/doccano. A text has `label` or
`labels` ([[start, end, label], ...]), or `entities` and `relations`, or, before 2020, `annotations` with numbers of
labels and of users. Offsets count code points (github.com/doccano/doccano/pull/1511). Those of early versions may count
UTF-16 code units; since the file contains no strings, only offsets beyond the end of a text reveal it.

A project that does not share annotations is exported as one file per user, named after the user, and `unknown`, each
with the texts of the project and their ids; one that does as `all`. An export of approved texts only has fewer texts
per file. Several files are therefore those of annotators if a text occurs, with the same id, in several of them.
Otherwise they are parts of a project. Categories and comments are not read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows, marks
from transforms.formats.documents import document_of
from transforms.formats.head import Head
from transforms.formats.json_values import convert_part, list_in
from transforms.formats.marks import Mark
from transforms.formats.offsets import Offset

SHARED, UNASSIGNED = "all", "unknown"
"""Names of files that are not those of one user."""

TEXTS = ("text", "data")
SPANS = ("entities", "label", "labels")


class Span(msgspec.Struct):
    start_offset: Offset
    end_offset: Offset
    label: str | int
    id: str | int | None = None
    user: str | int | None = None


class Arrow(msgspec.Struct):
    from_id: str | int
    to_id: str | int
    type: str


Triple = tuple[Offset, Offset, str]


def recognises(head: Head) -> bool:
    """Whether the first values are texts, some of them with a list of spans."""
    rows = head.rows
    return bool(rows) and all(isinstance(row, dict) for row in rows) and any(map(is_text_with_spans, rows))


def looks_like_import(head: Head) -> bool:
    """Whether the first row has the names that the example files for import have."""
    return any(isinstance(row, dict) and {"column_data", "column_label"} <= row.keys() for row in head.rows[:1])


def is_text_with_spans(row: Mapping[str, Any]) -> bool:
    if not any(isinstance(row.get(key), str) for key in TEXTS):
        return False
    lists = [row[key] for key in (*SPANS, "annotations") if isinstance(row.get(key), list)]
    items = [item for items in lists for item in items]
    if not items:
        return bool(lists) and row.keys() >= {"id"}
    return all(_as_span(item) or isinstance(item, str) for item in items) and (
        any(map(_as_span, items)) or row.keys() & {"id", "Comments", "comments"} > set()
    )


def _as_span(item: object) -> Span | None:
    """The span of an item of a list, in either form; None if it is none."""
    try:
        if isinstance(item, dict):
            return convert_part(item, Span)
        return Span(*msgspec.convert(item, Triple))
    except msgspec.ValidationError:
        return None


def read(files: Iterable[File], group_by: str | None = None) -> Iterator[RawExample | BadRecord]:
    """Every text of every file, for each of its annotators. The annotator is the user of an annotation, or else the
    name of the file if the files are those of annotators. `group_by`: the field of a row, or of its metadata, that
    names the document.
    """
    files = list(files)
    by_user = are_by_user(files)
    for file in files:
        stem = file.name.rpartition("/")[2].rpartition(".")[0]
        user = stem if by_user and stem != SHARED else None
        for item in json_rows.read([file], lambda place, row: (place, row), dict[str, Any]):
            if isinstance(item, BadRecord):
                yield item
            else:
                yield from examples(*item, user, group_by)


def are_by_user(files: Sequence[File]) -> bool:
    """Whether a text occurs, with the same id, in several of the files."""
    if len(files) < 2:
        return False
    earlier: set[int] = set()  # hashes of the texts with their ids
    for file in files:
        texts = set()
        for row in json_rows.read([file], lambda _, row: row, dict[str, Any]):
            if isinstance(row, dict) and row.get("id") is not None and (text := text_of(row)) is not None:
                texts.add(hash((str(row["id"]), text)))
        if not earlier.isdisjoint(texts):
            return True
        earlier |= texts
    return False


def text_of(row: Mapping[str, Any]) -> str | None:
    return next((row[key] for key in TEXTS if isinstance(row.get(key), str)), None)


def examples(
    place: str, row: Mapping[str, Any], user: str | None, group_by: str | None
) -> Iterator[RawExample | BadRecord]:
    text = text_of(row)
    if text is None:
        yield BadRecord(place, Reason.MISSING_FIELD, f"the row has no text, only {', '.join(row) or 'nothing'}")
        return
    lost: list[BadRecord] = []
    spans: list[Span] | None = None
    for key in (*SPANS, "annotations"):
        for item in list_in(row, key):
            span = _as_span(item)
            if span is not None:
                spans = [*(spans or []), span]
            elif isinstance(item, str):
                lost.append(BadRecord(place, Reason.IGNORED_ANNOTATION, f"the category {item!r} of the text"))
            else:
                lost.append(BadRecord(place, Reason.MISSING_FIELD, f"{item!r:.100} is not a span", _label_of(item)))
        if row.get(key) == []:
            spans = spans or []
    lost += [BadRecord(place, Reason.IGNORED_ANNOTATION, f"the category {item!r}") for item in list_in(row, "cats")]
    if user == UNASSIGNED and not spans:
        user, spans = None, None
    item = None if row.get("id") is None else str(row["id"])
    document = document_of(row, row.get("meta"), row.get("metadata"), group_by=group_by)
    by_user: dict[str | int | None, list[Span]] = {}
    for span in spans or ():
        by_user.setdefault(span.user, []).append(span)
    relations = row.get("relations") if spans is not None and len(by_user) < 2 else None
    for annotator, user_spans in by_user.items() or [(None, spans)]:
        layers = _layers(place, text, user_spans, relations if isinstance(relations, list) else None, lost)
        name = user if annotator is None else str(annotator)
        yield RawExample(place, *layers, lost=tuple(lost), document=document, item=item, annotator=name)
        lost = []


def _label_of(item: object) -> tuple[UnknownLabel, ...]:
    """The label of a list item that is not a span."""
    label = item.get("label") if isinstance(item, dict) else item[2] if isinstance(item, list) and item[2:] else None
    return (UnknownLabel("entities", label),) if isinstance(label, str) else ()


def _layers(
    place: str, text: str, spans: list[Span] | None, arrows: list[Any] | None, lost: list[BadRecord]
) -> tuple[str, tuple[Entity, ...] | None, tuple[Relation, ...] | None]:
    """The text, its entities and its relations. Parts that cannot be used are added to `lost`."""
    reading = marks.read(text, [Mark(span.start_offset, span.end_offset) for span in spans or ()])
    entities: list[Entity] = []
    by_id: dict[str, Entity] = {}
    for span, mention in zip(spans or (), reading.mentions, strict=True):
        label = str(span.label)
        if isinstance(mention, str):
            unknown = (UnknownLabel("entities", label),)
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, f"{label!r}: {mention}", unknown))
            continue
        identifier = None if span.id is None or str(span.id) in by_id else str(span.id)
        entities.append(Entity(label, mention, identifier))
        if identifier is not None:
            by_id[identifier] = entities[-1]
    relations = []
    for item in arrows or ():
        try:
            arrow = convert_part(item, Arrow)
        except msgspec.ValidationError as error:
            lost.append(BadRecord(place, Reason.MISSING_FIELD, f"a relation: {error}"))
            continue
        head, tail = by_id.get(str(arrow.from_id)), by_id.get(str(arrow.to_id))
        if head and tail:
            ends = head.mention, tail.mention, head.label, tail.label, head.id, tail.id
            relations.append(Relation(arrow.type, *ends))
        else:
            unknown = (UnknownLabel("relations", arrow.type),)
            detail = f"{arrow.type!r}: one of the entities {arrow.from_id} and {arrow.to_id} does not exist"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, unknown))
    return (
        reading.text,
        None if spans is None else tuple(entities),
        None if arrows is None else tuple(relations),
    )
