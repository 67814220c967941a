"""Documents longer than `max_chars` → windows cut at sentence ends, each with the annotations inside it."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter

from msgspec.structs import replace

from schemas.example import LAYER, Argument, Entity, Event, Example, Mention, Relation, Span, mentions, surface
from schemas.example_id import ExampleId
from schemas.label import UnknownLabel
from transforms.clean import with_mentions
from transforms.sentences import disjoint, pieces, sentences, without_blanks

LAYERS = frozenset(LAYER.values())
NEED = {"entities": (), "relations": ("RE", "SPO", "KG"), "events": ("EE", "EET", "EEA"), "arguments": ("EE", "EEA")}
"""Kind of annotation → the tasks for which annotations that cross windows get an extra window."""

Place = tuple[Span, ...] | None
"""The spans of a mention: one from its first to its last piece, or all occurrences of its string, in order. None: the
string does not occur in the text.
"""

Crossing = tuple[str, Span]
"""The kind (a key of NEED) of an annotation that no window contains, and the shortest span that contains it."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the document, the tasks for which it is used, and the layers that it has."""

    start: int
    end: int
    tasks: tuple[str, ...]
    layers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Share:
    """The annotations in one window, with the offsets of the document. `unknown`: the labels of annotations that no
    window contains and of which this window contains a part.
    """

    entities: list[Entity]
    relations: list[Relation]
    events: list[Event]
    unknown: list[UnknownLabel] = field(default_factory=list)


def windows(example: Example, max_chars: int, cut_as: Example | None = None) -> tuple[list[Example], Counter]:
    """Windows of at most `max_chars` code points, and the number of annotations that no window contains.

    An example that is short enough is returned unchanged. Otherwise:
    - Windows `<id>/0`, `<id>/1`, ... are runs of whole sentences without the blanks at their edges. Cuts are chosen so
      that they cross the fewest entities, then the fewest relations, triggers and arguments. Of equally good choices,
      the one with the fewest cuts is used, then the leftmost. A sentence that is too long by itself is cut at the last
      blank or clause mark before the limit that is outside all mentions, else at the last position outside all
      mentions, else at the limit.
    - A mention with spans belongs to the window that contains its pieces; a mention without spans, to every window in
      which its string occurs. A relation belongs to the windows that contain both its ends. An event belongs to the
      windows that contain its trigger, with those arguments that they also contain; an event without a trigger, to the
      windows that contain any of its arguments. A string that does not occur in the document (a class name, a
      normalised word) belongs to the windows of the rest of its annotation, or to the first window if no part of the
      annotation occurs. An event whose trigger has no spans is left out of a window without any of its arguments if
      another window has some of them, or if this window has an event with the same label and trigger.
    - An annotation that no window contains, but that fits into a run of sentences of at most `max_chars`, gets an extra
      window after the others, together with as many other such annotations as fit. Its text is also in other windows,
      so it is used only for the tasks that need it, and its other layers are None. Entities get no extra windows.
    - If a window cuts through a mention of an annotation that no window contains completely (such as a mention longer
      than `max_chars`), the label of this annotation is unknown in the window. References of relation ends and
      arguments to entities are kept only if the window has the entity.
    The counter's keys are `entities`, `relations`, `events` and `arguments`; the arguments of a lost event count too.
    `cut_as`: an example of the same text, whose windows (including extra ones) are used for this one.
    """
    if len(example.text) <= max_chars:
        return [example], Counter()
    cut, shares, lost = _cut(example if cut_as is None else cut_as, max_chars)
    if cut_as is not None:
        cut = [Window(w.start, w.end, example.tasks, LAYERS) if w.layers == LAYERS else w for w in cut]
        shares, lost = _deal(example, _places(example), cut)
    examples = [_example(example, *numbered) for numbered in zip(range(len(cut)), cut, shares, strict=True)]
    return examples, Counter(kind for kind, _ in lost)


def _cut(example: Example, max_chars: int) -> tuple[list[Window], list[Share], list[Crossing]]:
    """The windows of a document, the annotations in each of them, and those that no window contains."""
    places = _places(example)
    whole = disjoint(span for place in places.values() for span in place or ())
    document_sentences = sentences(example.text, example.lang)
    units = [piece for sentence in document_sentences for piece in pieces(example.text, sentence, max_chars, whole)]
    _, everything = _deal(example, places, [])
    cut = [Window(start, end, example.tasks, LAYERS) for start, end in _runs(units, everything, max_chars)]
    shares, lost = _deal(example, places, cut)
    extra = _extra_windows(units, lost, example.tasks, max_chars)
    if extra:
        cut += extra
        shares, lost = _deal(example, places, cut)
    return cut, shares, lost


