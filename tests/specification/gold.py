"""An Example → its gold answers for a task: the rules of `transforms.gold`, for one Example at a time."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from schemas.example import LAYER, Event, Example, Mention, Relation
from schemas.label import Label, typed_label


@dataclass(frozen=True)
class Gold:
    """`answers`: label name → its answer; a label with nothing to extract is absent. `triggers`: event type → its
    triggers. `annotations`: the unified annotation list.
    """

    answers: dict[str, list | dict]
    triggers: dict[str, list[str]]
    annotations: list[dict]


def gold(example: Example, task: str, labels: Sequence[Label]) -> Gold | None:
    """The gold of `example`, None if the task's layer is not annotated. `labels` determines the order of roles."""
    if getattr(example, LAYER[task]) is None:
        return None
    match task:
        case "NER":
            return entity_gold(example)
        case "RE":
            return relation_gold(example)
        case "SPO":
            return triple_gold(example)
        case "KG":
            return graph_gold(example, labels)
    return event_gold(example, labels, task)


def position(text: str, mention: Mention) -> tuple[int, int]:
    """Start and end of the mention; the end of the text if it does not occur there."""
    if mention.spans:
        return mention.spans[0][0], mention.spans[-1][1]
    start = text.find(mention.text)
    return (start, start + len(mention.text)) if start >= 0 else (len(text), len(text))


def entity_gold(example: Example) -> Gold:
    ordered = sorted(example.entities, key=lambda entity: position(example.text, entity.mention))
    annotations = unique({"entity": entity.mention.text, "entity_type": entity.label} for entity in ordered)
    return Gold(grouped((item["entity_type"], item["entity"]) for item in annotations), {}, annotations)


def in_text_order(example: Example) -> list[Relation]:
    text = example.text
    return sorted(example.relations, key=lambda one: (position(text, one.head), position(text, one.tail)))


def relation_gold(example: Example) -> Gold:
    annotations = unique(
        {"head": one.head.text, "relation": one.label, "tail": one.tail.text} for one in in_text_order(example)
    )
    return Gold(grouped((item["relation"], ends(item)) for item in annotations), {}, annotations)


def triple_gold(example: Example) -> Gold:
    """Only relations with both types have an answer."""
    annotations = [
        {
            "head": one.head.text,
            "head_type": one.head_label,
            "relation": one.label,
            "tail": one.tail.text,
            "tail_type": one.tail_label,
        }
        for one in in_text_order(example)
        if one.head_label is not None and one.tail_label is not None
    ]
    annotations = unique(annotations, lambda item: (typed_name(item), item["head"], item["tail"]))
    return Gold(grouped((typed_name(item), ends(item)) for item in annotations), {}, annotations)


def typed_name(annotation: dict) -> str:
    return typed_label(annotation["head_type"], annotation["relation"], annotation["tail_type"]).name


def ends(annotation: dict) -> dict:
    return {"subject": annotation["head"], "object": annotation["tail"]}


def graph_gold(example: Example, labels: Sequence[Label]) -> Gold:
    """A triple is an attribute of its head: for the head's type, or without one for every type with that attribute."""
    annotations, values = [], {}
    for one in in_text_order(example):
        types = [label for label in labels if one.label in label.role_names and one.head_label in (None, label.name)]
        if not types:
            owner = one.head_label or "any entity type"
            raise ValueError(f"{example.id}: {one.label!r} is not an attribute of {owner}")
        typed = {} if one.head_label is None else {"head_type": one.head_label}
        annotations.append({"head": one.head.text, **typed, "relation": one.label, "tail": one.tail.text})
        for label in types:
            values.setdefault(label, {}).setdefault(one.head.text, []).append((one.label, one.tail.text))
    answers = {
        label.name: {head: filled(label.role_names, pairs) for head, pairs in heads.items()}
        for label, heads in values.items()
    }
    return Gold(answers, {}, unique(annotations))


def event_gold(example: Example, labels: Sequence[Label], task: str) -> Gold:
    text, roles = example.text, {label.name: label.role_names for label in labels}
    annotations, answers, triggers, seen = [], [], [], set()
    for event in sorted(example.events, key=lambda event: event_position(text, event)):
        arguments = sorted(event.arguments, key=lambda argument: position(text, argument.mention))
        pairs = list(dict.fromkeys((argument.role, argument.mention.text) for argument in arguments))
        trigger = event.trigger.text if event.trigger else ""
        if not (trigger or pairs) or (event.label, trigger, frozenset(pairs)) in seen:
            continue
        seen.add((event.label, trigger, frozenset(pairs)))
        items = [{"argument": value, "role": role} for role, value in pairs]
        annotations.append({"event_trigger": trigger, "event_type": event.label, "arguments": items})
        triggers.append((event.label, trigger or "NAN"))
        if task != "EET":
            values = filled(roles[event.label], pairs, "NAN") if pairs else {}
            answers.append((event.label, {"trigger": trigger or "NAN", "arguments": values}))
        elif trigger and (event.label, trigger) not in answers:
            answers.append((event.label, trigger))
    return Gold(grouped(answers), grouped(dict.fromkeys(triggers)), annotations)


def event_position(text: str, event: Event) -> tuple[int, int]:
    if event.trigger:
        return position(text, event.trigger)
    return min((position(text, argument.mention) for argument in event.arguments), default=(len(text), len(text)))


def filled(roles: Sequence[str], pairs: Sequence[tuple[str, str]], missing: str | None = None) -> dict:
    """Role → its value, or a list of several. A role without a value has `missing`, or is left out if that is None."""
    values = grouped(dict.fromkeys(pairs))
    given = {role: values.get(role, [missing]) for role in roles if role in values or missing}
    return {role: strings if len(strings) > 1 else strings[0] for role, strings in given.items()}


def grouped(pairs: Iterable[tuple]) -> dict[str, list]:
    groups: dict[str, list] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def unique(items: Iterable[dict], key: Callable = json.dumps) -> list[dict]:
    """The items without repetitions, each at its first position."""
    first: dict = {}
    for item in items:
        first.setdefault(key(item), item)
    return list(first.values())
