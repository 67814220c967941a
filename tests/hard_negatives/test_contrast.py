"""The line of a label against its neighbours: from the template, or from the file."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives import contrast
from hard_negatives.contrast import contrasts, in_short
from hard_negatives.contrast_file import LONGEST_LINE, Contrast
from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from schemas.label import Label, LabelSet, typed_label


def label_set(*labels: Label, task: str = "NER", lang: str = "en") -> LabelSet:
    return LabelSet(task, "towns", "Towns", lang, labels)


def dictionary(neighbours: dict[str, list[str]], task: str = "NER") -> Dictionary:
    rankings = {label: Ranking(tuple(map(Neighbour, others))) for label, others in neighbours.items()}
    return Dictionary(task, "towns", "Towns", "en", "lexical", rankings)


CITY, VILLAGE = Label("city", "a town with city rights"), Label("village", "a small place in the country.")
RIVER = Label("river")


def test_a_line_joins_the_description_and_those_of_the_nearest_neighbours():
    others = [Label(name, f"a kind of {name}") for name in ("hamlet", "port", "quay")]
    lines = contrasts(
        label_set(CITY, VILLAGE, *others), dictionary({"city": ["village", "hamlet", "port", "quay"]}), {}
    )
    assert lines == {
        "city": "a town with city rights; not 'village', which means a small place in the country; "
        "not 'hamlet', which means a kind of hamlet; not 'port', which means a kind of port"
    }


def test_a_line_is_in_the_language_of_the_label_set():
    labels = label_set(Label("疾病", "疾病的名称。"), Label("症状", "患者的症状；体征"), Label("药物"), lang="zh")
    lines = contrasts(labels, dictionary({"疾病": ["症状", "药物"]}), {})
    assert lines == {"疾病": "疾病的名称；不是“症状”，后者指患者的症状，体征"}
    assert contrasts(label_set(CITY, VILLAGE, lang="de"), dictionary({"city": ["village"]}), {}) == {
        "city": "a town with city rights; not 'village', which means a small place in the country"
    }


def test_neighbours_without_description_are_not_named():
    neighbours = {"city": ["river", "village"], "river": ["city"], "village": ["river"]}
    assert contrasts(label_set(CITY, RIVER, VILLAGE), dictionary(neighbours), {}) == {
        "city": "a town with city rights; not 'village', which means a small place in the country",
        "river": "not 'city', which means a town with city rights",
    }
    assert contrasts(label_set(Label("a"), Label("b")), dictionary({"a": ["b"]}), {}) == {}


def test_a_label_is_not_its_contrast_and_other_labels_are_left_out():
    neighbours = {"city": ["city", "town", "village", "village"], "village": ["village"], "town": ["city"]}
    lines = contrasts(label_set(CITY, VILLAGE), dictionary(neighbours), {})
    assert lines == {"city": "a town with city rights; not 'village', which means a small place in the country"}


def test_an_equal_description_does_not_tell_two_labels_apart():
    labels = label_set(CITY, Label("town", "a town with city rights."))
    assert contrasts(labels, dictionary({"city": ["town"]}), {}) == {}


def test_typed_triples_are_named_by_their_predicates():
    born = typed_label("person", "born in", "city")
    died = replace(typed_label("person", "died in", "city"), description="where a person died")
    country = replace(typed_label("person", "born in", "country"), description="the country of birth")
    labels = label_set(born, country, died, task="SPO")
    line = contrasts(labels, dictionary({born.name: [died.name, country.name]}, "SPO"), {})[born.name]
    assert line == (
        "relation born in; its subject is of type person, its object of type city; "
        "not 'died in', which means where a person died; "
        "not 'person_born in_country', which means the country of birth"
    )


def test_the_file_counts_before_the_template():
    written = {("NER", "towns", "city"): Contrast("a big place"), ("NER", "other", "village"): Contrast("x")}
    lines = contrasts(label_set(CITY, VILLAGE, RIVER), dictionary({"village": ["city"]}), written)
    assert lines == {
        "city": "a big place",
        "village": "a small place in the country; not 'city', which means a town with city rights",
    }


def test_event_tasks_share_the_lines_of_their_dictionary():
    labels = label_set(CITY, VILLAGE, task="EET")
    written = {("EE", "towns", "city"): Contrast("a big place")}
    assert contrasts(labels, dictionary({"city": ["village"]}, "EE"), written) == {"city": "a big place"}


LONG = "a place " * 625
JSON = '{"description": ["a place", {"kind": "\\"x\\""}]}\n{"b": 1}'


@pytest.mark.parametrize("text", [LONG, "港" * 5000, JSON, "a\u2028b\tc\r\n d", ".", "；；", " "])
def test_any_description_gives_one_short_line(text):
    labels = label_set(Label("a", text), Label("b", text + "!"), Label("c" * 9000, text + "?"), Label("d" * 70))
    neighbours = {"a": ["b", "c" * 9000, "d" * 70], "d" * 70: ["a", "b", "c" * 9000]}
    for lang in ("en", "zh"):
        lines = contrasts(LabelSet("NER", "towns", "Towns", lang, labels.labels), dictionary(neighbours), {})
        assert "d" * 70 in lines and len(lines) <= 2
        for line in lines.values():
            assert len(line.splitlines()) == 1 and line == line.strip(" ;；") and 0 < len(line) <= LONGEST_LINE


@given(st.text(), st.integers(2, 50))
def test_a_clipped_text_is_short_and_begins_as_the_text(text, limit):
    short = contrast.clipped(text, limit)
    plain = " ".join(text.split())
    assert len(short) <= limit and short.splitlines() in ([short], [])
    assert short == plain if len(plain) <= limit else plain.startswith(short[:-1])


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("an entity; symmetric", "an entity, symmetric"),
        (f"an entity; {LONG}", "an entity"),
        (f"an entity；{LONG}", "an entity"),
        (LONG, "a place " * 9 + "a place…"),
        ("。", ""),
    ],
)
def test_long_descriptions_are_cut_to_their_first_clause(text, short):
    assert in_short(text) == short
