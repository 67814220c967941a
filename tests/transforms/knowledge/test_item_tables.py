"""Tables of items and names, repeated items, and ids that were merged into others."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import ITEMS, NAMES
from transforms.knowledge import item_tables
from transforms.knowledge.item_tables import MERGED
from transforms.knowledge.wikidata import ItemRow, Merged

MOLE = ItemRow(
    7,
    12,
    "mole",
    ["mole", "talpa"],
    ["title", "alias"],
    [5, 4],
    [6],
    [(10, "item", 9, None, None, None), (20, "quantity", None, "+2", 11573, None)],
    [4, 5, 6, 9],
)
BARE = ItemRow(8, 0, None, [], [], [], [], [], [])


def bare(qid: int, revision: int = 0, **fields: object) -> ItemRow:
    return BARE._replace(qid=qid, revision=revision, **fields)


def merged_table(pairs: dict[int, int]) -> pa.Table:
    return item_tables.resolve(item_tables.merged_table([Merged(*pair) for pair in pairs.items()]))[0]


def test_items_and_names_are_tables():
    items = item_tables.item_table([MOLE, BARE])
    assert items.schema == ITEMS
    first, second = items.to_pylist()
    assert first == {
        "qid": 7,
        "label": "mole",
        "names": ["mole", "talpa"],
        "classes": [5, 4],
        "superclasses": [6],
        "statements": [
            {"property": 10, "kind": "item", "item": 9, "text": None, "unit": None, "precision": None},
            {"property": 20, "kind": "quantity", "item": None, "text": "+2", "unit": 11573, "precision": None},
        ],
        "neighbours": [4, 5, 6, 9],
    }
    empty = {key: [] for key in ("names", "classes", "superclasses", "statements", "neighbours")}
    assert second == {"qid": 8, "label": None, **empty}
    names = item_tables.name_table([MOLE, BARE])
    assert names.schema == NAMES
    assert names.to_pylist() == [
        {"name": "mole", "qid": 7, "kind": "title"},
        {"name": "talpa", "qid": 7, "kind": "alias"},
    ]


def test_no_items_are_empty_tables():
    assert item_tables.item_table([]) == ITEMS.empty_table()
    assert item_tables.name_table([]) == NAMES.empty_table()
    assert not list(item_tables.by_bucket(ITEMS.empty_table(), "qid", 3))


@given(st.lists(st.integers(1, 30)), st.integers(1, 5))
def test_every_row_is_in_the_bucket_of_its_id(qids, buckets):
    table = item_tables.item_table([bare(qid) for qid in qids])
    parts = dict(item_tables.by_bucket(table, "qid", buckets))
    for bucket in range(buckets):
        inside = parts[bucket]["qid"].to_pylist() if bucket in parts else []
        assert inside == [qid for qid in qids if qid % buckets == bucket]


def test_the_latest_revision_of_an_item_stays_and_otherwise_the_first():
    shards = [
        (0, 0, [bare(1, 5), bare(2, 5), bare(3)]),
        (1, 0, [bare(1, 6), bare(3)]),
        (1, 1, [bare(2, 5), bare(2, 4)]),
    ]
    positions = [item_tables.position_table(rows, file, shard) for file, shard, rows in shards]
    dropped = item_tables.superseded(pa.concat_tables(positions[::-1]))
    rows = {(file, shard): sorted(part["row"].to_pylist()) for file, shard, part in item_tables.by_shard(dropped)}
    assert rows == {(0, 0): [0], (1, 0): [1], (1, 1): [0, 1]}


def test_rows_are_dropped_with_their_names_and_no_others():
    rows = [MOLE, BARE, MOLE._replace(names=["mole"], kinds=["label"])]
    items, names = item_tables.item_table(rows), item_tables.name_table(rows)
    left, left_names = item_tables.drop_rows(items, names, np.array([0]))
    assert left == item_tables.item_table(rows[1:])
    assert left_names == item_tables.name_table(rows[1:])


def plain_targets(pairs: dict[int, int]) -> dict[int, int]:
    """Each id → where its chain ends; ids that lead into a loop are left out."""
    ends = {}
    for qid in pairs:
        seen, target = set(), qid
        while target in pairs and target not in seen:
            seen.add(target)
            target = pairs[target]
        if target not in pairs:
            ends[qid] = target
    return ends


@given(st.dictionaries(st.integers(1, 40), st.integers(1, 40)))
def test_chains_of_merged_ids_end_and_loops_are_left_out(pairs):
    expected = plain_targets(pairs)
    table, loops = item_tables.resolve(item_tables.merged_table([Merged(*pair) for pair in pairs.items()]))
    assert table.schema == MERGED
    assert table["qid"].to_pylist() == sorted(expected)
    assert dict(zip(table["qid"].to_pylist(), table["target"].to_pylist(), strict=True)) == expected
    assert loops == len(pairs) - len(expected)


def test_a_long_chain_is_followed_to_its_end():
    table = merged_table({number: number + 1 for number in range(1, 3000)})
    assert table["target"].to_pylist() == [3000] * 2999


def test_of_several_targets_the_least_counts():
    table, _ = item_tables.resolve(item_tables.merged_table([Merged(1, 9), Merged(1, 8), Merged(1, 9)]))
    assert table.to_pylist() == [{"qid": 1, "target": 8}]


def test_merged_ids_are_replaced_everywhere_and_kept_once():
    other = bare(1, statements=[(20, "quantity", None, "+2", 4, None)], neighbours=[3])
    items = item_tables.item_table([MOLE, other])
    replaced = item_tables.replace_merged(items, merged_table({4: 5, 6: 2, 9: 5, 100: 1}))
    assert replaced.slice(1) == items.slice(1)  # a unit is not replaced
    row = replaced.to_pylist()[0]
    assert (row["classes"], row["superclasses"], row["neighbours"]) == ([5], [2], [2, 5])
    assert [each["item"] for each in row["statements"]] == [5, None]
    assert replaced.schema == ITEMS


def test_statements_that_become_equal_are_kept_once():
    statements = [(10, "item", qid, None, None, None) for qid in (9, 8, 7)]
    items = item_tables.item_table([bare(1, statements=statements)])
    (row,) = item_tables.replace_merged(items, merged_table({9: 8})).to_pylist()
    assert [each["item"] for each in row["statements"]] == [8, 7]


def test_items_that_were_merged_are_named_by_row():
    items = item_tables.item_table([bare(1), bare(2), bare(3)])
    assert item_tables.merged_rows(items, merged_table({1: 2, 3: 2})).tolist() == [0, 2]
