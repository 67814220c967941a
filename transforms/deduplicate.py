"""Rows with the same text in one source and split → a decision per row, so that no two rows contradict each other.

See docs/cleaning.md for the rules and their reasons.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, count, groupby
from operator import itemgetter
from typing import Literal, TypeVar

import msgspec
from msgspec.structs import replace

from schemas.errors import Reason
from schemas.example import LAYER, Argument, Entity, Event, Example, Mention, RawExample, Relation

SameText = Literal["unite", "drop", "report"]
"""What to do with rows with the same text whose annotations differ without contradicting each other."""

Annotated = TypeVar("Annotated", Example, RawExample)

LAYERS = ("entities", "relations", "events")

Item = tuple[bytes, bytes]
"""Hashes (8 bytes) of the place of an annotation and of its content."""


def text_key(text: str) -> bytes:
    """A 16-byte hash of the exact text."""
    return blake2b(text.encode(), digest_size=16).digest()


def _hash(*parts) -> bytes:
    return blake2b(msgspec.msgpack.encode(parts), digest_size=8).digest()


def annotation_items(example: Example) -> list[Item]:
    """The annotations, tasks, annotated layers and unknown labels of the example, as sorted pairs without repetition.

    The place of an entity is its mention; of a relation, both mentions; of an event, its trigger; of an argument, the
    trigger and the mention. A mention is represented by its spans, or by its string if it has none. An event without a
    trigger has no place in the text, so its type is used: two rows may differ in such events without contradicting each
    other. The same holds for tasks, annotated layers and unknown labels: a row whose layer is unknown is not a
    duplicate of a row whose layer is empty, and a row with an unknown label is not a duplicate of a row without it, but
    neither contradicts the other. Ids and concepts do not count as annotations, and neither do scores, so rows that
    differ only in these are duplicates.
    """
    items = {(_hash("task", task), _hash(task)) for task in example.tasks}
    items |= {(_hash("known", name), _hash(name)) for name in LAYERS if getattr(example, name) is not None}
    items |= {(_hash("unknown", item.layer, item.label), _hash("unknown")) for item in example.unknown_labels}
    for entity in example.entities or ():
        items.add((_hash("entity", _place(entity.mention)), _hash(entity.label)))
    for relation in example.relations or ():
        place = _hash("relation", _place(relation.head), _place(relation.tail))
        items.add((place, _hash(relation.label, relation.head_label, relation.tail_label)))
    for event in example.events or ():
        place = event.label if event.trigger is None else ("trigger", _place(event.trigger))
        items.add((_hash("event", place), _hash(event.label)))
        for argument in event.arguments:
            items.add((_hash("argument", place, _place(argument.mention)), _hash(argument.role)))
    return sorted(items)


def _place(mention: Mention):
    return mention.spans or mention.text


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a row that is not simply kept.

    `position`: the position of the row that it repeats, contradicts, differs from or is merged into. `stays`: whether
    the row is kept and only counted (`report`).
    """

    ordinal: int
    reason: Reason
    position: int
    stays: bool = False


