"""IEPile's unified format, JSON → RawExamples without offsets, and the label set in a schema.json, if there is one.

Format: github.com/zjunlp/IEPile, README, "Data conversion". A layer that is missing or null is not annotated (None). An
empty layer means that the text has no such annotation.

Mentions are only strings, which must occur in the text. A mention that occurs in another spelling (whitespace, case,
Unicode form) gets the spelling of the text. Any other mention is lost, and counted in `RawExample.lost`, together with
what depends on it: an entity or an argument alone, a relation with its end, an event with its trigger.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from schemas.label import Label, Role, UnknownLabel, described_roles, named_roles, typed_label
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.documents import document_of
from transforms.formats.head import Head
from transforms.formats.json_values import BLANKS, convert, element, end_of_match
from transforms.spelling import Spellings

LINES = (
    ("a list of types", list[str]),
    ("a list of roles or relations", list[str]),
    ("a map from type to a list of roles or to a map from role to description", dict[str, list[str] | dict[str, str]]),
)
"""Description and type of each of the three values of schema.json, which usually has one per line."""

LAYER_BY_PART = {"entity": "entities", "relation": "relations", "event": "events", "argument": "events"}

KEY_BY_LAYER = {"entity": "entity_type", "relation": "relation", "event": "event_type"}
"""Key of a row → the key that all of its items have."""

ARGUMENTS = re.compile('"arguments"')

ABSENT = (None, "", "NAN")
"""The values that stand for a missing trigger or argument."""


class EntityItem(msgspec.Struct):
    entity: str
    entity_type: str


class RelationItem(msgspec.Struct):
    head: str
    relation: str
    tail: str
    head_type: str | None = None
    tail_type: str | None = None


class ArgumentItem(msgspec.Struct):
    argument: str
    role: str


class EventItem(msgspec.Struct):
    event_type: str
    event_trigger: str | None = None
    arguments: list[ArgumentItem] | None = None


class EntityRow(msgspec.Struct):
    text: str
    entity: list[EntityItem] | None = None


class RelationRow(msgspec.Struct):
    text: str
    relation: list[RelationItem] | None = None


class GraphRow(msgspec.Struct):
    text: str
    relation: list[RelationItem] | None = None
    entity: list[EntityItem] | None = None


class EventRow(msgspec.Struct):
    text: str
    event: list[EventItem] | None = None


class OpenRow(msgspec.Struct):
    text: str
    entity: list[EntityItem] | None = None
    relation: list[RelationItem] | None = None
    event: list[EventItem] | None = None


def read(files: Iterable[File], task: str, labels: Sequence[Label]) -> Iterator[RawExample | BadRecord]:
    """The records of `task`; `labels` is its label set, from `read_schema`.

    A record with a typed triple or an attribute that is not in `labels` is a BadRecord. Other labels are checked by
    `transforms.normalize`.
    """
    match task:
        case "NER":
            return json_rows.read(files, _entities, EntityRow)
        case "RE":
            return json_rows.read(files, _relations, RelationRow)
        case "SPO":
            known = frozenset((label.subject_type, label.predicate, label.object_type) for label in labels)
            return json_rows.read(files, partial(_triples, known=known), RelationRow)
        case "KG":
            attributes: dict[str | None, frozenset[str]] = {label.name: frozenset(label.role_names) for label in labels}
            attributes[None] = frozenset[str]().union(*attributes.values())
            return json_rows.read(files, partial(_attributes, attributes=attributes), GraphRow)
        case _:
            return json_rows.read(files, partial(_events, with_arguments=task != "EET"), EventRow)


def recognises(head: Head) -> bool:
    """Whether one of the first values is a text with annotations."""
    return any(isinstance(row, dict) and "instruction" not in row and _is_annotated(row) for row in head.rows)


def _is_annotated(row: Mapping[str, Any]) -> bool:
    layers = [(row[layer], key) for layer, key in KEY_BY_LAYER.items() if isinstance(row.get(layer), list)]
    items = [(item, key) for items, key in layers for item in items]
    is_text = isinstance(row.get("text"), str)
    return is_text and bool(layers) and all(isinstance(item, dict) and key in item for item, key in items)


def read_open(files: Iterable[File], group_by: str | None = None) -> Iterator[RawExample | BadRecord]:
    """Every text with all its layers; the labels are those that occur. `group_by`: the field that names the document.

    An event without the key `arguments` makes the events of its text unknown, unless no event has this key.
    """
    files = list(files)
    with_arguments = json_rows.contains(files, ARGUMENTS)
    return json_rows.read(files, partial(_open, with_arguments=with_arguments, group_by=group_by), dict[str, Any])


def _open(place: str, fields: Mapping[str, Any], with_arguments: bool, group_by: str | None) -> RawExample | BadRecord:
    row = convert(fields, OpenRow, place)
    if isinstance(row, BadRecord):
        return row
    events = _events(place, EventRow(row.text, row.event), with_arguments)
    mentions, relations = Mentions(place, row.text), []
    for item in row.relation or ():
        relations += _relation(mentions, item, item.head_type, item.tail_type)
    entities = _entities(place, EntityRow(row.text, row.entity))
    return RawExample(
        place,
        row.text,
        entities.entities,
        None if row.relation is None else tuple(relations),
        events.events,
        lost=(*entities.lost, *mentions.lost, *events.lost),
        document=document_of(fields, group_by=group_by),
    )


class Mentions:
    """Creates the mentions of a record, and adds those that do not occur in its text to `lost`."""

    __slots__ = ("lost", "place", "spellings", "text")

    def __init__(self, place: str, text: str):
        self.place, self.text = place, text
        self.lost: list[BadRecord] = []
        self.spellings: Spellings | None = None  # most records need none

    def mention(self, string: str, part: str, name: str, label: str) -> Mention | None:
        """The mention, or None if it is lost, together with the `part` (a key of LAYER_BY_PART) `name` of the record.
        `label` is then an unknown label.
        """
        if string in self.text and string.strip():
            return Mention(string)
        return self._other_spelling(string, part, name, label)

    def _other_spelling(self, string: str, part: str, name: str, label: str) -> Mention | None:
        reason, detail = Reason.MISSING_FIELD, "a mention is empty"
        if string.strip():
            self.spellings = self.spellings or Spellings(self.text)
            spelling = self.spellings.find(string)
            if spelling is not None:
                return Mention(spelling)
            reason, detail = Reason.MENTION_NOT_IN_TEXT, f"{string[:80]!r} is not in the text"
        unknown = UnknownLabel(LAYER_BY_PART[part], label)
        self.lost.append(BadRecord(self.place, reason, f"{detail}; its {part} {name!r} is left out", (unknown,)))
        return None


def _entities(place: str, row: EntityRow) -> RawExample:
    if row.entity is None:
        return RawExample(place, row.text)
    mentions, entities = Mentions(place, row.text), []
    for item in row.entity:
        mention = mentions.mention(item.entity, "entity", item.entity_type, item.entity_type)
        if mention is not None:
            entities.append(Entity(item.entity_type, mention))
    return RawExample(place, row.text, entities=tuple(entities), lost=tuple(mentions.lost))


def _relation(mentions: Mentions, item: RelationItem, head_type: str | None, tail_type: str | None) -> list[Relation]:
    """A list with the relation; empty if an end does not occur in the text."""
    head = mentions.mention(item.head, "relation", item.relation, item.relation)
    tail = head and mentions.mention(item.tail, "relation", item.relation, item.relation)
    return [Relation(item.relation, head, tail, head_type, tail_type)] if tail else []


def _relations(place: str, row: RelationRow) -> RawExample:
    """Relations without the types of their ends."""
    if row.relation is None:
        return RawExample(place, row.text)
    mentions, relations = Mentions(place, row.text), []
    for item in row.relation:
        relations += _relation(mentions, item, None, None)
    return RawExample(place, row.text, relations=tuple(relations), lost=tuple(mentions.lost))


def _triples(place: str, row: RelationRow, known: frozenset) -> RawExample | BadRecord:
    """Relations with the types of their ends. `known`: the typed triples of the label set."""
    if row.relation is None:
        return RawExample(place, row.text)
    mentions, relations = Mentions(place, row.text), []
    for item in row.relation:
        if item.head_type is None or item.tail_type is None:
            return BadRecord(place, Reason.MISSING_FIELD, f"{item.relation!r} lacks head_type or tail_type")
        if (item.head_type, item.relation, item.tail_type) not in known:
            triple = typed_label(item.head_type, item.relation, item.tail_type).name
            return BadRecord(place, Reason.UNKNOWN_LABEL, f"{triple!r} is not in schema.json")
        relations += _relation(mentions, item, item.head_type, item.tail_type)
    return RawExample(place, row.text, relations=tuple(relations), lost=tuple(mentions.lost))


def _attributes(place: str, row: GraphRow, attributes: dict[str | None, frozenset[str]]) -> RawExample | BadRecord:
    """Triples (entity, attribute, value). The type of the entity is `head_type`, or else its only type in `entity`.

    `attributes`: entity type → its attributes; None → the attributes of all types.
    """
    if row.relation is None:
        return RawExample(place, row.text)
    types: dict[str, set[str]] = {}
    for entity in row.entity or ():
        types.setdefault(entity.entity, set()).add(entity.entity_type)
    mentions, relations = Mentions(place, row.text), []
    for item in row.relation:
        candidates = types.get(item.head, set())
        head_type = item.head_type or (next(iter(candidates)) if len(candidates) == 1 else None)
        if item.relation not in attributes.get(head_type, ()):
            owner = "any entity type" if head_type is None else repr(head_type)
            return BadRecord(place, Reason.UNKNOWN_LABEL, f"schema.json has no attribute {item.relation!r} of {owner}")
        relations += _relation(mentions, item, head_type, None)
    return RawExample(place, row.text, relations=tuple(relations), lost=tuple(mentions.lost))


def _events(place: str, row: EventRow, with_arguments: bool) -> RawExample:
    """`with_arguments` is False for EET, whose label set has no roles. Otherwise an event whose arguments are missing
    or null makes the events of the record unknown. An empty string, or the NAN of the published instructions, is not
    a trigger or an argument.
    """
    items = row.event
    if items is None or (with_arguments and any(item.arguments is None for item in items)):
        return RawExample(place, row.text)
    mentions, events = Mentions(place, row.text), []
    for item in items:
        trigger = None
        if item.event_trigger not in ABSENT:
            trigger = mentions.mention(item.event_trigger, "event", item.event_type, item.event_type)
            if trigger is None:
                continue
        arguments = []
        for argument in (item.arguments or ()) if with_arguments else ():
            if argument.argument not in ABSENT:
                mention = mentions.mention(argument.argument, "argument", argument.role, item.event_type)
                if mention is not None:
                    arguments.append(Argument(argument.role, mention))
        events.append(Event(item.event_type, trigger, tuple(arguments)))
    return RawExample(place, row.text, events=tuple(events), lost=tuple(mentions.lost))


def read_schema(file: File, task: str) -> tuple[Label, ...]:
    """The label set in a schema.json, sorted by name.

    It has three JSON values, usually one per line. By task they are: NER, EET: types, [], {}. RE: [], relations, {}.
    SPO: typed strings `subjectType_predicate_objectType`, predicates, {}. EE, EEA: event types, roles, {event type:
    [roles]}. KG: typed strings, attributes, {entity type: [attributes]}. Instead of [roles] or [attributes], there may
    be {role: description}. Raises SourceError with file and line for anything else.
    """
    lines = _three_values(file) or [(number, line) for number, line in file.lines() if line.strip()]
    if len(lines) != len(LINES):
        number = lines[-1][0] if lines else 1
        expected = "; ".join(what for what, _ in LINES)
        raise SourceError(f"{file.name}:{number}: {len(lines)} JSON lines, not exactly three: {expected}")
    types, middle, roles = (
        _decode(file, number, line, what, kind) for (number, line), (what, kind) in zip(lines, LINES, strict=True)
    )
    first, second, third = (f"{file.name}:{number}" for number, _ in lines)
    match task:
        case "NER" | "EET":
            place, labels = first, [Label(name) for name in types]
        case "RE":
            place, labels = second, [Label(name) for name in middle]
        case "SPO":
            place, labels = first, [typed_label(*parts) for parts in split_typed(types, middle, first)]
        case "KG":
            place, labels = third, [Label(name, roles=to_roles(each)) for name, each in roles.items()]
        case _:
            stray = sorted(roles.keys() - set(types))
            if stray:
                raise SourceError(f"{third}: {stray[0]!r} is not among the event types of {first}; add it there")
            place, labels = first, [Label(name, roles=to_roles(roles.get(name, ()))) for name in types]
    if not labels:
        raise SourceError(f"{place}: no labels for {task}; add them to this line")
    if not all(label.name.strip() for label in labels):
        raise SourceError(f"{place}: a label has an empty name, so no prompt can ask for it; name it or remove it")
    return tuple(sorted({label.name: label for label in labels}.values(), key=lambda label: label.name))


def _three_values(file: File) -> list[tuple[int, str]]:
    """(first line, JSON) of each value if the file consists of three JSON values, in any layout; else an empty list."""
    text, at = file.text(), 0
    values: list[tuple[int, str]] = []
    try:
        while (start := end_of_match(BLANKS, text, at)) < len(text) and len(values) <= len(LINES):
            _, at = element(text, start)
            values.append((text.count("\n", 0, start) + 1, text[start:at]))
    except json.JSONDecodeError:
        return []
    return values if len(values) == len(LINES) else []


def _decode(file: File, number: int, line: str, what: str, kind: type):
    try:
        return msgspec.json.decode(line.encode("utf-8", "surrogateescape"), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{file.name}:{number}: expected {what} in JSON: {error}") from error


def to_roles(names: Iterable[str] | Mapping[str, str]) -> tuple[Role, ...]:
    """The roles of a type in a schema.json: their names, or a map name → description. Repeated names count once."""
    return described_roles(names) if isinstance(names, Mapping) else named_roles(dict.fromkeys(names))


def split_typed(names: Iterable[str], predicates: Iterable[str], place: str) -> list[tuple[str, str, str]]:
    """(subject type, predicate, object type) of every typed string, split at a predicate it contains.

    Types and predicates may contain `_`. If several splits are possible, the split with the most types that occur in
    unambiguous strings is used. Raises SourceError with `place` unless exactly one split remains.
    """
    known = frozenset(predicates)
    lengths = sorted(set(map(len, known)))
    splits_by_name = {name: _splits(name, known, lengths) for name in names}
    certain = [splits[0] for splits in splits_by_name.values() if len(splits) == 1]
    types = {end for subject_type, _, object_type in certain for end in (subject_type, object_type)}
    triples = []
    for name, splits in splits_by_name.items():
        counts = [(split[0] in types) + (split[2] in types) for split in splits]
        best = [split for split, count in zip(splits, counts, strict=True) if count == max(counts)]
        if len(best) != 1:
            problem = f"could be {' or '.join(map(str, splits))}" if splits else "has no predicate between two types"
            raise SourceError(f"{place}: {name!r} {problem}; write subjectType_predicate_objectType")
        triples.append(best[0])
    return triples


def _splits(name: str, predicates: frozenset[str], lengths: Sequence[int]) -> list[tuple[str, str, str]]:
    """All splits, sorted by predicate and place. `lengths`: the lengths of the predicates, ascending."""
    matches = []
    for bar in re.finditer("_", name[1:]):
        start = bar.start() + 2
        for length in lengths[: bisect_left(lengths, len(name) - 1 - start)]:
            end = start + length
            if name[end] == "_" and name[start:end] in predicates:
                matches.append((name[start:end], start))
    return [(name[: start - 1], predicate, name[start + len(predicate) + 1 :]) for predicate, start in sorted(matches)]