def _places(example: Example) -> dict[Mention, Place]:
    return {mention: _place(example.text, mention) for mention in mentions(example)}


def _place(text: str, mention: Mention) -> Place:
    if mention.spans:
        return (without_blanks(text, mention.spans[0][0], mention.spans[-1][1]),)
    string = mention.text.strip()
    return tuple(match.span() for match in re.finditer(re.escape(string), text)) or None if string else None


def _shortest(*places: Place) -> Span:
    """A shortest span that contains one span of each of the places (one or two places that are not None)."""
    one, *other = [place for place in places if place is not None]
    if not other:
        return one[0]
    stretches = []
    for start, end in one:
        after = bisect_right(other[0], start, key=itemgetter(0))
        near = other[0][max(after - 1, 0) : after + 1]
        stretches += [(min(start, left), max(end, right)) for left, right in near]
    return min(stretches, key=lambda stretch: stretch[1] - stretch[0])


def _range(units: Sequence[Span], span: Span) -> tuple[int, int]:
    """The numbers of the first and the last unit that `span` touches."""
    start = itemgetter(0)
    return bisect_right(units, span[0], key=start) - 1, bisect_left(units, span[1], key=start) - 1


def _runs(units: list[Span], everything: list[Crossing], max_chars: int) -> list[Span]:
    """Runs of units of at most `max_chars` that contain the most of `everything` completely, by dynamic programming."""
    rank = len(everything) + len(units) + 1
    crossing: list[Counter] = [Counter() for _ in units]  # first unit → last unit → worth of a run that has both
    for kind, span in everything:
        first, last = _range(units, span)
        if first < last:
            crossing[first][last] += rank * rank if kind == "entities" else rank
    costs, lasts = [0] * (len(units) + 1), [0] * len(units)
    gains = [0] * len(units)  # last unit → worth of the annotations that end there and begin in `first` or later
    for first in reversed(range(len(units))):
        for last, worth in crossing[first].items():
            gains[last] += worth
        choices, gain = [], 0
        for last in range(first, len(units)):
            if units[last][1] - units[first][0] > max_chars:
                break
            gain += gains[last]
            choices.append((costs[last + 1] + 1 - gain, last))
        costs[first], lasts[first] = min(choices)
    runs, first = [], 0
    while first < len(units):
        runs.append((units[first][0], units[lasts[first]][1]))
        first = lasts[first] + 1
    return runs


def _extra_windows(units: list[Span], lost: list[Crossing], tasks: tuple[str, ...], max_chars: int) -> list[Window]:
    wanted = []
    for kind, span in lost:
        first, last = _range(units, span)
        start, end = units[first][0], units[last][1]
        needed = [task for task in tasks if task in NEED[kind]]
        if needed and end - start <= max_chars:
            wanted.append((start, end, needed))
    wanted.sort()
    starts: list[int] = []  # start of each extra window: that of the first annotation that no earlier one contains
    shared: list[list[tuple[int, int, list[str]]]] = []
    for item in wanted:
        number = bisect_left(starts, item[1] - max_chars)
        if number == len(starts):
            starts.append(item[0])
            shared.append([])
        shared[number].append(item)
    extra = []
    for start, items in zip(starts, shared, strict=True):
        needed = {task for item in items for task in item[2]}
        used = tuple(task for task in tasks if task in needed)
        end = max(item[1] for item in items)
        extra.append(Window(start, end, used, frozenset(LAYER[task] for task in used)))
    return extra


