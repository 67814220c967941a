"""Relations that must not be asked of a text, because the graph cannot tell whether the text states them.

A graph is incomplete: that it has no fact does not mean that the text states none. A relation of the theme that has no
fact in the text is safe to ask, as an example of "not stated", if the graph decides it for every pair of a possible
head and a possible tail. Otherwise it is unknown.

- A possible head is an item with a mention whose types the relation allows as head. Without one, the relation is safe.
- A possible tail of a head is another item with a mention whose types the relation allows as tail; if the relation
  allows values, a date, a number or any name in the text.
- The graph decides a pair of items if the head has a statement with a property of the relation, or the tail one with a
  swapped property, whose value is known. The value is then another one, or the pair would be a fact.
- It decides all dates and names if the head has such a statement; not if the text states a less precise date that
  agrees with it. For a relation with `aliases`, another name of the head in the graph does it, too.
- It decides numbers if the head has such a statement, but only if the text has no number of the same dimension: a
  population or a height is stated with other values at other times.

A relation is also unknown if the text has its value only inside the mention of an item, or another name of an item only
in another sentence, where `matching` does not count it.
"""

from collections.abc import Iterator, Mapping, Set

from schemas.knowledge import Item, Statement
from transforms.knowledge.quantities import units
from transforms.knowledge.themes import Relation, Theme, fits
from transforms.knowledge.values import TextValues

Types = Mapping[int, tuple[str, ...]]


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
            yield bool(values.quantities)
        elif kind == "text":
            yield bool(values.text)


def contradicts(relation: Relation, direct: Set[int], item: Item, values: TextValues) -> bool:
    """Whether the text may state a value of the item's statements in another way: a less precise date, or another
    number of the same dimension.
    """
    return any(
        (statement.kind == "time" and "time" in relation.tail and bool(values.less_precise(statement)))
        or (statement.kind == "quantity" and "measure" in relation.tail and has_number(statement, values))
        for statement in item.statements
        if statement.property in direct
    )


def has_number(statement: Statement, values: TextValues) -> bool:
    """Whether the text has a number of the dimension of a quantity; of an unknown unit, any number with a unit."""
    if statement.unit is None:
        return any(quantity.unit is None for quantity in values.quantities)
    unit = units().get(statement.unit)
    if unit is None:
        return any(quantity.unit is not None for quantity in values.quantities)
    return any(quantity.unit and quantity.unit.dimension == unit.dimension for quantity in values.quantities)
