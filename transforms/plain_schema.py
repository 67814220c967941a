"""The `schema` of a prompt, with or without descriptions → its elements without them.

`transforms.described` lists the forms with descriptions.
"""

from collections.abc import Mapping, Sequence


def plain_schema(schema: object) -> list:
    """The elements as a prompt without descriptions lists them, under the names that the prompt shows.

    Raises ValueError for anything but a list, or a map of descriptions or event types. Elements of a list are not
    checked.
    """
    match schema:
        case Mapping():
            return [_from_map(name, value) for name, value in schema.items()]
        case list():
            return list(map(_without_descriptions, schema))
    raise ValueError("the schema is neither a list nor a map")


def _from_map(name: str, value: object) -> object:
    match value:
        case str():
            return name
        case {"arguments": Mapping() | list() as arguments, "trigger": trigger}:
            return {"event_type": name, "trigger": trigger, "arguments": list(arguments)}
        case {"arguments": Mapping() | list() as arguments}:
            return {"event_type": name, "arguments": list(arguments)}
    raise ValueError(f"the schema has neither a description nor an event type under {name!r}")


def _without_descriptions(item: object) -> object:
    if not isinstance(item, Mapping):
        return item
    plain = {key: value for key, value in item.items() if key != "description"}
    if isinstance(item.get("attributes"), Mapping):
        plain["attributes"] = list(item["attributes"])
    return plain


SHOWN = {"SPO": "predicate", "EE": "event_type", "EEA": "event_type", "KG": "entity_type"}
"""Task → the key of the name under which an element of a plain schema is answered; the other elements are names."""


def true_names(task: str, schema: Sequence, labels: Sequence[str]) -> dict[str, str]:
    """The name shown → the label's own (SPO: its predicate), for those that differ because they are masked.

    `schema`: a plain one. `labels`: the row's column `labels`. If they are in another order, nothing is masked.
    """
    names = {}
    for item, label in zip(schema, labels, strict=False):
        shown = item.get(SHOWN.get(task)) if isinstance(item, Mapping) else item
        if task == "SPO" and isinstance(item, Mapping):
            label = label.removeprefix(f"{item.get('subject_type')}_").removesuffix(f"_{item.get('object_type')}")
        if isinstance(shown, str) and shown != label:
            names[shown] = label
    return {} if names.keys() & set(names.values()) else names
