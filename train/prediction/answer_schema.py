"""The schema of an instruction → the JSON Schema of its answers."""

from collections.abc import Mapping, Sequence

from schemas.answer_form import DEFAULT
from transforms.answer_forms import CONTEXT
from transforms.render import NAN, encode_string

Values = Mapping[tuple[str, str], Sequence[str]]
"""(Event type, role), as the prompt shows them → the closed list of values of the role (`schemas.label.Role`)."""

NO_VALUES: Values = {}

MENTION = {"type": "string", "title": "mention"}
MENTION_OR_NAN = {"type": "string", "title": "mention or NAN"}
BESIDE = {"type": "string", "title": "text beside a mention"}
"""Strings by their title, from which `answer_grammar` takes what they may contain. JSON Schema ignores titles."""


def json_schema(
    task: str, schema: Sequence, form: str = DEFAULT, max_items: int = 32, values: Values = NO_VALUES
) -> dict | None:
    """The JSON Schema (draft 2020-12) of answers in `form` to an instruction of `task` with the plain `schema`; None
    for `sentences`, the form that is not JSON.

    The keys are the requested labels, all of them in this order, as in the wire format. A list has at most `max_items`
    items, the list of all `triples` as many for each label. The triggers of EEA are those in the prompt, and a role
    with closed `values` takes one of them. Triples may come in any order.
    """
    match form:
        case "sentences":
            return None
        case "triples":
            return _list({"anyOf": _triples(task, schema)}, max_items * len(schema))
        case "spans":
            places = _object({name: MENTION if name == "mention" else BESIDE for name in CONTEXT})
            return _object(dict.fromkeys(schema, _list({"anyOf": [MENTION, places]}, max_items)))
        case "nan":
            properties = _object_schema(task, schema, max_items, values)["properties"]
            return _object(
                {label: {"anyOf": [{"const": NAN}, _not_empty(value)]} for label, value in properties.items()}
            )
    return _object_schema(task, schema, max_items, values)


def _triples(task: str, schema: Sequence) -> list[dict]:
    if task == "KG":
        kinds = [({"head_type": {"const": item["entity_type"]}}, item["attributes"]) for item in schema]
    else:
        kinds = [({}, [item["predicate"] if task == "SPO" else item for item in schema])]
    return [
        _object({"head": MENTION, **head_type, "relation": {"enum": relations}, "tail": MENTION})
        for head_type, relations in kinds
    ]


def _not_empty(value: dict) -> dict:
    """The value of a label without `[]`."""
    return value["anyOf"][1] if "anyOf" in value else {**value, "minItems": 1}


def _object_schema(task: str, schema: Sequence, max_items: int, values: Values) -> dict:
    match task:
        case "NER" | "EET":
            return _object(dict.fromkeys(schema, _list(MENTION, max_items)))
        case "RE" | "SPO":
            pairs = _list(_object({"subject": MENTION, "object": MENTION}), max_items)
            return _object(dict.fromkeys([item["predicate"] if task == "SPO" else item for item in schema], pairs))
        case "KG":
            return _object({item["entity_type"]: _heads(item["attributes"], max_items) for item in schema})
    return _object({item["event_type"]: _list(_event(item, max_items, values), max_items) for item in schema})


def _object(properties: dict, required: bool = True) -> dict:
    names = list(properties) if required else []
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _list(item: dict, max_items: int) -> dict:
    return {"type": "array", "items": item, "maxItems": max_items}


def _one_or_many(value: dict, max_items: int) -> dict:
    one = MENTION if value is MENTION_OR_NAN else value
    return {"anyOf": [value, {**_list(one, max(max_items, 2)), "minItems": 2}]}


def _event(item: dict, max_items: int, values: Values) -> dict:
    """An event of a type: `arguments` has all roles or is {}. EEA prompts of IEPile's test rows have no triggers."""
    triggers = item.get("trigger", True)
    trigger = MENTION_OR_NAN if triggers is True else {"enum": list(dict.fromkeys([*triggers, NAN]))}
    roles = {role: values.get((item["event_type"], role)) for role in item["arguments"]}
    filled = _object(
        {
            role: _one_or_many({"enum": [*closed, NAN]} if closed else MENTION_OR_NAN, max_items)
            for role, closed in roles.items()
        }
    )
    arguments = {"anyOf": [filled, _object({})]} if roles else filled
    return _object({"trigger": trigger, "arguments": arguments})


def _heads(attributes: Sequence[str], max_items: int) -> dict:
    one_or_many = _one_or_many(MENTION, max_items)
    tails = _object(dict.fromkeys(attributes, one_or_many), required=False)
    filled = {"type": "object", "additionalProperties": tails, "maxProperties": max_items}
    return {"anyOf": [{"type": "array", "maxItems": 0}, filled]}


def sample(schema: dict, items: int) -> str:
    """JSON that follows `schema`, with `items` items in each list if it may be as short (0 or 1), and NAN for mentions.

    With 0 items it is the shortest answer.
    """
    match schema:
        case {"const": value}:
            return encode_string(value)
        case {"enum": values}:
            return max(map(encode_string, values), key=len)
        case {"anyOf": schemas}:
            return (max if items else min)((sample(schema, items) for schema in schemas), key=len)
        case {"type": "string"}:
            return encode_string(NAN)
        case {"type": "array"}:
            least = schema.get("minItems", items if schema["maxItems"] else 0)
            return f"[{', '.join([sample(schema['items'], items)] * least)}]" if least else "[]"
        case {"type": "object", "additionalProperties": dict() as value}:
            return f"{{{encode_string(NAN)}: {sample(value, items)}}}"
    properties = (f"{encode_string(name)}: {sample(value, items)}" for name, value in schema["properties"].items())
    return f"{{{', '.join(properties)}}}"


def ending(schema: dict) -> str:
    """A string at least as long as what must follow in any place of an answer to end it: the rest of an item, and the
    shortest values of all labels.
    """
    values = schema["properties"].values() if "properties" in schema else [schema["items"]]
    return sample(schema, 0) + max((sample(value, 1) for value in values), key=len, default="")
