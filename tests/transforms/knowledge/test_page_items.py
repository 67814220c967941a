"""Joins of titles with redirects and with names of items."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import NAMES, PARAGRAPHS, Link, Paragraph, from_table, to_table
from transforms.knowledge import page_items
from transforms.knowledge.item_tables import MERGED
from transforms.knowledge.page_items import TITLES


def title_table(*titles: str) -> pa.Table:
    return pa.table({"title": titles, "target": titles, "shard": [0] * len(titles)}, schema=TITLES)


def items(names: list[tuple[str, int, str]], *titles: str) -> list[int | None]:
    table = pa.Table.from_pylist([dict(zip(NAMES.names, name, strict=True)) for name in names], schema=NAMES)
    keyed = page_items.keyed_names(table)
    return page_items.find_items([page_items.with_key(title_table(*titles))], [keyed, keyed])["qid"].to_pylist()


@pytest.mark.parametrize(
    ("names", "title", "qid"),
    [
        ([("Vell", 1, "title"), ("Vell", 2, "label")], "Vell", 1),
        ([("Vell", 1, "label")], "Vell", 1),
        ([("vell", 1, "label")], "Vell", 1),
        ([("Vell", 1, "label"), ("vell", 2, "label")], "Vell", None),
        ([("Vell", 1, "label"), ("Vell", 1, "label")], "Vell", 1),
        ([("Vell", 1, "alias")], "Vell", None),
        ([("Vell", 2, "title"), ("Vell", 1, "title"), ("Vell", 3, "title")], "Vell", 1),
        ([("Vell (port)", 1, "title"), ("Vell", 2, "title")], "Vell (port)", 1),
        ([("Vell", 2, "label")], "Vell (port)", 2),
        ([("Vell", 2, "label"), ("Vell", 3, "label")], "Vell (port)", None),
        ([("Vell (port)", 1, "label"), ("Vell (port)", 4, "label"), ("Vell", 2, "label")], "Vell (port)", None),
        ([("Vell (port)", 1, "label")], "Vell", None),
        ([("1952", 1, "label")], "1952", None),
        ([("1952", 1, "title")], "1952", 1),
        ([], "Vell", None),
    ],
)
def test_the_item_of_a_title(names, title, qid):
    assert items(names, "Other", title) == [None, qid]


def follow(redirects: dict[str, str], *titles: str) -> list[str]:
    table, followed = page_items.follow([title_table(*titles)], [page_items.redirect_table(list(redirects.items()))])
    targets = table["target"].to_pylist()
    assert followed.to_pylist() == [title in redirects for title in titles]
    return targets


def test_redirects_are_followed_once():
    assert follow({"A": "B", "B": "C", "D": "D"}, "A", "B", "C", "D") == ["B", "C", "C", "D"]
    assert follow({}, "A") == ["A"]


def test_contradicting_redirects_lead_to_the_first_target():
    tables = [page_items.redirect_table([("A", target)]) for target in ("C", "B")]
    assert page_items.follow([title_table("A")], tables)[0]["target"].to_pylist() == ["B"]


@given(st.lists(st.text(max_size=5), max_size=20), st.integers(1, 5))
def test_rows_are_divided_into_buckets(titles, buckets):
    divided = list(page_items.by_bucket(title_table(*titles), "title", buckets))
    assert sorted(title for _, part in divided for title in part["title"].to_pylist()) == sorted(titles)
    bucket_of = {}
    for bucket, part in divided:
        assert 0 <= bucket < buckets
        for title in part["title"].to_pylist():
            assert bucket_of.setdefault(title, bucket) == bucket


PARAGRAPH = Paragraph("a", "en", "a b c d", "vell", None, (Link(0, 1, "Port"), Link(2, 3, "Quay", 9), Link(4, 5, "X")))
OTHER = Paragraph("b", "en", "a", None, 5, (Link(0, 1, None, 4),))


def test_titles_without_items_are_looked_up():
    table = to_table([PARAGRAPH, OTHER, Paragraph("c", "en", "c", "Known", 8)], PARAGRAPHS)
    looked_up = page_items.titles_in(table, 3)
    assert looked_up["title"].to_pylist() == ["Port", "Vell", "X"]
    assert looked_up["shard"].to_pylist() == [3, 3, 3]


def test_paragraphs_get_items_and_titles():
    known = pa.table(
        {"title": ["Port", "Quay", "Vell"], "target": ["Harbour", "Pier", "Vell (town)"], "qid": [1, 2, None]},
        schema=page_items.ITEMS_OF_TITLES,
    )
    table = to_table([OTHER, PARAGRAPH], PARAGRAPHS).slice(1)
    expected = (Link(0, 1, "Harbour", 1), Link(2, 3, "Pier", 9), Link(4, 5, "X"))
    assert from_table(page_items.resolve(table, known), Paragraph) == [
        Paragraph("a", "en", "a b c d", "vell", None, expected)
    ]
    both = page_items.resolve(to_table([PARAGRAPH, OTHER], PARAGRAPHS), known.slice(0, 0))
    assert from_table(both, Paragraph) == [PARAGRAPH, OTHER]


def test_merged_items_are_replaced():
    merged = pa.table({"qid": [4, 5], "target": [40, 50]}, schema=MERGED)
    table = page_items.replace_merged(to_table([PARAGRAPH, OTHER], PARAGRAPHS), merged)
    assert from_table(table, Paragraph) == [PARAGRAPH, Paragraph("b", "en", "a", None, 50, (Link(0, 1, None, 40),))]
