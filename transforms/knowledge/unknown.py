"""Relations that must not be asked of a text, because the graph cannot tell whether the text states them.

A graph is incomplete: that it has no fact does not mean that the text states none. A relation of the theme that has no
fact in the text is safe to ask, as an example of "not stated", if the graph decides it for every pair of a possible
head and a possible tail. Otherwise it is unknown.

- A possible head is an item with a mention whose types the relation allows as head, or the item that the page is about,
  even without a mention. Without one, the relation is safe.
- A possible tail of a head is another item with a mention whose types the relation allows as tail; if the relation
  allows values, a date, a number of its dimension, or any name in the text.
- The graph decides a pair of items if the head has a statement with a property of the relation, or the tail one with a
  swapped property, whose value is known. The value is then another one, or the pair would be a fact.
- It decides all dates and names if the head has such a statement; not if the text states a less precise date that
  agrees with it. For a relation with `aliases`, another name of the head in the graph does it, too.
- It decides numbers if the head has such a statement, but only if the text has no number of the same dimension: a
  population or a height is stated with other values at other times.

If it is not known what the page is about, a pronoun in the text (PRONOUNS) is a head and a tail about which the graph
knows nothing.

A relation is also unknown if the graph has a fact that `matching` does not count: about the page's item without a
mention, a value inside the mention of another item, or another name in another sentence.
"""

import re
from collections.abc import Iterator, Mapping, Set

from schemas.knowledge import Item, Statement
from transforms.knowledge.quantities import COUNT, Quantity, units
from transforms.knowledge.themes import Relation, Theme, fits
from transforms.knowledge.values import TextValues

Types = Mapping[int, tuple[str, ...]]

PRONOUNS = {
    "en": {
        ("human",): re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b", re.IGNORECASE),
        (): re.compile(r"\b(?:it|its|itself|they|them|their|theirs|themselves)\b", re.IGNORECASE),
    },
    "zh": {("human",): re.compile("[他她]"), (): re.compile("它|他们|她们|[其该該]")},
}
"""Language → entity types (none: any) → the pronouns for an item of these types."""


def unnamed_types(text: str, lang: str) -> dict[int, tuple[str, ...]]:
    """The types of the items that pronouns stand for. Their numbers are those of no item."""
    by_types = PRONOUNS["zh" if lang == "zh" else "en"]
    return {-number: types for number, (types, words) in enumerate(by_types.items(), 1) if words.search(text)}


def unknown_relations(
    theme: Theme, types: Types, items: Mapping[int, Item], values: TextValues, stated: Set[str], hidden: Set[str]
) -> tuple[str, ...]:
    """The relations without a fact that are not safe to ask, sorted.

    `types`: of all items with mentions. `items`: those that are known. `stated`: relations with a fact. `hidden`:
    relations whose value is in the text, but not counted.
    """
    known = {qid: known_properties(item) for qid, item in items.items()}
    return tuple(
        sorted(
            relation.key
            for relation in theme.relations
            if relation.key not in stated
            and (relation.key in hidden or not is_safe(relation, types, items, known, values))
        )
    )


def known_properties(item: Item) -> frozenset[int]:
    return frozenset(statement.property for statement in item.statements if statement.kind != "unknown")


def is_safe(
    relation: Relation,
    types: Types,
    items: Mapping[int, Item],
    known: Mapping[int, frozenset[int]],
    values: TextValues,
) -> bool:
    """Whether the graph decides all pairs of possible heads and tails. `known`: the properties of each known item."""
    nothing: frozenset[int] = frozenset()
    direct = {number for number, swapped in relation.properties if not swapped}
    swapped = {number for number, swapped in relation.properties if swapped}
    heads = [qid for qid, kinds in types.items() if fits(kinds, relation.head)]
    undecided_tails = [
        qid
        for qid, kinds in types.items()
        if fits(kinds, relation.tail) and swapped.isdisjoint(known.get(qid, nothing))
    ]
    has_values = any(possible_values(relation, values))
    for head in heads:
        has_names = relation.aliases and head in items and len(set(items[head].names)) > 1
        if not direct.isdisjoint(known.get(head, nothing)) or has_names:
            if head in items and contradicts(relation, direct, items[head], values):
                return False
        elif has_values or any(tail != head for tail in undecided_tails):
            return False
    return True


def possible_values(relation: Relation, values: TextValues) -> Iterator[bool]:
    """Per type of values that the relation allows: whether the text has one."""
    for kind in relation.tail:
        if kind == "time":
            yield bool(values.dates)
        elif kind == "measure":
            yield bool(numbers(relation, values))
        elif kind == "text":
            yield bool(values.text)


def numbers(relation: Relation, values: TextValues) -> list[Quantity]:
    """The numbers in the text that may be a tail of the relation."""
    return [quantity for quantity in values.quantities if relation.dimension in (None, quantity.dimension)]


def contradicts(relation: Relation, direct: Set[int], item: Item, values: TextValues) -> bool:
    """Whether the text may state a value of the item's statements in another way: a less precise date, or another
    number of the same dimension.
    """
    for statement in item.statements:
        if statement.property in direct:
            if statement.kind == "time" and "time" in relation.tail and values.less_precise(statement):
                return True
            if statement.kind == "quantity" and "measure" in relation.tail:
                dimension = dimension_of(statement)
                if any(dimension in (None, quantity.dimension) for quantity in numbers(relation, values)):
                    return True
    return False


def dimension_of(statement: Statement) -> str | None:
    """The dimension of a quantity; None if its unit is not listed."""
    if statement.unit is None:
        return COUNT
    unit = units().get(statement.unit)
    return unit.dimension if unit else None
