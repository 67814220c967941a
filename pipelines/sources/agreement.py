"""When two annotations of a text are the same, and how far its annotators agree."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from schemas.agreement import Agreement, Annotators, Confusion, Disagreement, LabelAgreement, Votes
from schemas.errors import writable
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from transforms.scripts import token_spans

LISTED, PAIRS = 20, 100
"""Disagreements that are kept per pair of annotators; pairs that are kept, out of what may be thousands."""

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


def entity_key(item: Entity) -> tuple:
    return item.label, mention_key(item.mention)


def relation_key(item: Relation) -> tuple:
    """Without the types of the ends, about which the entities decide."""
    return item.label, mention_key(item.head), mention_key(item.tail)


def argument_key(item: Argument) -> Key:
    return item.role, mention_key(item.mention)


def event_key(item: Event, whole: frozenset[str]) -> tuple:
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


class Comparison:
    """Compares the annotators of texts, which are added one by one.

    F1 counts annotations with the same label and spans, as `annotators.choose` compares them. Kappa (Cohen 1960, A
    Coefficient of Agreement for Nominal Scales) counts tokens, since there is no number of spans that nobody marked,
    which kappa needs (Hripcsak and Rothschild 2005, Agreement, the F-Measure, and Reliability in Information
    Retrieval). If an annotator has several annotations of a text, the first counts.

    `texts`: annotator → texts that they annotated. `choice`: as in `Annotators`; the reader of the texts sets it.
    """

    def __init__(self) -> None:
        self.choice = ""
        self.texts: Counter[str] = Counter()
        self._pairs: dict[tuple[str, str], _Pair] = {}

    def add(self, records: Sequence[RawExample]) -> None:
        """Compares the records of a text, each pair of annotators."""
        by_name: dict[str, RawExample] = {}
        for record in records:
            if record.annotator is not None and is_annotated(record):
                by_name.setdefault(writable(record.annotator), record)
        self.texts.update(by_name.keys())
        if len(by_name) < 2:
            return
        tokens = token_spans(records[0].text)
        marked = {name: _tokens_inside(tokens, record.entities or ()) for name, record in by_name.items()}
        for first, second in combinations(sorted(by_name), 2):
            pair = self._pairs.setdefault((first, second), _Pair())
            pair.compare((first, second), (by_name[first], by_name[second]))
            if by_name[first].entities is not None and by_name[second].entities is not None:
                pair.count_tokens(len(tokens), marked[first], marked[second])

    def add_texts(self, other: Annotators) -> None:
        """Adds other texts, which are already compared."""
        self.choice = other.choice
        self.texts.update(other.texts)
        for agreement in other.pairs:
            self._pairs.setdefault((agreement.first, agreement.second), _Pair()).add(agreement)

    def annotators(self, pairs: int | None = PAIRS) -> Annotators:
        """`pairs`: the number of pairs to keep (None: all)."""
        order = sorted(self._pairs, key=lambda names: (-self._pairs[names].texts, names))
        kept = tuple(self._pairs[names].agreement(names) for names in order[:pairs])
        return Annotators(self.choice, dict(sorted(self.texts.items())), kept, len(order))


NO_VOTES = Votes()


@dataclass(slots=True)
class _Pair:
    """The counts of an Agreement."""

    texts: int = 0
    tokens: int = 0
    places: dict[str, Votes] = field(default_factory=dict)
    labels: dict[tuple[str, str], Votes] = field(default_factory=dict)  # by layer and label
    inside: dict[str, Votes] = field(default_factory=dict)  # tokens by label of an entity
    confusions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    count: int = 0
    first: list[Disagreement] = field(default_factory=list)

    def add(self, other: Agreement) -> None:
        self.texts += other.texts
        self.tokens += other.tokens
        for layer, votes in other.places.items():
            _vote(self.places, layer, votes)
        for each in other.labels:
            _vote(self.labels, (each.layer, each.label), each.votes)
            _vote(self.inside, each.label, each.tokens)
        for confusion in other.confusions:
            self.confusions[confusion.layer, confusion.first, confusion.second] += confusion.count
        self.count += other.disagreement_count
        self.first += other.disagreements[: LISTED - len(self.first)]

    def agreement(self, names: tuple[str, str]) -> Agreement:
        labels = (
            LabelAgreement(layer, label, votes, self.inside.get(label, NO_VOTES) if layer == "entities" else NO_VOTES)
            for (layer, label), votes in sorted(self.labels.items())
        )
        confusions = sorted(self.confusions.items(), key=lambda item: (-item[1], item[0]))
        return Agreement(
            *names,
            self.texts,
            self.tokens,
            self.places,
            tuple(labels),
            tuple(Confusion(*labels, count) for labels, count in confusions),
            self.count,
            tuple(self.first),
        )

    def compare(self, names: tuple[str, str], records: tuple[RawExample, RawExample]) -> None:
        """Adds a text, but not its tokens."""
        self.texts += 1
        whole = counted_whole(records)
        keys: dict[str, Callable] = {
            "entities": entity_key,
            "relations": relation_key,
            "events": lambda item: event_key(item, whole),
        }
        for layer, key_of in keys.items():
            layers = [getattr(record, layer) for record in records]
            if None not in layers:
                ours, theirs = ({key_of(item): item for item in items} for items in layers)
                self._compare_layer(layer, ours, theirs)
                for name, record, has, lacks in zip(names, records, (ours, theirs), (theirs, ours), strict=True):
                    self._disagree(layer, name, record, has, lacks)

    def _compare_layer(self, layer: str, ours: "Items", theirs: "Items") -> None:
        counts = [Counter(writable(item.label) for item in side.values()) for side in (ours, theirs)]
        shared = Counter(writable(ours[key].label) for key in ours.keys() & theirs.keys())
        for label in counts[0] | counts[1]:
            _vote(self.labels, (layer, label), Votes(counts[0][label], counts[1][label], shared[label]))
        ours_at, theirs_at = (_labels_by_place(layer, side) for side in (ours, theirs))
        both = ours_at.keys() & theirs_at.keys()
        _vote(self.places, layer, Votes(len(ours_at), len(theirs_at), len(both)))
        for place in both:
            pairs = product(ours_at[place] - theirs_at[place], theirs_at[place] - ours_at[place])
            self.confusions.update((layer, first, second) for first, second in pairs)

    def _disagree(self, layer: str, name: str, record: RawExample, has: "Items", lacks: "Items") -> None:
        for key, item in has.items():
            if key not in lacks:
                self.count += 1
                if len(self.first) < LISTED:
                    same_place = (other for at, other in lacks.items() if _place(layer, at) == _place(layer, key))
                    what, other = writable(described(item)), writable(", ".join(map(described, same_place)))
                    place, number = writable(record.place), writable(record.item or "")
                    self.first.append(Disagreement(place, number, layer, name, what, other))

    def count_tokens(self, total: int, first: dict[str, set[int]], second: dict[str, set[int]]) -> None:
        """Adds a text with `total` tokens, some of which are inside entities: label → their numbers."""
        self.tokens += total
        for label in first.keys() | second.keys():
            ours, theirs = first.get(label, set()), second.get(label, set())
            _vote(self.inside, label, Votes(len(ours), len(theirs), len(ours & theirs)))


Items = dict[tuple, Entity | Relation | Event]
"""The annotations of a layer by their keys."""


def _vote(counts: dict, key: Key, votes: Votes) -> None:
    counts[key] = counts.get(key, NO_VOTES) + votes


def _place(layer: str, key: tuple) -> tuple:
    """What is annotated, without the label: the part of a key with the mention, the ends or the trigger."""
    return key[1:3] if layer == "relations" else key[1:2]


def _labels_by_place(layer: str, items: Items) -> dict[Key, set[str]]:
    labels: dict[Key, set[str]] = {}
    for key, item in items.items():
        labels.setdefault(_place(layer, key), set()).add(writable(item.label))
    return labels


def _tokens_inside(tokens: Sequence[tuple[int, int]], entities: Sequence[Entity]) -> dict[str, set[int]]:
    """Label → the numbers of the tokens that overlap one of its mentions. `tokens`: in order, without overlap."""
    inside: dict[str, set[int]] = {}
    for entity in entities:
        marked = inside.setdefault(writable(entity.label), set())
        for start, end in entity.mention.spans:
            first = bisect_right(tokens, start, key=lambda token: token[1])
            marked.update(range(first, bisect_left(tokens, end, key=lambda token: token[0])))
    return inside
