"""Examples → a few annotations of every label, sampled by hash, as the input of the evidence from annotations."""

import hashlib
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.example import Entity, Event, Example, Mention, Relation

CONTEXT_CHARS = 60
"""Code points of text before and after an annotation."""

MAX_CONTEXT_CHARS = 400
"""Limit of a context in code points: a head and a tail may be far apart."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One annotation of a label.

    `slots`: the strings of each part: (mention) of an entity; (head), (tail) of a relation; (trigger), (arguments) of
    an event. `types`: the types of head and tail if both are known. `context`: the annotated text with its context.
    """

    slots: tuple[tuple[str, ...], ...]
    types: tuple[str, ...] = ()
    context: str = ""


SamplesByLabel = dict[tuple[str, str], list[tuple[bytes, Sample]]]
"""(task, label) → (hash, sample) of the annotations with the smallest hashes, in ascending order."""


def draw(examples: Iterable[Example], tasks: Iterable[str], per_label: int) -> SamplesByLabel:
    """Samples at most `per_label` annotations of every label of these tasks.

    The hash of an annotation is that of its example's id, its label and its number in the example. The samples of a
    corpus are therefore the `merge` of the samples of its parts, for any partition.
    """
    samples: SamplesByLabel = {}
    for example in examples:
        for task in tasks:
            if task not in example.tasks:
                continue
            for number, (label, annotation) in enumerate(annotations(example, task)):
                key = f"{example.id}\0{task}\0{label}\0{number}".encode()
                digest = hashlib.blake2b(key, digest_size=12).digest()
                kept = samples.setdefault((task, label), [])
                if len(kept) < per_label or (kept and digest < kept[-1][0]):
                    insort(kept, (digest, sample(example, annotation)), key=lambda pair: pair[0])
                    del kept[per_label:]
    return samples


def merge(parts: Iterable[SamplesByLabel], per_label: int) -> SamplesByLabel:
    """The samples of all parts together, at most `per_label` of every label."""
    merged: SamplesByLabel = {}
    for part in parts:
        for key, kept in part.items():
            merged.setdefault(key, []).extend(kept)
    return {key: sorted(kept, key=lambda pair: pair[0])[:per_label] for key, kept in merged.items()}


def annotations(example: Example, task: str) -> Iterator[tuple[str, Entity | Relation | Event]]:
    """(label, annotation) of the layer of a task. For KG the label is the type of a relation's head, if it is known."""
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
    """The Sample of an annotation of `example`."""
    slots: tuple[tuple[Mention, ...], ...]
    types: tuple[str, ...] = ()
    mentions: tuple[Mention, ...]
    match annotation:
        case Entity(mention=mention):
            slots, mentions = ((mention,),), (mention,)
        case Relation(head=head, tail=tail):
            slots, types, mentions = ((head,), (tail,)), end_types(example, annotation), (head, tail)
        case Event(trigger=trigger, arguments=arguments):
            mentions = (trigger,) if trigger else ()
            slots = mentions, tuple(argument.mention for argument in arguments)
    strings = tuple(tuple(mention.text for mention in slot) for slot in slots)
    return Sample(strings, types, context(example.text, mentions))


def end_types(example: Example, relation: Relation) -> tuple[str, ...]:
    """The types of head and tail, from the relation or from the entities with these mentions; () if one is unknown."""
    entities = {entity.mention: entity.label for entity in reversed(example.entities or ())}
    head = relation.head_label or entities.get(relation.head)
    tail = relation.tail_label or entities.get(relation.tail)
    return (head, tail) if head and tail else ()


def context(text: str, mentions: Iterable[Mention]) -> str:
    """The text from CONTEXT_CHARS before the first mention to CONTEXT_CHARS after the last one, at most
    MAX_CONTEXT_CHARS; "" if no mention has a span.
    """
    spans = [span for mention in mentions for span in mention.spans]
    if not spans:
        return ""
    start = max(0, min(spans)[0] - CONTEXT_CHARS)
    return text[start : max(end for _, end in spans) + CONTEXT_CHARS][:MAX_CONTEXT_CHARS]
