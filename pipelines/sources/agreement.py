"""When two annotations of a text are the same, and how far its annotators agree."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from transforms.scripts import token_spans

LISTED = 20
"""The number of disagreements that are kept per pair of annotators."""

Key = Hashable


def is_annotated(record: RawExample) -> bool:
    return record.entities is not None or record.relations is not None or record.events is not None


def described(item: Entity | Relation | Event) -> str:
    match item:
        case Entity():
            mentions = [item.mention]
        case Relation():
            mentions = [item.head, item.tail]
        case Event():
            mentions = [item.trigger] if item.trigger else []
    return f"{item.label!r}: {', '.join(repr(mention.text[:80]) for mention in mentions) or 'no trigger'}"


def mention_key(mention: Mention) -> Key:
    return mention.spans or mention.text


def entity_key(item: Entity) -> Key:
    return item.label, mention_key(item.mention)


def relation_key(item: Relation) -> Key:
    return item.label, mention_key(item.head), mention_key(item.tail), item.head_label, item.tail_label


def argument_key(item: Argument) -> Key:
    return item.role, mention_key(item.mention)


def event_key(item: Event, whole: frozenset[str]) -> Key:
    """`whole`: the labels of events that are compared with all their arguments."""
    trigger = item.trigger and mention_key(item.trigger)
    arguments = frozenset(map(argument_key, item.arguments)) if item.label in whole else None
    return item.label, trigger, arguments


def counted_whole(records: Sequence[RawExample]) -> frozenset[str]:
    """The labels of events that somebody marked without a trigger, or several times at the same place."""
    whole = set()
    for record in records:
        counts = Counter(event_key(event, frozenset())[:2] for event in record.events or ())
        whole |= {label for (label, trigger), count in counts.items() if count > 1 or trigger is None}
    return frozenset(whole)


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """`first`, `second`: the annotations of each of the two; `both`: those with the same label and the same spans.

    `kappa`: Cohen's kappa over tokens, of whether a token is inside a mention with this label; None for relations and
    events, and if it is undefined because both have the same decision everywhere.
    """

    layer: str
    label: str
    first: int
    second: int
    both: int
    kappa: float | None

    @property
    def f1(self) -> float:
        """The F1 score of one annotator against the other, which is the same in both directions."""
        return 2 * self.both / (self.first + self.second)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An annotation (`what`) that only `annotator` has. `other`: what the other one has at the same place, if any."""

    place: str
    layer: str
    annotator: str
    what: str
    other: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree. `texts`: those that both annotated. `labels`: sorted by layer and label.

    `disagreements`: the first LISTED of `disagreement_count`.
    """

    first: str
    second: str
    texts: int
    labels: tuple[LabelAgreement, ...]
    disagreement_count: int
    disagreements: tuple[Disagreement, ...]


@dataclass(slots=True)
class _Pair:
    texts: int = 0
    items: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (layer, label) → first, second, both
    tokens: int = 0
    inside: dict[str, list[int]] = field(default_factory=dict)  # label → tokens of first, second, both
    count: int = 0
    first: list[Disagreement] = field(default_factory=list)


def agreement(texts: Iterable[Sequence[RawExample]]) -> tuple[Agreement, ...]:
    """The agreement of every pair of annotators, by name, on the texts that both annotated. `texts`: the records of
    each text, as `annotators.by_text` groups them.

    F1 counts annotations with the same label and spans, as `annotators.choose` compares them. Kappa (Cohen 1960, A
    Coefficient of Agreement for Nominal Scales) counts tokens, since there is no number of spans that nobody marked,
    which kappa needs (Hripcsak and Rothschild 2005, Agreement, the F-Measure, and Reliability in Information
    Retrieval). If an annotator has several annotations of a text, the first counts.
    """
    pairs: dict[tuple[str, str], _Pair] = {}
    for group in texts:
        by_name: dict[str, RawExample] = {}
        for record in group:
            if record.annotator is not None and is_annotated(record):
                by_name.setdefault(record.annotator, record)
        for names in combinations(sorted(by_name), 2):
            _compare(pairs.setdefault(names, _Pair()), names, by_name[names[0]], by_name[names[1]])
    return tuple(_agreement(names, pair) for names, pair in sorted(pairs.items()))


def _agreement(names: tuple[str, str], pair: _Pair) -> Agreement:
    labels = tuple(
        LabelAgreement(layer, label, *counts, kappa(pair.tokens, *pair.inside[label]) if layer == "entities" else None)
        for (layer, label), counts in sorted(pair.items.items())
    )
    return Agreement(*names, pair.texts, labels, pair.count, tuple(pair.first))


def kappa(total: int, first: int, second: int, both: int) -> float | None:
    """Cohen's kappa of two yes-or-no decisions on `total` tokens: how often each said yes, and both. None if chance
    agreement is complete.
    """
    observed = total - first - second + 2 * both
    expected = first * second + (total - first) * (total - second)
    return None if expected == total * total else (observed * total - expected) / (total * total - expected)


def _compare(pair: _Pair, names: tuple[str, str], first: RawExample, second: RawExample) -> None:
    """Adds a text to the counts of a pair."""
    pair.texts += 1
    whole = counted_whole((first, second))
    keys: dict[str, Callable] = {
        "entities": entity_key,
        "relations": relation_key,
        "events": lambda item: event_key(item, whole),
    }
    for layer, key_of in keys.items():
        items = getattr(first, layer), getattr(second, layer)
        if None in items:
            continue
        ours, theirs = ({key_of(item): item for item in side} for side in items)
        for side, annotations in enumerate((ours, theirs)):
            for item in annotations.values():
                pair.items.setdefault((layer, item.label), [0, 0, 0])[side] += 1
        for shared in ours.keys() & theirs.keys():
            pair.items[layer, ours[shared].label][2] += 1
        place = slice(1, 3 if layer == "relations" else 2)  # of a key: the ends, the mention or the trigger
        sides = (names[0], first, ours, theirs), (names[1], second, theirs, ours)
        for name, record, has, lacks in sides:
            for each, item in has.items():
                if each not in lacks:
                    pair.count += 1
                    if len(pair.first) < LISTED:
                        at_place = [described(other) for key, other in lacks.items() if key[place] == each[place]]
                        pair.first.append(Disagreement(record.place, layer, name, described(item), ", ".join(at_place)))
        if layer == "entities":
            _count_tokens(pair, first.text, *items)


def _count_tokens(pair: _Pair, text: str, first: Sequence[Entity], second: Sequence[Entity]) -> None:
    tokens = token_spans(text)
    pair.tokens += len(tokens)
    inside = [_tokens_inside(tokens, entities) for entities in (first, second)]
    for label in inside[0].keys() | inside[1].keys():
        ours, theirs = inside[0].get(label, set()), inside[1].get(label, set())
        counts = pair.inside.setdefault(label, [0, 0, 0])
        for at, marked in enumerate((ours, theirs, ours & theirs)):
            counts[at] += len(marked)


def _tokens_inside(tokens: Sequence[tuple[int, int]], entities: Sequence[Entity]) -> dict[str, set[int]]:
    """Label → the numbers of the tokens that overlap one of its mentions."""
    inside: dict[str, set[int]] = {}
    for entity in entities:
        marked = inside.setdefault(entity.label, set())
        for start, end in entity.mention.spans:
            marked.update(n for n, (first, last) in enumerate(tokens) if first < end and start < last)
    return inside
