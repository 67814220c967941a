"""The answers to one text's batches and windows → its annotations, once each, with the offsets of every mention."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.example import Span
from train.scoring.items import asked_label

Key = Hashable
"""What makes two annotations of a text the same."""

# Letters and digits of scripts that set words apart by blanks; U+0E00 on: Thai, Han, Kana and others that do not.
SPACED = re.compile(r"(?![\u0e00-\u1cff\u2e80-\U0003ffff])[^\W_]")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one window of the text answered: its place in the text (code points) and its unified annotations."""

    start: int
    end: int
    annotations: tuple[dict, ...]


def occurrences(text: str, mention: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Where `mention` stands in `text[start:end]`, from left to right, none within another; offsets are `text`'s.

    Places within a longer word ("art" in "party") count only where there is no other.
    """
    if not mention:
        return []
    end = len(text) if end is None else end
    found = [match.span() for match in re.compile(re.escape(mention)).finditer(text, start, end)]
    return [span for span in found if _is_whole(text, *span)] or found


def _is_whole(text: str, start: int, end: int) -> bool:
    def joins(at: int) -> bool:
        """Whether the characters before and after the place `at` belong to one word."""
        return 0 < at < len(text) and all(SPACED.match(character) for character in text[at - 1 : at + 1])

    return not joins(start) and not joins(end)


def asked_only(task: str, labels: Sequence[str], annotations: Iterable[dict]) -> list[dict]:
    """The annotations whose label was asked: an answer to what was not asked is no prediction."""
    names = frozenset(labels)
    return [annotation for annotation in annotations if asked_label(task, annotation) in names]


def joined(task: str, text: str, answers: Iterable[Answered]) -> list[dict]:
    """The annotations of all `answers`, in text order, each once.

    They gain the keys `spans` (entities, arguments), `head_spans` and `tail_spans`, `trigger_spans`: every occurrence
    of the string in the windows that answered it, for an answer names a mention once however often it stands there;
    an empty list for a string that they do not hold. Entities and triples that several windows answer are united.
    Of two events of different windows with one type and a trigger that may stand at the same place, one whose
    arguments the other has too is left out.
    """
    if task in ("NER", "RE", "SPO", "KG"):
        locate, key = (_located_entity, _entity_key) if task == "NER" else (_located_relation, _relation_key)
        found = _united(text, answers, locate, key)
    else:
        found = _events(text, answers)
    return sorted(found, key=lambda annotation: _position(annotation, len(text)))


def _united(text: str, answers: Iterable[Answered], locate: Callable, key: Callable[[Mapping], Key]) -> list[dict]:
    found: dict[Key, dict] = {}
    for answer in answers:
        for annotation in answer.annotations:
            placed = locate(text, annotation, answer.start, answer.end)
            _unite(found.setdefault(key(annotation), placed), placed)
    return list(found.values())


def _unite(one: dict, other: Mapping) -> None:
    """Adds the other's spans to those of `one`, its arguments' too."""
    for name, value in other.items():
        if name.endswith("spans"):
            one[name] = sorted({*map(tuple, one[name]), *map(tuple, value)})
    mine = {(argument["role"], argument["argument"]): argument for argument in one.get("arguments", ())}
    for argument in other.get("arguments", ()):
        same = mine.get((argument["role"], argument["argument"]))
        if same is not None:
            same["spans"] = sorted({*same["spans"], *argument["spans"]})


def _located_entity(text: str, entity: Mapping, start: int, end: int) -> dict:
    return {**entity, "spans": occurrences(text, entity["entity"], start, end)}


def _entity_key(entity: Mapping) -> Key:
    return entity["entity_type"], entity["entity"]


def _located_relation(text: str, relation: Mapping, start: int, end: int) -> dict:
    heads, tails = (occurrences(text, relation[name], start, end) for name in ("head", "tail"))
    return {**relation, "head_spans": heads, "tail_spans": tails}


def _relation_key(relation: Mapping) -> Key:
    return tuple(relation.get(name) for name in ("head_type", "head", "relation", "tail", "tail_type"))


def _located_event(text: str, event: Mapping, start: int, end: int) -> dict:
    pairs = dict.fromkeys((argument["role"], argument["argument"]) for argument in event["arguments"])
    return {
        **event,
        "trigger_spans": occurrences(text, event["event_trigger"], start, end),
        "arguments": [
            {"argument": argument, "role": role, "spans": occurrences(text, argument, start, end)}
            for role, argument in pairs
        ],
    }


def _event_key(event: Mapping) -> Key:
    return event["event_type"], event["event_trigger"], _argument_pairs(event)


def _argument_pairs(event: Mapping) -> frozenset:
    return frozenset((argument["role"], argument["argument"]) for argument in event["arguments"])


def _events(text: str, answers: Iterable[Answered]) -> list[dict]:
    found: list[dict] = []
    for answer in answers:
        here = _united(text, [answer], _located_event, _event_key)
        kept = []
        for event in here:
            larger = next((other for other in found if _is_part(event, other)), None)
            if larger is not None:
                _unite(larger, event)
                continue
            for smaller in [other for other in found if _is_part(other, event)]:
                _unite(event, smaller)
                found.remove(smaller)
            kept.append(event)
        found += kept
    return found


def _is_part(event: Mapping, other: Mapping) -> bool:
    """Whether `other`, of another window, may be the same event and tells at least as much."""
    if (event["event_type"], event["event_trigger"]) != (other["event_type"], other["event_trigger"]):
        return False
    same_place = not event["event_trigger"] or set(event["trigger_spans"]) & set(other["trigger_spans"])
    return bool(same_place) and _argument_pairs(event) <= _argument_pairs(other)


def _position(annotation: Mapping, end: int) -> tuple:
    """Its first mention's place and, for triples, the second's; past the end of the text where it holds none."""
    places = [annotation[name] for name in ("spans", "trigger_spans", "head_spans", "tail_spans") if name in annotation]
    if "arguments" in annotation and not annotation["trigger_spans"]:
        places = [min((a["spans"] for a in annotation["arguments"] if a["spans"]), default=[])]
    return tuple(spans[0] if spans else (end, end) for spans in places)
