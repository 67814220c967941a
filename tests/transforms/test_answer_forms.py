"""An answer that is written in any form is read back as it was, and offsets with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answer_form import FORM_TASKS, FORMS, forms_of
from schemas.example import TASKS
from transforms import answer_forms, phrasings
from transforms.answer_forms import places, read, write

CELLS = [(form, task) for form in FORMS for task in FORM_TASKS[form]]

CHARACTERS = 'aB7"\\\n\r\t\x00[]{}():,.→ \u2028\u0085北的与𝒜é'
TRAPS = ("NAN", '"NAN"', "[]", '("a", "b", "c")', '"a"的"b"是"c"。', "subject", "null")
strings = st.text(CHARACTERS, min_size=1, max_size=8) | st.sampled_from(TRAPS)
labels = st.lists(strings, min_size=1, max_size=4, unique=True)
mentions = st.lists(strings, max_size=3)
pairs = st.lists(st.builds(lambda s, o: {"subject": s, "object": o}, strings, strings), max_size=3)
one_or_many = strings | st.lists(strings, min_size=2, max_size=3)
events = st.lists(
    st.fixed_dictionaries({"trigger": strings, "arguments": st.dictionaries(strings, one_or_many, max_size=3)}),
    max_size=2,
)
attributes = st.dictionaries(strings, one_or_many, min_size=1, max_size=3)
entities = st.just([]) | st.dictionaries(strings, attributes, min_size=1, max_size=2)
VALUES = {"NER": mentions, "RE": pairs, "SPO": pairs, "EE": events, "EET": mentions, "EEA": events, "KG": entities}
prompts = st.sampled_from([f"Write {shown}" for phrasing in phrasings.PHRASINGS for shown in phrasing.shown])


def keeps_order(answer: object) -> str:
    return json.dumps(answer)


@pytest.mark.parametrize(("form", "task"), CELLS)
@given(st.data())
def test_an_answer_is_read_as_it_was_written(form, task, data):
    answer = {label: data.draw(VALUES[task]) for label in data.draw(labels)}
    if form == "spans":
        answer = {label: list(dict.fromkeys(mentions)) for label, mentions in answer.items()}
    written = write(form, task, answer, text="", prompt=data.draw(prompts))
    assert keeps_order(read(form, task, written, list(answer))) == keeps_order(answer)


def test_every_task_has_the_form_of_iepile():
    assert all(forms_of(task)[0] == "iepile" for task in TASKS)
    assert write("iepile", "NER", {"a": ["北"], "b": []}) == '{"a": ["北"], "b": []}'


def test_the_forms_of_an_answer():
    answer = {"adverse effect": [{"subject": "drug", "object": 'a "rash"'}], "dosage": []}
    assert write("nan", "RE", answer) == (
        '{"adverse effect": [{"subject": "drug", "object": "a \\"rash\\""}], "dosage": "NAN"}'
    )
    assert write("triples", "RE", answer) == (
        '[{"head": "drug", "relation": "adverse effect", "tail": "a \\"rash\\""}]'
    )
    prompt = 'A line each: "subject" stands in the relation "relation" to "object".'
    assert write("sentences", "RE", answer, prompt=prompt) == (
        '"drug" stands in the relation "adverse effect" to "a \\"rash\\"".'
    )
    assert write("sentences", "RE", {"dosage": []}, prompt=prompt) == "NAN"
    graph = {"ship": {"Ada": {"port": ["Bergen", "Oslo"], "flag": "blue"}}, "quay": []}
    assert write("triples", "KG", graph) == (
        '[{"head": "Ada", "head_type": "ship", "relation": "port", "tail": "Bergen"}, '
        '{"head": "Ada", "head_type": "ship", "relation": "port", "tail": "Oslo"}, '
        '{"head": "Ada", "head_type": "ship", "relation": "flag", "tail": "blue"}]'
    )


TEXT = "Rome is old. He likes Rome more than the Roman party of Rome, and the art of Oslo."


def test_a_repeated_mention_has_the_fewest_words_by_which_it_differs():
    spans = {("city", "Rome"): [(22, 26), (56, 60)], ("city", "Oslo"): [(77, 81)], ("field", "art"): [(70, 73)]}
    answer = {"city": ["Rome", "Oslo"], "field": ["art"], "ship": []}
    written = write("spans", "NER", answer, TEXT, spans=spans)
    assert json.loads(written) == {
        "city": [
            {"before": "", "mention": "Rome", "after": " more"},
            {"before": "", "mention": "Rome", "after": ","},
            "Oslo",
        ],
        "field": [{"before": "", "mention": "art", "after": " of"}],
        "ship": [],
    }
    assert read("spans", "NER", written) == answer
    assert places(written, TEXT) == spans


def test_a_repeated_mention_without_offsets_is_its_string():
    assert write("spans", "NER", {"city": ["Rome"]}, TEXT) == '{"city": ["Rome"]}'
    assert places('{"city": ["Rome"]}', TEXT) == {}


@given(
    st.text(st.sampled_from("ab 北京。"), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(1, 3)), min_size=1, max_size=5),
)
def test_offsets_are_restored(text, drawn):
    spans = {}
    for start, end in sorted({(at, min(at + length, len(text))) for at, length in drawn}):
        if text[start:end].strip():  # no mention is blank
            spans.setdefault(("x", text[start:end]), []).append((start, end))
    answer = {"x": [mention for _, mention in spans]}
    written = write("spans", "NER", answer, text, spans=spans)
    assert read("spans", "NER", written) == answer
    assert places(written, text) == spans


def test_a_mention_among_thousands_of_equal_ones_loses_only_its_place():
    text = "a " * 2000
    assert write("spans", "NER", {"x": ["a"]}, text, spans={("x", "a"): [(2000, 2001)]}) == '{"x": ["a"]}'


@pytest.mark.parametrize(
    ("form", "task", "string", "answer"),
    [
        ("triples", "RE", '[3, {"head": "a", "tail": "b"}, {"relation": "r", "tail": "b"}]',
         {"": [3, {"head": "a", "tail": "b"}], "r": [{"subject": None, "object": "b"}]}),
        ("triples", "KG", '[{"head": "a", "relation": "r", "tail": "b"}]',
         {"": [{"head": "a", "relation": "r", "tail": "b"}]}),
        ("sentences", "RE", '"a" is b.\n\n"r": "a" → "b"\n', 
         {"": ['"a" is b.'], "r": [{"subject": "a", "object": "b"}]}),
        ("sentences", "RE", "NAN\n", {}),
        ("spans", "NER", '{"x": [{"mention": "a"}, 3], "y": "NAN"}', {"x": [{"mention": "a"}, 3], "y": "NAN"}),
        ("nan", "NER", '{"x": "NAN", "y": ["NAN"], "z": "nan"}', {"x": [], "y": ["NAN"], "z": "nan"}),
    ],
)  # fmt: skip
def test_parts_in_another_form_are_kept_for_the_reader_of_the_object(form, task, string, answer):
    assert read(form, task, string) == answer


@pytest.mark.parametrize(
    ("form", "string", "reason"),
    [
        ("triples", "{}", "not a JSON list but an object"),
        ("triples", "null", "not a JSON list but null"),
        ("nan", "[]", "not a JSON object but a list"),
        ("spans", '"a"', "not a JSON object but a string"),
        ("sentences", "a is b", "neither NAN nor a sentence in one of the phrasings"),
        ("sentences", '"\\ud800": "a" → "b"', "neither NAN nor a sentence"),
        ("sentences", " \n", "empty answer"),
        ("triples", "[", "truncated"),
        ("nan", "[" * 100_000, "nested too deep"),
    ],
)
def test_an_answer_in_another_form_is_refused(form, string, reason):
    with pytest.raises(ValueError, match=reason):
        read(form, "RE", string)


def test_a_prompt_without_a_phrasing_asks_for_no_sentences():
    with pytest.raises(ValueError, match="shows no phrasing"):
        write("sentences", "RE", {"r": []}, prompt="Write sentences.")


def test_no_sentence_has_two_readings():
    bare = [phrasing.template.format(subject='""', relation='""', object='""') for phrasing in phrasings.PHRASINGS]
    assert len(set(bare)) == len(bare)
    assert answer_forms.NAN not in bare
