"""The JSON Schema of answers: the gold of every task follows it, other answers do not."""

import json

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer

from train.prediction.guided import WIRE_SEPARATORS, Processor, json_schema

BYTES = LLTokenizer("byte")
PAIR = {"subject": "Asta", "object": "Berg"}
EVENT_TYPE = {"event_type": "meet", "trigger": True, "arguments": ["who", "where"]}
WITH_TRIGGER = {"event_type": "meet", "trigger": ["met"], "arguments": ["who", "where"]}
WITHOUT_TRIGGER = {"event_type": "meet", "arguments": ["who", "where"]}
ENTITY_TYPE = {"entity_type": "ship", "attributes": ["owner", "length"]}
TRIPLE = {"head": "Asta", "relation": "knows", "tail": "Berg"}
PLACE = {"entity_type": "place", "attributes": ["size"]}
OWNER = {"head": "Ada", "head_type": "place", "relation": "owner", "tail": "a"}
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
FORMS = [
    ("nan", "NER", ["a", "b"], {"a": ["x"], "b": "NAN"}, {"a": [], "b": "NAN"}),
    ("nan", "EE", [EVENT_TYPE], {"meet": [{"trigger": "met", "arguments": {}}]}, {"meet": []}),
    ("nan", "KG", [ENTITY_TYPE], {"ship": "NAN"}, {"ship": []}),
    ("triples", "RE", ["knows", "likes"], [TRIPLE, {**TRIPLE, "relation": "likes"}], [{**TRIPLE, "relation": "is"}]),
    ("triples", "SPO", [TYPED], [TRIPLE], {"knows": [PAIR]}),
    ("triples", "KG", [ENTITY_TYPE, PLACE], [{**OWNER, "relation": "size"}], [OWNER]),
    ("triples", "KG", [ENTITY_TYPE], [], [TRIPLE]),
    ("spans", "NER", ["a"], {"a": ["x", {"before": "", "mention": "y", "after": " z"}]}, {"a": [{"mention": "y"}]}),
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


@pytest.mark.parametrize(("form", "task", "entries", "right", "wrong"), FORMS)
def test_answers_in_other_forms(form, task, entries, right, wrong):
    schema = json_schema(task, entries, form)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(right, schema)
    assert follows(schema, json.dumps(right))
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong) and not follows(schema, json.dumps(wrong))


def test_rows_without_a_schema_are_free():
    torch = pytest.importorskip("torch")
    grammar = LLMatcher.grammar_from_json_schema('{"const": "a"}', overrides=WIRE_SEPARATORS)
    processor = Processor([LLMatcher(BYTES, grammar), None], 0)
    scores = processor(torch.zeros((2, 0), dtype=torch.long), torch.zeros((2, BYTES.vocab_size)))
    assert torch.isfinite(scores).sum(dim=1).tolist() == [1, BYTES.vocab_size]


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
