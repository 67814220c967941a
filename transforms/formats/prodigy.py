"""Prodigy JSONL (`db-out`) → one RawExample per task; https://prodi.gy/docs/api-interfaces.

Offsets count code points. Read are spans (`ner_manual`, `spans_manual`) and relations (`relations`), whose `head` and
`child` are the numbers of the last tokens of their spans. The layers of a text are unknown if its answer is `reject` or
`ignore`, if the question was about one span only (`ner.teach`), or if it was about something else, such as a choice
among options. The texts of several annotators have the same `_input_hash`; what `review` made of them is gold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows, marks
from transforms.formats.documents import document_of
from transforms.formats.head import Head
from transforms.formats.json_values import list_in
from transforms.formats.marks import Mark

HASHES = ("_input_hash", "_task_hash")

SPAN_VIEWS = ("ner", "ner_manual", "spans", "spans_manual", "relations", "blocks")
"""Interfaces in which spans are annotated."""

REVIEW = "review"
"""The interface in which annotations are corrected; `view_id` is the one in which they were made."""

ONE_SPAN = "ner"
"""The interface that asks whether one span is right."""


def recognises(head: Head) -> bool:
    """Whether one of the first values is a task with a text."""
    return any(isinstance(row, dict) and isinstance(row.get("text"), str) and is_task(row) for row in head.rows)


def is_task(row: Mapping[str, Any]) -> bool:
    if any(name in row for name in HASHES):
        return True
    spans = row.get("spans")
    return isinstance(spans, list) and all(isinstance(span, dict) and "start" in span for span in spans)


def read(files: Iterable[File], group_by: str | None = None) -> Iterator[RawExample | BadRecord]:
    """Every task with a text. `group_by`: the field of a task, or of its metadata, that names the document."""
    return json_rows.read(files, partial(example, group_by=group_by), dict[str, Any])


def example(place: str, row: Mapping[str, Any], group_by: str | None = None) -> RawExample | BadRecord:
    text = row.get("text")
    if not isinstance(text, str):
        return BadRecord(place, Reason.MISSING_FIELD, "the task has no text")
    lost: list[BadRecord] = []
    why = why_not_annotated(row)
    entities, relations = None, None
    if why:
        lost.append(BadRecord(place, Reason.IGNORED_ANNOTATION, why))
    elif "answer" in row or "spans" in row:
        text, entities, relations = _layers(place, text, row, lost)
    annotator = row.get("_annotator_id") or row.get("_session_id")
    item = next((str(row[name]) for name in HASHES if row.get(name) is not None), None)
    return RawExample(
        place,
        text,
        entities,
        relations,
        lost=tuple(lost),
        document=document_of(row.get("meta"), row, group_by=group_by),
        item=item,
        annotator=None if annotator is None else str(annotator),
        is_gold=row.get("_view_id") == REVIEW,
    )


def why_not_annotated(row: Mapping[str, Any]) -> str:
    """Why the spans of the task are not an annotation of its text; empty if they are."""
    answer, view = row.get("answer", "accept"), row.get("_view_id")
    if view == REVIEW:
        view = row.get("view_id")
    if answer != "accept":
        return f"the answer is {answer!r}"
    if "options" in row or (view is not None and view not in SPAN_VIEWS):
        return f"the interface {view!r} asks for something other than spans"
    if row.get("_is_binary", view == ONE_SPAN):
        return "the question was about one span only"
    return ""


def _layers(
    place: str, text: str, row: Mapping[str, Any], lost: list[BadRecord]
) -> tuple[str, tuple[Entity, ...] | None, tuple[Relation, ...] | None]:
    """The text, its entities and its relations. Parts that cannot be used are added to `lost`."""
    spans = [span for span in list_in(row, "spans") if isinstance(span, dict)]
    kept, places = [], []
    for span in spans:
        mark, label = _mark(span), span.get("label")
        if mark and isinstance(label, str) and label:
            kept.append(span)
            places.append(mark)
        else:
            detail = f"a span from {span.get('start')!r} to {span.get('end')!r} with the label {label!r}"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, _unknown("entities", label)))
    ends, arrows = _arrows(place, row, kept, lost)
    reading = marks.read(text, [*places, *ends])
    entities: list[Entity] = []
    by_span: dict[object, Entity] = {}
    for number, (span, mention) in enumerate(zip(kept, reading.mentions, strict=False)):
        if isinstance(mention, str):
            unknown = _unknown("entities", span["label"])
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, f"{span['label']!r}: {mention}", unknown))
        else:
            entities.append(Entity(span["label"], mention, str(number)))
            by_span.setdefault(mention.spans, entities[-1])
    relations = []
    mentions = reading.mentions[len(kept) :]
    for label, head, tail in zip(arrows, mentions[::2], mentions[1::2], strict=True):
        if isinstance(head, Mention) and isinstance(tail, Mention):
            one, other = by_span.get(head.spans), by_span.get(tail.spans)
            types = one.label if one else None, other.label if other else None
            relations.append(Relation(label, head, tail, *types, one.id if one else None, other.id if other else None))
        else:
            detail = f"{label!r}: {head if isinstance(head, str) else tail}"
            lost.append(BadRecord(place, Reason.OFFSET_MISMATCH, detail, _unknown("relations", label)))
    return reading.text, tuple(entities), tuple(relations) if "relations" in row else None


def _arrows(
    place: str, row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]], lost: list[BadRecord]
) -> tuple[list[Mark], list[str]]:
    """The head and the child of each relation, one after another, and the label of each relation."""
    ends: list[Mark] = []
    labels: list[str] = []
    with_tokens = [span for span in spans if isinstance(span.get("token_end"), int)]
    by_length = sorted(with_tokens, key=lambda span: span["end"] - span["start"])
    by_last_token = {span["token_end"]: span for span in by_length}  # the longest
    for relation in list_in(row, "relations"):
        fields = relation if isinstance(relation, dict) else {}
        label = fields.get("label")
        both = [_end(fields, name, list_in(row, "tokens"), by_last_token) for name in ("head", "child")]
        if isinstance(label, str) and label and None not in both:
            ends += [end for end in both if end]
            labels.append(label)
        else:
            detail = f"the relation {label!r} of {fields.get('head')!r} and {fields.get('child')!r}"
            lost.append(BadRecord(place, Reason.MISSING_FIELD, detail, _unknown("relations", label)))
    return ends, labels


def _end(
    relation: Mapping[str, Any], name: str, tokens: Sequence[Any], by_last_token: Mapping[int, Mapping[str, Any]]
) -> Mark | None:
    """The head or child of a relation: its span, or else the longest one that ends with its token, or its token."""
    if isinstance(relation.get(f"{name}_span"), dict):
        return _mark(relation[f"{name}_span"])
    number = relation.get(name)
    if not isinstance(number, int):
        return None
    token = by_last_token.get(number) or (tokens[number] if 0 <= number < len(tokens) else None)
    return _mark(token) if isinstance(token, dict) else None


def _mark(span: Mapping[str, Any]) -> Mark | None:
    start, end, string = span.get("start"), span.get("end"), span.get("text")
    if not isinstance(start, int) or not isinstance(end, int):
        return None
    return Mark(start, end, string if isinstance(string, str) and string else None)


def _unknown(layer: str, label: object) -> tuple[UnknownLabel, ...]:
    return (UnknownLabel(layer, label),) if isinstance(label, str) and label else ()
