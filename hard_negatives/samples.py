"""Examples → a few annotations of every label, drawn by hash: what evidence from use is computed from."""

import hashlib
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.example import Entity, Event, Example, Mention, Relation

CONTEXT_CHARS = 60
"""Code points before and after what is annotated."""

MAX_CONTEXT_CHARS = 400
"""A head and a tail may stand far apart."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One annotation of a label.

    `slots`: the strings in each part: an entity's mention; a relation's head, its tail; an event's trigger, its
    arguments. `types`: those of head and tail where both are known. `context`: the text around them, with them.
    """

    slots: tuple[tuple[str, ...], ...]
    types: tuple[str, ...] = ()
    context: str = ""


Drawn = dict[tuple[str, str], list[tuple[bytes, Sample]]]
"""(task, label) → the annotations with the smallest hashes, in the order of these."""


def draw(examples: Iterable[Example], tasks: Iterable[str], per_label: int) -> Drawn:
    """At most `per_label` annotations of every label of these tasks.

    An annotation's hash is of its example's id, its label and its number in the example: the draw from a whole is
    the `merge` of the draws from its parts, however it is cut.
    """
    drawn: Drawn = {}
    for example in examples:
        for task in tasks:
            if task not in example.tasks:
                continue
            for number, (label, annotation) in enumerate(annotations(example, task)):
                key = f"{example.id}\0{task}\0{label}\0{number}".encode()
                digest = hashlib.blake2b(key, digest_size=12).digest()
                kept = drawn.setdefault((task, label), [])
                if len(kept) < per_label or (kept and digest < kept[-1][0]):
                    insort(kept, (digest, sample(example, annotation)), key=lambda pair: pair[0])
                    del kept[per_label:]
    return drawn


def merge(parts: Iterable[Drawn], per_label: int) -> Drawn:
    """One draw from several."""
    merged: Drawn = {}
    for part in parts:
        for at, kept in part.items():
            merged.setdefault(at, []).extend(kept)
    return {at: sorted(kept, key=lambda pair: pair[0])[:per_label] for at, kept in merged.items()}


def annotations(example: Example, task: str) -> Iterator[tuple[str, Entity | Relation | Event]]:
    """(label, annotation) of the task's layer; for KG the type of the head, where it has one."""
    match task:
        case "NER":
            yield from ((entity.label, entity) for entity in example.entities or ())
        case "RE":
            yield from ((relation.label, relation) for relation in example.relations or ())
        case "SPO":
            for relation in example.relations or ():
                if relation.head_label and relation.tail_label:
                    yield f"{relation.head_label}_{relation.label}_{relation.tail_label}", relation
        case "KG":
            yield from ((relation.head_label, relation) for relation in example.relations or () if relation.head_label)
        case _:
            yield from ((event.label, event) for event in example.events or ())


def sample(example: Example, annotation: Entity | Relation | Event) -> Sample:
    """An annotation of `example` as a Sample."""
    slots: tuple[tuple[Mention, ...], ...]
    types: tuple[str, ...] = ()
    around: tuple[Mention, ...]
    match annotation:
        case Entity(mention=mention):
            slots, around = ((mention,),), (mention,)
        case Relation(head=head, tail=tail):
            slots, types, around = ((head,), (tail,)), end_types(example, annotation), (head, tail)
        case Event(trigger=trigger, arguments=arguments):
            around = (trigger,) if trigger else ()
            slots = around, tuple(argument.mention for argument in arguments)
    strings = tuple(tuple(mention.text for mention in slot) for slot in slots)
    return Sample(strings, types, context(example.text, around))


def end_types(example: Example, relation: Relation) -> tuple[str, ...]:
    """The types of head and tail: the relation's own, or those of the entities that they are; () if one is unknown."""
    entities = {entity.mention: entity.label for entity in reversed(example.entities or ())}
    head = relation.head_label or entities.get(relation.head)
    tail = relation.tail_label or entities.get(relation.tail)
    return (head, tail) if head and tail else ()


def context(text: str, mentions: Iterable[Mention]) -> str:
    """The text from CONTEXT_CHARS before the first mention to as many after the last; "" where none has a span."""
    spans = [span for mention in mentions for span in mention.spans]
    if not spans:
        return ""
    start = max(0, min(spans)[0] - CONTEXT_CHARS)
    return text[start : max(end for _, end in spans) + CONTEXT_CHARS][:MAX_CONTEXT_CHARS]
