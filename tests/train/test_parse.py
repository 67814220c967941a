"""Answers of every task, valid or malformed, become unified annotations; annotations become comparable items."""

import json

import pytest

from schemas.errors import ConfigError
from schemas.example import TASKS
from train.parse import READERS, Parsed, Unparseable, parse
from train.scoring.items import MEASURES, comparable_items, items, label_name

SPO_SCHEMA = [{"subject_type": "ship", "predicate": "moored at", "object_type": "quay"}]

ANSWERS = {
    "NER": ({"ship": ["Ada", "Bo"], "quay": []}, {"entity": [("ship", "Ada"), ("ship", "Bo")]}),
    "RE": ({"moored at": [{"subject": "Ada", "object": "Quay 3"}]}, {"relation": [("moored at", "Ada", "Quay 3")]}),
    "SPO": (
        {"moored at": [{"subject": "Ada", "object": "Quay 3"}]},
        {"relation": [(("ship", "moored at", "quay"), "Ada", "Quay 3")]},
    ),
    "EE": (
        {"arrive": [{"trigger": "docked", "arguments": {"ship": "Ada", "cargo": ["coal", "tin"], "time": "NAN"}}]},
        {
            "event": [("arrive", "docked")],
            "argument": [(("arrive", "ship"), "Ada"), (("arrive", "cargo"), "coal"), (("arrive", "cargo"), "tin")],
        },
    ),
    "EET": ({"arrive": ["docked", "NAN"], "leave": []}, {"event": [("arrive", "docked")]}),
    "EEA": (
        {"arrive": [{"trigger": "docked", "arguments": {"ship": "Ada"}}, {"trigger": "moored", "arguments": {}}]},
        {"argument": [(("arrive", "ship"), "Ada")]},
    ),
    "KG": (
        {"ship": {"Ada": {"cargo": ["coal", "tin"], "port": "Low"}}, "quay": []},
        {"relation": [("cargo", "Ada", "coal"), ("cargo", "Ada", "tin"), ("port", "Ada", "Low")]},
    ),
}


def parsed(task: str, answer: object) -> Parsed:
    result = parse(task, json.dumps(answer), SPO_SCHEMA)
    assert isinstance(result, Parsed)
    return result


def test_every_task_is_covered():
    assert set(ANSWERS) == set(TASKS) == set(READERS) == set(MEASURES)


@pytest.mark.parametrize("task", TASKS)
def test_answers_of_every_task_are_parsed(task):
    answer, expected = ANSWERS[task]
    result = parsed(task, answer)
    assert items(task, result.annotations) == expected
    assert result.malformed == 0


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_derived_from_annotations(task):
    answer, _ = ANSWERS[task]
    names = {label_name(task, annotation) for annotation in parsed(task, answer).annotations}
    assert names == {"SPO": {"ship_moored at_quay"}}.get(task, {next(iter(answer))})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("[]", "a list"),
        ('"ship"', "a string"),
        ("3", "a number"),
        ("null", "null"),
        ("true", "a boolean"),
        ('{"ship": ["Ada"', "truncated"),
        ('Sure: {"ship": []}', "malformed"),
        ('{"ship": []} {"quay": []}', "malformed"),
        ("{'ship': []}", "malformed"),
        ('{"ship": NaN}', "malformed"),
        ('{"ship": "A\nda"}', "malformed"),
        ('{"ship": ' * 100_000, "deep"),
        ("[" * 100_000, "deep"),
        ('{"ship": "\ud800"}', "surrogate"),
    ],
)
def test_an_answer_that_is_not_a_json_object_is_unparseable(answer, reason):
    result = parse("NER", answer)
    assert isinstance(result, Unparseable)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("task", "answer", "kept", "malformed"),
    [
        ("NER", {"ship": "Ada"}, [], 1),
        ("NER", {"ship": ["Ada", 3, None, "", ["Bo"], {"a": 1}]}, [("ship", "Ada")], 5),
        ("NER", {"ship": ["Ada"], "quay": {"x": [1]}}, [("ship", "Ada")], 1),
        ("NER", {"ship": ["Ada", "Ada"]}, [("ship", "Ada"), ("ship", "Ada")], 0),
        ("RE", {"moored at": [{"subject": "Ada"}, ["Ada", "Low"], {"subject": 1, "object": "Low"}]}, [], 3),
        ("RE", {"moored at": {"subject": "Ada", "object": "Low"}}, [], 1),
        ("RE", {"r": [{"head": "a", "tail": "b"}, {"subject": "a", "object": "b", "why": 1}]}, [("r", "a", "b")], 1),
        ("SPO", {"sold to": [{"subject": "Ada", "object": "Bo"}]}, [(("", "sold to", ""), "Ada", "Bo")], 0),
        ("EET", {"arrive": "docked"}, [], 1),
        ("KG", {"ship": {"Ada": "coal"}, "quay": ["Low"], "crew": {"": {"size": "3"}}}, [], 3),
        ("KG", {"ship": {"Ada": {"cargo": [["coal"], "tin", "NAN"]}}}, [("cargo", "Ada", "tin")], 1),
    ],
)
def test_malformed_values_are_left_out_and_counted(task, answer, kept, malformed):
    result = parsed(task, answer)
    assert items(task, result.annotations)[MEASURES[task][0]] == kept
    assert result.malformed == malformed


