"""Rows of one text in one source and split → the rows to drop: exact duplicates and contradictions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter

import msgspec

from schemas.errors import Reason
from schemas.example import Example, Mention, RawExample

Item = tuple[bytes, bytes]
"""Where something is annotated and as what: 8 bytes each."""


def text_key(text: str) -> bytes:
    """16 bytes that stand for exactly this text."""
    return blake2b(text.encode(), digest_size=16).digest()


def _hash(*parts) -> bytes:
    return blake2b(msgspec.msgpack.encode(parts), digest_size=8).digest()


def annotation_items(example: Example) -> list[Item]:
    """What the example annotates, as sorted pairs without repetition; layers that are None give nothing.

    The place of an entity is its mention, of a relation its pair, of an event its trigger, of an argument trigger
    and mention; a mention is its spans or else its string. An event without a trigger stands nowhere, so its type
    is the place: two rows may differ in such events without contradicting each other.
    """
    items = set()
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
class Drop:
    """A row to leave out. `position` is that of the row it repeats or contradicts."""

    ordinal: int
    reason: Reason
    position: int


def decide(rows: Iterable[tuple[int, int, Sequence[Item]]]) -> list[Drop]:
    """The rows to drop of all rows that share one text within one source and split, by ordinal.

    A row is (ordinal, position in the file, its annotation items); rows may come in any order. Of rows with equal
    items the first in the file stays (duplicate). Rows whose label sets at one place differ are all dropped
    (contradiction). Rows that say different things of different places stay.
    """
    first: dict[tuple[Item, ...], tuple[int, int]] = {}
    drops = []
    for ordinal, position, items in sorted(rows, key=itemgetter(1, 0)):
        kept = first.setdefault(tuple(items), (ordinal, position))
        if kept[0] != ordinal:
            drops.append(Drop(ordinal, Reason.DUPLICATE, kept[1]))
    said: dict[bytes, dict[tuple[Item, ...], list[tuple[int, int]]]] = {}
    for items, row in first.items():
        for place, group in groupby(items, key=itemgetter(0)):
            said.setdefault(place, {}).setdefault(tuple(group), []).append(row)
    against: dict[int, int] = {}
    for versions in said.values():
        if len(versions) > 1:
            # Rows are in file order, so the first row of another version is the earliest that contradicts.
            earliest = [version[0][1] for version in versions.values()]
            for number, version in enumerate(versions.values()):
                for ordinal, _ in version:
                    other = earliest[1] if number == 0 else earliest[0]
                    against[ordinal] = min(other, against.get(ordinal, other))
    drops += [Drop(ordinal, Reason.CONTRADICTION, position) for ordinal, position in against.items()]
    return sorted(drops, key=lambda drop: drop.ordinal)


def unite(examples: Iterable[RawExample]) -> list[RawExample]:
    """Rows of a source that labels one pair a sentence (see `Source.one_pair`): one example for each text of a split.

    In order of first occurrence, with the place of the first row and what all rows annotate, repetitions once.
    """
    groups: dict[str, list[RawExample]] = {}
    for example in examples:
        groups.setdefault(example.text, []).append(example)
    return [rows[0] if len(rows) == 1 else _united(rows) for rows in groups.values()]


def _united(rows: list[RawExample]) -> RawExample:
    def layer(name: str):
        known = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return tuple(dict.fromkeys(item for items in known for item in items)) if known else None

    return RawExample(rows[0].place, rows[0].text, layer("entities"), layer("relations"), layer("events"))
