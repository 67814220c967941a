"""An Example and a batch of labels → the JSON strings `instruction` and `output`, and the gold `label` of test rows.

The shapes are IEPile's, non-ASCII characters kept, separators as `json.dumps` writes them. Answers stand in text
order: by the offsets of a mention, or by the first occurrence of its string where the source gives none;
strings that the text does not hold come last, in the order of the file. Triples are ordered by subject, then
object; events by trigger, one without a trigger by its first argument. What is rendered alike stands once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring as encode_string  # a string as JSON, non-ASCII characters kept

from schemas.example import LAYER, Entity, Event, Example, Mention, Relation
from schemas.label import Label, typed_label

NAN = "NAN"
"""A role without a value; the trigger of an event without one."""

encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Gold:
    """What an example answers for a task.

    `answers`: label name → its answer as JSON; a label with nothing to extract is absent. `triggers`: event type →
    its triggers. `annotations`: the unified annotation list of the whole example.
    """

    answers: dict[str, str]
    triggers: dict[str, list[str]]
    annotations: list[dict]


def gold(example: Example, task: str, labels: Iterable[Label]) -> Gold | None:
    """The gold of `example`, None where the task's layer is not annotated. `labels` gives the order of roles.

    A label is positive exactly where it has an answer: an event with neither trigger nor arguments is dropped, an
    event without a trigger answers nothing for EET, and a triple without types is none for SPO. Raises ValueError
    for a KG triple whose attribute the entity type of its head, or any where none is given, does not have.
    """
    layer = getattr(example, LAYER[task])
    if layer is None:
        return None
    if task == "NER":
        return _entity_gold(example.text, layer)
    if task in ("RE", "SPO"):
        return _relation_gold(example.text, layer, typed=task == "SPO")
    if task == "KG":
        return _graph_gold(example, layer, labels)
    return _event_gold(example.text, layer, task, {label.name: label.roles for label in labels})


def position(text: str, mention: Mention) -> tuple[int, int]:
    """Start and end of the mention (code points); past the end of the text where it is not found."""
    spans = mention.spans
    if spans:
        return spans[0][0], spans[-1][1]
    start = text.find(mention.text)
    return (start, start + len(mention.text)) if start >= 0 else (len(text), len(text))


def _entity_gold(text: str, entities: Sequence[Entity]) -> Gold:
    ordered = sorted(entities, key=lambda entity: position(text, entity.mention))
    pairs = dict.fromkeys((entity.label, entity.mention.text) for entity in ordered)
    mentions = _grouped((label, encode_string(mention)) for label, mention in pairs)
    annotations = [{"entity": mention, "entity_type": label} for label, mention in pairs]
    return Gold(_arrays(mentions), {}, annotations)


def _ordered_relations(text: str, relations: Sequence[Relation]) -> list[Relation]:
    return sorted(relations, key=lambda relation: (position(text, relation.head), position(text, relation.tail)))


def _relation_gold(text: str, relations: Sequence[Relation], typed: bool) -> Gold:
    """`typed`: SPO, whose label is the typed triple and whose annotations carry both types."""
    annotations: dict[tuple[str, str, str], dict] = {}
    for relation in _ordered_relations(text, relations):
        label, head, tail = relation.label, relation.head.text, relation.tail.text
        annotation = {"head": head, "relation": label, "tail": tail}
        if typed:
            head_type, tail_type = relation.head_label, relation.tail_label
            if head_type is None or tail_type is None:
                continue
            annotation = {
                "head": head,
                "head_type": head_type,
                "relation": label,
                "tail": tail,
                "tail_type": tail_type,
            }
            label = typed_label(head_type, label, tail_type).name
        annotations.setdefault((label, head, tail), annotation)
    pairs = _grouped(
        (label, f'{{"subject": {encode_string(head)}, "object": {encode_string(tail)}}}')
        for label, head, tail in annotations
    )
    return Gold(_arrays(pairs), {}, list(annotations.values()))


def _arrays(items: Mapping[str, list[str]]) -> dict[str, str]:
    """Label → JSON list, of label → its items as JSON: joined by hand, for the encoder takes ten times as long."""
    return {label: f"[{', '.join(found)}]" for label, found in items.items()}


def _graph_gold(example: Example, relations: Sequence[Relation], labels: Iterable[Label]) -> Gold:
    """A triple is an attribute of its head. Where the head's type is not given it is every type in `labels` that has
    the attribute.
    """
    roles = {label.name: label.roles for label in labels}
    values: dict[str, dict[str, dict[str, list[str]]]] = {}
    annotations = {}
    for relation in _ordered_relations(example.text, relations):
        head, attribute, tail = relation.head.text, relation.label, relation.tail.text
        candidates = roles if relation.head_label is None else (relation.head_label,)
        types = [name for name in candidates if attribute in roles.get(name, ())]
        if not types:
            owner = relation.head_label or "any entity type"
            raise ValueError(f"{example.id}: {attribute!r} is no attribute of {owner}")
        for name in types:
            tails = values.setdefault(name, {}).setdefault(head, {}).setdefault(attribute, [])
            if tail not in tails:
                tails.append(tail)
        typed = {} if relation.head_label is None else {"head_type": relation.head_label}
        annotation = {"head": head, **typed, "relation": attribute, "tail": tail}
        annotations.setdefault((head, relation.head_label, attribute, tail), annotation)
    answers = {
        name: {
            head: {role: _one_or_many(found[role]) for role in roles[name] if role in found}
            for head, found in heads.items()
        }
        for name, heads in values.items()
    }
    return Gold({name: encode(answer) for name, answer in answers.items()}, {}, list(annotations.values()))


def _event_gold(text: str, events: Sequence[Event], task: str, roles: Mapping[str, tuple[str, ...]]) -> Gold:
    annotations: dict[tuple[str, str, frozenset], dict] = {}
    answers: dict[str, list[str]] = {}
    for event in sorted(events, key=lambda event: _event_position(text, event)):
        arguments = sorted(event.arguments, key=lambda argument: position(text, argument.mention))
        pairs = dict.fromkeys((argument.role, argument.mention.text) for argument in arguments)
        trigger = event.trigger.text if event.trigger else ""
        # Compared as a set: arguments that the text does not hold may stand in any order.
        identity = event.label, trigger, frozenset(pairs)
        if identity in annotations or not (trigger or pairs):
            continue
        annotations[identity] = {
            "event_trigger": trigger,
            "event_type": event.label,
            "arguments": [{"argument": argument, "role": role} for role, argument in pairs],
        }
        values = _grouped(pairs)
        filled = _filled_roles(roles[event.label], values) if values else ""
        answer = f'{{"trigger": {encode_string(trigger or NAN)}, "arguments": {{{filled}}}}}'
        answers.setdefault(event.label, []).append(answer)
    triggers = _grouped(dict.fromkeys((label, trigger or NAN) for label, trigger, _ in annotations))
    if task == "EET":
        told = dict.fromkeys((label, trigger) for label, trigger, _ in annotations if trigger)
        answers = _grouped((label, encode_string(trigger)) for label, trigger in told)
    return Gold(_arrays(answers), triggers, list(annotations.values()))


def _filled_roles(roles: Iterable[str], values: Mapping[str, list[str]]) -> str:
    """`"role": "value", …`, a list for several values."""
    items = []
    for role in roles:
        found = ", ".join(map(encode_string, values.get(role, (NAN,))))
        items.append(f"{encode_string(role)}: {f'[{found}]' if len(values.get(role, ())) > 1 else found}")
    return ", ".join(items)


def _event_position(text: str, event: Event) -> tuple[int, int]:
    if event.trigger:
        return position(text, event.trigger)
    return min((position(text, argument.mention) for argument in event.arguments), default=(len(text), len(text)))


def _grouped(pairs: Iterable[tuple]) -> dict[str, list]:
    groups: dict[str, list] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def instruction(prompt: str, task: str, labels: Iterable[Label], triggers: Mapping[str, list[str]], text: str) -> str:
    """The JSON string with the keys instruction, schema, input; `text` is the text as JSON (`encode(text)`).

    `triggers` (from `gold`) is what EEA prompts name for each event type.
    """
    items = ", ".join(schema_item(task, label, triggers) for label in labels)
    return f'{{"instruction": {encode_string(prompt)}, "schema": [{items}], "input": {text}}}'


def schema_item(task: str, label: Label, triggers: Mapping[str, list[str]]) -> str:
    """One element of the list `schema`, as JSON."""
    if task != "EEA":
        return _fixed_item(task, label)
    name, roles = encode_string(label.name), encode(label.roles)
    return f'{{"event_type": {name}, "trigger": {encode(triggers[label.name])}, "arguments": {roles}}}'


@lru_cache(maxsize=1 << 16)
def _fixed_item(task: str, label: Label) -> str:
    match task:
        case "SPO":
            item = {"subject_type": label.subject_type, "predicate": label.predicate, "object_type": label.object_type}
        case "EE":
            item = {"event_type": label.name, "trigger": True, "arguments": label.roles}
        case "KG":
            item = {"entity_type": label.name, "attributes": label.roles}
        case _:
            item = label.name
    return encode(item)


def output(labels: Iterable[Label], answers: Mapping[str, str]) -> str:
    """The JSON string whose keys are `labels` in this order (SPO: their predicates), `[]` where there is no answer."""
    items = (f"{encode_string(label.predicate or label.name)}: {answers.get(label.name, '[]')}" for label in labels)
    return "{" + ", ".join(items) + "}"
