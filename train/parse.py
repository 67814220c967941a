"""A model's raw answer → unified annotations, or why there are none.

Answers have the shapes of the wire format (IEPile's): a JSON object, label → what was found. Unified annotations are
the dictionaries of the column `label`: an entity and its type; head, relation and tail; an event with its arguments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from schemas.errors import ConfigError
from schemas.example import TASKS

NAN = "NAN"
"""What a role without a value and an event without a trigger answer; it predicts nothing."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """`annotations` in the order answered, repetitions kept. `malformed`: pieces of another shape than the task's (a
    number for a mention, a list for an object); they predict nothing, the rest of the answer counts.
    """

    annotations: list[dict]
    malformed: int


@dataclass(frozen=True, slots=True)
class Unparseable:
    """The answer is no JSON object and predicts nothing; `reason` says what it is."""

    reason: str


class Malformed(Exception):
    """A piece of an answer that has not the shape of its task."""


def parse(task: str, answer: str, schema: Sequence = ()) -> Parsed | Unparseable:
    """What `answer` predicts. `schema`: the decoded list of the prompt; only SPO takes something from it, the types.

    Strict JSON (RFC 8259), of a repeated key the last value counts, as `json.loads` has it. Raises ConfigError for an
    unknown task.
    """
    if task not in READERS:
        raise ConfigError(f"unknown task {task!r}; the tasks are {', '.join(TASKS)}")
    try:
        decoded = msgspec.json.decode(answer)
    except msgspec.DecodeError as error:
        return Unparseable(str(error) if answer.strip() else "empty answer")
    except UnicodeEncodeError:
        return Unparseable("a lone surrogate")
    except RecursionError:
        return Unparseable("nested too deep")
    if not isinstance(decoded, dict):
        return Unparseable(f"no JSON object but {NAMES[type(decoded)]}")
    return read(task, decoded, schema)


NAMES = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}


def read(task: str, answer: Mapping, schema: Sequence = ()) -> Parsed:
    """As `parse`, of an answer that is decoded already."""
    types = {}
    if task == "SPO":
        types = {entry["predicate"]: (entry["subject_type"], entry["object_type"]) for entry in schema}
    annotations: list[dict] = []
    malformed = 0
    reader = READERS[task]
    for label, value in answer.items():
        for annotation in reader(label, value, types):
            if annotation is None:
                malformed += 1
            else:
                annotations.append(annotation)
    return Parsed(annotations, malformed)


def _entities(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    if not isinstance(value, list):
        yield None
        return
    for mention in value:
        yield {"entity": mention, "entity_type": label} if _is_mention(mention) else None


def _pairs(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    if not isinstance(value, list):
        yield None
        return
    for pair in value:
        head, tail = (pair.get("subject"), pair.get("object")) if isinstance(pair, dict) else (None, None)
        yield {"head": head, "relation": label, "tail": tail} if _is_mention(head) and _is_mention(tail) else None


def _typed_pairs(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    """A predicate that was not asked has no types."""
    head_type, tail_type = types.get(label, ("", ""))
    for pair in _pairs(label, value, types):
        yield pair and {**pair, "head_type": head_type, "tail_type": tail_type}


def _triggers(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    for found in _entities(label, value, types):
        if found is None:
            yield None
        elif found["entity"] != NAN:
            yield {"event_trigger": found["entity"], "event_type": label, "arguments": []}


def _events(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    """An event with neither trigger nor arguments says nothing, as in the gold."""
    if not isinstance(value, list):
        yield None
        return
    for event in value:
        trigger = event.get("trigger", "") if isinstance(event, dict) else None
        if not isinstance(trigger, str):
            yield None
            continue
        arguments = []
        roles = event.get("arguments", {})
        for role, argument in _values(roles):
            if argument is None:
                yield None
            else:
                arguments.append({"argument": argument, "role": role})
        trigger = "" if trigger == NAN else trigger
        if trigger or arguments:
            yield {"event_trigger": trigger, "event_type": label, "arguments": arguments}


def _graph(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    if value == []:
        return
    if not isinstance(value, dict):
        yield None
        return
    for head, attributes in value.items():
        for attribute, tail in _values(attributes):
            if tail is None or not head:
                yield None
            else:
                yield {"head": head, "head_type": label, "relation": attribute, "tail": tail}


def _values(roles: object) -> Iterator[tuple[str, str | None]]:
    """(role, value) of `{role: value or [value]}`, NAN left out; the value is None where it is no mention."""
    if not isinstance(roles, dict):
        yield "", None
        return
    for role, found in roles.items():
        for value in found if isinstance(found, list) else (found,):
            if value != NAN:
                yield role, value if _is_mention(value) else None


def _is_mention(value: object) -> bool:
    return isinstance(value, str) and value != ""


READERS = {
    "NER": _entities,
    "RE": _pairs,
    "SPO": _typed_pairs,
    "EE": _events,
    "EET": _triggers,
    "EEA": _events,
    "KG": _graph,
}
