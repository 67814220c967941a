"""The reward of an answer is its F1 by train.score, for every task, form and kind of broken answer."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.answer_form import forms_of
from schemas.errors import ConfigError
from schemas.example import TASKS
from tests.answers import questions
from train.parse import parse
from train.reward import f1, reward
from train.scoring.predictions import Answer, Record
from train.scoring.tally import tally
from transforms import answer_forms, phrasings
from transforms.wrong_answers import KINDS, wrong_answer

PHRASING = phrasings.PHRASINGS[0].shown[0]


def instruction(task: str, labels, text: str = "Ada sailed to Brevik.") -> str:
    schema = list(labels)
    if task == "SPO":
        schema = [{"subject_type": "a", "predicate": label, "object_type": "b"} for label in labels]
    return json.dumps({"instruction": PHRASING, "schema": schema, "input": text})


def scored(task: str, prompt: str, right: str, answer: str, form: str) -> float | None:
    """F1 by train.score over all measures; None if there is nothing to find and nothing predicted."""
    schema = json.loads(prompt)["schema"]
    gold = parse(task, right, schema, form).annotations
    given_answer = Answer(answer, (), schema, form, "none", "a:1")
    record = Record(
        task, "a", "test", "1", "en", json.loads(prompt)["input"], "a:1", gold, False, right, [given_answer]
    )
    hits, predicted, expected, _ = tally([[record]], "normal").counts.sum(axis=(0, 1)).tolist()
    return 2 * hits / (predicted + expected) if predicted + expected else None


@pytest.mark.parametrize("task", TASKS)
@given(st.data())
@settings(max_examples=50)
def test_the_reward_is_the_f1_of_train_score(task, data):
    drawn, key = data.draw(questions(task)), data.draw(st.integers(0, 99))
    form = data.draw(st.sampled_from(forms_of(task)))
    answer = data.draw(
        st.sampled_from([drawn.answer, *(wrong_answer(kind, drawn, key) or drawn.answer for kind in KINDS)])
    )
    written = [answer_forms.write(form, task, each, drawn.text, PHRASING) for each in (drawn.answer, answer)]
    written[1] = written[1][: data.draw(st.just(None) | st.integers(0, len(written[1])))]
    prompt = instruction(task, drawn.answer, drawn.text)
    score = scored(task, prompt, *written, form)
    rewarded = f1(written[1], task, prompt, written[0], form)
    assert rewarded == pytest.approx(score) if score is not None else rewarded in (0, 1)


def ner(answer: str, right: str = '{"person": ["Ada", "Bo"]}') -> float:
    return f1(answer, "NER", instruction("NER", ["person"]), right)


def test_rewards_of_answers():
    assert ner('{"person": ["Ada", "Bo"]}') == 1
    assert ner('{"person": ["Ada"]}') == pytest.approx(2 / 3)
    assert ner('{"person": ["Ada", "Bo", "Ada"]}') == pytest.approx(4 / 5)
    assert ner('{"person": []}') == ner("{}") == ner("Ada, Bo") == ner("") == ner('{"person": ["Ada", "Bo"]') == 0


def test_nothing_to_find():
    nothing = '{"person": []}'
    assert ner(nothing, nothing) == ner("{}", nothing) == 1
    assert ner("none", nothing) == ner("", nothing) == ner('{"person": ["Ada"]}', nothing) == 0
    assert ner('{"person": 5}', nothing) == 0, "a malformed answer is not an empty one"


def test_a_batch_of_trl():
    texts = ['{"person": ["Ada"]}', '{"person": []}']
    columns = {
        "prompts": [[], []],
        "task": ["NER", "NER"],
        "instruction": [instruction("NER", ["person"])] * 2,
        "output": ['{"person": ["Ada"]}'] * 2,
        "trainer_state": None,
    }
    assert reward(texts, **columns) == [1, 0]
    assert reward([[{"role": "assistant", "content": text}] for text in texts], **columns) == [1, 0]
    sentence = phrasings.PHRASINGS[0].sentence({"subject": "Ada", "relation": "at", "object": "Brevik"})
    columns |= {"task": ["RE", "RE"], "instruction": [instruction("RE", ["at"])] * 2, "output": [sentence] * 2}
    assert reward([sentence, "NAN"], **columns, form=["sentences"] * 2) == [1, 0]


@pytest.mark.parametrize("output", [None, "no answer"])
def test_a_row_without_a_right_answer_is_refused(output):
    with pytest.raises(ConfigError, match="no right answer in the column output"):
        reward(["{}"], ["NER"], [instruction("NER", ["person"])], [output])


@pytest.mark.parametrize(
    "answer",
    [
        '{"person": [' + ", ".join(f'"Ada {n}"' for n in range(90_000)) + "]}",
        '{"person": ["' + "a" * 1_000_000 + '"]}',
        '{"person": ' + "[" * 1_000_000,
        '{"person": ["Ada", ' * 50_000,
        " " * 1_000_000,
    ],
    ids=["many", "long", "deep", "repeated", "blank"],
)
@pytest.mark.parametrize("form", ["iepile", "spans", "nan"])
def test_an_answer_of_a_megabyte(answer, form):
    start = time.process_time()
    assert f1(answer, "NER", instruction("NER", ["person"]), '{"person": ["Ada"]}', form) == 0
    assert time.process_time() - start < 5
    if form == "nan":
        for other in ("triples", "sentences"):
            right = answer_forms.write(other, "RE", {"at": [{"subject": "Ada", "object": "Bo"}]}, "", PHRASING)
            assert f1(answer, "RE", instruction("RE", ["at"]), right, other) == 0
        assert time.process_time() - start < 10
