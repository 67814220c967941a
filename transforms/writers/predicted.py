"""`predictions.joined.jsonl` of `train.predict` → Examples.

A mention is predicted as a string, with all places where it occurs. Places inside a longer mention count only if the
string has no others. Each place becomes an entity; a relation connects the two places that are nearest to each other
without overlap, if there are such, and an event has its first trigger and the arguments that are nearest to it.
"""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.errors import ConfigError
from schemas.example import TASKS, Argument, Entity, Event, Example, Mention, Relation, Span, surface
from transforms import user_files
from transforms.writers.fit import Counts

EXPECTED = (
    "expected a line of predictions.joined.jsonl, which train.predict writes: id, task, source, text, annotations"
)
UNREAD = "answers of the model without valid JSON, whose annotations are missing"


class EntityItem(msgspec.Struct):
    entity: str
    entity_type: str
    spans: list[Span]


class RelationItem(msgspec.Struct):
    head: str
    relation: str
    tail: str
    head_spans: list[Span]
    tail_spans: list[Span]
    head_type: str | None = None
    tail_type: str | None = None


class ArgumentItem(msgspec.Struct):
    argument: str
    role: str
    spans: list[Span]


class EventItem(msgspec.Struct):
    event_type: str
    event_trigger: str
    trigger_spans: list[Span]
    arguments: list[ArgumentItem]


class Line(msgspec.Struct):
    id: str
    task: str
    source: str
    text: str
    unparseable: list[str]
    labels: dict[str, list[str]] = {}
    lang: str | None = None
    entity: list[EntityItem] | None = None
    relation: list[RelationItem] | None = None
    event: list[EventItem] | None = None


LINE = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Index:
    """The texts of a file. `places`: (source, id) → the byte offsets of its lines, which need not follow each other.
    `labels`: `entity`, `relation` or `event` → the labels that the model was asked for.
    """

    path: str
    places: Mapping[tuple[str, str], Sequence[int]]
    has_relations: bool
    labels: Mapping[str, Collection[str]]


def index(path: str) -> Index:
    """Raises ConfigError, with the line, for a file that is not one of joined predictions."""
    has_relations = False
    labels: dict[str, dict[str, None]] = {}
    for number, line in user_files.objects(path, Line, EXPECTED):
        _check(line, f"{path}:{number}")
        has_relations = has_relations or bool(line.relation)
        for layer, names in line.labels.items():
            labels.setdefault(layer, {}).update(dict.fromkeys(names))
    places: dict[tuple[str, str], list[int]] = {}
    at = 0
    with open(path, "rb") as file:
        for content in file:
            if content.strip():
                if not content.startswith(b"{"):
                    raise ConfigError(f"{path}: {EXPECTED}, one object per line")
                line = LINE.decode(content)
                places.setdefault((line.source, line.id), []).append(at)
            at += len(content)
    if not places:
        raise ConfigError(f"{path}: contains no predictions")
    return Index(path, places, has_relations, labels)


def read(index: Index, counts: Counts) -> Iterator[Example]:
    """One Example per text, in the order of the file, with the annotations of all tasks; one in memory at a time.

    Raises ConfigError if two texts have the same id.
    """
    with open(index.path, "rb") as file:
        for (source, name), starts in index.places.items():
            lines = []
            for start in starts:
                file.seek(start)
                lines.append(LINE.decode(file.readline()))
            if any(line.text != lines[0].text for line in lines):
                raise ConfigError(f"{index.path}: two texts of {source} have the id {name!r}; predict them separately")
            counts[UNREAD] += sum(len(line.unparseable) for line in lines)
            yield _example(lines)


def _check(line: Line, place: str) -> None:
    if line.task not in TASKS or not line.text.strip():
        raise ConfigError(f"{place}: {EXPECTED}")
    if not all(0 <= start < end <= len(line.text) for start, end in _spans(line)):
        raise ConfigError(f"{place}: a span is outside the text; predict again")


