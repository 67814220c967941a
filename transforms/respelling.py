"""Examples with other names for their labels."""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, RawExample, Relation

Annotated = TypeVar("Annotated", Example, RawExample)


def respelled(example: Annotated, spell: Callable[[str], str]) -> Annotated:
    """The example with all labels and roles of its layers spelled by `spell`."""

    def optional(label: str | None) -> str | None:
        return None if label is None else spell(label)

    def relation(item: Relation) -> Relation:
        types = optional(item.head_label), optional(item.tail_label)
        ends = item.head_entity, item.tail_entity
        return Relation(spell(item.label), item.head, item.tail, *types, *ends, item.score)

    def event(item: Event) -> Event:
        arguments = tuple(Argument(spell(a.role), a.mention, a.entity) for a in item.arguments)
        return Event(spell(item.label), item.trigger, arguments)

    entities = example.entities and tuple(Entity(spell(e.label), e.mention, e.id, e.concepts) for e in example.entities)
    relations = example.relations and tuple(map(relation, example.relations))
    events = example.events and tuple(map(event, example.events))
    return replace(example, entities=entities, relations=relations, events=events)