def decide(rows: Iterable[tuple[int, int, Sequence[Item]]], same_text: SameText) -> list[Decision]:
    """The decisions about all rows with the same text in one source and split, sorted by ordinal.

    A row is (ordinal, position in the file, its annotation items); rows may be in any order. Of rows with equal items,
    the first in the file is kept (the others: duplicate). Rows with different labels at the same place are all dropped
    (contradiction). The remaining rows differ without contradicting each other:

    - `unite`: the first in the file is kept, with the annotations of all of them. If other rows of the text contradict
      each other, none is kept (same_text): something is annotated at the disputed place, and these rows have nothing
      there.
    - `drop`: none is kept (same_text).
    - `report`: all are kept and, if there are several, counted (same_text).
    """
    first: dict[tuple[Item, ...], tuple[int, int]] = {}
    decisions = []
    for ordinal, position, items in sorted(rows, key=itemgetter(1, 0)):
        kept = first.setdefault(tuple(items), (ordinal, position))
        if kept[0] != ordinal:
            decisions.append(Decision(ordinal, Reason.DUPLICATE, kept[1]))
    against = _contradictions(first)
    decisions += [Decision(ordinal, Reason.CONTRADICTION, position) for ordinal, position in against.items()]
    if len(first) > 1:
        rest = [row for row in first.values() if row[0] not in against]
        all_rows = list(first.values())
        if same_text == "report":
            all_rows = rest
        elif same_text == "unite" and not against:
            (_, survivor), *absorbed = rest
            decisions += [Decision(ordinal, Reason.SAME_TEXT_UNITED, survivor) for ordinal, _ in absorbed]
            rest = []
        for row in rest if len(all_rows) > 1 else ():
            other = next(position for ordinal, position in all_rows if ordinal != row[0])
            decisions.append(Decision(row[0], Reason.SAME_TEXT, other, stays=same_text == "report"))
    return sorted(decisions, key=lambda decision: decision.ordinal)


def _contradictions(first: dict[tuple[Item, ...], tuple[int, int]]) -> dict[int, int]:
    """Ordinal of a row that contradicts another → position of the earliest row that it contradicts.

    `first`: items → (ordinal, position), in file order.
    """
    versions_by_place: dict[bytes, dict[tuple[Item, ...], list[tuple[int, int]]]] = {}
    for items, row in first.items():
        for place, group in groupby(items, key=itemgetter(0)):
            versions_by_place.setdefault(place, {}).setdefault(tuple(group), []).append(row)
    against: dict[int, int] = {}
    for versions in versions_by_place.values():
        if len(versions) > 1:
            # Rows are in file order, so the first row of another version is the earliest that contradicts.
            earliest = [version[0][1] for version in versions.values()]
            for number, version in enumerate(versions.values()):
                for ordinal, _ in version:
                    other = earliest[1] if number == 0 else earliest[0]
                    against[ordinal] = min(other, against.get(ordinal, other))
    return against


def unite(examples: Iterable[RawExample]) -> list[RawExample]:
    """One example per text of a split, for a source whose rows label one pair per sentence (see `Source.one_pair`).

    The examples are in order of first occurrence. Each has the place of its first row and the annotations of all its
    rows, without repetition.
    """
    groups: dict[str, list[RawExample]] = {}
    for example in examples:
        groups.setdefault(example.text, []).append(example)
    return [rows[0] if len(rows) == 1 else united(rows) for rows in groups.values()]


def united(rows: Sequence[Annotated]) -> Annotated:
    """The first row with the annotations of all rows, without repetition, and the tasks of all rows.

    A layer is unknown only if it is unknown in every row. A task whose layer is unknown is kept only if the layers of
    all tasks are unknown (a text to predict on). If no row has several events with the same type and trigger, these are
    merged into one event with the arguments of all rows; otherwise the events of different rows cannot be matched.

    An entity that occurs in several rows keeps the id of the first and the concepts of all. An id that another entity
    already has gets a number, and references are updated. A label that is unknown in any row is unknown: each of the
    rows to be merged may have only a part of the annotations.
    """
    first = rows[0]
    entities, new_ids = _entities_united(rows)
    numbered = list(zip(rows, new_ids, strict=True))
    relations = [_relation_renamed(relation, ids) for row, ids in numbered for relation in row.relations or ()]
    events = [[_event_renamed(event, ids) for event in row.events or ()] for row, ids in numbered]
    united_layers = entities, _relations_united(relations), _events_united(events)
    layers = {
        name: None if all(getattr(row, name) is None for row in rows) else layer
        for name, layer in zip(LAYERS, united_layers, strict=True)
    }
    layers["unknown_labels"] = tuple(dict.fromkeys(chain.from_iterable(row.unknown_labels for row in rows)))
    if isinstance(first, Example):
        tasks = tuple(dict.fromkeys(chain.from_iterable(row.tasks for row in rows)))
        known = tuple(task for task in tasks if layers[LAYER[task]] is not None)
        return replace(first, **layers, tasks=known or tasks)
    return replace(first, **layers, lost=tuple(chain.from_iterable(row.lost for row in rows)))


