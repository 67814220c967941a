"""RawExamples with the labels and offsets of a file → RawExamples with prompt words and correct offsets."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from schemas.errors import SURROGATE, BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, mentions, surface
from schemas.label import Label, OpenLabels, UnknownLabel
from transforms.scripts import within_word

REPAIR_RADIUS = 5
"""The maximum distance (code points) by which a wrong offset is corrected."""

END_TOLERANCE = 2
"""The maximum difference in length (code points) between a wrong span and its mention for the span to be corrected."""


class _Unreadable(Exception):
    """An annotation cannot be used, with the reason. Only this module catches it."""

    def __init__(self, reason: Reason, detail: str):
        self.reason, self.detail = reason, detail


def spelled(text: str, mention: Mention) -> bool:
    """Whether the mention's spans are inside the text, not empty, in order without overlap, and spell its string."""
    if len(mention.spans) == 1:  # nearly all
        ((start, end),) = mention.spans
        return 0 <= start < end <= len(text) and text[start:end] == mention.text  # a negative offset would slice
    bounds = [0, *(bound for span in mention.spans for bound in span), len(text)]
    in_order = all(a <= b for a, b in pairwise(bounds)) and all(start < end for start, end in mention.spans)
    return in_order and surface(text, mention.spans) == mention.text


def repair_spans(text: str, mention: Mention) -> Mention:
    """The mention with spans that spell it. A wrong span is moved to the nearest match within REPAIR_RADIUS.

    Ties go to the left. Raises _Unreadable (offset_mismatch) if there is no match, if the mention is discontinuous and
    its pieces do not match, or if span and mention differ in length by more than END_TOLERANCE. A larger difference
    cannot be explained by an inclusive end and a shift, so one of the two was truncated.
    """
    if not mention.spans or spelled(text, mention):
        return mention
    start, end = mention.spans[0]
    if len(mention.spans) == 1 and abs(end - start - len(mention.text)) <= END_TOLERANCE and mention.text:
        for shift in sorted(range(-REPAIR_RADIUS, REPAIR_RADIUS + 1), key=abs):
            if start + shift >= 0 and text.startswith(mention.text, start + shift):
                return Mention(mention.text, ((start + shift, start + shift + len(mention.text)),))
    actual = surface(text, mention.spans)
    where = ", ".join(f"{start}-{end}" for start, end in mention.spans)
    raise _Unreadable(Reason.OFFSET_MISMATCH, f"the text at {where} is {actual!r}, not {mention.text!r}")


