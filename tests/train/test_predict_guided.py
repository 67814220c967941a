"""The JSON Schema and the grammar of answers: the gold of every task follows both, other answers do not."""

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from schemas.answers import Prompt
from train.prediction.answer_grammar import json_grammar, pieces, sentences_grammar
from train.prediction.answer_schema import ending, json_schema
from train.prediction.generate import json_end
from train.prediction.guided import SPARE_TOKENS, Guide, Processor
from transforms.phrasings import PHRASINGS, write
from transforms.render import encode_string

BYTES = LLTokenizer("byte")
TEXT = "Asta and Ada met Berg: a b x y z, 9 m"
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


def accepts(grammar: str, answer: str) -> bool:
    """Whether guided decoding can generate exactly this string."""
    matcher, tokens = LLMatcher(BYTES, grammar), BYTES.tokenize_str(answer)
    assert not matcher.is_error(), matcher.get_error()
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def follows(schema: dict, answer: str, text: str = TEXT) -> bool:
    return accepts(json_grammar(schema, text), answer)


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


def test_rows_without_a_grammar_are_free():
    torch = pytest.importorskip("torch")
    closing = np.zeros((3, BYTES.vocab_size), bool)
    processor = Processor([LLMatcher(BYTES, 'start: "a"'), None], [9, 9], closing, 0)
    scores = processor(torch.zeros((2, 0), dtype=torch.long), torch.zeros((2, BYTES.vocab_size)))
    assert torch.isfinite(scores).sum(dim=1).tolist() == [1, BYTES.vocab_size]


@pytest.fixture(scope="module")
def vocabulary():
    """A tokenizer with tokens for a blank and what follows it in JSON, such as ` ["` and ` []`."""
    from train import tiny

    answers = [json.dumps(answer) for *_, answer in RIGHT] + [json.dumps(right) for *_, right, _ in FORMS]
    learnt = tiny.tokenizer([TEXT, *answers, ' [] ["x {} {"x [{"x' * 9] * 9, vocab_size=500)
    assert {" []", ' ["', " {}", ' {"', ' [{"'} <= {learnt.decode([number]) for number in range(len(learnt))}
    return learnt


NAMES = [f"label {number}" for number in range(12)]
MANY = {
    "NER": NAMES,
    "RE": NAMES,
    "EE": [{"event_type": name, "trigger": True, "arguments": NAMES[:3]} for name in NAMES],
    "KG": [{"entity_type": name, "attributes": NAMES[:3]} for name in NAMES],
}
MANY_ASKED = [(form, task) for task in MANY for form in ("iepile", "nan")] + [("triples", "RE"), ("spans", "NER")]


@pytest.mark.parametrize(("form", "task"), MANY_ASKED)
def test_an_answer_that_has_to_end_can_be_parsed(form, task, vocabulary):
    """By a model that opens strings wherever it may, and never ends one."""
    torch = pytest.importorskip("torch")
    guide = Guide(vocabulary, len(vocabulary), [vocabulary.eos_token_id])
    wanted = [('"' in token) + len(token) / 100 for token in vocabulary.convert_ids_to_tokens(range(len(vocabulary)))]
    schema = json_schema(task, MANY[task], form)
    prompt = Prompt("", (), schema, json_grammar(schema, TEXT), ending(schema))
    least = len(vocabulary(prompt.ending)["input_ids"]) + SPARE_TOKENS
    for room in range(least, least + 24, 3):
        processor, ids, text = guide.processor([prompt], [room], 0), [], ""
        while json_end(text) is None and len(ids) < room:
            scores = processor(torch.tensor([ids], dtype=torch.long), torch.tensor([wanted]))
            ids.append(int(scores.argmax()))
            text = vocabulary.decode(ids)
        assert json_end(text) == len(text), (room, text)


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("The ex-boss of A-B left.", ["boss", "ex-boss", "A", "B left."], ["oss", "A-C", "The boss", "", " "]),
        ('He said "no\\" to\nAda', ['"no\\"', "to\nAda", '"'], ["no\\n", "said no"]),
        ("张三在北京大学，Ada", ["张三", "北京", "学，A", "da"], ["张北", "", "张三 "]),
        ("de l'État à l’eau", ["État", "l'État", "eau"], ["tat", "E"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"], ["हिन्", "भाष"]),
    ],
)
def test_mentions_are_runs_of_words(text, right, wrong):
    schema = json_schema("NER", ["a"])
    for mentions, expected in ((right, True), (wrong, False)):
        for mention in mentions:
            assert follows(schema, f'{{"a": [{encode_string(mention)}]}}', text) is expected, mention


