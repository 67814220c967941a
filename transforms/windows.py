"""Documents longer than `max_chars` → windows cut at sentence ends, each with the annotations that lie in it."""

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
"""The tasks for which what crosses the windows is worth an extra one."""

Place = tuple[Span, ...] | None
"""Where a mention stands: from its first to its last piece, or wherever its string occurs, in order. None: nowhere."""

Crossing = tuple[str, Span]
"""A kind of annotation that no window holds (a key of NEED), and the shortest stretch of text that would."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the document, the tasks it is used for and the layers that it shows."""

    start: int
    end: int
    tasks: tuple[str, ...]
    layers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Share:
    """What one window holds, with the document's offsets. `unknown`: the labels of what no window holds and this one
    has a part of.
    """

    entities: list[Entity]
    relations: list[Relation]
    events: list[Event]
    unknown: list[UnknownLabel] = field(default_factory=list)


def windows(example: Example, max_chars: int, cut_as: Example | None = None) -> tuple[list[Example], Counter]:
    """Windows of at most `max_chars` code points, and how much of the document's annotation no window holds.

    An example that is short enough is returned itself. Otherwise:
    - Windows `<id>/0`, `<id>/1`, ... are runs of whole sentences without the blanks at their edges. The cuts are
      those that fewest entities cross, then fewest relations, triggers and arguments, then the fewest cuts, then the
      leftmost. A sentence that alone is too long is cut at the last blank or clause mark before the limit that is
      in no mention, else at the last place in no mention, else at the limit.
    - A mention with spans is in the window that holds its pieces, one that is only a string in every window in
      which it occurs. A relation is where both its ends are. An event is where its trigger is, with the arguments
      that are there too; an event without a trigger is where any of its arguments are. A string that occurs
      nowhere in the document (a class name, a normalised word) goes with the rest of its annotation, in the first
      window where nothing of it occurs. An event whose trigger is only a string is left out of a window that has
      none of its arguments, if another window has some or this one has an event with the same label and trigger.
    - What no window holds, but a run of sentences of at most `max_chars` would, gets an extra window after the
      others, shared with as many others as fit. Its text is in other windows too, so it is used only for the
      tasks that need it, and the other layers are None; entities get none.
    - Where a window cuts through a mention of something that no window holds whole, as one longer than `max_chars`, the
      label of it is unknown in that window. The entity of a relation's end or of an argument is named only where the
      window has that entity.
    The counter's keys are `entities`, `relations`, `events` and `arguments`; the arguments of a
    lost event count too. `cut_as`: an example of the same text, with whose windows (extra ones too) this one is cut.
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
    """The windows of a document, what of it each holds and what none does."""
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
    """A shortest stretch that holds one span of each place (one or two; None binds nothing)."""
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
    """Runs of units of at most `max_chars` in which the most of `everything` lies whole, by dynamic programming."""
    rank = len(everything) + len(units) + 1
    crossing: list[Counter] = [Counter() for _ in units]  # first unit → last unit → worth of a run that has both
    for kind, span in everything:
        first, last = _range(units, span)
        if first < last:
            crossing[first][last] += rank * rank if kind == "entities" else rank
    costs, lasts = [0] * (len(units) + 1), [0] * len(units)
    gains = [0] * len(units)  # last unit → worth of what ends there and begins in `first` or after it
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
    starts: list[int] = []  # of the extra windows, each where the first begins that none before it holds
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
    """What each window of `cut` holds, and what none does (where `cut` is empty: all that has a place)."""
    shares = [Share([], [], []) for _ in cut]
    lost: list[Crossing] = []
    order = sorted(range(len(cut)), key=lambda number: cut[number].start)
    starts = [cut[number].start for number in order]
    longest = max((window.end - window.start for window in cut), default=0)
    first = frozenset(range(min(1, len(cut))))

    @cache  # a mention may be an end of many relations and stand in many places
    def holders(mention: Mention | None, layer: str) -> set[int] | None:
        """The windows that hold the mention and show the layer; None for a mention that stands nowhere."""
        place = mention and places[mention]
        if place is None:
            return None
        held = set()
        for start, end in place:
            near = order[bisect_left(starts, end - longest) : bisect_right(starts, start)]
            held.update(number for number in near if end <= cut[number].end and layer in cut[number].layers)
        return held

    broken: dict[UnknownLabel, set[Mention]] = {}  # label → mentions of what has it that no window holds whole

    def note_broken(layer: str, label: str, *parts: Mention | None) -> None:
        cut_through = [mention for mention in parts if holders(mention, layer) == set()]
        if cut_through:
            broken.setdefault(UnknownLabel(layer, label), set()).update(cut_through)

    for entity in example.entities or ():
        held = holders(entity.mention, "entities")
        if held == set():
            lost.append(("entities", _shortest(places[entity.mention])))
            note_broken("entities", entity.label, entity.mention)
        for number in first if held is None else held:
            shares[number].entities.append(entity)

    for relation in example.relations or ():
        bound = [held for end in (relation.head, relation.tail) if (held := holders(end, "relations")) is not None]
        held = set.intersection(*bound) if bound else first
        if bound and not held:
            lost.append(("relations", _shortest(places[relation.head], places[relation.tail])))
            note_broken("relations", relation.label, relation.head, relation.tail)
        for number in held:
            shares[number].relations.append(relation)

    bare: list[list[Event]] = [[] for _ in cut]
    for event in example.events or ():
        arguments = [(argument, holders(argument.mention, "events")) for argument in event.arguments]
        bound = [(argument.mention, where) for argument, where in arguments if where is not None]
        trigger = event.trigger and places[event.trigger]
        anchor = trigger or (bound and places[bound[0][0]]) or None
        if trigger:
            held = holders(event.trigger, "events")
        else:
            held = set().union(*(where for _, where in bound)) if bound else first
        if anchor and not held:
            lost.append(("events", _shortest(anchor)))
            note_broken("events", event.label, event.trigger)
        for argument, where in arguments:
            if anchor and (not held or (where is not None and not where & held)):
                here = places[argument.mention]
                lost.append(("arguments", _shortest(trigger, here) if trigger else _shortest(here or anchor)))
                note_broken("events", event.label, argument.mention)
        parts = {
            number: replace(event, arguments=tuple(a for a, where in arguments if where is None or number in where))
            for number in held
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
    """The window as an example of its own, with offsets from its start."""
    text = document.text[window.start : window.end]

    def moved(mention: Mention) -> Mention:
        if not mention.spans:
            return mention
        # A span may reach into the blanks that were cut off.
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
    """The example without references to entities that it does not have."""
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
