"""The `schema` of a prompt, as JSON → its entries, if it has the form of its task.

A schema is a list of labels, or describes them: then it is a map for some tasks (`transforms.described.MAPS`), and the
entries of the others have a `description` and a map of attributes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Roles = list[str] | dict[str, Text]
Optional = Text | msgspec.UnsetType


class TypedTriple(msgspec.Struct, forbid_unknown_fields=True):
    subject_type: str
    predicate: str
    object_type: str
    description: Optional = msgspec.UNSET


class EventSchema(msgspec.Struct, forbid_unknown_fields=True):
    label: str = msgspec.field(name="event_type")
    trigger: bool
    roles: list[str] = msgspec.field(name="arguments")


class EventSchemaWithTriggers(msgspec.Struct, forbid_unknown_fields=True):
    label: str = msgspec.field(name="event_type")
    trigger: list[Text]
    roles: list[str] = msgspec.field(name="arguments")


class EntitySchema(msgspec.Struct, forbid_unknown_fields=True):
    label: str = msgspec.field(name="entity_type")
    roles: Roles = msgspec.field(name="attributes")
    description: Optional = msgspec.UNSET


class EventDescription(msgspec.Struct):
    trigger: bool | list[Text]
    roles: dict[str, Text] = msgspec.field(name="arguments")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a prompt says of one label. `name`: the key of its answer. `is_described`: whether it has a description of
    its own. `types`: the types of the ends of a typed triple.
    """

    name: str
    roles: tuple[str, ...] = ()
    is_described: bool = False
    types: tuple[str, str] | None = None

    def is_named(self, label: str, name: str) -> bool:
        """Whether it would ask for `label` if it had this `name`."""
        return label == (name if self.types is None else f"{self.types[0]}_{name}_{self.types[1]}")


PLAIN = {
    task: msgspec.json.Decoder(shape)
    for task, shape in {
        "NER": list[str],
        "RE": list[str],
        "SPO": list[TypedTriple],
        "EE": list[EventSchema],
        "EET": list[str],
        "EEA": list[EventSchemaWithTriggers],
        "KG": list[EntitySchema],
    }.items()
}
DESCRIPTIONS = msgspec.json.Decoder(dict[str, Text])
EVENTS = msgspec.json.Decoder(dict[str, dict[str, Any]])


def entries(task: str, schema: bytes) -> list[Entry]:
    """The entries of a schema, in order. Raises msgspec.DecodeError for one that does not have the form of its task."""
    if not schema.lstrip().startswith(b"{"):
        return list(map(READERS[task], PLAIN[task].decode(schema)))
    if task in ("EE", "EEA"):
        return list(_events(task, EVENTS.decode(schema)))
    if task in ("SPO", "KG"):
        raise msgspec.ValidationError(f"the schema of task {task} is no list")
    return [Entry(name, (), text != name) for name, text in DESCRIPTIONS.decode(schema).items()]


def _triple(item: TypedTriple) -> Entry:
    return Entry(item.predicate, (), item.description is not msgspec.UNSET, (item.subject_type, item.object_type))


def _entity(item: EntitySchema) -> Entry:
    is_described = item.description is not msgspec.UNSET
    if is_described and isinstance(item.roles, list):
        raise msgspec.ValidationError("an entity type with a description has attributes without")
    return Entry(item.label, tuple(item.roles), is_described)


def _event(item: EventSchema | EventSchemaWithTriggers) -> Entry:
    if item.trigger is False:
        raise msgspec.ValidationError("the trigger of an event type is false")
    return Entry(item.label, tuple(item.roles))


def _events(task: str, events: dict[str, dict[str, Any]]) -> Iterator[Entry]:
    """The key of an event type's description is its name; there is none for a type called `trigger` or `arguments`."""
    for name, event in events.items():
        described = msgspec.convert(event, EventDescription)
        text = event.get(name) if name not in ("trigger", "arguments") else name
        is_of_task = described.trigger is True if task == "EE" else isinstance(described.trigger, list)
        if not is_of_task or not isinstance(text, str) or not text or event.keys() != {name, "trigger", "arguments"}:
            raise msgspec.ValidationError(f"{name} is not described as an event type of task {task}")
        yield Entry(name, tuple(described.roles), text != name)


READERS: dict[str, Callable[[Any], Entry]] = {
    "NER": Entry,
    "RE": Entry,
    "SPO": _triple,
    "EE": _event,
    "EET": Entry,
    "EEA": _event,
    "KG": _entity,
}