@pytest.mark.parametrize(
    ("event", "events", "arguments", "malformed"),
    [
        ({"trigger": "NAN", "arguments": {"ship": "Ada"}}, [("arrive", "")], [("ship", "Ada")], 0),
        ({"trigger": "", "arguments": {"ship": "Ada"}}, [("arrive", "")], [("ship", "Ada")], 0),
        ({"arguments": {"ship": ["Ada", "Ada"]}}, [("arrive", "")], [("ship", "Ada"), ("ship", "Ada")], 0),
        ({"trigger": "NAN", "arguments": {"ship": "NAN", "time": ["NAN"]}}, [], [], 0),
        ({"trigger": "docked", "arguments": {"ship": 4, "time": None}}, [("arrive", "docked")], [], 2),
        ({"trigger": "docked", "arguments": ["Ada"]}, [("arrive", "docked")], [], 1),
        ({"trigger": ["docked"], "arguments": {"ship": "Ada"}}, [], [], 1),
        ({"trigger": "docked"}, [("arrive", "docked")], [], 0),
        ("docked", [], [], 1),
    ],
)
def test_events(event, events, arguments, malformed):
    result = parsed("EE", {"arrive": [event]})
    assert items("EE", result.annotations) == {
        "event": events,
        "argument": [(("arrive", role), value) for role, value in arguments],
    }
    assert result.malformed == malformed


def test_the_last_value_of_a_repeated_key_counts():
    assert items("NER", parse("NER", '{"ship": ["Ada"], "ship": ["Bo"]}').annotations) == {"entity": [("ship", "Bo")]}


def test_triggers_missing_null_empty_and_nan_are_equal():
    annotations = [
        {"event_type": "arrive", "arguments": [{"role": "ship", "argument": "Ada"}], **trigger} for trigger in TRIGGERS
    ]
    assert items("EE", annotations)["event"] == [("arrive", "")] * len(TRIGGERS)


TRIGGERS = ({}, {"event_trigger": None}, {"event_trigger": ""}, {"event_trigger": "NAN"})


def test_eet_gold_counts_a_shared_trigger_as_often_as_predicted():
    docked = {"event_trigger": "docked", "event_type": "arrive", "arguments": []}
    gold = [
        docked,
        {**docked, "arguments": [{"argument": "Ada", "role": "ship"}]},
        {"event_type": "leave", "arguments": [{"argument": "Ada", "role": "ship"}]},
    ]
    for named, counted in ((0, 1), (1, 1), (2, 2), (3, 2)):
        _, gold_items = comparable_items("EET", [docked] * named, gold)
        assert gold_items == {"event": [("arrive", "docked")] * counted}
        _, gold_items = comparable_items("EET", [docked] * named, [docked, docked])  # repetitions
        assert gold_items == {"event": [("arrive", "docked")] * 2}
    assert comparable_items("EE", [], gold)[1]["event"] == [("arrive", "docked"), ("arrive", "docked"), ("leave", "")]


def test_kg_triples_count_once_if_gold_has_no_types():
    answer = {"ship": {"Ada": {"port": "Low"}}, "ferry": {"Ada": {"port": ["Low", "Low", "High"]}}}
    predicted = parsed("KG", answer).annotations
    low, high = ("port", "Ada", "Low"), ("port", "Ada", "High")
    gold = [{"head": "Ada", "relation": "port", "tail": "Low"}]
    assert comparable_items("KG", predicted, gold) == ({"relation": [low, low, high]}, {"relation": [low]})
    typed = [{**gold[0], "head_type": "ship"}]
    assert comparable_items("KG", predicted, typed) == ({"relation": [low, low, low, high]}, {"relation": [low]})


def test_large_answers_are_parsed():
    result = parsed("NER", {"ship": ["Ada"] * 100_000})
    assert len(result.annotations) == 100_000


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match="unknown task 'MRC'; the tasks are NER"):
        parse("MRC", "{}")
