"""Wrong answers: one mistake of the kind, in the form of a right answer, and never a full score."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.example import TASKS
from tests.answers import ROLES, questions
from train import parse
from train.reward import f1
from transforms.wrong_answers import KINDS, Question, mentions, resized, wrong_answer


def question(task: str, answer: dict, text: str, **others) -> Question:
    empty = {"neighbours": {}, "roles": {}, "symmetric": (), "elsewhere": {}}
    return Question(task=task, text=text, answer=answer, **{**empty, **others})


def instruction(drawn: Question) -> str:
    schema = list(drawn.answer)
    if drawn.task == "SPO":
        schema = [{"subject_type": "a", "predicate": label, "object_type": "b"} for label in schema]
    return json.dumps({"instruction": "", "schema": schema, "input": drawn.text})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", TASKS)
@given(st.data(), st.integers(0, 2**64 - 1))
@settings(max_examples=30)
def test_a_wrong_answer_is_an_answer_with_a_lower_score(task, kind, data, key):
    drawn = data.draw(questions(task))
    right = json.dumps(drawn.answer)
    wrong = wrong_answer(kind, drawn, key)
    assert json.dumps(drawn.answer) == right, "the right answer is not changed"
    assert wrong == wrong_answer(kind, drawn, key)
    if wrong is None:
        return
    assert list(wrong) == list(drawn.answer)
    schema = json.loads(instruction(drawn))["schema"]
    parsed = parse.parse(task, json.dumps(wrong), schema)
    assert isinstance(parsed, parse.Parsed) and not parsed.malformed
    assert f1(json.dumps(wrong), task, instruction(drawn), right) < 1 == f1(right, task, instruction(drawn), right)
    for value in wrong.values():
        assert is_written_like_gold(task, value)


def is_written_like_gold(task: str, value: list | dict) -> bool:
    """Whether roles are complete or left out, several values are a list, and no event and no entity is empty."""
    if task == "KG":
        heads = value.values() if isinstance(value, dict) else [{"port": "Oslo"}]
        return value != {} and all(heads) and all(map(has_lists_of_several, heads))
    if task in ("EE", "EEA"):
        filled = [event["arguments"] for event in value if event["arguments"]]
        complete = all(
            list(roles) == ROLES and any(mentions(roles)) and has_lists_of_several(roles) for roles in filled
        )
        return complete and all(any(mentions(event)) for event in value)
    return isinstance(value, list)


def has_lists_of_several(values: dict) -> bool:
    return all(not isinstance(value, list) or len(value) > 1 for value in values.values())


TEXT = "Ada Lund sailed to Brevik, where Bo lives."


def test_other_label():
    answer = {"place": ["Brevik"], "person": ["Ada Lund", "Bo"], "ship": []}
    drawn = question("NER", answer, TEXT, neighbours={"place": ["person", "ship"]})
    assert wrong_answer("other label", drawn, 1) == {"place": [], "person": ["Ada Lund", "Brevik", "Bo"], "ship": []}
    both = question("NER", {"place": ["Bo"], "person": ["Bo"]}, TEXT, neighbours={"place": ["person"]})
    assert wrong_answer("other label", both, 1) is None, "the mention is right under both labels"


def test_an_event_of_another_type_keeps_the_arguments_of_equal_roles():
    answer = {"sail": [{"trigger": "sailed", "arguments": {"who": "Ada Lund", "where": "Brevik"}}], "live": []}
    roles = {"sail": ["who", "where"], "live": ["where", "since"]}
    drawn = question("EE", answer, TEXT, neighbours={"sail": ["live"]}, roles=roles)
    moved = {"trigger": "sailed", "arguments": {"where": "Brevik", "since": "NAN"}}
    assert wrong_answer("other label", drawn, 1) == {"sail": [], "live": [moved]}


def test_swapped():
    pair, other = {"subject": "Ada", "object": "Bo"}, {"subject": "Bo", "object": "Ada"}
    assert wrong_answer("swapped", question("RE", {"knows": [pair]}, TEXT), 1) == {"knows": [other]}
    assert wrong_answer("swapped", question("RE", {"knows": [pair]}, TEXT, symmetric={"knows"}), 1) is None
    assert wrong_answer("swapped", question("RE", {"knows": [pair, other]}, TEXT), 1) is None
    assert wrong_answer("swapped", question("RE", {"knows": [{"subject": "Bo", "object": "Bo"}]}, TEXT), 1) is None


def test_omitted():
    event = {"trigger": "NAN", "arguments": {"who": "Ada Lund", "where": "NAN"}}
    assert wrong_answer("omitted", question("EE", {"sail": [event]}, TEXT), 1) == {"sail": []}
    sailed = {**event, "trigger": "sailed"}
    expected = {"sail": [{"trigger": "sailed", "arguments": {}}]}
    assert wrong_answer("omitted", question("EEA", {"sail": [sailed]}, TEXT), 1) == expected
    assert wrong_answer("omitted", question("KG", {"ship": {"Ada": {"port": "Oslo"}}}, TEXT), 1) == {"ship": []}
    assert wrong_answer("omitted", question("NER", {"person": []}, TEXT), 1) is None


def test_hallucinated():
    drawn = question("NER", {"place": []}, TEXT, elsewhere={"place": ["Brevik", "Oslo"]})
    assert {str(wrong_answer("hallucinated", drawn, key)) for key in range(20)} == {"{'place': ['Oslo']}"}


@pytest.mark.parametrize(
    ("mention", "text", "expected"),
    [
        ("Ada Lund", TEXT, ["Lund", "Ada", "Ada Lund sailed"]),
        ("sailed", TEXT, ["Lund sailed", "sailed to"]),
        ("Brevik", TEXT, ["to Brevik"]),  # a comma is between it and the next word
        ("Ada.Lund", "He, Ada.Lund and Bo", ["Lund", "Ada", "Ada.Lund and"]),
        ("北京", "我在北京市。", ["京", "北", "在北京", "北京市"]),
        ("art", "a party", []),  # within a word
        ("Oslo", TEXT, []),
        ("!", "!", []),
    ],
)
def test_resized(mention, text, expected):
    assert resized(mention, text) == expected
