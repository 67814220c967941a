"""Dictionaries of hard negatives: the file format, and the choice of one for a label set."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, as_mapping, dictionary_for, dump, load, parse
from hard_negatives.kinds import KINDS
from schemas.errors import ConfigError
from schemas.label import Label, LabelSet, typed_label

NESTED = {
    "NER": {"Towns": {"city": ["village", "river"], "river": ["city"]}},
    "EE": {"Towns": {"flood": ["fire"]}},
    "RE": {"Clinic": {"treats": ["causes"], "causes": ["treats", "prevents"]}},
}


def label_set(task: str, source: str, *labels: str | Label, key: str = "towns") -> LabelSet:
    labels = (label if isinstance(label, Label) else Label(label) for label in labels)
    return LabelSet(task, key, source, "en", tuple(sorted(labels, key=lambda label: label.name)))


def parse_content(content: object) -> tuple[Dictionary, ...]:
    return parse(json.dumps(content).encode(), "mine.json")


def test_files_without_evidence_are_read():
    old = {"task": "NER", "key": "towns", "source": "Towns", "lang": "en", "model": "lexical"}
    (read,) = parse_content({**old, "labels": {"city": {"neighbours": [{"label": "river", "score": 0.5}]}}})
    assert read.labels == {"city": Ranking((Neighbour("river", 0.5),))}


def test_the_file_has_one_neighbour_per_line():
    ranking = Ranking((Neighbour("村庄", 0.75, {"types": 2.0, "name": 0.5}),), (Neighbour('a "river"', -0.1),))
    labels = {"城市": ranking, "alone": Ranking(())}
    assert dump(Dictionary("NER", "towns", "Towns", "zh", "lexical", labels, {"types": 0.8, "name": 1.0})) == (
        "{\n"
        ' "task": "NER",\n'
        ' "key": "towns",\n'
        ' "source": "Towns",\n'
        ' "lang": "zh",\n'
        ' "model": "lexical",\n'
        ' "evidence": {"types": 0.8, "name": 1.0},\n'
        ' "labels": {\n'
        '  "城市": {\n'
        '   "neighbours": [\n'
        '    {"label": "村庄", "score": 0.75, "evidence": {"types": 2.0, "name": 0.5}}\n'
        "   ],\n"
        '   "below_cut": [\n'
        '    {"label": "a \\"river\\"", "score": -0.1}\n'
        "   ]\n"
        "  },\n"
        '  "alone": {\n'
        '   "neighbours": [],\n'
        '   "below_cut": []\n'
        "  }\n"
        " }\n"
        "}\n"
    )


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=10)
evidence = st.dictionaries(
    st.sampled_from(sorted(KINDS)), st.integers(1, 99).map(lambda points: points / 10), max_size=3
)
scores = st.none() | st.integers(-10_000, 10_000).map(lambda points: points / 10_000)
neighbours = st.builds(Neighbour, names, scores, evidence)
rankings = st.builds(Ranking, st.lists(neighbours, max_size=3).map(tuple), st.lists(neighbours, max_size=3).map(tuple))


@given(st.builds(Dictionary, names, names, names, names, names, st.dictionaries(names, rankings, max_size=4), evidence))
def test_a_dictionary_survives_writing_and_reading(dictionary):
    assert parse(dump(dictionary).encode(), "x.json") == (dictionary,)


def test_the_nested_form_is_read():
    dictionaries = parse_content(NESTED)
    assert [(d.task, d.source) for d in dictionaries] == [("NER", "Towns"), ("EE", "Towns"), ("RE", "Clinic")]
    part = dictionary_for(dictionaries, label_set("NER", "Towns", "city", "river", "village"))
    assert as_mapping(part) == {"city": ["village", "river"], "river": ["city"]}
    assert (part.task, part.key, part.source, part.lang, part.model) == ("NER", "towns", "Towns", "en", "")


def test_labels_outside_the_set_and_the_label_itself_are_left_out():
    dictionaries = parse_content({"NER": {"Towns": {"city": ["city", "CITY", "river", "river"], "hamlet": ["city"]}}})
    assert as_mapping(dictionary_for(dictionaries, label_set("NER", "Towns", "city", "river"))) == {"city": ["river"]}


def test_source_matches_by_published_name_or_key_and_task():
    dictionaries = parse_content(NESTED)
    assert dictionary_for(dictionaries, label_set("NER", "Elsewhere", "city", "river")).labels == {}
    assert dictionary_for(dictionaries, label_set("RE", "Towns", "city", "river")).labels == {}
    assert dictionary_for(dictionaries, label_set("NER", "Elsewhere", "city", "river", key="Towns")).labels.keys() == {
        "city",
        "river",
    }


@pytest.mark.parametrize("task", ["EE", "EET", "EEA"])
def test_event_tasks_use_the_ee_dictionary(task):
    assert as_mapping(dictionary_for(parse_content(NESTED), label_set(task, "Towns", "fire", "flood"))) == {
        "flood": ["fire"]
    }


def test_the_task_precedes_its_fallback_task():
    dictionaries = parse_content({**NESTED, "EET": {"Towns": {"flood": ["storm"]}}})
    assert as_mapping(dictionary_for(dictionaries, label_set("EET", "Towns", "fire", "flood", "storm"))) == {
        "flood": ["storm"]
    }


def test_predicates_apply_to_typed_labels():
    labels = [
        typed_label(*triple)
        for triple in (
            ("drug", "treats", "disease"),
            ("drug", "treats", "symptom"),
            ("drug", "causes", "symptom"),
            ("food", "prevents", "disease"),
        )
    ]
    assert as_mapping(dictionary_for(parse_content(NESTED), label_set("SPO", "Clinic", *labels))) == {
        "drug_causes_symptom": ["drug_treats_disease", "drug_treats_symptom", "food_prevents_disease"],
        "drug_treats_disease": ["drug_causes_symptom"],
        "drug_treats_symptom": ["drug_causes_symptom"],
    }
    typed = parse_content({"SPO": {"Clinic": {"drug_treats_disease": ["drug_causes_symptom"]}}})
    assert as_mapping(dictionary_for(typed, label_set("SPO", "Clinic", *labels))) == {
        "drug_treats_disease": ["drug_causes_symptom"]
    }


def test_the_flat_form_applies_to_any_source():
    dictionaries = parse_content({"city": ["river"], "flood": ["fire"]})
    assert as_mapping(dictionary_for(dictionaries, label_set("NER", "Any", "city", "river"))) == {"city": ["river"]}
    assert as_mapping(dictionary_for(dictionaries, label_set("EE", "Other", "fire", "flood"))) == {"flood": ["fire"]}


def test_a_folder_of_dictionaries_is_read(tmp_path):
    mined = Dictionary("NER", "towns", "Towns", "en", "lexical", {"city": Ranking((Neighbour("river", 0.5),))})
    (tmp_path / "NER").mkdir()
    (tmp_path / "NER" / "towns.json").write_text(dump(mined))
    (tmp_path / "given.json").write_text(json.dumps(NESTED))
    (tmp_path / "manifest.txt").write_text("no dictionary")
    (tmp_path / "manifest.json").write_text('{"stage": "mine"}')
    dictionaries = load(str(tmp_path))
    assert dictionaries[0] == mined and len(dictionaries) == 4
    assert load(str(tmp_path / "NER" / "towns.json")) == (mined,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "invalid JSON"),
        (b"\xff\xfe", "invalid JSON"),
        (b"[]", "not a dictionary with labels"),
        (b"{}", "not a dictionary with labels"),
        (b'{"city": "river"}', "Invalid enum value 'city'"),
        (b'{"city": ["river", 3]}', "Expected `str`, got `int`"),
        (b'{"city": ["river"], "river": {}}', "Expected `array`, got `object`"),
        (b'{"NER": {"Towns": ["city"]}}', "Expected `object`, got `array`"),
        (b'{"Towns": {"city": ["river"]}}', "Invalid enum value 'Towns'"),
        (b'{"task": "NER", "labels": {}}', "missing required field `key`"),
        (b"[" * 100_000, "invalid JSON"),
    ],
)
def test_invalid_content_is_refused(content, problem, tmp_path):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path}: ") and problem in str(caught.value)
    assert "expected {task: {source: {label: [labels]}}}" in str(caught.value) and "\n" not in str(caught.value)


def test_a_byte_order_mark_is_ignored():
    assert parse(b'\xef\xbb\xbf{"city": ["river"]}', "flat.json") == parse(b'{"city": ["river"]}', "flat.json")


def test_the_top_folder_of_a_build_is_refused(tmp_path):
    (tmp_path / "hard_negatives").mkdir()
    (tmp_path / "build.json").write_text("{}")
    with pytest.raises(ConfigError, match=rf"give its folder of dictionaries: {tmp_path}/hard_negatives$"):
        load(str(tmp_path))


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such file or folder"):
        load(str(tmp_path / "nowhere.json"))
    with pytest.raises(ConfigError, match=r"no \.json file below this folder"):
        load(str(tmp_path))
