"""Items, statements and paragraphs of tests of matching."""

from schemas.knowledge import Item, LinkedMention, LinkedParagraph, MatchedParagraph, Paragraph, Statement
from transforms.knowledge.matching import match
from transforms.knowledge.themes import load

THEMES = load()
ADA, BEN, PORT, LAND, YARD, GUILD, PARISH = 1, 2, 3, 4, 5, 6, 7
TYPES = {
    ADA: ("human",),
    BEN: ("human",),
    PORT: ("geographic_region",),
    LAND: ("geographic_region",),
    YARD: ("organization",),
    GUILD: ("organization",),
    PARISH: ("geographic_region",),
}


def item(qid: int, *statements: Statement, names: tuple[str, ...] = ("name",), types=None) -> Item:
    kinds = TYPES.get(qid, ()) if types is None else types
    neighbours = frozenset(statement.item for statement in statements if statement.item is not None)
    return Item(qid, names[0], names, kinds, statements, neighbours)


def to(number: int, qid: int) -> Statement:
    return Statement(number, "item", item=qid)


def date(number: int, text: str, precision: int = 11) -> Statement:
    return Statement(number, "time", text=text, precision=precision)


def linked(text: str, mentions: list[tuple[str, int]], page: int | None = None, lang: str = "en") -> LinkedParagraph:
    """Mentions are given in the order in which they occur in the text."""
    spans, place = [], 0
    for surface, qid in mentions:
        start = text.index(surface, place)
        place = start + len(surface)
        spans.append(LinkedMention(start, place, "name", qid, TYPES.get(qid, ())))
    return LinkedParagraph(Paragraph("p", lang, text, None, page), tuple(spans))


def run(paragraph: LinkedParagraph, *items: Item, theme: str | None = "Person") -> MatchedParagraph:
    return match(paragraph, {each.qid: each for each in items}, THEMES, theme)


def facts(matched: MatchedParagraph) -> list[tuple[str, str, str]]:
    text = matched.paragraph.text
    spell = [text[mention.start : mention.end] for mention in matched.mentions]
    return [(spell[fact.head], fact.relation, spell[fact.tail]) for fact in matched.facts]