def move_to_only_place(text: str, mention: Mention) -> Mention:
    """Like `repair_spans`, but if there is no match nearby, the span is moved to the only occurrence in the text.

    Raises _Unreadable (offset_mismatch) as `repair_spans` does, and if the string does not occur exactly once, or only
    inside a word.
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


def place_anywhere(text: str, mention: Mention) -> Mention:
    """The mention of a user's data, with spans that spell it, without blanks at its edges.

    Like `move_to_only_place`, but spans of any length and beyond the end of the text are moved: tools write the offsets
    and the string at the same time, so offsets that do not fit are those of another version of the text. Raises
    _Unreadable (offset_mismatch).
    """
    try:
        placed = repair_spans(text, mention)
    except _Unreadable as problem:
        string = mention.text.strip()
        at = text.find(string)
        is_only_place = at >= 0 and text.find(string, at + 1) < 0 and not within_word(text, at, at + len(string))
        if len(mention.spans) == 1 and is_only_place:
            return Mention(string, ((at, at + len(string)),))
        if max(end for _, end in mention.spans) > len(text):
            where = ", ".join(f"{start}-{end}" for start, end in mention.spans)
            raise _Unreadable(
                problem.reason, f"{mention.text!r} at {where} is beyond the end of the text ({len(text)} characters)"
            ) from None
        raise
    return placed if placed.text == placed.text.strip() else _trimmed(text, placed)


def _trimmed(text: str, mention: Mention) -> Mention:
    """The mention without blanks at the edges of its string and of its pieces."""
    if not mention.spans:
        return Mention(mention.text.strip())
    spans = []
    for start, end in mention.spans:
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if start < end:
            spans.append((start, end))
    return Mention(surface(text, tuple(spans)), tuple(spans))


def _can_be_asked(label: str) -> bool:
    return bool(label.strip()) and not SURROGATE.search(label)


def _name(labels: Mapping[str, Label | None], raw: str, kind: str) -> Label | None:
    if isinstance(labels, OpenLabels) and not _can_be_asked(raw):
        reason = Reason.NOT_UTF8 if raw.strip() else Reason.MISSING_FIELD
        raise _Unreadable(reason, f"the {kind} {raw!r} is {'not UTF-8' if raw.strip() else 'empty'}")
    if raw not in labels:
        raise _Unreadable(Reason.UNKNOWN_LABEL, f"{kind} {raw!r} is not in the source's label map")
    return labels[raw]


def normalize(
    raw: RawExample,
    entity_labels: Mapping[str, Label | None],
    relation_labels: Mapping[str, Label | None],
    event_labels: Mapping[str, Label | None],
    role_names: Mapping[str, str],
) -> RawExample | BadRecord:
    """`raw` with prompt words and correct offsets, or a BadRecord with the reason.

    Annotations whose label is mapped to None (NA, Other, no_relation) are left out. The types of relation ends are
    mapped by `entity_labels`.

    An entity, a relation end or a trigger that is empty or whose offsets cannot be corrected makes the text a
    BadRecord, and so do two entities with the same id. An argument is lost alone (`lost`) if it is empty, or if its
    offsets cannot be corrected and its string does not occur exactly once: documents have many arguments, and the event
    and its other arguments remain correct. A reference to an entity that does not exist makes the text a BadRecord if
    it is that of a relation end; if it is that of an argument, the argument is lost alone. References to entities that
    are left out are removed.

    In users' data, whose labels are OpenLabels, such an entity, relation or event is lost alone, too, with the
    relations and arguments that refer to it. Of two entities with the same id, the second is lost. Their mentions lose
    blanks at their edges, and are looked for in the whole text (`place_anywhere`).

    The labels of lost parts, here or in `raw.lost`, become unknown labels.
    """
    not_utf8 = _encoding_problem(raw)
    if not_utf8:
        return BadRecord(raw.place, Reason.NOT_UTF8, not_utf8)
    if not raw.text.strip():
        return BadRecord(raw.place, Reason.EMPTY_TEXT, "the text is empty")

    lost = list(raw.lost)
    references: dict[str, str | None] = {}
    try:
        entities = _entities(raw, entity_labels, references, lost)
        relations = _relations(raw, relation_labels, entity_labels, references, lost)
        events = _events(raw, event_labels, role_names, references, lost)
    except _Unreadable as problem:
        return BadRecord(raw.place, problem.reason, problem.detail)
    unknown = (*raw.unknown_labels, *(label for part in lost for label in part.unknown))
    names = {"entities": entity_labels, "relations": relation_labels, "events": event_labels}
    words = _in_prompt_words(unknown, names) if unknown else ()
    return RawExample(
        raw.place,
        raw.text,
        entities,
        relations,
        events,
        tuple(lost),
        words,
        document=raw.document,
        item=raw.item,
        annotator=raw.annotator,
        is_gold=raw.is_gold,
    )


def _in_prompt_words(
    unknown: Sequence[UnknownLabel], names: Mapping[str, Mapping[str, Label | None]]
) -> tuple[UnknownLabel, ...]:
    """The prompt words of the labels, without repetition. `names`: layer → label map of the source. Labels that are not
    in the map, or are mapped to None, are left out: no instruction asks for them.
    """
    labels = ((item.layer, names[item.layer].get(item.label)) for item in unknown if _can_be_asked(item.label))
    return tuple(dict.fromkeys(UnknownLabel(layer, label.name) for layer, label in labels if label))


def _repair_of(labels: Mapping[str, Label | None]) -> Callable[[str, Mention], Mention]:
    """How the mentions of a layer with these labels are placed."""
    return place_anywhere if isinstance(labels, OpenLabels) else repair_spans


def _fixed(text: str, mention: Mention, repair: Callable[[str, Mention], Mention]) -> Mention:
    if not mention.text.strip():
        raise _Unreadable(Reason.MISSING_FIELD, "a mention is empty")
    return repair(text, mention)


def _lose(
    raw: RawExample,
    layer: str,
    item: Entity | Relation | Event,
    labels: Mapping[str, Label | None],
    problem: _Unreadable,
    lost: list[BadRecord],
) -> None:
    """Adds an annotation with a problem to `lost`. Raises the problem again unless the labels are OpenLabels."""
    if not isinstance(labels, OpenLabels):
        raise problem
    lost.append(
        BadRecord(raw.place, problem.reason, f"{item.label!r}: {problem.detail}", (UnknownLabel(layer, item.label),))
    )


def _entities(
    raw: RawExample,
    labels: Mapping[str, Label | None],
    references: dict[str, str | None],
    lost: list[BadRecord],
) -> tuple[Entity, ...] | None:
    """Fills `references`: id or concept of an entity → itself, or None if every entity with it is left out."""
    if raw.entities is None:
        return None
    kept, ids, repair = [], set(), _repair_of(labels)
    for item in raw.entities:
        try:
            label = _name(labels, item.label, "entity type")
            mention = _fixed(raw.text, item.mention, repair) if label else item.mention
            if item.id is not None:
                if item.id in ids:
                    raise _Unreadable(Reason.BROKEN_RECORD, f"two entities have the id {item.id!r}")
                ids.add(item.id)
                _refer(item.id, bool(label), references)
            for concept in item.concepts:
                _refer(concept, bool(label), references)
        except _Unreadable as problem:
            _lose(raw, "entities", item, labels, problem, lost)
            continue
        if label:
            kept.append(Entity(label.name, mention, item.id, item.concepts))
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
    lost: list[BadRecord],
) -> tuple[Relation, ...] | None:
    if raw.relations is None:
        return None

    def end_type(raw_type: str | None) -> str | None:
        label = _name(end_types, raw_type, "entity type") if raw_type is not None else None
        return label.name if label else None

    kept, repair = [], _repair_of(labels)
    for item in raw.relations:
        try:
            label = _name(labels, item.label, "relation")
            if label:
                head, tail = _fixed(raw.text, item.head, repair), _fixed(raw.text, item.tail, repair)
                types = end_type(item.head_label), end_type(item.tail_label)
                entities = _entity(item.head_entity, references), _entity(item.tail_entity, references)
                kept.append(Relation(label.name, head, tail, *types, *entities, item.score))
        except _Unreadable as problem:
            _lose(raw, "relations", item, labels, problem, lost)
    return tuple(kept)


def _events(
    raw: RawExample,
    labels: Mapping[str, Label | None],
    role_names: Mapping[str, str],
    references: Mapping[str, str | None],
    lost: list[BadRecord],
) -> tuple[Event, ...] | None:
    """Adds the arguments that cannot be used to `lost`."""
    if raw.events is None:
        return None
    kept = []
    is_open, repair = isinstance(labels, OpenLabels), _repair_of(labels)
    for item in raw.events:
        try:
            label = _name(labels, item.label, "event type")
            if label is None:
                continue
            known, arguments = label.role_names, []
            for argument in item.arguments:
                role = role_names.get(argument.role, argument.role)
                if role not in known and not (is_open and _can_be_asked(role)):
                    raise _Unreadable(Reason.UNKNOWN_LABEL, f"{argument.role!r} is not a role of {item.label!r}")
                try:
                    mention = _fixed(raw.text, argument.mention, repair if is_open else move_to_only_place)
                    arguments.append(Argument(role, mention, _entity(argument.entity, references)))
                except _Unreadable as problem:
                    detail = f"{role!r} of {label.name!r}: {problem.detail}"
                    lost.append(BadRecord(raw.place, problem.reason, detail, (UnknownLabel("events", item.label),)))
            kept.append(Event(label.name, item.trigger and _fixed(raw.text, item.trigger, repair), tuple(arguments)))
        except _Unreadable as problem:
            _lose(raw, "events", item, labels, problem, lost)
    return tuple(kept)


def _encoding_problem(raw: RawExample) -> str | None:
    """The first byte that is not UTF-8, for an error message; None if there is none. In strings, such bytes are lone
    surrogates (see `files.File.lines`).
    """
    strings = [raw.text, *(mention.text for mention in mentions(raw))]
    if not SURROGATE.search("".join(strings)):
        return None
    for string in strings:
        match = SURROGATE.search(string)
        if match:
            return f"byte 0x{ord(match[0]) & 0xFF:02x} at character {match.start()} is not UTF-8; re-encode the file"
    raise AssertionError("the joined strings contain a surrogate, but none of them does")
