"""The rounds that give types to classes equal a breadth-first search, also in graphs with cycles."""

from collections import deque

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import TYPES
from transforms.knowledge import classes, item_tables
from transforms.knowledge.classes import CONCEPT, EDGES, MAX_STEPS, REACHED
from transforms.knowledge.wikidata import ItemRow

OF_CLASSES = ("medicine", "thing")

Graph = dict[int, list[int]]
"""Class → its superclasses."""


def item(qid: int, instance: list[int] = (), above: list[int] = ()) -> ItemRow:
    return ItemRow(qid, 0, None, [], [], list(instance), list(above), [], [])


def plain_steps(graph: Graph, start: int) -> dict[int, int]:
    """Class → the least number of steps from `start` up to it, at most MAX_STEPS."""
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for parent in graph.get(here, ()) if steps[here] < MAX_STEPS else ():
            if parent not in steps:
                steps[parent] = steps[here] + 1
                waiting.append(parent)
    return steps


def plain_types(graph: Graph, one: ItemRow, roots: dict[str, list[int]]) -> list[str]:
    """The types of an item as the module describes them, by a search upwards from each of its classes."""
    least: dict[str, int] = {}
    for start in one.classes or one.superclasses:
        steps = plain_steps(graph, start)
        for name, root_classes in roots.items():
            for root in root_classes:
                if root in steps:
                    least[name] = min(least.get(name, MAX_STEPS), steps[root])
    nearest = sorted(name for name, steps in least.items() if steps == min(least.values()))
    if one.superclasses and not one.classes:
        return [name for name in nearest if name in OF_CLASSES] or [name for name in roots if name == CONCEPT]
    return nearest


def all_reached(items: pa.Table, roots: dict[str, list[int]]) -> pa.Table:
    """All rounds without buckets."""
    edges, reached = classes.edge_table(items), classes.root_table(roots)
    for steps in range(MAX_STEPS + 1):
        before, new = classes.settle(reached, steps)
        reached = pa.concat_tables([before, new, classes.descend(edges, new)])
    return pa.concat_tables([before, new])


def find_types(rows: list[ItemRow], roots: dict[str, list[int]]) -> list[list[str]]:
    items = item_tables.item_table(rows)
    table = classes.type_table(items, all_reached(items, roots), sorted(roots), OF_CLASSES)
    assert table.schema == TYPES
    assert table["qid"].to_pylist() == [row.qid for row in rows]
    return table["types"].to_pylist()


IDS = st.integers(1, 25)
GRAPHS = st.dictionaries(IDS, st.lists(IDS, unique=True, max_size=3), max_size=25)
ROOTS = st.dictionaries(st.sampled_from(["human", "event", "place", "thing", CONCEPT]), st.lists(IDS, max_size=3))


@given(GRAPHS, ROOTS, st.lists(st.lists(IDS, unique=True, max_size=3), max_size=8))
def test_rounds_equal_a_breadth_first_search(graph, roots, instances):
    rows = [item(qid, above=above) for qid, above in graph.items()]
    rows += [item(100 + number, instance) for number, instance in enumerate(instances)]
    assert find_types(rows, roots) == [plain_types(graph, row, roots) for row in rows]


@pytest.mark.parametrize("steps", [0, 1, MAX_STEPS, MAX_STEPS + 1])
def test_a_type_is_reached_in_ten_steps_and_not_in_eleven(steps):
    chain = [item(number, above=[number + 1]) for number in range(1, 20)]
    (*_, types) = find_types([*chain, item(100, [1])], {"human": [1 + steps]})
    assert types == (["human"] if steps <= MAX_STEPS else [])


def test_a_cycle_ends():
    rows = [item(1, above=[2]), item(2, above=[3]), item(3, above=[1, 3]), item(4, [1]), item(5, [9])]
    assert find_types(rows, {"thing": [2]}) == [["thing"], ["thing"], ["thing"], ["thing"], []]


def test_a_class_keeps_the_types_of_the_first_round_that_reaches_it():
    earlier, arriving = classes.reached_table([1, 2], [0, 1], 0), classes.reached_table([3, 1, 3, 3], [1, 1, 0, 1], 1)
    before, new = classes.settle(pa.concat_tables([arriving, earlier]), 1)
    assert before == earlier
    assert new == classes.reached_table([3, 3], [0, 1], 1)


def test_the_nearest_root_class_decides_and_equally_near_ones_count_all():
    rows = [item(1, above=[2]), item(10, [1]), item(11, [1, 2]), item(12, [4, 2]), item(13, above=[1])]
    roots = {"place": [1, 4], "event": [2], "thing": [1]}
    assert find_types(rows, roots)[1:] == [
        ["place", "thing"],
        ["event", "place", "thing"],
        ["event", "place"],
        ["thing"],
    ]


def test_classes_count_and_superclasses_only_without_them():
    rows = [item(10, [1], [2]), item(11, [3], [2]), item(12, [], [2])]
    assert find_types(rows, {"place": [1], "medicine": [2]}) == [["place"], [], ["medicine"]]


def test_a_class_has_only_types_of_classes_and_else_it_is_a_concept():
    bridge, aspirin, anything = item(10, [], [1]), item(11, [], [2]), item(12, [], [99])
    roots = {"place": [1], "medicine": [2], CONCEPT: [3]}
    assert find_types([bridge, aspirin, anything, item(13, [10])], roots) == [
        [CONCEPT],
        ["medicine"],
        [CONCEPT],
        ["place"],
    ]
    assert find_types([bridge], {"place": [1]}) == [[]]


def test_no_items_and_no_types():
    assert find_types([], {"a": [1]}) == []
    assert find_types([item(10, [1])], {}) == [[]]


def test_a_shard_gets_the_classes_that_it_wants():
    items = item_tables.item_table([item(10, [1, 2]), item(11, [2]), item(12, [], [5, 2])])
    wanted = classes.wanted_table(items, 3)
    assert wanted.to_pylist() == [{"class": number, "shard": 3} for number in (1, 2, 5)]
    other = classes.wanted_table(item_tables.item_table([item(20, [5, 9])]), 4)
    reached = classes.reached_table([5, 2, 2, 7], [0, 0, 1, 0], 1)
    answers = dict(classes.answer(reached, pa.concat_tables([wanted, other])))
    pairs = {
        shard: list(zip(*(part[n].to_pylist() for n in ("class", "type")), strict=True))
        for shard, part in answers.items()
    }
    assert pairs == {3: [(2, 0), (2, 1), (5, 0)], 4: [(5, 0)]}


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_matches_are_all_pairs_of_equal_values(keys, wanted):
    ordered = np.array(sorted(keys), np.int64)
    left, right = classes.matches(ordered, np.array(wanted, np.int64))
    pairs = sorted(zip(left.tolist(), right.tolist(), strict=True))
    assert pairs == [(a, b) for a, x in enumerate(ordered.tolist()) for b, y in enumerate(wanted) if x == y]


def test_schemas():
    items = item_tables.item_table([item(10, [1], [2])])
    assert classes.edge_table(items).schema == EDGES
    assert all_reached(items, {"a": [2]}).schema == REACHED
