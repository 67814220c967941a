"""Facts of a linked paragraph: what the graph says about its mentions, as far as the schema of its theme allows.

The theme is given, or it is that of the item that the page is about. A relation holds between

- two items with mentions, if one has a statement about the other with a property of the relation;
- an item and a value that the text states (`transforms.knowledge.values`). The value becomes a mention, unless one of
  an item of the right type has the same place. A value inside the mention of another item does not count: `2009 World
  Cup` states when the cup took place, and nothing about a player;
- an item and another of its names, if the relation has `aliases` and a sentence introduces the name shortly after a
  mention: `Ada Marrow (also known as Lady Coal)`. Names are those of the item, with ALIAS as the property of the fact,
  and strings of its statements.

The types of head and tail must be among those of the relation. An item without types, of which the graph knows no
class, may be any item. There is one fact per relation and pair of items, or of item and place of a value, between the
mentions that are nearest to each other: without overlap, in one sentence, with the fewest characters between them, then
the first ones. Names must differ: a part of the head's name is not another name, nor is the same name in the other
Chinese script.

A demonym states where a person, a work or an organization is from, but not where a place is: "an American attorney,
born in Oakland" says nothing about the country of Oakland.

In a `transitive` relation, A → C is dropped if the text states A → B and B → C.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

from schemas.knowledge import Fact, Item, LinkedMention, LinkedParagraph, MatchedParagraph, Statement, ValueKind
from transforms.knowledge.name_rules import are_script_variants, is_demonym
from transforms.knowledge.themes import Relation, Theme, Themes, fits, theme_of_types
from transforms.knowledge.unknown import Undecided, has_unlinked_name, unnamed_types
from transforms.knowledge.values import Span, TextValues, find_string
from transforms.sentences import sentences

ALIAS = 0
"""The property of a fact that another name of the item states."""

LONGEST_INTRODUCTION = 60
INTRODUCTION = re.compile(
    r"[(（“‘「『]|(?<!\w)[\"']|\b(?:known|called|named?|nicknamed|titled|renamed|formerly|originally|alias|aka|a\.k\.a\."
    r"|born|née|abbreviated|abbreviation|short for|i\.e\.|or simply|or)\b"
    r"|又[称稱名叫]|[亦也俗简簡旧舊古原全通统統]称|[亦也俗簡舊統]稱|[别別本原旧舊学學]名|[别別]号|字|号|號|即|或[称稱]?|[称稱叫]"
)
"""What introduces another name: a bracket, a quotation mark or such a word."""

PLACES = frozenset({"geographic_region", "architectural_structure", "transport"})
"""Types of items whose place a demonym does not state."""

VALUE_TYPES: dict[ValueKind, str] = {"time": "time", "quantity": "measure", "string": "text"}
"""Kind of value → entity type."""


class Stated(NamedTuple):
    """A relation of an item `head` to an item, or to a value of an entity type. `tail`: the item or the place."""

    relation: Relation
    head: int
    tail: int | Span
    property: int
    type: str = ""
    head_place: Span = (0, 0)


def match(
    paragraph: LinkedParagraph,
    items: Mapping[int, Item],
    themes: Themes,
    theme: str | None = None,
    coarse_dates: bool = False,
) -> MatchedParagraph:
    """The paragraph with its theme, facts and unknown relations. `items`: those of its mentions and of its page.

    `theme`: the theme of all paragraphs; None for that of the page. A paragraph without a theme has no facts.
    `coarse_dates`: whether a date in the text may be less precise than that of the graph.
    """
    key = theme or theme_of_page(paragraph, items, themes)
    if key is None:
        return MatchedParagraph(paragraph.paragraph, None, paragraph.mentions, ())
    matcher = Matcher(paragraph, items, themes.themes[key], coarse_dates)
    stated = reduced(matcher.stated())
    mentions, facts = matcher.facts(stated)
    unknown = matcher.unknown(stated)
    return MatchedParagraph(paragraph.paragraph, key, mentions, facts, unknown)


def theme_of_page(paragraph: LinkedParagraph, items: Mapping[int, Item], themes: Themes) -> str | None:
    page = paragraph.paragraph.page
    if page is None:
        return None
    if page in items:
        return theme_of_types(items[page].types, themes)
    types = (mention.types for mention in paragraph.mentions if mention.qid == page)
    return theme_of_types(next(types, ()), themes)


class Matcher:
    """A linked paragraph, and what the relations of its theme need of it.

    `places`: of the items with mentions. `types`: of these and of the page's item, which the text may mean without a
    name. `items`: those of them that are known, sorted. `hidden`: relations that the text may state only where it does
    not count.
    """

    def __init__(self, linked: LinkedParagraph, items: Mapping[int, Item], theme: Theme, coarse_dates: bool):
        self.text, self.lang = linked.paragraph.text, linked.paragraph.lang
        self.mentions, self.theme, self.page = linked.mentions, theme, linked.paragraph.page
        self.places: dict[int, list[Span]] = {}
        self.types: dict[int, tuple[str, ...]] = {}
        for mention in linked.mentions:
            if mention.qid is not None:
                self.places.setdefault(mention.qid, []).append((mention.start, mention.end))
                self.types[mention.qid] = mention.types
        qids = {*self.places} if self.page is None else {*self.places, self.page}
        self.items = {qid: items[qid] for qid in sorted(qids) if qid in items}
        self.types |= {qid: item.types for qid, item in self.items.items()}
        self.values = TextValues(self.text, self.lang)
        self.coarse_dates = coarse_dates
        self.hidden: set[str] = set()

    @cached_property
    def sentence_starts(self) -> list[int]:
        return [start for start, _ in sentences(self.text, self.lang)]

    def sentence(self, place: Span) -> int:
        return bisect_right(self.sentence_starts, place[0])

    def stated(self) -> list[Stated]:
        """What the text may state, each once, with the smallest property behind it."""
        stated: dict[tuple[str, int, int | Span], Stated] = {}
        for each in self.candidates():
            if each.head not in self.places or (isinstance(each.tail, int) and not self.pairs(each.head, each.tail)):
                self.hidden.add(each.relation.key)
                continue
            key = (each.relation.key, each.head, each.tail)
            if key not in stated or each.property < stated[key].property:
                stated[key] = each
        return list(stated.values())

    def candidates(self) -> Iterator[Stated]:
        by_property = self.theme.by_property
        for qid, item in self.items.items():
            for statement in item.statements:
                number, other = statement.property, statement.item
                for relation in by_property.get((number, False), ()):
                    if other is None:
                        yield from self.value(relation, qid, statement)
                    elif self.may_relate(relation, qid, other):
                        yield Stated(relation, qid, other, number)
                for relation in by_property.get((number, True), ()):
                    if other is not None and self.may_relate(relation, other, qid):
                        yield Stated(relation, other, qid, number)
        for relation in self.theme.relations:
            if relation.aliases:
                for qid in self.items:
                    yield from self.aliases(relation, qid)

    def may_relate(self, relation: Relation, head: int, tail: int) -> bool:
        types = self.types
        return (
            head != tail
            and head in types
            and tail in types
            and fits(types[head], relation.head)
            and fits(types[tail], relation.tail)
        )

    def value(self, relation: Relation, head: int, statement: Statement) -> Iterator[Stated]:
        """The place of a value that is nearest to a mention of the head."""
        kind = VALUE_TYPES.get(statement.kind)
        if kind not in relation.tail or not fits(self.types[head], relation.head):
            return
        if kind == "text" and relation.aliases:
            return  # see `aliases`
        spans = self.values.find(statement)
        if not spans and self.coarse_dates:
            spans = self.values.less_precise(statement)
        if spans and head not in self.places:
            self.hidden.add(relation.key)
            return
        places = self.places.get(head, ())
        pairs = [pair for pair in product(places, spans) if kind != "text" or differ(*map(self.surface, pair))]
        visible = [pair for pair in pairs if not self.is_inside(pair[1], head)]
        if visible:
            head_place, place = min(visible, key=self.distance)
            yield Stated(relation, head, place, statement.property, kind, head_place)
        elif pairs:
            self.hidden.add(relation.key)

    def aliases(self, relation: Relation, head: int) -> Iterator[Stated]:
        """The other names of the head, each at the first place where the text introduces it after a mention."""
        if not fits(self.types[head], relation.head):
            return
        item, places = self.items[head], self.places.get(head, [])
        properties = dict.fromkeys(item.names, ALIAS)
        for statement in item.statements:
            if statement.kind == "string" and statement.text and (statement.property, False) in relation.properties:
                properties[statement.text] = min(
                    statement.property, properties.get(statement.text) or statement.property
                )
        spans = {span for name in properties for span in find_string(self.text, name) if not self.overlaps(span)}
        spans.update(places)
        names = {self.surface(place) for place in spans}
        if len(names) < 2:
            return
        for place in sorted(spans):
            name = self.surface(place)
            earlier = [other for other in places if other[1] <= place[0]]
            if name not in names or not earlier or not all(differ(self.surface(other), name) for other in earlier):
                continue
            introducing = [
                other
                for other in earlier
                if introduces(self.text[other[1] : place[0]]) and self.sentence(other) == self.sentence(place)
            ]
            if introducing:
                names.remove(name)
                yield Stated(relation, head, place, properties.get(name, ALIAS), "text", introducing[0])
            else:
                self.hidden.add(relation.key)

    def surface(self, place: Span) -> str:
        return self.text[place[0] : place[1]]

    def overlaps(self, span: Span) -> bool:
        return any(mention.start < span[1] and span[0] < mention.end for mention in self.mentions)

    def is_inside(self, span: Span, head: int) -> bool:
        """Whether the span is a part of a mention of another item than `head`, or crosses its edge."""
        start, end = span
        return any(
            mention.start < end
            and start < mention.end
            and (mention.start < start or end < mention.end)
            and mention.qid != head
            for mention in self.mentions
        )

    def distance(self, pair: tuple[Span, Span]) -> tuple:
        """Sorts pairs of places: those that most likely belong to one statement of the text come first."""
        head, tail = pair
        between = max(head[0], tail[0]) - min(head[1], tail[1])
        return between < 0, self.sentence(head) != self.sentence(tail), between, head, tail

    @cached_property
    def without_demonyms(self) -> dict[int, list[Span]]:
        """The mentions of items in `places` that are not demonyms."""
        return {
            qid: [
                place
                for place in places
                if qid not in self.items or not is_demonym(self.text, *place, self.items[qid], self.lang)
            ]
            for qid, places in self.places.items()
        }

    def pairs(self, head: int, tail: int) -> list[tuple[Span, Span]]:
        """The mentions of two items between which the text may state a fact."""
        are_places = not (PLACES.isdisjoint(self.types[head]) or PLACES.isdisjoint(self.types[tail]))
        places = self.without_demonyms if are_places else self.places
        return list(product(places.get(head, ()), places.get(tail, ())))

    def nearest(self, head: int, tail: int) -> tuple[Span, Span]:
        pairs = self.pairs(head, tail)
        return min(pairs, key=self.distance) if len(pairs) > 1 else pairs[0]

    def unknown(self, stated: Sequence[Stated]) -> tuple[str, ...]:
        """The relations without a fact that must not be asked, sorted."""
        spans = [(mention.start, mention.end) for mention in self.mentions]
        spans += [(date.start, date.end) for date in self.values.dates]
        unlinked = has_unlinked_name(self.text, self.lang, spans)
        types = self.types
        if self.page not in self.items:
            types = types | unnamed_types(self.text, self.lang) | ({0: ()} if unlinked else {})
        taken = {each.tail for each in stated if not isinstance(each.tail, int)}
        named = {each.relation.key for each in stated}
        others = [relation for relation in self.theme.relations if relation.key not in named]
        undecided = Undecided(types, self.items, self.values, taken, unlinked).relations(others)
        return tuple(sorted({*undecided, *self.hidden} - named))

    def facts(self, stated: Sequence[Stated]) -> tuple[tuple[LinkedMention, ...], tuple[Fact, ...]]:
        """All mentions, with those of values, and the facts between them, sorted."""
        by_item = {(mention.qid, (mention.start, mention.end)): mention for mention in self.mentions}
        by_place: dict[Span, list[LinkedMention]] = defaultdict(list)
        for mention in self.mentions:
            by_place[mention.start, mention.end].append(mention)
        values: dict[tuple[Span, str], LinkedMention] = {}
        ends: list[tuple[Stated, LinkedMention, LinkedMention]] = []
        for each in stated:
            if isinstance(each.tail, int):
                head_place, place = self.nearest(each.head, each.tail)
                tail = by_item[each.tail, place]
            else:
                head_place, place = each.head_place, each.tail
                fitting = [mention for mention in by_place[place] if fits(mention.types, each.relation.tail)]
                new = LinkedMention(*place, "value", None, (each.type,))
                tail = fitting[0] if fitting else values.setdefault((place, each.type), new)
            ends.append((each, by_item[each.head, head_place], tail))
        mentions = sorted([*self.mentions, *values.values()], key=mention_order)
        numbers = {mention: number for number, mention in enumerate(mentions)}
        facts = {
            (numbers[head], numbers[tail], each.relation.key): each.property
            for each, head, tail in sorted(ends, key=lambda end: -end[0].property)
            if head != tail
        }
        return tuple(mentions), tuple(
            Fact(relation, head, tail, number) for (head, tail, relation), number in sorted(facts.items())
        )


def mention_order(mention: LinkedMention) -> tuple:
    return mention.start, mention.end, mention.qid is None, mention.qid or 0, mention.types, mention.kind


def introduces(between: str) -> bool:
    """Whether the text between two names of an item says that the second is a name of it."""
    return len(between) <= LONGEST_INTRODUCTION and bool(INTRODUCTION.search(between))


def differ(name: str, other: str) -> bool:
    """Whether two texts are different names: none of them is a part of the other, or the other in another script."""
    name, other = name.casefold(), other.casefold()
    return name not in other and other not in name and not are_script_variants(name, other)


def reduced(stated: Sequence[Stated]) -> list[Stated]:
    """Without what follows from the others in a transitive relation (its transitive reduction). Pairs of items that
    lead to each other are kept.
    """
    tails: dict[str, dict[int, set[int]]] = {}
    for each in stated:
        if each.relation.transitive and isinstance(each.tail, int):
            tails.setdefault(each.relation.key, {}).setdefault(each.head, set()).add(each.tail)
    if not tails:
        return list(stated)
    reachable = {key: {head: reach(edges, head) for head in edges} for key, edges in tails.items()}

    def follows(each: Stated) -> bool:
        if not (each.relation.transitive and isinstance(each.tail, int)):
            return False
        edges, onward = tails[each.relation.key], reachable[each.relation.key]
        return any(
            each.tail in onward.get(between, ())
            and each.head not in onward.get(between, ())
            and between not in onward.get(each.tail, ())
            for between in edges[each.head] - {each.tail}
        )

    return [each for each in stated if not follows(each)]


def reach(edges: Mapping[int, set[int]], start: int) -> set[int]:
    """The items that edges lead to from `start`; itself only in a cycle."""
    seen: set[int] = set()
    front = [start]
    while front:
        new = {tail for item in front for tail in edges.get(item, ())} - seen
        seen |= new
        front = list(new)
    return seen
