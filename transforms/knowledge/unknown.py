"""Relations that must not be asked of a text, because the graph cannot tell whether the text states them.

A graph is incomplete: that it has no fact does not mean that the text states none. A relation of the theme that has no
fact in the text is safe to ask, as an example of "not stated", if the graph decides it for every pair of a possible
head and a possible tail. Otherwise it is unknown.

- A possible head is an item with a mention whose types the relation allows as head, or the item that the page is about,
  even without a mention. Without one, the relation is safe.
- A possible tail of a head is another item with a mention whose types the relation allows as tail; if the relation
  allows values, a date, a number of its dimension, or any name in the text. A date or number that is the tail of a fact
  is none of another relation.
- The graph decides a pair of items if the head has a statement with a property of the relation, or the tail one with a
  swapped property, whose value is known. The value is then another one, or the pair would be a fact.
- It decides all dates and names if the head has such a statement; not if the text states a less precise date that
  agrees with it. For a relation with `aliases`, another name of the head in the graph does it, too.
- It decides numbers if the head has such a statement, but only if the text has no number of the same dimension: a
  population or a height is stated with other values at other times.

A name that is not linked (NAME) may be a tail about which the graph knows nothing. If it is not known what the page is
about, such a name and a pronoun in the text (PRONOUNS) may be heads, too.

A relation is also unknown if the graph has a fact that `matching` does not count: about the page's item without a
mention, a value inside the mention of another item, or another name that the text does not introduce.
"""

import re
from collections.abc import Iterable, Mapping, Set

from schemas.knowledge import Item, Statement
from transforms.knowledge.quantities import COUNT, units
from transforms.knowledge.themes import Relation, fits
from transforms.knowledge.values import Span, TextValues

Types = Mapping[int, tuple[str, ...]]

PRONOUNS = {
    "en": {
        ("human",): re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself|i|me|my|myself)\b", re.IGNORECASE),
        (): re.compile(r"\b(?:it|its|itself|they|them|their|theirs|themselves|we|our|ours)\b", re.IGNORECASE),
    },
    "zh": {("human",): re.compile("[他她]"), (): re.compile("它|他们|她们|[其该該]")},
}
"""Language → entity types (none: any) → the pronouns for an item of these types."""


def unnamed_types(text: str, lang: str) -> dict[int, tuple[str, ...]]:
    """The types of the items that pronouns stand for. Their numbers are those of no item."""
    by_types = PRONOUNS["zh" if lang == "zh" else "en"]
    return {-number: types for number, (types, words) in enumerate(by_types.items(), 1) if words.search(text)}


NAME = {
    "en": re.compile(
        r"\b(?!(?:The|A|An|In|On|At|By|For|From|To|Of|As|It|Its|He|His|She|Her|They|Their|This|That|These|Those|There|After"
        r"|Before|During|Since|When|While|With|Until|And|But|Or|If|Also|Both|Some|Many|Most|One|Two|Other|However|Although"
        r"|Because|Then|Later|Today|Yesterday|We|I|You|My|Our|What|Who|Which|Where|How|Here|Not|No|All|Under|Over|Between"
        r"|Mr|Mrs|Ms|Dr|January|February|March|April|May|June|July|August|September|October|November|December"
        r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b)"
        r"[A-Z]\w+"
    ),
    "zh": re.compile(r"《[^》]+》|[A-Z]\w+"),
}
"""Language → words that look like a name."""


def has_unlinked_name(text: str, lang: str, taken: Iterable[Span]) -> bool:
    """Whether a word that looks like a name is outside of the spans that are `taken`."""
    covered = bytearray(len(text))
    for start, end in taken:
        covered[start:end] = b"\1" * (end - start)
    names = NAME["zh" if lang == "zh" else "en"].finditer(text)
    return not all(any(covered[match.start() : match.end()]) for match in names)


class Undecided:
    """What a text has that the graph may know nothing about.

    `types`: of all items that it means. `items`: those that are known. `taken`: the places of the values of its facts.
    `unlinked`: whether it has a name that is not linked.
    """

    def __init__(self, types: Types, items: Mapping[int, Item], values: TextValues, taken: Set[Span], unlinked: bool):
        self.types, self.items, self.values, self.unlinked = types, items, values, unlinked
        self.known = {
            qid: frozenset(statement.property for statement in item.statements if statement.kind != "unknown")
            for qid, item in items.items()
        }
        self.dates = [date for date in values.dates if (date.start, date.end) not in taken]
        self.dimensions = {
            quantity.dimension for quantity in values.quantities if (quantity.start, quantity.end) not in taken
        }

    def relations(self, relations: Iterable[Relation]) -> list[str]:
        """Those of the relations that are not safe to ask."""
        return [relation.key for relation in relations if not self.is_safe(relation)]

    def is_safe(self, relation: Relation) -> bool:
        """Whether the graph decides all pairs of possible heads and tails."""
        nothing: frozenset[int] = frozenset()
        direct = {number for number, swapped in relation.properties if not swapped}
        swapped = {number for number, swapped in relation.properties if swapped}
        undecided_tails = [
            qid
            for qid, types in self.types.items()
            if fits(types, relation.tail) and swapped.isdisjoint(self.known.get(qid, nothing))
        ]
        has_others = self.has_values(relation) or (self.unlinked and fits((), relation.tail))
        for head, types in self.types.items():
            if not fits(types, relation.head):
                continue
            item = self.items.get(head)
            has_names = relation.aliases and item is not None and len(set(item.names)) > 1
            if item and (has_names or not direct.isdisjoint(self.known[head])):
                if self.may_restate(relation, direct, item):
                    return False
            elif has_others or any(tail != head for tail in undecided_tails):
                return False
        return True

    def has_values(self, relation: Relation) -> bool:
        """Whether the text has a value that may be a tail of the relation."""
        return (
            "text" in relation.tail
            or ("time" in relation.tail and bool(self.dates))
            or ("measure" in relation.tail and self.has_number(relation, None))
        )

    def has_number(self, relation: Relation, dimension: str | None) -> bool:
        """Whether the text has a number of the relation's and of this dimension (None: of any)."""
        allowed = {relation.dimension, dimension} - {None}
        return bool(self.dimensions) if not allowed else len(allowed) == 1 and not allowed.isdisjoint(self.dimensions)

    def may_restate(self, relation: Relation, direct: Set[int], item: Item) -> bool:
        """Whether the text may state a value of the item's statements in another way: a less precise date, or another
        number of the same dimension.
        """
        for statement in item.statements:
            if statement.property not in direct:
                continue
            if statement.kind == "time" and "time" in relation.tail and self.values.less_precise(statement):
                return True
            if statement.kind == "quantity" and self.has_number(relation, dimension_of(statement)):
                return True
        return False


def dimension_of(statement: Statement) -> str | None:
    """The dimension of a quantity; None if its unit is not listed."""
    if statement.unit is None:
        return COUNT
    unit = units().get(statement.unit)
    return unit.dimension if unit else None
