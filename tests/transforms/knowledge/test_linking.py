"""The choice of mentions and of their items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import Item, Link, Paragraph
from transforms.knowledge.linking import Candidate, choose, is_name, occurrences


def item(qid: int, *names: str, neighbours: tuple[int, ...] = (), types: tuple[str, ...] = ()) -> Item:
    return Item(qid, names[0], names, types, (), frozenset(neighbours))


def candidates(text: str, *items: Item) -> list[Candidate]:
    return [
        Candidate(start, start + len(name), each.qid, "label" if name == each.label else "alias", name)
        for each in items
        for name in each.names
        for start in range(len(text))
        if text[start : start + len(name)].lower() == name.lower()
    ]


def mentions(paragraph: Paragraph, *items: Item, **options) -> list[tuple[str, int | None, str]]:
    by_qid = {each.qid: each for each in items}
    linked = choose(paragraph, candidates(paragraph.text, *items), by_qid, **options)
    return [(paragraph.text[m.start : m.end], m.qid, m.kind) for m in linked]


RIVER, HAMLET = item(1, "Arve"), item(2, "Arve Hamlet")


def test_longer_names_win():
    assert mentions(Paragraph("p", "en", "Arve Hamlet is on the Arve."), RIVER, HAMLET) == [
        ("Arve Hamlet", 2, "name"),
        ("Arve", 1, "name"),
    ]


def test_links_win_over_names_and_their_texts_are_repeated():
    paragraph = Paragraph("p", "en", "The Arve Hamlet, or Arve, is old.", links=(Link(4, 8, "Arve", 7),))
    assert mentions(paragraph, RIVER, HAMLET) == [("Arve", 7, "anchor"), ("Arve", 7, "repeat")]


def test_the_item_with_most_neighbours_in_the_text_is_chosen():
    town, band = item(5, "Halden"), item(3, "Halden")
    county = item(9, "Østfold", neighbours=(5,))
    assert mentions(Paragraph("p", "en", "Halden is in Østfold."), band, town, county)[0] == ("Halden", 5, "name")
    assert mentions(Paragraph("p", "en", "Halden is old."), band, town) == [("Halden", 3, "name")]


def test_labels_come_before_aliases():
    assert mentions(Paragraph("p", "en", "Halden is old."), item(3, "H.", "Halden"), item(8, "Halden"))[0][1] == 8


def test_the_item_of_the_page_wins():
    paragraph = Paragraph("p", "en", "Halden is old.", "Halden", 8)
    assert mentions(paragraph, item(3, "Halden"), item(8, "Halden")) == [("Halden", 8, "title")]


def test_common_words_need_a_neighbour():
    baker, person = item(4, "baker"), item(6, "Ada Lind", neighbours=(4,))
    assert mentions(Paragraph("p", "en", "A baker came."), baker) == []
    assert mentions(Paragraph("p", "en", "Ada Lind is a baker."), baker, person) == [
        ("Ada Lind", 6, "name"),
        ("baker", 4, "name"),
    ]


def test_a_place_is_named_without_the_part_after_the_comma():
    town, country = item(1, "Oslo", "Oslo, Norway"), item(2, "Norway")
    assert mentions(Paragraph("p", "en", "Born in Oslo, Norway."), town, country) == [
        ("Oslo", 1, "name"),
        ("Norway", 2, "name"),
    ]


def test_only_given_links():
    paragraph = Paragraph("p", "en", "Arve and Arve", links=(Link(0, 4, None, 1), Link(2, 6, None, 2), Link(9, 13)))
    assert mentions(paragraph, RIVER, only_links=True) == [("Arve", 1, "given")]


@pytest.mark.parametrize(
    ("surface", "name", "expected"),
    [
        ("Arve", "Arve", True),
        ("arve", "Arve", False),
        ("Baker", "baker", True),
        ("BAKER", "baker", False),
        ("western gull", "Western Gull", True),
        ("the", "the", False),
        ("1984", "1984", False),
        ("X", "X", False),
        ("E\u0301", "É", False),
    ],
)
def test_how_names_are_written(surface, name, expected):
    assert is_name(surface, (0, len(surface)), name) == expected


def test_strings_occur_as_whole_words():
    assert occurrences("Arve, Arves Arve", "Arve") == [(0, 4), (12, 16)]
    assert occurrences("在北海城和北海", "北海") == [(1, 3), (5, 7)]


WORDS = st.sampled_from(["Ada", "Ada Lind", "Lind", "Oslo", "baker", "Oslo, Ada"])


@given(
    st.lists(WORDS, min_size=1, max_size=8),
    st.lists(st.tuples(WORDS, st.sets(st.integers(0, 5))), max_size=6),
    st.randoms(),
)
def test_mentions_are_disjoint_and_independent_of_the_order(words, names, random):
    items = [item(qid, name, neighbours=tuple(near)) for qid, (name, near) in enumerate(names)]
    paragraph = Paragraph("p", "en", " ".join(words))
    linked = mentions(paragraph, *items)
    random.shuffle(items)
    assert mentions(paragraph, *items) == linked
    result = choose(paragraph, candidates(paragraph.text, *items), {each.qid: each for each in items})
    ends = [0, *(end for m in result for end in (m.start, m.end)), len(paragraph.text)]
    assert ends == sorted(ends) and all(m.start < m.end for m in result)
