"""Texts that several people annotated → one annotation of each of them.

Records of one text have the same `item` and the same string. If they have no item, the string alone says so.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeVar

from msgspec.structs import replace

from pipelines.sources.agreement import (
    Comparison,
    Key,
    argument_key,
    counted_whole,
    described,
    entity_key,
    event_key,
    is_annotated,
    relation_key,
)
from pipelines.sources.source_yaml import SourceSettings
from schemas.errors import BadRecord, Reason, SourceError, quoted
from schemas.example import Argument, Entity, Event, RawExample, Relation
from schemas.label import UnknownLabel

EVERY, FIRST, GOLD, MAJORITY = "all", "first", "gold", "majority"
"""The values of `annotators` that are not names of people."""

Layer = TypeVar("Layer", Entity, Relation, Event)
Item = TypeVar("Item")


def choose(
    read: Callable[[], Iterable[RawExample | BadRecord]],
    settings: SourceSettings,
    adjacent: bool = False,
    comparison: Comparison | None = None,
) -> Iterator[RawExample | BadRecord]:
    """One RawExample per text, or every annotation of it if `annotators` is `all`.

    gold: the first annotation that is marked as gold, else the first one. first: the first one. majority: see `unite`.
    Anything else is the name of an annotator. Every other annotation becomes a BadRecord (not_chosen). A text that
    nobody annotated is kept, for it can be predicted on.

    `read`, `adjacent`: see `by_text`. `comparison`: what compares the annotators of each text. Raises SourceError at
    the end if no record is by the annotator that is named.
    """
    if comparison:
        comparison.choice = settings.annotators
    names: set[str] = set()
    for group in by_text(read, adjacent):
        if isinstance(group, BadRecord):
            yield group
            continue
        names.update(record.annotator for record in group if record.annotator is not None)
        if comparison:
            comparison.add(group)
        if settings.annotators == EVERY:
            yield from group
        else:
            yield from chosen(group, settings)
    wanted = settings.annotators
    if wanted not in (EVERY, FIRST, GOLD, MAJORITY) and wanted not in names:
        known = ", ".join(map(quoted, sorted(names)[:10])) or "the files name no annotator"
        place = settings.place("annotators")
        raise SourceError(f"{place}: annotators: nobody is called {quoted(wanted)}; known: {known}")


def by_text(
    read: Callable[[], Iterable[RawExample | BadRecord]], adjacent: bool = False
) -> Iterator[list[RawExample] | BadRecord]:
    """The records of each text. `read` returns the records, again for each call.

    `adjacent`: whether the records of a text always follow one another. Otherwise, when a record names an annotator,
    all records are read once more to count those of each text. Only texts that several records share are then kept in
    memory, until their last record.
    """
    current: list[RawExample] = []  # records that follow one another
    counts: dict[bytes, int] | None = None  # text → its records, if there are several
    waiting: dict[bytes, list[RawExample]] = {}
    for number, record in enumerate(read()):
        if isinstance(record, BadRecord):
            yield record
            continue
        if counts is None and not adjacent and record.annotator is not None:
            counts = _shared_texts(chain(current, islice(read(), number, None)))
            earlier, current = current, []
            for each in earlier:
                yield from _collect(each, counts, waiting)
        if counts is not None:
            yield from _collect(record, counts, waiting)
            continue
        key = text_key(record)
        if current and (key is None or key != text_key(current[0])):
            yield current
            current = []
        if key is None:
            yield [record]
        else:
            current.append(record)
    if current:
        yield current
    yield from waiting.values()


def _shared_texts(records: Iterable[RawExample | BadRecord]) -> dict[bytes, int]:
    """The texts with several records → the number of them."""
    counts: Counter[bytes] = Counter()
    for record in records:
        if isinstance(record, RawExample) and (digest := _digest(record)):
            counts[digest] += 1
    return {digest: count for digest, count in counts.items() if count > 1}


def _collect(
    record: RawExample, counts: Mapping[bytes, int], waiting: dict[bytes, list[RawExample]]
) -> Iterator[list[RawExample]]:
    """The records of a text, if this is the last one; otherwise it is added to those that are `waiting`."""
    digest = _digest(record)
    if digest not in counts:
        yield [record]
        return
    group = waiting.setdefault(digest, [])
    group.append(record)
    if len(group) == counts[digest]:
        yield waiting.pop(digest)


def _digest(record: RawExample) -> bytes:
    """A hash of the key of the text; empty if it has none."""
    key = text_key(record)
    return hashlib.blake2b(repr(key).encode(), digest_size=16).digest() if key else b""


def text_key(record: RawExample) -> tuple[str | None, str] | None:
    """Equal for records of the same text; None if the record cannot have others."""
    if record.item is None and record.annotator is None:
        return None
    return record.item, record.text


def chosen(group: Sequence[RawExample], settings: SourceSettings) -> Iterator[RawExample | BadRecord]:
    """The annotation of a text that `settings` choose, and a BadRecord for each other record of it."""
    annotated = [record for record in group if is_annotated(record)]
    wanted = settings.annotators
    if not annotated:
        taken = group[0]
    elif wanted == MAJORITY:
        yield unite(annotated, settings.min_annotators)
        group, taken = [record for record in group if not is_annotated(record)], None
    elif wanted in (FIRST, GOLD):
        gold = [record for record in annotated if record.is_gold] if wanted == GOLD else []
        taken = (gold or annotated)[0]
    else:
        taken = next((record for record in annotated if record.annotator == wanted), None)
    for record in group:
        if record is taken:
            yield record
        else:
            yield BadRecord(
                record.place,
                Reason.NOT_CHOSEN,
                f"the annotation of {by(record)} is not taken (annotators: {wanted})",
                group=record.document or record.text,
            )


def by(record: RawExample) -> str:
    return "an unnamed annotator" if record.annotator is None else quoted(record.annotator)


def unite(records: Sequence[RawExample], least: int | None) -> RawExample:
    """One annotation of a text out of several: what at least `least` of those who annotated the layer have, with the
    same label and span. None: more than half of them.

    A layer that fewer than `least` people annotated is unknown. Everything else that is left out is in `lost`. If at
    least half of them have an annotation that is left out, they are divided, and its label is unknown for the text. A
    relation is counted with the spans of its ends, whose types are those of the entities that are kept, an event with
    its trigger, and each argument with the event that it belongs to. If somebody marked several events of a type at one
    place, or events without a trigger, events of this type are counted with all their arguments.
    """
    lost = [part for record in records for part in record.lost]
    ids: list[dict[str, str]] = [{} for _ in records]  # id in each record → id in the result
    shared_entities = _majority(records, "entities", [record.entities for record in records], entity_key, least, lost)
    entities: list[Entity] = []
    for same in shared_entities or ():
        entity, number = same[0][1], str(len(entities))
        for voter, each in same:
            if each.id is not None:
                ids[voter][each.id] = number
        has_id = any(each.id is not None for _, each in same)
        entities.append(Entity(entity.label, entity.mention, number if has_id else None, entity.concepts))
    concepts = {concept for entity in entities for concept in entity.concepts}

    def reference(voter: int, name: str | None) -> str | None:
        return None if name is None else ids[voter].get(name, name if name in concepts else None)

    shared_relations = _majority(
        records, "relations", [record.relations for record in records], relation_key, least, lost
    )
    relations: list[Relation] = []
    needed = _needed(sum(record.relations is not None for record in records), least)
    for sharing in shared_relations or ():
        heads = [(relation.head_label, reference(voter, relation.head_entity)) for voter, relation in sharing]
        tails = [(relation.tail_label, reference(voter, relation.tail_entity)) for voter, relation in sharing]
        ends = [pair for pair in zip(heads, tails, strict=True) if pair[0][1] is not None and pair[1][1] is not None]
        for head, tail in dict.fromkeys(ends or [(_agreed_end(heads, needed), _agreed_end(tails, needed))]):
            types = {"head_label": head[0], "tail_label": tail[0], "head_entity": head[1], "tail_entity": tail[1]}
            relations.append(replace(sharing[0][1], **types))

    layers = [record.events for record in records]
    whole = counted_whole(records)
    shared_events = _majority(records, "events", layers, lambda event: event_key(event, whole), least, lost)
    voters = sum(layer is not None for layer in layers)
    events: list[Event] = []
    for sharers in shared_events or ():
        event = sharers[0][1]
        arguments: list[Argument] = []
        for given in _by_key(
            [(voter, argument) for voter, each in sharers for argument in each.arguments], argument_key
        ):
            count = len({voter for voter, _ in given})
            voter, argument = given[0]
            if count >= _needed(voters, least):
                arguments.append(replace(argument, entity=reference(voter, argument.entity)))
            else:
                what = f"{argument.role!r} of {event.label!r}: {argument.mention.text[:80]!r}"
                unknown = UnknownLabel("events", event.label)
                lost.append(_outvoted(records[voter].place, what, count, voters, unknown))
        events.append(Event(event.label, event.trigger, tuple(arguments)))
    first = records[0]
    return RawExample(
        first.place,
        first.text,
        None if shared_entities is None else tuple(entities),
        None if shared_relations is None else tuple(relations),
        None if shared_events is None else tuple(events),
        tuple(lost),
        tuple(dict.fromkeys(label for record in records for label in record.unknown_labels)),
        first.document,
        first.item,
    )


def _needed(voters: int, least: int | None) -> int:
    return voters // 2 + 1 if least is None else least


def _outvoted(place: str, what: str, count: int, voters: int, label: UnknownLabel) -> BadRecord:
    """`label`: that of the annotation. If half of the people have it, its absence is not agreed upon either."""
    unknown = (label,) if 2 * count >= voters else ()
    return BadRecord(place, Reason.NOT_CHOSEN, f"{what} is annotated by {count} of {voters}", unknown)


End = tuple[str | None, str | None]
"""The type of an end of a relation, and the id or concept of its entity."""


def _agreed_end(given: Sequence[End], needed: int) -> End:
    """The end that refers to an entity that is kept; else the type that enough people gave, without an entity."""
    referring = next((end for end in given if end[1] is not None), None)
    if referring:
        return referring
    name, count = Counter(name for name, _ in given).most_common(1)[0]
    return (name if count >= needed else None), None


def _majority(
    records: Sequence[RawExample],
    name: str,
    layers: Sequence[Sequence[Layer] | None],
    key: Callable[[Layer], Key],
    least: int | None,
    lost: list[BadRecord],
) -> list[list[tuple[int, Layer]]] | None:
    """For each annotation of a layer that enough records share: (number of the record, annotation) in each of them.

    `layers`: the layer of each record, which is called `name`. None if fewer than `least` records have the layer.
    """
    voters = [(number, items) for number, items in enumerate(layers) if items is not None]
    if not voters:
        return None
    if least is not None and len(voters) < least:
        place = records[voters[0][0]].place
        detail = f"only {len(voters)} of at least {least} annotators have {name} of this text"
        lost.append(BadRecord(place, Reason.NOT_CHOSEN, detail))
        return None
    kept = []
    for same in _by_key([(number, item) for number, items in voters for item in items], key):
        count = len({number for number, _ in same})
        if count >= _needed(len(voters), least):
            kept.append(same)
        else:
            number, item = same[0]
            unknown = UnknownLabel(name, item.label)
            lost.append(_outvoted(records[number].place, described(item), count, len(voters), unknown))
    return kept


def _by_key(items: Iterable[tuple[int, Item]], key: Callable[[Item], Key]) -> Iterable[list[tuple[int, Item]]]:
    """`items` with the same key, in lists; each with the number of its record."""
    groups: dict[Key, list[tuple[int, Item]]] = {}
    for number, item in items:
        groups.setdefault(key(item), []).append((number, item))
    return groups.values()