def _entities_united(rows: Sequence[Example | RawExample]) -> tuple[tuple[Entity, ...], list[dict[str, str]]]:
    """The merged entities of all rows, and per row a map from its ids to the new ids."""
    merged: dict[tuple[str, Mention], Entity] = {}
    taken: set[str] = set()
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))
    new_ids: list[dict[str, str]] = []

    def free(id_: str | None) -> str | None:
        new = id_
        while new in taken:
            new = f"{id_}_{next(numbers[id_])}"
        if new is not None:
            taken.add(new)
        return new

    for row in rows:
        new_ids.append({})
        for entity in row.entities or ():
            key = entity.label, entity.mention
            known = merged.get(key)
            if known is None:
                merged[key] = replace(entity, id=free(entity.id))
            elif known != entity:
                concepts = tuple(dict.fromkeys((*known.concepts, *entity.concepts)))
                id_ = free(entity.id) if known.id is None else known.id
                merged[key] = replace(known, id=id_, concepts=concepts)
            if entity.id is not None:
                new_ids[-1][entity.id] = merged[key].id
    return tuple(merged.values()), new_ids


def _relation_renamed(relation: Relation, ids: Mapping[str, str]) -> Relation:
    head, tail = relation.head_entity, relation.tail_entity
    if head not in ids and tail not in ids:
        return relation
    return replace(relation, head_entity=ids.get(head, head), tail_entity=ids.get(tail, tail))


def _event_renamed(event: Event, ids: Mapping[str, str]) -> Event:
    if not any(argument.entity in ids for argument in event.arguments):
        return event
    arguments = tuple(Argument(a.role, a.mention, ids.get(a.entity, a.entity)) for a in event.arguments)
    return replace(event, arguments=arguments)


def _relations_united(relations: Iterable[Relation]) -> tuple[Relation, ...]:
    """Each relation once, with its highest score. Each end has the first reference to an entity that it has in any
    repetition.
    """
    merged: dict[Relation, Relation] = {}
    for relation in relations:
        key = relation
        if relation.head_entity is not None or relation.tail_entity is not None or relation.score is not None:
            key = replace(relation, head_entity=None, tail_entity=None, score=None)
        known = merged.setdefault(key, relation)
        if known != relation:
            head, tail = known.head_entity or relation.head_entity, known.tail_entity or relation.tail_entity
            score = max((r.score for r in (known, relation) if r.score is not None), default=None)
            merged[key] = replace(known, head_entity=head, tail_entity=tail, score=score)
    return tuple(merged.values())


def _events_united(rows: Sequence[Sequence[Event]]) -> tuple[Event, ...]:
    several = {name for events in rows for name, n in Counter(map(_name, dict.fromkeys(events))).items() if n > 1}
    merged: dict[object, Event] = {}
    for event in chain.from_iterable(rows):
        if event.trigger is None or _name(event) in several:
            merged.setdefault(event, event)
        else:
            earlier = merged.get(_name(event))
            arguments = (*earlier.arguments, *event.arguments) if earlier else event.arguments
            merged[_name(event)] = replace(event, arguments=_arguments_united(arguments))
    return tuple(merged.values())


def _arguments_united(arguments: Iterable[Argument]) -> tuple[Argument, ...]:
    """Each argument once, with the first reference to an entity that it has in any repetition."""
    merged: dict[tuple[str, Mention], Argument] = {}
    for argument in arguments:
        known = merged.setdefault((argument.role, argument.mention), argument)
        if known.entity is None and argument.entity is not None:
            merged[argument.role, argument.mention] = argument
    return tuple(merged.values())


def _name(event: Event) -> tuple[str, Mention | None]:
    return event.label, event.trigger