def _spans(line: Line) -> Iterator[Span]:
    """The places of all mentions."""
    for item in line.entity or ():
        yield from item.spans
    for relation in line.relation or ():
        yield from (*relation.head_spans, *relation.tail_spans)
    for event in line.event or ():
        yield from event.trigger_spans
        for argument in event.arguments:
            yield from argument.spans


def _inner(spans: Iterable[Span]) -> set[Span]:
    """Those of `spans` that are inside a longer one."""
    inner = set()
    reach = 0  # the last end of the spans that start before or with this one
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if end <= reach:
            inner.add((start, end))
        reach = max(reach, end)
    return inner


def _example(lines: Sequence[Line]) -> Example:
    text = lines[0].text
    inner = _inner(span for line in lines for span in _spans(line))

    def preferred(spans: Sequence[Span]) -> Sequence[Span]:
        return [span for span in spans if span not in inner] or spans

    def mention(string: str, spans: Sequence[Span], near: Span | None = None) -> Mention:
        """The mention at its first place, or at the one nearest to `near`."""
        if not spans:
            return Mention(string)
        spans = preferred(spans)
        span = min(spans, key=lambda span: _distance(span, near)) if near else spans[0]
        return Mention(surface(text, (span,)), (span,))

    def entities(item: EntityItem) -> list[Entity]:
        return [Entity(item.entity_type, mention(item.entity, [span])) for span in preferred(item.spans)] or [
            Entity(item.entity_type, Mention(item.entity))
        ]

    def relation(item: RelationItem) -> Relation:
        places = sorted(preferred(item.tail_spans))
        ends = [end for _, end in places]
        pairs = []
        for head in preferred(item.head_spans):
            before, after = bisect_right(ends, head[0]), bisect_left(places, (head[1], 0))
            near = {*places[max(before - 1, 0) : before + 1], *places[after : after + 1]}
            pairs += [(_distance(head, tail), head, tail) for tail in near]
        heads, tails = ([pair[1]], [pair[2]]) if (pair := min(pairs, default=None)) else ([], [])
        mentions = mention(item.head, heads), mention(item.tail, tails)
        return Relation(item.relation, *mentions, item.head_type or None, item.tail_type or None)

    def event(item: EventItem) -> Event:
        trigger = mention(item.event_trigger, item.trigger_spans) if item.event_trigger else None
        near = trigger.spans[0] if trigger and trigger.spans else None
        return Event(
            item.event_type,
            trigger,
            tuple(
                Argument(argument.role, mention(argument.argument, argument.spans, near)) for argument in item.arguments
            ),
        )

    layers: list[dict | None] = [None, None, None]
    for line in lines:
        made = (
            None if line.entity is None else [each for item in line.entity for each in entities(item)],
            None if line.relation is None else map(relation, line.relation),
            None if line.event is None else map(event, line.event),
        )
        for number, items in enumerate(made):
            if items is not None:
                layers[number] = {**(layers[number] or {}), **dict.fromkeys(items)}
    first = lines[0]
    tasks = tuple(dict.fromkeys(line.task for line in lines))
    tuples: list[Any] = [None if layer is None else tuple(layer) for layer in layers]
    return Example(first.id, first.source, "test", first.lang or "", text, tasks, tuples[0], tuples[1], tuples[2])


def _distance(one: Span, other: Span) -> tuple[bool, int]:
    """Whether two spans overlap, and the number of characters between them."""
    gap = max(one[0] - other[1], other[0] - one[1])
    return gap < 0, max(gap, 0)


class Meta(msgspec.Struct):
    """The part of predictions.meta.json that names the model."""

    model: str | None = None
    adapter: str | None = None


def model_name(path: str) -> str:
    """The model that made the predictions, from the meta file beside them; without it the name of the file."""
    meta = f"{path.removesuffix('joined.jsonl')}meta.json"
    if path.endswith(".joined.jsonl") and os.path.exists(meta):
        given = user_files.value(user_files.read_text(meta), meta, "expected the meta file of train.predict", Meta)
        name = given.adapter or given.model
        if name:
            return os.path.basename(name.rstrip("/"))
    return os.path.basename(path).partition(".")[0]
