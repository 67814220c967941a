"""RawExamples with a file's own labels and offsets → Examples with prompt words and offsets that hold."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from schemas.errors import SURROGATE, BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, mentions, surface
from schemas.label import Label, UnknownLabel

REPAIR_RADIUS = 5
"""How far (code points) a mention may stand from its given offset to be moved there."""

IDEOGRAPH = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Chinese characters and kana, which stand side by side without a blank between words."""

END_TOLERANCE = 2
"""By how much (code points) a span may be longer or shorter than the mention that it is moved to."""


class _Unreadable(Exception):
    """Carries the reason out of a nested layer; caught by `normalize` alone."""

    def __init__(self, reason: Reason, detail: str):
        self.reason, self.detail = reason, detail


def spelled(text: str, mention: Mention) -> bool:
    """Whether the mention's spans lie within the text, none empty, one after the other, and spell its string."""
    if len(mention.spans) == 1:  # nearly all
        ((start, end),) = mention.spans
        return 0 <= start < end <= len(text) and text[start:end] == mention.text  # a negative offset would slice
    bounds = [0, *(bound for span in mention.spans for bound in span), len(text)]
    in_order = all(a <= b for a, b in pairwise(bounds)) and all(start < end for start, end in mention.spans)
    return in_order and surface(text, mention.spans) == mention.text


def repair_spans(text: str, mention: Mention) -> Mention:
    """The mention with spans that spell it; a span that is off is moved to the nearest match within REPAIR_RADIUS.

    Ties go to the left. Raises _Unreadable (offset_mismatch) where there is none, where several pieces of a
    discontinuous mention do not match, or where span and mention differ in length by more than an inclusive end and
    a shift would explain (END_TOLERANCE): one of the two was cut.
    """
    if not mention.spans or spelled(text, mention):
        return mention
    start, end = mention.spans[0]
    if len(mention.spans) == 1 and abs(end - start - len(mention.text)) <= END_TOLERANCE and mention.text:
        for shift in sorted(range(-REPAIR_RADIUS, REPAIR_RADIUS + 1), key=abs):
            if start + shift >= 0 and text.startswith(mention.text, start + shift):
                return Mention(mention.text, ((start + shift, start + shift + len(mention.text)),))
    actual = surface(text, mention.spans)
    raise _Unreadable(Reason.OFFSET_MISMATCH, f"{mention.spans} is {actual!r}, not {mention.text!r}")


def move_to_only_place(text: str, mention: Mention) -> Mention:
    """The mention at the only place of the text that spells it, as a word of its own.

    For what stands further off than `repair_spans` looks. Raises _Unreadable (offset_mismatch) as that does, and
    where several places or none spell it.
    """
    try:
        return repair_spans(text, mention)
    except _Unreadable:
        (start, end), string = mention.spans[0], mention.text
        if len(mention.spans) > 1 or abs(end - start - len(string)) > END_TOLERANCE:
            raise
        at = text.find(string)
        if at < 0 or text.find(string, at + 1) >= 0 or within_word(text, at, at + len(string)):
            raise
        return Mention(string, ((at, at + len(string)),))


def within_word(text: str, start: int, end: int) -> bool:
    """Whether a word that is written with blanks around it goes on before or after the span."""
    return any(
        0 < at < len(text) and all(c.isalnum() and not IDEOGRAPH.match(c) for c in text[at - 1 : at + 1])
        for at in (start, end)
    )


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

    An offset that fits nothing makes a text suspect: an entity, a relation's end or a trigger with one costs the
    record. An argument is lost alone (`lost`), and only where the text does not spell it in one place; documents
    have many, whose event and other arguments its loss does not touch. One that is empty is lost alone too. So it is
    with the entity that a relation's end or an argument refers to: one that is not there costs the record or the
    argument. A reference to an entity whose label is left out is left out with it. Two entities with one id cost the
    record.

    The labels of what is lost, here or in `raw.lost`, become unknown labels.
    """
    problem = _encoding_problem(raw)
    if problem:
        return BadRecord(raw.place, Reason.NOT_UTF8, problem)
    if not raw.text.strip():
        return BadRecord(raw.place, Reason.EMPTY_TEXT, "the text is empty")

    lost = list(raw.lost)
    references: dict[str, str | None] = {}
    try:
        layers = (
            None if raw.entities is None else _entities(raw, entity_labels, references),
            None if raw.relations is None else _relations(raw, relation_labels, entity_labels, references),
            None if raw.events is None else _events(raw, event_labels, role_names, references, lost),
        )
    except _Unreadable as problem:
        return BadRecord(raw.place, problem.reason, problem.detail)
    unknown = (*raw.unknown_labels, *(label for part in lost for label in part.unknown))
    names = {"entities": entity_labels, "relations": relation_labels, "events": event_labels}
    return RawExample(raw.place, raw.text, *layers, tuple(lost), _in_prompt_words(unknown, names) if unknown else ())


def _in_prompt_words(
    unknown: Sequence[UnknownLabel], names: Mapping[str, Mapping[str, Label | None]]
) -> tuple[UnknownLabel, ...]:
    """Each once; what the source's label maps (by layer) do not have, or map to None, is never asked for anyway."""
    labels = ((item.layer, names[item.layer].get(item.label)) for item in unknown)
    return tuple(dict.fromkeys(UnknownLabel(layer, label.name) for layer, label in labels if label))