def _deal(
    example: Example, places: Mapping[Mention, Place], cut: Sequence[Window]
) -> tuple[list[Share], list[Crossing]]:
    """The annotations in each window of `cut`, and those that no window contains (if `cut` is empty, all that occur in
    the text).
    """
    shares = [Share([], [], []) for _ in cut]
    lost: list[Crossing] = []
    order = sorted(range(len(cut)), key=lambda number: cut[number].start)
    starts = [cut[number].start for number in order]
    longest = max((window.end - window.start for window in cut), default=0)
    first = frozenset(range(min(1, len(cut))))

    @cache  # a mention may be an end of many relations and occur many times
    def windows_with(mention: Mention | None, layer: str) -> set[int] | None:
        """The windows that contain the mention and have the layer; None if the mention does not occur in the text."""
        place = mention and places[mention]
        if place is None:
            return None
        inside = set()
        for start, end in place:
            near = order[bisect_left(starts, end - longest) : bisect_right(starts, start)]
            inside.update(number for number in near if end <= cut[number].end and layer in cut[number].layers)
        return inside

    # label → mentions of its annotations that no window contains completely
    broken: dict[UnknownLabel, set[Mention]] = {}

    def note_broken(layer: str, label: str, *parts: Mention | None) -> None:
        cut_through = [mention for mention in parts if windows_with(mention, layer) == set()]
        if cut_through:
            broken.setdefault(UnknownLabel(layer, label), set()).update(cut_through)

    for entity in example.entities or ():
        inside = windows_with(entity.mention, "entities")
        if inside == set():
            lost.append(("entities", _shortest(places[entity.mention])))
            note_broken("entities", entity.label, entity.mention)
        for number in first if inside is None else inside:
            shares[number].entities.append(entity)

    for relation in example.relations or ():
        bound = [
            inside for end in (relation.head, relation.tail) if (inside := windows_with(end, "relations")) is not None
        ]
        inside = set.intersection(*bound) if bound else first
        if bound and not inside:
            lost.append(("relations", _shortest(places[relation.head], places[relation.tail])))
            note_broken("relations", relation.label, relation.head, relation.tail)
        for number in inside:
            shares[number].relations.append(relation)

    bare: list[list[Event]] = [[] for _ in cut]
    for event in example.events or ():
        arguments = [(argument, windows_with(argument.mention, "events")) for argument in event.arguments]
        bound = [(argument.mention, where) for argument, where in arguments if where is not None]
        trigger = event.trigger and places[event.trigger]
        anchor = trigger or (bound and places[bound[0][0]]) or None
        if trigger:
            inside = windows_with(event.trigger, "events")
        else:
            inside = set().union(*(where for _, where in bound)) if bound else first
        if anchor and not inside:
            lost.append(("events", _shortest(anchor)))
            note_broken("events", event.label, event.trigger)
        for argument, where in arguments:
            if anchor and (not inside or (where is not None and not where & inside)):
                here = places[argument.mention]
                lost.append(("arguments", _shortest(trigger, here) if trigger else _shortest(here or anchor)))
                note_broken("events", event.label, argument.mention)
        parts = {
            number: replace(event, arguments=tuple(a for a, where in arguments if where is None or number in where))
            for number in inside
        }
        has_arguments = event.trigger and not event.trigger.spans and any(part.arguments for part in parts.values())
        for number, part in parts.items():
            (shares[number].events if part.arguments or not has_arguments else bare[number]).append(part)
    for share, parts in zip(shares, bare, strict=True):
        existing = {(event.label, event.trigger) for event in share.events}
        share.events.extend(part for part in dict.fromkeys(parts) if (part.label, part.trigger) not in existing)
    for label, cut_through in broken.items() if cut else ():
        for start, end in disjoint(span for mention in cut_through for span in places[mention]):
            for number in order[bisect_right(starts, start - longest) : bisect_left(starts, end)]:
                if start < cut[number].end and label.layer in cut[number].layers:
                    shares[number].unknown.append(label)
    return shares, lost


def _example(document: Example, number: int, window: Window, share: Share) -> Example:
    """The window as an Example, with offsets from the start of the window."""
    text = document.text[window.start : window.end]

    def moved(mention: Mention) -> Mention:
        if not mention.spans:
            return mention
        # A span may extend into the blanks that were removed at the edges.
        spans = [(max(s - window.start, 0), min(e - window.start, len(text))) for s, e in mention.spans]
        kept = tuple((start, end) for start, end in spans if start < end)
        return Mention(surface(text, kept), kept)

    def layer(name: str) -> tuple | None:
        known = name in window.layers and getattr(document, name) is not None
        return tuple(getattr(share, name)) if known else None

    example = replace(
        document,
        id=str(ExampleId.parse(document.id).with_window(number)),
        text=text,
        tasks=window.tasks,
        entities=layer("entities"),
        relations=layer("relations"),
        events=layer("events"),
        unknown_labels=tuple(dict.fromkeys((*document.unknown_labels, *share.unknown))),
    )
    return _without_absent_entities(with_mentions(example, moved))


def _without_absent_entities(example: Example) -> Example:
    """The example without references to entities that it does not contain."""
    names = {name for entity in example.entities or () for name in (entity.id, *entity.concepts)}

    def known(name: str | None) -> str | None:
        return name if name in names else None

    def relation(item: Relation) -> Relation:
        if item.head_entity is None and item.tail_entity is None:
            return item
        return replace(item, head_entity=known(item.head_entity), tail_entity=known(item.tail_entity))

    def event(item: Event) -> Event:
        if all(argument.entity is None for argument in item.arguments):
            return item
        arguments = tuple(Argument(a.role, a.mention, known(a.entity)) for a in item.arguments)
        return Event(item.label, item.trigger, arguments)

    return replace(
        example,
        relations=example.relations and tuple(map(relation, example.relations)),
        events=example.events and tuple(map(event, example.events)),
    )
