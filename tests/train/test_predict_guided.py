"""The JSON Schema of answers: the gold of every task follows it, other answers do not."""

import json

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer

from train.prediction.guided import WIRE_SEPARATORS, json_schema

BYTES = LLTokenizer("byte")
PAIR = {"subject": "Asta", "object": "Berg"}
EVENT_TYPE = {"event_type": "meet", "trigger": True, "arguments": ["who", "where"]}
GIVEN = {"event_type": "meet", "trigger": ["met"], "arguments": ["who", "where"]}
UNTOLD = {"event_type": "meet", "arguments": ["who", "where"]}
KINDS = {"entity_type": "ship", "attributes": ["owner", "length"]}
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
    ("EEA", [GIVEN], {"meet": [{"trigger": "met", "arguments": {"who": "a", "where": "b"}}]}),
    ("EEA", [GIVEN], {"meet": [{"trigger": "NAN", "arguments": {"who": "a", "where": "b"}}]}),
    ("EEA", [UNTOLD], {"meet": [{"trigger": "met", "arguments": {"who": "a", "where": "NAN"}}]}),
    ("KG", [KINDS], {"ship": []}),
    ("KG", [KINDS], {"ship": {"Ada": {"owner": "a"}, "Berg": {"owner": ["a", "b"], "length": "9 m"}}}),
]
WRONG = [
    ("NER", ["a", "b"], {"a": []}),  # a label is missing
    ("NER", ["a"], {"a": [], "b": []}),
    ("NER", ["a"], {"a": "x"}),
    ("RE", ["knows"], {"knows": [{"subject": "Asta"}]}),
    ("RE", ["knows"], {"knows": [{"head": "Asta", "tail": "Berg"}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"who": "a"}}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"why": "a"}}]}),
    ("EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {"who": ["a"], "where": []}}]}),  # no lists
    ("EEA", [GIVEN], {"meet": [{"trigger": "left", "arguments": {}}]}),
    ("KG", [KINDS], {"ship": {"Ada": {"colour": "red"}}}),
]


def follows(schema: dict, answer: str) -> bool:
    """Whether guided decoding could write this very string."""
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=WIRE_SEPARATORS)
    assert LLMatcher.validate_grammar(grammar, BYTES) == ""
    matcher, tokens = LLMatcher(BYTES, grammar), BYTES.tokenize_str(answer)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


@pytest.mark.parametrize(("task", "asked", "answer"), RIGHT)
def test_gold_answers_follow_the_schema(task, asked, answer):
    schema = json_schema(task, asked)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(answer, schema)
    assert follows(schema, json.dumps(answer, ensure_ascii=False))


@pytest.mark.parametrize(("task", "asked", "answer"), WRONG)
def test_other_answers_do_not(task, asked, answer):
    schema = json_schema(task, asked)
    assert not jsonschema.Draft202012Validator(schema).is_valid(answer)
    assert not follows(schema, json.dumps(answer))


def test_answers_are_written_as_corpora_write_them():
    schema = json_schema("NER", ["a", "b"])
    assert follows(schema, '{"a": ["x", "y"], "b": []}')
    assert not follows(schema, '{"a":["x","y"],"b":[]}')
    assert not follows(schema, '{"b": [], "a": []}')  # the order asked
    assert not follows(schema, '```json\n{"a": [], "b": []}')


def test_the_gold_of_a_build_follows_the_schema(small):
    import pyarrow.parquet as pq

    tasks = set()
    for path in sorted(small.glob("data/*/train-*.parquet")):
        for row in pq.read_table(path, columns=["task", "instruction", "output"]).to_pylist()[:40]:
            schema = json_schema(row["task"], json.loads(row["instruction"])["schema"])
            assert follows(schema, row["output"]), row
            tasks.add(row["task"])
    assert {"NER", "RE", "EE", "KG"} <= tasks
