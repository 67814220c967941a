"""Unified annotations → the items that are scored, measure by measure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from train.parse import NAN

Item = tuple
"""(label, mention, …): two items are the same where all of it is equal. The label is a string; (head type, predicate,
tail type) of a typed triple; (event type, role) of an argument."""

MEASURES = {
    "NER": ("entity",),
    "RE": ("relation",),
    "SPO": ("relation",),
    "EE": ("event", "argument"),
    "EET": ("event",),
    "EEA": ("argument",),
    "KG": ("relation",),
}
"""Task → what of it is scored."""


def asked_label(task: str, annotation: Mapping) -> str:
    """The label, as the column `labels` names it, under which an annotation answers; "" where it names none."""
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
    """Measure → the items that are compared, in order, repetitions kept.

    A KG triple that several entity types share is answered under each of them, and its type is not compared: it
    counts as often as in the type that has it most often.
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
            return {"relation": _shared_triples(annotations)}
    events = [(a["event_type"], trigger_of(a)) for a in annotations]
    arguments = [
        ((a["event_type"], argument["role"]), argument["argument"])
        for a in annotations
        for argument in a.get("arguments") or ()
        if argument["argument"] != NAN
    ]
    if task == "EET":
        return {"event": [event for event in events if event[1]]}
    return {"event": events, "argument": arguments} if task == "EE" else {"argument": arguments}


def gold_items(task: str, annotations: Sequence[Mapping], predicted: Mapping[str, list[Item]]) -> dict[str, list[Item]]:
    """As `items`, of gold. A trigger of n events of a type may stand in an EET answer once, as the wire format has it,
    or up to n times, as some published corpora have it: it counts as often as it is predicted, from 1 to n.
    """
    found = items(task, annotations)
    if task != "EET":
        return found
    given, there = Counter(predicted["event"]), Counter(found["event"])
    return {"event": [event for event, n in there.items() for _ in range(max(1, min(n, given[event])))]}


def trigger_of(annotation: Mapping) -> str:
    """The trigger, "" where it is missing, null or NAN."""
    trigger = annotation.get("event_trigger") or ""
    return "" if trigger == NAN else trigger


def _shared_triples(annotations: Sequence[Mapping]) -> list[Item]:
    counts: Counter = Counter()
    by_type: Counter = Counter()
    for annotation in annotations:
        triple = annotation["relation"], annotation["head"], annotation["tail"]
        by_type[triple, annotation.get("head_type")] += 1
        counts[triple] = max(counts[triple], by_type[triple, annotation.get("head_type")])
    return list(counts.elements())
