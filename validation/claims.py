"""A fact and the text that may state it, as scorers get it."""

from collections import defaultdict
from collections.abc import Callable

import msgspec

from schemas.example import Span
from schemas.knowledge import MatchedParagraph

PLACE_PROPERTIES = {17, 30, 131, 206, 276, 361, 706, 7153}
"""Properties by which something is in its tail: country, continent, located in, part of."""

PLACES_REVERSED = {150, 527}
"""Properties by which the tail is in something: contains, has part."""


class Claim(msgspec.Struct, frozen=True):
    """The claim that `text` states a relation between two of its mentions.

    `relation`: its key in the themes file; `name`: its name in the language of the text. `property`: that of the
    statement in the knowledge graph. `mentions`: the spans of all mentions, sorted. `head_is_page`, `tail_is_page`: the
    text is about this item. `steps`: other items of the text through which the graph leads from the inner place to the
    outer one; 0 for other relations.
    """

    text: str
    lang: str
    head: Span
    tail: Span
    relation: str
    name: str
    property: int
    mentions: tuple[Span, ...] = ()
    title: str | None = None
    head_types: tuple[str, ...] = ()
    tail_types: tuple[str, ...] = ()
    head_is_page: bool = False
    tail_is_page: bool = False
    steps: int = 0


def claims(paragraph: MatchedParagraph, name: Callable[[str], str]) -> list[Claim]:
    """One claim for each fact of the paragraph, in their order. `name`: that of a relation, by its key."""
    text, mentions = paragraph.paragraph, paragraph.mentions
    spans = tuple((mention.start, mention.end) for mention in mentions)
    pairs = [(fact.property, mentions[fact.head].qid, mentions[fact.tail].qid) for fact in paragraph.facts]
    steps = steps_between(pairs)
    return [
        Claim(
            text=text.text,
            lang=text.lang,
            head=spans[fact.head],
            tail=spans[fact.tail],
            relation=fact.relation,
            name=name(fact.relation),
            property=fact.property,
            mentions=spans,
            title=text.title,
            head_types=mentions[fact.head].types,
            tail_types=mentions[fact.tail].types,
            head_is_page=text.page is not None and mentions[fact.head].qid == text.page,
            tail_is_page=text.page is not None and mentions[fact.tail].qid == text.page,
            steps=between,
        )
        for fact, between in zip(paragraph.facts, steps, strict=True)
    ]


def steps_between(facts: list[tuple[int, int | None, int | None]]) -> list[int]:
    """The `steps` of claims with these properties and items."""
    outer: dict[int, set[int]] = defaultdict(set)
    for property, head, tail in facts:
        if head is not None and tail is not None and head != tail:
            if property in PLACE_PROPERTIES:
                outer[head].add(tail)
            elif property in PLACES_REVERSED:
                outer[tail].add(head)
    steps = []
    for property, head, tail in facts:
        inner, around = (tail, head) if property in PLACES_REVERSED else (head, tail)
        is_place = property in PLACE_PROPERTIES or property in PLACES_REVERSED
        between = outer.get(inner, set()) - {inner, around} if is_place and inner is not None else set()
        steps.append(sum(around in outer.get(place, ()) for place in between))
    return steps
