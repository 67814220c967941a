"""Predictions as evidence: which label a model gave for which, by hand, and errors of bad files in one line."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives import mistakes
from hard_negatives.embed import lexical
from hard_negatives.evidence import evidence
from hard_negatives.mine import mine
from schemas.errors import ConfigError
from schemas.label import Label, LabelSet

NAMES = ("apple", "boat", "cloud", "drum", "engine", "flute")
SET = LabelSet("NER", "harbour", "Harbour", "en", tuple(map(Label, NAMES)))


def row(number: int = 0, gold: object = None, output: object = None, **columns: object) -> dict:
    """A validation row of NER: `gold` and `output` are answers."""
    values = {
        "id": f"harbour/validation/{number}/NER/0", "example_id": f"harbour/validation/{number}", "task": "NER",
        "source": "Harbour", "split": "validation", "labels": list(NAMES), "label": json.dumps(gold or {}),
        "instruction": json.dumps({"instruction": "Name them.", "schema": list(NAMES), "input": "text"}),
        "output": json.dumps(output or {}),
    }  # fmt: skip
    return values | columns


def write(path, *rows: dict) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return str(path)


def total(path: str, key=("NER", "harbour")) -> dict:
    return dict(mistakes.read(path).mistakes[key].total)


def test_a_unit_with_another_label_is_a_confusion(tmp_path):
    path = write(
        tmp_path / "p.jsonl",
        row(0, {"apple": ["x", "y"], "boat": ["z"]}, {"apple": ["x"], "cloud": ["y"], "drum": ["new"]}),
    )
    assert total(path) == {("apple", "apple"): 1, ("apple", "cloud"): 1}, "z was missed, new is nobody's"


def test_a_wrong_label_beside_the_right_one_is_a_confusion_too(tmp_path):
    path = write(tmp_path / "p.jsonl", row(0, {"apple": ["x"]}, {"apple": ["x"], "cloud": ["x"]}))
    assert total(path) == {("apple", "apple"): 1, ("apple", "cloud"): 1}


def test_the_rows_of_a_text_are_taken_together(tmp_path):
    first = row(0, {"apple": ["x"]}, {"apple": []})
    second = row(0, {"boat": []}, {"boat": ["x"]}, id="harbour/validation/0/NER/1")
    elsewhere = row(1, {}, {"cloud": ["x"]})
    assert total(write(tmp_path / "p.jsonl", first, second, elsewhere)) == {("apple", "boat"): 1}


@pytest.mark.parametrize(
    ("task", "schema", "labels", "gold", "output", "expected"),
    [
        ("RE", ["in", "at"], ["in", "at"], {"in": [{"subject": "a", "object": "b"}]},
         {"at": [{"subject": "a", "object": "b"}]}, ("in", "at")),
        ("RE", ["in", "at"], ["in", "at"], [{"head": "a", "relation": "in", "tail": "b"}],
         {"at": [{"subject": "a", "object": "b"}]}, ("in", "at")),
        ("SPO", [{"subject_type": "S", "predicate": p, "object_type": "O"} for p in ("in", "at")],
         ["S_in_O", "S_at_O"], [{"head": "a", "head_type": "S", "relation": "in", "tail": "b", "tail_type": "O"}],
         {"at": [{"subject": "a", "object": "b"}]}, ("S_in_O", "S_at_O")),
        ("EET", ["sale", "gift"], ["sale", "gift"], {"sale": ["gave"]}, {"gift": ["gave"]}, ("sale", "gift")),
        ("EE", [{"event_type": e, "trigger": True, "arguments": []} for e in ("sale", "gift")], ["sale", "gift"],
         {"sale": [{"trigger": "gave", "arguments": {}}]}, {"gift": [{"trigger": "gave", "arguments": {}}]},
         ("sale", "gift")),
        ("NER", {"LABEL 1": "a fruit", "LABEL 2": "a ship"}, ["apple", "boat"], {"LABEL 1": ["x"]},
         {"LABEL 2": ["x"]}, ("apple", "boat")),
    ],
)  # fmt: skip
def test_units_of_each_task(tmp_path, task, schema, labels, gold, output, expected):
    instruction = json.dumps({"instruction": "Find.", "schema": schema, "input": "text"})
    one = row(0, gold, output, task=task, labels=labels, instruction=instruction)
    key = "EE" if task == "EET" else task
    assert total(write(tmp_path / "p.jsonl", one), (key, "harbour")) == {expected: 1}


def test_values_may_be_json_instead_of_strings(tmp_path):
    one = row(0, {"apple": ["x"]}, {"boat": ["x"]})
    one |= {"label": json.loads(one["label"]), "instruction": json.loads(one["instruction"])}
    assert total(write(tmp_path / "p.jsonl", one)) == {("apple", "boat"): 1}


def test_test_rows_and_unparseable_answers_are_counted_and_left_out(tmp_path):
    wrong = ({"apple": ["x"]}, {"boat": ["x"]})
    unread = [row(2, *wrong) | {"output": output} for output in ("no JSON", None)]
    path = write(tmp_path / "p.jsonl", row(0, *wrong, split="test"), row(1, *wrong), *unread)
    read = mistakes.read(path)
    assert (read.rows, read.unparseable, read.test_rows) == (4, 2, 1)
    assert total(path) == {("apple", "boat"): 1}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "contains no predictions"),
        ([row(label=None)], "no row has gold annotations"),
        ([row(split="test")], "all rows are of test splits"),
        ([row(), {"task": "NER"}], "p.jsonl:2: a row of predictions has task, source"),
        ([row(label="[1]")], "p.jsonl:1: label is not the JSON of gold annotations of task NER"),
        ([row(label='"x"')], "p.jsonl:1: label is not the JSON of gold annotations of task NER"),
        ([row(instruction="x")], "p.jsonl:1: the instruction has no schema in the form of task NER"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, rows, line):
    with pytest.raises(ConfigError, match=line) as error:
        mistakes.read(write(tmp_path / "p.jsonl", *rows))
    assert "\n" not in str(error.value)


def test_a_file_of_other_labels_is_one_line(tmp_path):
    other = row(0, {"ship": ["x"]}, {"quay": ["x"]}, labels=["ship", "quay"])
    other["instruction"] = json.dumps({"instruction": "Name.", "schema": ["ship", "quay"], "input": "text"})
    path = write(tmp_path / "p.jsonl", other)
    with pytest.raises(
        ConfigError, match=r"its rows name no label of a source of this build \(they are of NER harbour\)"
    ):
        mistakes.check(mistakes.read(path), path, [SET])


def test_a_model_without_any_mention_of_the_gold_is_not_taken_for_other_labels(tmp_path):
    path = write(tmp_path / "p.jsonl", row(0, {"apple": ["x"]}, {"boat": ["y"]}), row(1) | {"output": "no JSON"})
    with pytest.raises(ConfigError, match=r"no answer has a mention of the gold.*1 of 2 answers cannot be read"):
        mistakes.check(mistakes.read(path), path, [SET])


def planted(path, times: int = 20) -> mistakes.Mistakes:
    """A model that gives flute for apple, and everything else right."""
    rows = []
    for number in range(times):
        right = {name: [f"{name} {number}"] for name in NAMES}
        rows.append(row(number, right, {**right, "apple": [], "flute": [*right["flute"], *right["apple"]]}))
    one = mistakes.mistakes_for(mistakes.read(write(path, *rows)).mistakes, SET)
    assert one is not None
    return one


def test_a_planted_confusion_is_first_in_the_list_of_its_label(tmp_path):
    before = evidence(SET, {}, {}, None)
    after = {**before, "mistakes": mistakes.evidence(planted(tmp_path / "p.jsonl"), SET)}
    first = {at: mine(SET, kinds, "lexical").labels["apple"].neighbours for at, kinds in enumerate((before, after))}
    assert first[0][0].label != "flute"
    assert first[1][0].label == "flute" and next(iter(first[1][0].evidence)) == "mistakes"


def test_a_label_that_is_only_given_wrongly_has_a_row():
    one = mistakes.Mistakes()
    one.pairs[0].update({("apple", "flute"): 3})
    rows = mistakes.evidence(one, SET).rows
    assert rows[0] @ rows[5] > 0.9 and rows.any(axis=1).all()


def test_a_confusion_in_one_half_of_the_texts_is_not_reliable():
    half, both = mistakes.Mistakes(), mistakes.Mistakes()
    half.pairs[0].update({("apple", "flute"): 3})
    for part in both.pairs:
        part.update({("apple", "flute"): 3})
    assert mistakes.evidence(half, SET).reliability < 0.5 < mistakes.evidence(both, SET).reliability


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 1)), max_size=40))
def test_rows_are_unit_vectors_and_the_order_of_pairs_has_no_effect(pairs):
    made = []
    for order in (pairs, pairs[::-1]):
        one = mistakes.Mistakes()
        for gold, given_label, half in order:
            one.pairs[half][gold, given_label] += 1
        made.append(mistakes.evidence(one, SET))
    assert np.array_equal(made[0].rows, made[1].rows) and 0 <= made[0].reliability <= 1
    assert np.allclose(np.linalg.norm(made[0].rows, axis=1), 1, atol=1e-5)


def test_a_perfect_model_changes_nothing(tmp_path):
    right = {name: [name] for name in NAMES}
    one = mistakes.read(write(tmp_path / "p.jsonl", row(0, right, right))).mistakes["NER", "harbour"]
    before = evidence(SET, {}, {}, lexical)
    after = {**before, "mistakes": mistakes.evidence(one, SET)}
    assert mine(SET, after, "lexical") == mine(SET, before, "lexical")
