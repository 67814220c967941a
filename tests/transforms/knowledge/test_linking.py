"""Which spans of a paragraph are mentions, and which of several items each of them means."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.knowledge import Item, Link, Paragraph
from transforms.knowledge import linking, name_rules
from transforms.knowledge.linking import Candidate, choose
from transforms.knowledge.name_rules import is_whole, spelling


def item(qid: int, label: str, *neighbours: int, names: tuple[str, ...] = (), types: tuple[str, ...] = ()) -> Item:
    return Item(qid, label, (label, *names), types, (), frozenset(neighbours))


ITEMS = {
    each.qid: each
    for each in (
        item(1, "Ada Marrow", 3, 20, names=("Marrow",), types=("human",)),
        item(2, "Low Harbour", 5, names=("Harbour",), types=("geographic_region",)),
        item(3, "Harbour", types=("geographic_region",)),
        item(4, "Harbour", types=("creative_work",)),
        item(5, "Northland", types=("geographic_region",)),
        item(6, "Low Harbour Bridge", types=("architectural_structure",)),
        item(20, "pilot", names=("boat pilot",), types=("profession",)),
        item(21, "Cana", names=("can",), types=("geographic_region",)),
        item(22, "pilot boat", types=("transport",)),
    )
}


def candidates(text: str, lang: str = "en") -> list[Candidate]:
    """All spans that are names of ITEMS, as the joins of the stage yield them."""
    rows = []
    for each in ITEMS.values():
        for number, name in enumerate(each.names):
            for start in range(len(text) - len(name) + 1):
                end = start + len(name)
                how = spelling(text, start, end, name, lang) if is_whole(text, start, end) else None
                if how:
                    rows.append(Candidate(start, end, each.qid, "alias" if number else "label", how == "same"))
    return rows


def link(text: str, links: tuple[Link, ...] = (), **fields) -> list[tuple[str, str, int | None]]:
    paragraph = Paragraph("1", "en", text, links=links, **fields)
    return [
        (text[each.start : each.end], each.kind, each.qid) for each in choose(paragraph, candidates(text), ITEMS)[0]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The longest name wins, then the item with more neighbours, then a label before an alias, then the lowest id
        ("They saw Low Harbour Bridge.", [("Low Harbour Bridge", "name", 6)]),
        ("Ada Marrow left Harbour.", [("Ada Marrow", "name", 1), ("Harbour", "name", 3)]),
        ("Northland has Harbour.", [("Northland", "name", 5), ("Harbour", "name", 2)]),
        ("They saw Harbour.", [("Harbour", "name", 3)]),
        # The surname of a person
        ("Ada Marrow rows. Marrow won.", [("Ada Marrow", "name", 1), ("Marrow", "repeat", 1)]),
        # Words in lower case need a neighbour
        ("Ada Marrow is a pilot.", [("Ada Marrow", "name", 1), ("pilot", "name", 20)]),
        ("He is a pilot.", []),
        ("He can row.", []),
        ("Ada Marrow, Pilot, rows.", [("Ada Marrow", "name", 1), ("Pilot", "name", 20)]),
        ("Ada Marrow has a pilot boat.", [("Ada Marrow", "name", 1), ("pilot", "name", 20)]),
        # Parts of unknown names
        ("They met Pat Marrow.", []),
        ("They met Captain Marrow.", [("Marrow", "name", 1)]),
        ("They met Marrow Hill.", []),
        ("the Low Harbour's port", [("Low Harbour", "name", 2)]),
        ("Low Harbour, Northland", [("Low Harbour", "name", 2), ("Northland", "name", 5)]),
    ],
)
def test_names(text, expected):
    assert link(text) == expected


def test_links_come_first_and_their_texts_are_linked_again():
    text = "Harbour Bridge and Harbour"
    assert link(text, (Link(0, 7, "Harbour (film)", 4),)) == [("Harbour", "anchor", 4), ("Harbour", "repeat", 4)]


def test_a_name_before_its_link_means_the_same_item():
    text = "Harbour is a film. See Harbour."
    assert link(text, (Link(23, 30, "Harbour (film)", 4),)) == [("Harbour", "name", 4), ("Harbour", "anchor", 4)]


def test_a_link_without_item_is_no_part_of_a_name():
    assert link("the Low Harbour Bridge", (Link(8, 22, "Harbour Bridge"),)) == []
    assert link("the Low Harbour Bridge", (Link(4, 22, "Low Harbour Bridge"),)) == [("Low Harbour Bridge", "name", 6)]


def test_a_link_to_an_item_that_the_graph_lacks_stays():
    assert link("Ada in Oz", (Link(7, 9, "Oz", 99),)) == [("Oz", "anchor", 99)]


def test_links_outside_the_text_or_across_others_are_left_out():
    links = (Link(0, 11, "Low Harbour", 2), Link(4, 11, "Harbour", 3), Link(20, 40, "Oz", 5), Link(-3, 2, "Oz", 5))
    assert link("Low Harbour", links) == [("Low Harbour", "anchor", 2)]


def test_names_of_the_page():
    text = "Harbour is a town. Low Harbour is old."
    assert link(text, title="Low Harbour (town)", page=2) == [("Harbour", "title", 2), ("Low Harbour", "title", 2)]


def test_given_links_only():
    paragraph = Paragraph("1", "en", "Ada Marrow left Harbour", links=(Link(16, 23, None, 3), Link(0, 3, "Ada")))
    (mention,) = linking.given(paragraph, ITEMS).mentions
    assert (mention.start, mention.end, mention.kind, mention.qid) == (16, 23, "given", 3)
    assert mention.types == ("geographic_region",)


def test_ambiguous_names_are_counted():
    text = "Northland has Harbour."
    assert choose(Paragraph("1", "en", text), candidates(text), ITEMS).ambiguous == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("在《港》和《海港》", [("海港", 2)]), ("在海港看《海城》", [("海港", 2), ("海城", 4)]), ("去海城了", [])],
)
def test_short_chinese_titles_of_works_need_quotes(text, expected):
    items = {2: item(2, "海港", types=("geographic_region",)), 4: item(4, "海城", types=("creative_work",))}
    places = [(text.find(each.label), each) for each in items.values() if each.label in text]
    rows = [Candidate(start, start + 2, each.qid, "label") for start, each in places]
    mentions = choose(Paragraph("1", "zh", text), rows, items).mentions
    assert [(text[each.start : each.end], each.qid) for each in mentions] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("阿尔菲德在北", []),  # part of a longer foreign name
        ("在菲德，", ["菲德"]),
        ("菲德·马在北", []),
        ("the Ada of", []),
        ("在Ada上", ["Ada"]),
        ("他的经历", []),  # a common word without a neighbour
        ("菲德的经历", ["菲德", "经历"]),
    ],
)
def test_chinese_names_are_no_parts_of_foreign_names_and_short_ones_need_a_neighbour(text, expected):
    items = {
        1: item(1, "菲德", 3, types=("human",)),
        2: item(2, "Ada", types=("human",)),
        3: item(3, "经历", types=("other",)),
    }
    rows = [
        Candidate(text.find(each.label), text.find(each.label) + len(each.label), each.qid, "label")
        for each in items.values()
        if each.label in text
    ]
    mentions = choose(Paragraph("1", "zh", text), rows, items).mentions
    assert [text[each.start : each.end] for each in mentions] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("在北港语中", 0), ("北港語", 0), ("（北港文：海）", 0), ("北港语言", 1), ("北港文学", 1), ("北港人", 1)],
)
def test_the_name_of_a_language_is_not_that_of_a_place(text, expected):
    items = {2: item(2, "北港", types=("geographic_region",))}
    start = text.find("北港")
    paragraph = Paragraph("1", "zh", text)
    assert len(choose(paragraph, [Candidate(start, start + 2, 2, "label")], items).mentions) == expected
    linked = Paragraph("1", "zh", f"北港。{text}", links=(Link(0, 2, None, 2),))
    assert len(choose(linked, [], items).mentions) == 1 + expected


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("Ostrian", "Ostrian Empire, Ostria", True),
        ("Ostrian", "Ostria", True),
        ("Ostrians", "Ostria", True),
        ("Lowish", "Kingdom of Lowia", True),
        ("Welsh", "Wales", True),
        ("Ostria", "Ostria", False),
        ("Tehran", "Teheran", False),
        ("Ostrian", "Ostrian Islands", False),
        ("Lowish", "Lowish", False),
        ("Lowish", "Ostria", False),
    ],
)
def test_english_demonyms(name, label, expected):
    label, *others = label.split(", ")
    place = item(1, label, names=(name, *others), types=("geographic_region",))
    assert name_rules.is_demonym(f"the {name}", 4, 4 + len(name), place, "en") == expected
    assert not name_rules.is_demonym(f"the {name}", 4, 4 + len(name), item(1, label, types=("human",)), "en")


@pytest.mark.parametrize(
    ("text", "expected"), [("北港人", True), ("北港人民", False), ("北港籍", True), ("北港", False), ("北港的", False)]
)
def test_chinese_demonyms(text, expected):
    assert name_rules.is_demonym(text, 0, 2, item(1, "北港", types=("geographic_region",)), "zh") == expected


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("英国", "英國", True),
        ("龙门国", "龍門國", True),
        ("英国", "美國", False),
        ("英国", "英伦", False),
        ("英国", "大英國", False),
        ("Ada", "Ade", False),
    ],
)
def test_script_variants(name, other, expected):
    assert name_rules.are_script_variants(name, other) == expected == name_rules.are_script_variants(other, name)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Harbour", "Harbour", "same"),
        ("Pilots row", "pilots row", "same"),
        ("The Pilot", "pilot", None),
        ("the Pilots", "The Pilots", "same"),
        ("battle Of Oz", "Battle of Oz", "same"),
        ("harbour", "Harbour", "other case"),
        ("west coast", "West Coast", "other case"),
        ("Jose\u0301", "José", "same"),
        ("May 1999", "May 1999", None),
    ],
)
def test_letter_case(text, name, expected):
    assert spelling(text, 0, len(text), name, "en") == expected


WORDS = st.sampled_from(["Ada", "Marrow", "Low", "Harbour", "Bridge", "Northland", "pilot", "boat", "the", "can", ","])


@settings(max_examples=150)
@given(words=st.lists(WORDS, max_size=14), data=st.data(), page=st.sampled_from([None, 1, 2, 99]))
def test_mentions_are_disjoint_sorted_and_independent_of_the_order(words, data, page):
    text = " ".join(words)
    offsets = st.tuples(
        st.integers(-1, len(text) + 1), st.integers(0, len(text) + 2), st.sampled_from([None, 2, 4, 99])
    )
    links = tuple(Link(start, end, "Oz", qid) for start, end, qid in data.draw(st.lists(offsets, max_size=3)))
    paragraph = Paragraph("1", "en", text, title="Low Harbour", page=page, links=links)
    rows = candidates(text)
    result = choose(paragraph, rows, ITEMS)
    ends = [0, *(bound for each in result.mentions for bound in (each.start, each.end)), len(text)]
    assert ends == sorted(ends)
    assert all(each.start < each.end and each.qid is not None for each in result.mentions)
    shuffled = random.Random(1).sample(rows, len(rows))
    items = dict(random.Random(2).sample(sorted(ITEMS.items()), len(ITEMS)))
    assert choose(paragraph, shuffled, items) == result
