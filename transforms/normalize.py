"""RawExamples with a file's own labels and offsets → Examples with prompt words and offsets that hold."""

import re
from collections.abc import Mapping
from itertools import pairwise

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, Span, mentions, surface
from schemas.label import Label

REPAIR_RADIUS = 5
"""How far (code points) a mention may stand from its given offset to be moved there."""

END_TOLERANCE = 2
"""By how much (code points) a span may be longer or shorter than the mention that it is moved to."""

SURROGATE = re.compile("[\ud800-\udfff]")


class _Unreadable(Exception):
    """Carries the reason out of a nested layer; caught by `normalize` alone."""

    def __init__(self, reason: Reason, detail: str):
        self.reason, self.detail = reason, detail


def in_order(text: str, spans: tuple[Span, ...]) -> bool:
    """Whether the spans lie within the text, none empty, one after the other. (A negative offset would slice.)"""
    bounds = [0, *(bound for span in spans for bound in span), len(text)]
    return all(a <= b for a, b in pairwise(bounds)) and all(start < end for start, end in spans)


def repair_spans(text: str, mention: Mention) -> Mention:
    """The mention with spans that spell it; a span that is off is moved to the nearest match within REPAIR_RADIUS.

    Ties go to the left. Raises _Unreadable (offset_mismatch) where there is none, where several pieces of a
    discontinuous mention do not match, or where span and mention differ in length by more than an inclusive end and
    a shift would explain (END_TOLERANCE): one of the two was cut.
    """
    if not mention.spans or (in_order(text, mention.spans) and surface(text, mention.spans) == mention.text):
        return mention
    start, end = mention.spans[0]
    if len(mention.spans) == 1 and abs(end - start - len(mention.text)) <= END_TOLERANCE and mention.text:
        for shift in sorted(range(-REPAIR_RADIUS, REPAIR_RADIUS + 1), key=abs):
            if start + shift >= 0 and text.startswith(mention.text, start + shift):
                return Mention(mention.text, ((start + shift, start + shift + len(mention.text)),))
    found = surface(text, mention.spans)
    raise _Unreadable(Reason.OFFSET_MISMATCH, f"{mention.spans} is {found!r}, not {mention.text!r}")


def _name(labels: Mapping[str, Label | None], raw: str, kind: str) -> Label | None:
    if raw not in labels:
        raise _Unreadable(Reason.UNKNOWN_LABEL, f"{kind} {raw!r} is not in the source's label map")
    return labels[raw]


def normalize(
    raw: RawExample,
    entity_labels: Mapping[str, Label | None],
    relation_labels: Mapping[str, Label | None],
    event_labels: Mapping[str, Label],
    role_names: Mapping[str, str],
) -> RawExample | BadRecord:
    """`raw` in prompt words with true offsets, or why not.

    A label mapped to None (NA, Other, no_relation) is no label: its annotation is left out. Relation ends that
    carry types are mapped by `entity_labels`.
    """
    problem = _encoding_problem(raw)
    if problem:
        return BadRecord(raw.place, Reason.NOT_UTF8, problem)
    if not raw.text.strip():
        return BadRecord(raw.place, Reason.EMPTY_TEXT, "the text is empty")

    def fix(mention: Mention) -> Mention:
        if not mention.text.strip():
            raise _Unreadable(Reason.MISSING_FIELD, "a mention is empty")
        return repair_spans(raw.text, mention)

    def end_type(raw_type: str | None) -> str | None:
        label = _name(entity_labels, raw_type, "entity type") if raw_type is not None else None
        return label.name if label else None

    def entity(item: Entity) -> Entity | None:
        label = _name(entity_labels, item.label, "entity type")
        return label and Entity(label.name, fix(item.mention))

    def relation(item: Relation) -> Relation | None:
        label = _name(relation_labels, item.label, "relation")
        return label and Relation(
            label.name, fix(item.head), fix(item.tail), end_type(item.head_label), end_type(item.tail_label)
        )

    def event(item: Event) -> Event:
        label = _name(event_labels, item.label, "event type")
        arguments = []
        for argument in item.arguments:
            role = role_names.get(argument.role, argument.role)
            if role not in label.roles:
                raise _Unreadable(Reason.UNKNOWN_LABEL, f"role {argument.role!r} is none of {item.label!r}")
            arguments.append(Argument(role, fix(argument.mention)))
        return Event(label.name, item.trigger and fix(item.trigger), tuple(arguments))

    def layer(items, convert):
        return None if items is None else tuple(kept for kept in map(convert, items) if kept)

    try:
        return RawExample(
            raw.place,
            raw.text,
            layer(raw.entities, entity),
            layer(raw.relations, relation),
            layer(raw.events, event),
        )
    except _Unreadable as problem:
        return BadRecord(raw.place, problem.reason, problem.detail)


def _encoding_problem(raw: RawExample) -> str | None:
    """Bytes that were no UTF-8 stand in the strings as lone surrogates (see `files.File.lines`)."""
    for string in (raw.text, *(mention.text for mention in mentions(raw))):
        match = SURROGATE.search(string)
        if match:
            return f"byte 0x{ord(match[0]) & 0xFF:02x} at character {match.start()} is not UTF-8; re-encode the file"
    return None
