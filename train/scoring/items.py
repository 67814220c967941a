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
    """Measure → the items that are compared, in order, repetitions kept."""
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
            return {"relation": [_triple(a) for a in annotations]}
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


def compared(
    task: str, predicted: Sequence[Mapping], gold: Sequence[Mapping]
) -> tuple[dict[str, list[Item]], dict[str, list[Item]]]:
    """The `items` of both sides, where an answer may be right in more than one form in one of them.

    KG: a triple whose head's type the gold does not tell is answered under every type that has the attribute; the
    triples of such a text count as often as under the type that has them most often.
    EET: a trigger of n events of a type that differ in their arguments may stand in an answer once, as the wire format
    has it, or up to n times, as some published corpora have it: the gold has it as often as it is predicted, from 1
    to n. Events that do not differ are repetitions, each of which counts.
    """
    if task == "KG" and any(annotation.get("head_type") is None for annotation in gold):
        return {"relation": _shared_triples(predicted)}, {"relation": _shared_triples(gold)}
    given, there = items(task, predicted), items(task, gold)
    if task == "EET":
        there = {"event": _named_triggers(gold, there["event"], Counter(given["event"]))}
    return given, there


def _named_triggers(gold: Sequence[Mapping], there: Sequence[Item], given: Counter) -> list[Item]:
    repeated: Counter = Counter()
    for (event, _), times in Counter(map(_event_key, gold)).items():
        repeated[event] = max(repeated[event], times)
    return [event for event, n in Counter(there).items() for _ in range(max(repeated[event], min(n, given[event])))]


def _event_key(annotation: Mapping) -> tuple[Item, frozenset]:
    arguments = frozenset((argument["role"], argument["argument"]) for argument in annotation.get("arguments") or ())
    return (annotation["event_type"], trigger_of(annotation)), arguments


def trigger_of(annotation: Mapping) -> str:
    """The trigger, "" where it is missing, null or NAN."""
    trigger = annotation.get("event_trigger") or ""
    return "" if trigger == NAN else trigger


def _triple(annotation: Mapping) -> Item:
    return annotation["relation"], annotation["head"], annotation["tail"]


def _shared_triples(annotations: Sequence[Mapping]) -> list[Item]:
    counts: Counter = Counter()
    for (triple, _), times in Counter((_triple(a), a.get("head_type")) for a in annotations).items():
        counts[triple] = max(counts[triple], times)
    return list(counts.elements())
