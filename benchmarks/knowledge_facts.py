"""Texts with annotated facts of Wikidata, in one form for all sets (see `knowledge_gold`)."""

from collections.abc import Iterable

import msgspec

Span = tuple[int, int]


class End(msgspec.Struct, frozen=True):
    """Head or tail of a fact. `qid`: its item, if the file names one. `spans`: where the text mentions it."""

    text: str
    qid: int | None = None
    spans: tuple[Span, ...] = ()

    @property
    def key(self) -> int | str:
        return self.text.casefold() if self.qid is None else self.qid


class GoldFact(msgspec.Struct, frozen=True):
    """`named`: the text names both ends, as opposed to mentioning them by a pronoun or a description, or not at all,
    and their items are known if the set links ends to items. `is_value`: the tail is a date, quantity or string, not an
    item.
    """

    relation: str
    head: End
    tail: End
    named: bool
    is_value: bool = False


class GoldMention(msgspec.Struct, frozen=True):
    start: int
    end: int
    qid: int


class GoldText(msgspec.Struct, frozen=True):
    """`relations`: those that are annotated in this text. `group`: the part of the set that it belongs to.
    `mentions`: mentions of items, sorted; no two have the same offsets.
    """

    id: str
    text: str
    relations: frozenset[str]
    facts: tuple[GoldFact, ...]
    mentions: tuple[GoldMention, ...]
    group: str
    title: str | None = None
    page: int | None = None


class Relation(msgspec.Struct, frozen=True):
    """A relation of a set. `properties`: property → whether its statements have head and tail swapped. `head`, `tail`:
    entity types of the bundled themes; empty: any.
    """

    label: str
    properties: dict[int, bool]
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


class Gold(msgspec.Struct, frozen=True):
    """`repaired`: number of texts with wrongly decoded characters that were repaired."""

    name: str
    relations: dict[str, Relation]
    texts: tuple[GoldText, ...]
    repaired: int = 0


def unique(facts: Iterable[GoldFact]) -> tuple[GoldFact, ...]:
    """Each fact once, with all spans of its ends. It is named if one of its occurrences is."""
    by_key: dict[tuple, GoldFact] = {}
    for fact in facts:
        key = (fact.relation, fact.head.key, fact.tail.key)
        if other := by_key.get(key):
            head, tail = merge(other.head, fact.head), merge(other.tail, fact.tail)
            fact = GoldFact(fact.relation, head, tail, other.named or fact.named, fact.is_value)
        by_key[key] = fact
    return tuple(by_key.values())


def merge(end: End, other: End) -> End:
    return End(end.text, end.qid, tuple(sorted({*end.spans, *other.spans})))


def mentions_of(spans: Iterable[tuple[Span, int | None]]) -> tuple[GoldMention, ...]:
    """Mentions of items, the first of those with the same offsets, sorted."""
    by_span: dict[Span, int] = {}
    for span, qid in spans:
        if qid is not None:
            by_span.setdefault(span, qid)
    return tuple(GoldMention(*span, qid) for span, qid in sorted(by_span.items()))
