"""The answers for all batches and windows of a text → its distinct annotations, with the offsets of each mention."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.example import Span
from train.scoring.items import label_name
from transforms.scripts import within_word

Key = Hashable
"""Annotations of a text with equal keys are merged."""


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """The answer for one window: its offsets in the text (code points) and its unified annotations, perhaps with the
    places of entities and triggers in the window (`train.parse.parse`).
    """

    start: int
    end: int
    annotations: tuple[dict, ...]


def occurrences(text: str, mention: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The non-overlapping occurrences of `mention` in `text[start:end]`, from left to right, as spans of `text`.

    Occurrences inside a longer word ("art" in "party") are returned only if there are no others.
    """
    if not mention:
        return []
    end = len(text) if end is None else end
    spans = [match.span() for match in re.compile(re.escape(mention)).finditer(text, start, end)]
    return [span for span in spans if not within_word(text, *span)] or spans


def keep_requested(task: str, labels: Sequence[str], annotations: Iterable[dict]) -> list[dict]:
    """The annotations whose label was requested. Others are not predictions."""
    names = frozenset(labels)
    return [annotation for annotation in annotations if label_name(task, annotation) in names]


def join_answers(task: str, text: str, answers: Iterable[WindowAnswer]) -> list[dict]:
    """The distinct annotations of all `answers`, in text order.

    Adds the keys `spans` (entities, arguments), `head_spans` and `tail_spans`, `trigger_spans`: the places that the
    answer names or else, since an answer has a mention once however often it occurs, every occurrence of the string in
    the windows whose answer contains it; an empty list if it does not occur there. Entities and triples of several
    windows are merged. Two events of different windows with the same type and a trigger that may be at the same place
    are merged if the arguments of one include those of the other.
    """
    if task in ("NER", "RE", "SPO", "KG"):
        locate, key = (_locate_entity, _entity_key) if task == "NER" else (_locate_relation, _relation_key)
        annotations = _merge_all(text, answers, locate, key)
    else:
        annotations = _events(text, answers)
    return sorted(annotations, key=lambda annotation: _position(annotation, len(text)))


def _merge_all(
    text: str, answers: Iterable[WindowAnswer], locate: Callable, key: Callable[[Mapping], Key]
) -> list[dict]:
    merged: dict[Key, dict] = {}
    for answer in answers:
        for annotation in answer.annotations:
            located = locate(text, annotation, answer.start, answer.end)
            _merge(merged.setdefault(key(annotation), located), located)
    return list(merged.values())


def _merge(one: dict, other: Mapping) -> None:
    """Adds the spans of `other` and its arguments to `one`."""
    for name, value in other.items():
        if name.endswith("spans"):
            one[name] = sorted({*map(tuple, one[name]), *map(tuple, value)})
    arguments = {(argument["role"], argument["argument"]): argument for argument in one.get("arguments", ())}
    for argument in other.get("arguments", ()):
        match = arguments.get((argument["role"], argument["argument"]))
        if match is not None:
            match["spans"] = sorted({*match["spans"], *argument["spans"]})


def _locate_entity(text: str, entity: Mapping, start: int, end: int) -> dict:
    return {**entity, "spans": _spans(entity, "spans", start) or occurrences(text, entity["entity"], start, end)}


def _spans(annotation: Mapping, name: str, start: int) -> list[Span]:
    """The places in the text that the answer for a window names; none if it names none."""
    return [(start + first, start + last) for first, last in annotation.get(name, ())]


def _entity_key(entity: Mapping) -> Key:
    return entity["entity_type"], entity["entity"]


def _locate_relation(text: str, relation: Mapping, start: int, end: int) -> dict:
    heads, tails = (occurrences(text, relation[name], start, end) for name in ("head", "tail"))
    return {**relation, "head_spans": heads, "tail_spans": tails}


def _relation_key(relation: Mapping) -> Key:
    return tuple(relation.get(name) for name in ("head_type", "head", "relation", "tail", "tail_type"))


def _locate_event(text: str, event: Mapping, start: int, end: int) -> dict:
    pairs = dict.fromkeys((argument["role"], argument["argument"]) for argument in event["arguments"])
    return {
        **event,
        "trigger_spans": _spans(event, "trigger_spans", start) or occurrences(text, event["event_trigger"], start, end),
        "arguments": [
            {"argument": argument, "role": role, "spans": occurrences(text, argument, start, end)}
            for role, argument in pairs
        ],
    }


def _event_key(event: Mapping) -> Key:
    return event["event_type"], event["event_trigger"], _argument_pairs(event)


def _argument_pairs(event: Mapping) -> frozenset:
    return frozenset((argument["role"], argument["argument"]) for argument in event["arguments"])


def _events(text: str, answers: Iterable[WindowAnswer]) -> list[dict]:
    events: list[dict] = []
    for answer in answers:
        window_events = _merge_all(text, [answer], _locate_event, _event_key)
        kept = []
        for event in window_events:
            larger = next((other for other in events if _is_contained(event, other)), None)
            if larger is not None:
                _merge(larger, event)
                continue
            for smaller in [other for other in events if _is_contained(other, event)]:
                _merge(event, smaller)
                events.remove(smaller)
            kept.append(event)
        events += kept
    return events


def _is_contained(event: Mapping, other: Mapping) -> bool:
    """Whether `other`, from another window, may be the same event and includes all arguments of `event`."""
    if (event["event_type"], event["event_trigger"]) != (other["event_type"], other["event_trigger"]):
        return False
    same_place = not event["event_trigger"] or set(event["trigger_spans"]) & set(other["trigger_spans"])
    return bool(same_place) and _argument_pairs(event) <= _argument_pairs(other)


def _position(annotation: Mapping, end: int) -> tuple:
    """The sort key: the first span of each mention, (end, end) for a string that does not occur in the text."""
    places = [annotation[name] for name in ("spans", "trigger_spans", "head_spans", "tail_spans") if name in annotation]
    if "arguments" in annotation and not annotation["trigger_spans"]:
        places = [min((a["spans"] for a in annotation["arguments"] if a["spans"]), default=[])]
    return tuple(spans[0] if spans else (end, end) for spans in places)
