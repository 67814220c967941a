"""Unified annotations → the items to score, by measure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from train.parse import NAN

Item = tuple
"""(label, mention, …). Items are compared by equality. The label is a string; that of a typed triple is
(head type, predicate, tail type), that of an argument (event type, role)."""

MEASURES = {
    "NER": ("entity",),
    "RE": ("relation",),
    "SPO": ("relation",),
    "EE": ("event", "argument"),
    "EET": ("event",),
    "EEA": ("argument",),
    "KG": ("relation",),
}
"""Task → its measures."""


def label_name(task: str, annotation: Mapping) -> str:
    """The label of an annotation, by its name in the column `labels`; "" if the annotation has no label."""
    match task:
        case "NER":
            return annotation["entity_type"]
        case "RE":
            return annotation["relation"]
        case "SPO":
            return "_".join(annotation.get(key) or "" for key in ("head_type", "relation", "tail_type"))
        case "KG":
            return annotation.get("head_type") or ""
        case _:
            return annotation["event_type"]


def items(task: str, annotations: Sequence[Mapping]) -> dict[str, list[Item]]:
    """Measure → the items of the annotations, in order, repetitions kept. NAN in place of an argument or of the value
    of an attribute is no item, and neither is an event without a trigger and arguments: no answer can give them.
    """
    match task:
        case "NER":
            return {"entity": [(a["entity_type"], a["entity"]) for a in annotations]}
        case "RE":
            return {"relation": [(a["relation"], a["head"], a["tail"]) for a in annotations]}
        case "SPO":
            return {
                "relation": [
                    ((a.get("head_type") or "", a["relation"], a.get("tail_type") or ""), a["head"], a["tail"])
                    for a in annotations
                ]
            }
        case "KG":
            return {"relation": [_triple(a) for a in annotations if a["tail"] != NAN]}
    annotations = [a for a in annotations if trigger_text(a) or _arguments(a)]
    events = [(a["event_type"], trigger_text(a)) for a in annotations]
    arguments = [
        ((a["event_type"], argument["role"]), argument["argument"]) for a in annotations for argument in _arguments(a)
    ]
    if task == "EET":
        return {"event": [event for event in events if event[1]]}
    return {"event": events, "argument": arguments} if task == "EE" else {"argument": arguments}


def comparable_items(
    task: str, predicted: Sequence[Mapping], gold: Sequence[Mapping]
) -> tuple[dict[str, list[Item]], dict[str, list[Item]]]:
    """The `items` of both sides, adjusted where the format allows several correct answers.

    KG: if the gold lacks head types, an answer gives a triple under every type that has the attribute. In such a text,
    types are ignored, and a triple counts as often as under the type in which it occurs most often.
    EET: a trigger of n events of one type with different arguments may occur once in an answer, as in the wire format,
    or up to n times, as in some published corpora. The gold then contains it as often as it is predicted, from 1 to n
    times. Events with equal arguments are repetitions, each of which counts.
    """
    if task == "KG" and any(annotation.get("head_type") is None for annotation in gold):
        return {"relation": _untyped_triples(predicted)}, {"relation": _untyped_triples(gold)}
    predicted_items, gold_items = items(task, predicted), items(task, gold)
    if task == "EET":
        gold_items = {"event": _expected_triggers(gold, gold_items["event"], Counter(predicted_items["event"]))}
    return predicted_items, gold_items


def _expected_triggers(gold: Sequence[Mapping], gold_items: Sequence[Item], predicted: Counter) -> list[Item]:
    """The triggers of EET's gold, each as often as `comparable_items` says."""
    repeated: Counter = Counter()
    for (event, _), times in Counter(map(_event_key, gold)).items():
        repeated[event] = max(repeated[event], times)
    return [
        event for event, n in Counter(gold_items).items() for _ in range(max(repeated[event], min(n, predicted[event])))
    ]


def _event_key(annotation: Mapping) -> tuple[Item, frozenset]:
    arguments = frozenset((argument["role"], argument["argument"]) for argument in annotation.get("arguments") or ())
    return (annotation["event_type"], trigger_text(annotation)), arguments


def trigger_text(annotation: Mapping) -> str:
    """The trigger string; "" if it is missing, null or NAN."""
    trigger = annotation.get("event_trigger") or ""
    return "" if trigger == NAN else trigger


def _arguments(annotation: Mapping) -> list[Mapping]:
    return [argument for argument in annotation.get("arguments") or () if argument["argument"] != NAN]


def _triple(annotation: Mapping) -> Item:
    return annotation["relation"], annotation["head"], annotation["tail"]


def _untyped_triples(annotations: Sequence[Mapping]) -> list[Item]:
    counts: Counter = Counter()
    typed = ((_triple(a), a.get("head_type")) for a in annotations if a["tail"] != NAN)
    for (triple, _), times in Counter(typed).items():
        counts[triple] = max(counts[triple], times)
    return list(counts.elements())
