"""A model's raw answer → unified annotations, or the reason why it cannot be parsed.

An answer is in the wire format (IEPile's): a JSON object, label → extracted items; or in another form that its prompt
asks for (`transforms.answer_forms`). Unified annotations are the
dictionaries of the column `label`: an entity with its type; head, relation and tail; an event with its arguments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas import answer_form
from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from schemas.example import TASKS, Span
from transforms import answer_forms

NAN = "NAN"
"""The answer for a role without a value or an event without a trigger. It predicts nothing."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """`annotations`: in the order of the answer, repetitions kept. `malformed`: the number of values that do not fit
    the task's format (a number for a mention, a list for an object). They are ignored; the rest of the answer counts.
    """

    annotations: list[dict]
    malformed: int


@dataclass(frozen=True, slots=True)
class Unparseable:
    """The answer is not a JSON object, or not in its form, and predicts nothing. `reason`: what it is instead."""

    reason: str


def parse(task: str, answer: str, schema: Sequence = (), form: str = DEFAULT, text: str = "") -> Parsed | Unparseable:
    """Parses `answer`. `schema`: the decoded schema list of the prompt, from which SPO takes the argument types.

    `form`: the form that the prompt asks for (`transforms.answer_forms`). `text`: that of the prompt. With it, an
    entity in the form `spans` has its places in the text (`spans`, code points), an event those of its trigger
    (`trigger_spans`), as far as the answer says them.

    Accepts strict JSON (RFC 8259). For a repeated key the last value counts, as in `json.loads`. Raises ConfigError
    for an unknown task or form, or one that does not serve the task.
    """
    if task not in READERS:
        raise ConfigError(f"unknown task {task!r}; the tasks are {', '.join(TASKS)}")
    if form not in answer_form.forms_of(task):
        raise ConfigError(f"task {task} has no form {form!r}; its forms are {', '.join(answer_form.forms_of(task))}")
    try:
        decoded = answer_forms.read(form, task, answer)
    except ValueError as error:
        return Unparseable(str(error))
    parsed = read(task, decoded, schema)
    return with_places(parsed, answer_forms.places(answer, text)) if form == "spans" and text else parsed


def with_places(parsed: Parsed, places: Mapping[tuple[str, str], Sequence[Span]]) -> Parsed:
    """The annotations of NER or EET with the places of their mentions, if an answer names them."""
    annotations = []
    for item in parsed.annotations:
        is_entity = "entity" in item
        label, mention = (
            item["entity_type" if is_entity else "event_type"],
            item["entity" if is_entity else "event_trigger"],
        )
        spans = (
            {"spans" if is_entity else "trigger_spans": places[label, mention]} if (label, mention) in places else {}
        )
        annotations.append(item | spans)
    return Parsed(annotations, parsed.malformed)


def read(task: str, answer: Mapping, schema: Sequence = ()) -> Parsed:
    """Like `parse`, for an answer object that is already decoded."""
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
    """A predicate that the prompt does not ask for gets empty types."""
    head_type, tail_type = types.get(label, ("", ""))
    for pair in _pairs(label, value, types):
        yield pair and {**pair, "head_type": head_type, "tail_type": tail_type}


def _triggers(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    for entity in _entities(label, value, types):
        if entity is None:
            yield None
        elif entity["entity"] != NAN:
            yield {"event_trigger": entity["entity"], "event_type": label, "arguments": []}


def _events(label: str, value: object, types: Mapping) -> Iterator[dict | None]:
    """Skips events with neither trigger nor arguments, as the gold does."""
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
    """Yields (role, value) from `{role: value or [value]}` without NAN. The value is None if it is not a mention."""
    if not isinstance(roles, dict):
        yield "", None
        return
    for role, values in roles.items():
        for value in values if isinstance(values, list) else (values,):
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