@given(st.text(max_size=40), st.integers(0, 40), st.integers(1, 40))
def test_every_run_of_pieces_is_a_mention(text, start, count):
    parts = pieces(text)
    assert "".join(parts) == text
    mention = "".join(parts[start : start + count])
    if mention.strip(" "):
        assert follows(json_schema("NER", ["a"]), f'{{"a": [{encode_string(mention)}]}}', text)


@pytest.mark.parametrize("text", ["", " ", "\u200d"])
def test_a_text_without_words_has_no_mentions(text):
    assert follows(json_schema("NER", ["a"]), '{"a": []}', text)
    assert not follows(json_schema("NER", ["a"]), '{"a": [" "]}', text)


@pytest.mark.parametrize(
    ("task", "entries", "form", "two", "three"),
    [
        ("NER", ["a"], "iepile", '{"a": ["x", "y"]}', '{"a": ["x", "y", "z"]}'),
        ("NER", ["a"], "nan", '{"a": ["x", "y"]}', '{"a": ["x", "y", "z"]}'),
        ("RE", ["knows"], "triples", json.dumps([TRIPLE] * 2), json.dumps([TRIPLE] * 3)),
        ("KG", [PLACE], "iepile", *(json.dumps({"place": {key: {"size": "a"} for key in h}}) for h in ("xy", "xyz"))),
    ],
)
def test_lists_are_bounded(task, entries, form, two, three):
    schema = json_schema(task, entries, form, 2)
    assert follows(schema, two) and not follows(schema, three)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(json.loads(two)) and not validator.is_valid(json.loads(three))


def test_roles_with_closed_values_take_one_of_them():
    schema = json_schema("EE", [EVENT_TYPE], values={("meet", "where"): ("indoors", "outdoors")})
    for where, expected in (("indoors", True), ("NAN", True), (["indoors", "outdoors"], True), ("Asta", False)):
        answer = {"meet": [{"trigger": "met", "arguments": {"who": "Berg", "where": where}}]}
        assert follows(schema, json.dumps(answer)) is expected, where
        assert jsonschema.Draft202012Validator(schema).is_valid(answer) is expected


@pytest.mark.parametrize("phrasing", PHRASINGS, ids=lambda phrasing: phrasing.template)
def test_sentences(phrasing):
    pair = {"subject": "Asta", "relation": "knows", "object": "Berg"}
    grammar = sentences_grammar(["knows", "likes"], phrasing, TEXT, 2)
    assert accepts(grammar, "NAN") and accepts(grammar, write([pair], phrasing))
    assert accepts(grammar, write([pair, {**pair, "relation": "likes"}], phrasing))
    for wrong in ([pair] * 3, [{**pair, "relation": "is"}], [{**pair, "object": "Olaf"}]):
        assert not accepts(grammar, write(wrong, phrasing))


def test_answers_have_the_format_of_a_corpus():
    schema = json_schema("NER", ["a", "b"])
    assert follows(schema, '{"a": ["x", "y"], "b": []}')
    assert not follows(schema, '{"a":["x","y"],"b":[]}')
    assert not follows(schema, '{"b": [], "a": []}')  # not in the order of the schema
    assert not follows(schema, '```json\n{"a": [], "b": []}')
