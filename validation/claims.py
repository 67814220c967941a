"""A fact and the text that may state it, as a scorer gets it."""

from collections.abc import Mapping

import msgspec

from schemas.example import Span
from schemas.knowledge import MatchedParagraph


class Claim(msgspec.Struct, frozen=True):
    """The claim that `text` states a relation between two of its mentions.

    `relation`: its key in the themes file; `name`: its name in the language of the text. `property`: that of the
    statement in the knowledge graph. `mentions`: the spans of all mentions, sorted. `head_is_page`, `tail_is_page`: the
    text is about this item. `by_name`: the head was recognised because the text has the name of an item, without a
    link or another hint that this item is meant.
    """

    text: str
    lang: str
    head: Span
    tail: Span
    relation: str
    name: str
    property: int
    mentions: tuple[Span, ...] = ()
    head_is_page: bool = False
    tail_is_page: bool = False
    by_name: bool = False


def claims(paragraph: MatchedParagraph, names: Mapping[str, str]) -> list[Claim]:
    """One claim for each fact of the paragraph, in their order. `names`: relation → its name in this language."""
    text, mentions = paragraph.paragraph, paragraph.mentions
    spans = tuple((mention.start, mention.end) for mention in mentions)
    return [
        Claim(
            text=text.text,
            lang=text.lang,
            head=spans[fact.head],
            tail=spans[fact.tail],
            relation=fact.relation,
            name=names[fact.relation],
            property=fact.property,
            mentions=spans,
            head_is_page=text.page is not None and mentions[fact.head].qid == text.page,
            tail_is_page=text.page is not None and mentions[fact.tail].qid == text.page,
            by_name=mentions[fact.head].kind == "name",
        )
        for fact in paragraph.facts
    ]
