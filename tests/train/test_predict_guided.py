"""The JSON Schema of answers: the gold of every task follows it, other answers do not."""

import json

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer

from train.prediction.guided import WIRE_SEPARATORS, json_schema

BYTES = LLTokenizer("byte")
PAIR = {"subject": "Asta", "object": "Berg"}
EVENT_TYPE = {"event_type": "meet", "trigger": True, "arguments": ["who", "where"]}
WITH_TRIGGER = {"event_type": "meet", "trigger": ["met"], "arguments": ["who", "where"]}
WITHOUT_TRIGGER = {"event_type": "meet", "arguments": ["who", "where"]}
ENTITY_TYPE = {"entity_type": "ship", "attributes": ["owner", "length"]}
TYPED = {"subject_type": "person", "predicate": "knows", "object_type": "person"}

RIGHT = [
    ("NER", ["a b", "港"], {"a b": [], "港": ["x", "y"]}),
    ("EET", ["meet"], {"meet": ["met"]}),
    ("RE", ["knows"], {"knows": [PAIR, PAIR]}),
    ("SPO", [TYPED], {"knows": [PAIR]}),
    ("EE", [EVENT_TYPE], {"meet": []}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {}}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"who": ["a", "b"], "where": "NAN"}}]}),
    ("EE", [{**EVENT_TYPE, "arguments": []}], {"meet": [{"trigger": "met", "arguments": {}}]}),
    ("EEA", [WITH_TRIGGER], {"meet": [{"trigger": "met", "arguments": {"who": "a", "where": "b"}}]}),
    ("EEA", [WITH_TRIGGER], {"meet": [{"trigger": "NAN", "arguments": {"who": "a", "where": "b"}}]}),
    ("EEA", [WITHOUT_TRIGGER], {"meet": [{"trigger": "met", "arguments": {"who": "a", "where": "NAN"}}]}),
    ("KG", [ENTITY_TYPE], {"ship": []}),
    ("KG", [ENTITY_TYPE], {"ship": {"Ada": {"owner": "a"}, "Berg": {"owner": ["a", "b"], "length": "9 m"}}}),
]
WRONG = [
    ("NER", ["a", "b"], {"a": []}),  # a label is missing
    ("NER", ["a"], {"a": [], "b": []}),
    ("NER", ["a"], {"a": "x"}),
    ("RE", ["knows"], {"knows": [{"subject": "Asta"}]}),
    ("RE", ["knows"], {"knows": [{"head": "Asta", "tail": "Berg"}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"who": "a"}}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"why": "a"}}]}),
    (
        "EE",
        [EVENT_TYPE],
        {"meet": [{"trigger": "met", "arguments": {"who": ["a"], "where": []}}]},
    ),  # lists of 1 and 0
    ("EEA", [WITH_TRIGGER], {"meet": [{"trigger": "left", "arguments": {}}]}),
    ("KG", [ENTITY_TYPE], {"ship": {"Ada": {"colour": "red"}}}),
]


def follows(schema: dict, answer: str) -> bool:
    """Whether guided decoding can generate exactly this string."""
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=WIRE_SEPARATORS)
    assert LLMatcher.validate_grammar(grammar, BYTES) == ""
    matcher, tokens = LLMatcher(BYTES, grammar), BYTES.tokenize_str(answer)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@pytest.mark.parametrize(("task", "entries", "answer"), RIGHT)
def test_gold_answers_follow_the_schema(task, entries, answer):
    schema = json_schema(task, entries)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(answer, schema)
    assert follows(schema, json.dumps(answer, ensure_ascii=False))


@pytest.mark.parametrize(("task", "entries", "answer"), WRONG)
def test_other_answers_do_not_follow_the_schema(task, entries, answer):
    schema = json_schema(task, entries)
    assert not jsonschema.Draft202012Validator(schema).is_valid(answer)
    assert not follows(schema, json.dumps(answer))


def test_answers_have_the_format_of_a_corpus():
    schema = json_schema("NER", ["a", "b"])
    assert follows(schema, '{"a": ["x", "y"], "b": []}')
    assert not follows(schema, '{"a":["x","y"],"b":[]}')
    assert not follows(schema, '{"b": [], "a": []}')  # not in the order of the schema
    assert not follows(schema, '```json\n{"a": [], "b": []}')


def test_gold_answers_in_a_build_follow_the_schema(small):
    import pyarrow.parquet as pq

    tasks = set()
    for path in sorted(small.glob("data/*/train-*.parquet")):
        for row in pq.read_table(path, columns=["task", "instruction", "output"]).to_pylist()[:40]:
            schema = json_schema(row["task"], json.loads(row["instruction"])["schema"])
            assert follows(schema, row["output"]), row
            tasks.add(row["task"])
    assert {"NER", "RE", "EE", "KG"} <= tasks