def _fixed(text: str, mention: Mention, repair: Callable[[str, Mention], Mention] = repair_spans) -> Mention:
    if not mention.text.strip():
        raise _Unreadable(Reason.MISSING_FIELD, "a mention is empty")
    return repair(text, mention)


def _entities(
    raw: RawExample, labels: Mapping[str, Label | None], references: dict[str, str | None]
) -> tuple[Entity, ...]:
    """Fills `references`: id or concept of an entity → itself, or None where every entity with it is left out."""
    kept, ids = [], set()
    for item in raw.entities:
        label = _name(labels, item.label, "entity type")
        if label:
            kept.append(Entity(label.name, _fixed(raw.text, item.mention), item.id, item.concepts))
        if item.id is not None:
            if item.id in ids:
                raise _Unreadable(Reason.BROKEN_RECORD, f"two entities have the id {item.id!r}")
            ids.add(item.id)
            _refer(item.id, bool(label), references)
        for concept in item.concepts:
            _refer(concept, bool(label), references)
    return tuple(kept)


def _refer(name: str, kept: bool, references: dict[str, str | None]) -> None:
    if SURROGATE.search(name):
        raise _Unreadable(Reason.NOT_UTF8, f"the id or concept {name!r} is not UTF-8; re-encode the file")
    references[name] = name if kept else references.get(name)


def _entity(name: str | None, references: Mapping[str, str | None]) -> str | None:
    if name is None:
        return None
    if name not in references:
        raise _Unreadable(Reason.MISSING_FIELD, f"no entity has the id or concept {name!r}")
    return references[name]


def _relations(
    raw: RawExample,
    labels: Mapping[str, Label | None],
    end_types: Mapping[str, Label | None],
    references: Mapping[str, str | None],
) -> tuple[Relation, ...]:
    def end_type(given: str | None) -> str | None:
        label = _name(end_types, given, "entity type") if given is not None else None
        return label.name if label else None

    kept = []
    for item in raw.relations:
        label = _name(labels, item.label, "relation")
        if label:
            head, tail = _fixed(raw.text, item.head), _fixed(raw.text, item.tail)
            types = end_type(item.head_label), end_type(item.tail_label)
            entities = _entity(item.head_entity, references), _entity(item.tail_entity, references)
            kept.append(Relation(label.name, head, tail, *types, *entities))
    return tuple(kept)


def _events(
    raw: RawExample,
    labels: Mapping[str, Label],
    role_names: Mapping[str, str],
    references: Mapping[str, str | None],
    lost: list[BadRecord],
) -> tuple[Event, ...]:
    """Adds the arguments that are left out to `lost`."""
    kept = []
    for item in raw.events:
        label = _name(labels, item.label, "event type")
        arguments = []
        for argument in item.arguments:
            role = role_names.get(argument.role, argument.role)
            if role not in label.roles:
                raise _Unreadable(Reason.UNKNOWN_LABEL, f"role {argument.role!r} is none of {item.label!r}")
            try:
                mention = _fixed(raw.text, argument.mention, move_to_only_place)
                arguments.append(Argument(role, mention, _entity(argument.entity, references)))
            except _Unreadable as problem:
                detail = f"{role!r} of {label.name!r}: {problem.detail}"
                lost.append(BadRecord(raw.place, problem.reason, detail, (UnknownLabel("events", item.label),)))
        kept.append(Event(label.name, item.trigger and _fixed(raw.text, item.trigger), tuple(arguments)))
    return tuple(kept)


def _encoding_problem(raw: RawExample) -> str | None:
    """Bytes that were no UTF-8 stand in the strings as lone surrogates (see `files.File.lines`)."""
    strings = [raw.text, *(mention.text for mention in mentions(raw))]
    if not SURROGATE.search("".join(strings)):
        return None
    for string in strings:
        match = SURROGATE.search(string)
        if match:
            return f"byte 0x{ord(match[0]) & 0xFF:02x} at character {match.start()} is not UTF-8; re-encode the file"
    raise AssertionError("no string holds the surrogate that all of them hold")
