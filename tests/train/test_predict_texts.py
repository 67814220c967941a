"""A user's texts and labels become the rows that a build would make of them."""

import json
from itertools import pairwise

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answer_form import FORM_TASKS
from schemas.errors import ConfigError
from schemas.example import Example
from schemas.label import Label, LabelSet, Role, named_roles, typed_label
from train.prediction import labels, texts, work
from transforms import clean, prompts

OLD_SET = '{"task": "EE", "key": "k", "source": "K", "lang": "en", "labels": [{"name": "meet", "roles": ["who"]}]}'
ROLES = '{"meet": ["who", "where"], "leave": ["who"]}'


def file(tmp_path, content, name):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("task", "name", "content", "expected"),
    [
        ("NER", "l.txt", "person\n\n place, with comma\n", ["person", "place, with comma"]),
        ("NER", "l.json", '["place", "person"]', ["person", "place"]),
        ("NER", "schema.json", '["place", "person"]\n[]\n{}\n', ["person", "place"]),
        ("RE", "schema.json", '[]\n["knows"]\n{}\n', ["knows"]),
        ("SPO", "l.json", '[["a b", "knows", "c_d"]]', ["a b_knows_c_d"]),
        ("SPO", "l.json", '[{"subject_type": "a", "predicate": "b", "object_type": "c"}]', ["a_b_c"]),
        ("SPO", "schema.json", '["a_knows_b"]\n["knows"]\n{}\n', ["a_knows_b"]),
        ("EE", "l.json", ROLES, ["leave", "meet"]),
        ("EET", "l.txt", "meet", ["meet"]),
    ],
)
def test_label_files_of_every_format(tmp_path, task, name, content, expected):
    assert [label.name for label in labels.read(file(tmp_path, content, name), task)] == expected


@pytest.mark.parametrize(("form", "task"), [(form, task) for form, tasks in FORM_TASKS.items() for task in tasks])
def test_prompts_ask_for_the_form(tmp_path, form, task):
    texts_file = file(tmp_path, '{"text": "Asta met Berg.", "triggers": {"meet": ["met"]}}\n', "t.jsonl")
    if task != "EEA":
        texts_file = file(tmp_path, "Asta met Berg.\n", "t.txt")
    names = {"SPO": '[["a", "b", "c"]]', "EE": ROLES, "EEA": ROLES, "KG": ROLES}.get(task, '["meet"]')
    rows = list(work.from_texts(texts_file, task, file(tmp_path, names, "l.json"), form=form))
    wording = prompts.load(None, [task], ["en"], form)[task]["en"]
    assert rows and all(json.loads(row["instruction"])["instruction"] in wording for row in rows)
    assert all(row.get("form", "iepile") == form for row in rows)


def test_a_form_that_does_not_serve_the_task_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--form: task NER has no form 'triples'; choose from iepile, nan, spans"):
        work.from_texts(file(tmp_path, "Asta met Berg.\n", "t.txt"), "NER", "person", form="triples")


def test_labels_keep_their_roles_and_parts(tmp_path):
    assert labels.read(file(tmp_path, ROLES, "l.json"), "EE") == (
        Label("leave", roles=named_roles(("who",))),
        Label("meet", roles=named_roles(("who", "where"))),
    )
    described = '{"meet": {"who": "a guest", "where": ""}, "leave": ["who", "who"]}'
    assert labels.read(file(tmp_path, described, "d.json"), "EEA") == (
        Label("leave", roles=named_roles(("who",))),
        Label("meet", roles=(Role("who", "a guest"), Role("where"))),
    )
    assert labels.read(file(tmp_path, '[["a", "b", "c"]]', "s.json"), "SPO") == (typed_label("a", "b", "c"),)
    assert [label.name for label in labels.read("person, place", "NER")] == ["person", "place"]
    assert [label.name for label in labels.read('"person, adult",place', "NER")] == ["person, adult", "place"]
    assert [label.name for label in labels.read(["person, adult", "l.json"], "NER")] == ["l.json", "person, adult"]


@pytest.mark.parametrize(
    ("task", "label"),
    [
        ("NER", Label("person", "a human being")),
        ("SPO", typed_label("a", "b", "c")),
        (
            "EE",
            Label("list", "a firm goes public", (Role("who", "the firm"), Role("stage", "how far it is", ("x", "y")))),
        ),
    ],
)
def test_a_label_set_of_a_build_is_read_whole(tmp_path, task, label):
    content = msgspec.json.encode(LabelSet(task, "k", "K", "en", (label,))).decode()
    assert labels.read(file(tmp_path, content, "set.json"), task) == (label,)


@pytest.mark.parametrize(
    ("task", "name", "content", "message"),
    [
        ("EE", "l.json", OLD_SET, r"\$.labels\[0\].roles\[0\]: expected `object`, got `str`\); run the build again"),
        ("SPO", "l.json", OLD_SET.replace("EE", "SPO").replace('"who"', ""), "'meet' is not a label of task SPO"),
        ("EE", "l.json", '{"meet": ["who", 1]}', "is not a label of task EE"),
        ("EE", "l.json", '{"meet": {"who": 1}}', "is not a label of task EE"),
        ("NER", "l.json", "[1]", "1 is not a label of task NER"),
        ("NER", "l.json", '["a", "a"]', "'a' occurs twice"),
        ("NER", "l.json", ROLES, "task NER has no roles"),
        ("NER", "l.json", '["a"', "valid JSON"),
        ("NER", "l.json", "3", "expected"),
        ("NER", "l.txt", "\n", "no labels"),
        ("EE", "l.txt", "meet", 'expected {"event type"'),
        ("SPO", "l.json", '["a_b_c"]', '"predicate"'),
        ("NER", "l.json", '{"task": "RE", "labels": []}', "a label set of task RE"),
        ("SPO", "schema.json", '["a_b"]\n["knows"]\n{}', "schema.json:1"),
    ],
)
def test_invalid_label_files_are_refused(tmp_path, task, name, content, message):
    with pytest.raises(ConfigError, match=message):
        labels.read(file(tmp_path, content, name), task)


def test_a_missing_label_file_is_refused():
    with pytest.raises(ConfigError, match="no such file"):
        labels.read("nowhere/labels.json", "NER")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": 3}', ":2: expected a JSON object"),
        ('{"text": "a"}\n\n{"text"', ":3: invalid JSON"),
        ('{"text": "a", "id": 1}\n{"text": "b", "id": "1"}', ":2: the id '1' occurs twice in this file"),
        ('{"text": "a", "triggers": {"meet": "x"}}', "must be a map"),
        ('{"text": "a", "triggers": {"meet": ["x"]}}', "'x' does not occur in the text"),
        ("\n", "no texts"),
    ],
)
def test_invalid_text_files_are_refused(tmp_path, content, message):
    with pytest.raises(ConfigError, match=message):
        texts.read(file(tmp_path, content, "t.jsonl"), "NER")


def test_each_line_is_a_text(tmp_path):
    result = texts.read(file(tmp_path, "Asta met Berg.\r\n\n  海港的王芳。\n", "t.txt"), "NER")
    assert [(d.id, d.original, d.text, d.lang) for d in result] == [
        ("0", "Asta met Berg.", "Asta met Berg.", "en"),
        ("1", "  海港的王芳。", "海港的王芳。", "zh"),
    ]


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("患者服用 metformin hydrochloride 期间", "zh"),  # 6 of 28 letters are Han
        ("服用 metformin hydrochloride 期间", "en"),  # 4 of 26
        ("！？（１２）", "en"),
    ],
)
def test_the_language_is_detected_as_in_a_build(tmp_path, text, lang):
    (document,) = texts.read(file(tmp_path, text, "t.txt"), "NER")
    assert document.lang == lang
    (named,) = texts.read(file(tmp_path, json.dumps({"text": text, "lang": "zh"}), "t.jsonl"), "NER", "en")
    assert named.lang == "zh"


def test_prompts_are_the_same_as_in_a_build(small, tmp_path):
    """The test rows of a build are predicted as a user's texts, with the label set that the build wrote."""
    for task, key in (("NER", "anatem"), ("RE", "semeval_re"), ("EE", "duee1"), ("KG", "IE-en/KG/lighthouses")):
        rows = [
            row
            for path in sorted(small.glob(f"data/{task}/test-*.parquet"))
            for row in pq.read_table(path).to_pylist()
            if row["example_id"].startswith(f"{key}/")
        ]
        contents = dict.fromkeys(
            (row["example_id"], json.loads(row["instruction"])["input"], row["lang"]) for row in rows
        )
        lines = [json.dumps({"id": id_, "text": text, "lang": lang}) for id_, text, lang in contents]
        path = file(tmp_path, "\n".join(lines), "t.jsonl")
        made = work.from_texts(path, task, str(small / "labels" / task / f"{key}.json"), max_chars=9999)
        assert len(made) == len(rows) > 0
        for ours, built in zip(made, rows, strict=True):
            prompt, expected = json.loads(ours["instruction"]), json.loads(built["instruction"])
            assert (prompt["schema"], prompt["input"]) == (expected["schema"], expected["input"])
            assert (ours["labels"], ours["text_sha256"]) == (built["labels"], built["text_sha256"])
        prompts = {json.loads(row["instruction"])["instruction"] for row in rows}
        assert {json.loads(row["instruction"])["instruction"] for row in made} & prompts


def test_labels_are_split_into_batches_of_the_trained_size(tmp_path):
    path = file(tmp_path, "Asta met Berg.", "t.txt")
    many = ",".join(f"label{number:02}" for number in range(14))
    assert [len(row["labels"]) for row in work.from_texts(path, "NER", many)] == [6, 8]
    assert [len(row["labels"]) for row in work.from_texts(path, "RE", many)] == [4, 4, 4, 2]
    assert [len(row["labels"]) for row in work.from_texts(path, "NER", many, split_num=-1)] == [14]
    assert all(row["label"] is None and row["output"] is None for row in work.from_texts(path, "NER", many))


def test_event_arguments_are_requested_for_given_triggers(tmp_path):
    content = json.dumps({"text": "Asta met Berg.", "triggers": {"meet": ["met"]}})
    rows = list(work.from_texts(file(tmp_path, content, "t.jsonl"), "EEA", file(tmp_path, ROLES, "l.json")))
    assert len(rows) == 1 and rows[0]["label"] is None
    assert json.loads(rows[0]["instruction"])["schema"] == [
        {"event_type": "meet", "trigger": ["met"], "arguments": ["who", "where"]}
    ]
    with pytest.raises(ConfigError, match="not one of the labels; did you mean meet"):
        wrong = json.dumps({"text": "Asta met Berg.", "triggers": {"meets": ["met"]}})
        work.from_texts(file(tmp_path, wrong, "t.jsonl"), "EEA", file(tmp_path, ROLES, "l.json"))
    with pytest.raises(ConfigError, match="EEA needs the key"):
        work.from_texts(file(tmp_path, "Asta met Berg.", "t.txt"), "EEA", file(tmp_path, ROLES, "l.json"))


def test_windows_overlap_by_whole_sentences():
    text = "One is here. Two is here. Three is here. Four is here."
    # "Three is here." has 14 characters: too many to repeat in the next window
    assert [text[start:end] for start, end in texts.overlapping(text, "en", 28, 13)] == [
        "One is here. Two is here.",
        "Two is here. Three is here.",
        "Four is here.",
    ]
    assert [text[start:end] for start, end in texts.overlapping(text, "en", 28, 0)] == [
        "One is here. Two is here.",
        "Three is here. Four is here.",
    ]


@given(
    st.lists(st.text(alphabet="ab é港", min_size=1, max_size=25).map(str.strip).filter(bool), min_size=1, max_size=12),
    st.integers(8, 60),
    st.integers(0, 40),
)
def test_windows_cover_the_text(words, max_chars, overlap_chars):
    text = ". ".join(words) + "."
    result = texts.overlapping(text, "en", max_chars, min(overlap_chars, max_chars - 1))
    assert all(0 < end - start <= max_chars for start, end in result)
    covered = {at for start, end in result for at in range(start, end)}
    assert all(text[at].isspace() for at in set(range(len(text))) - covered)
    for (start, end), (after, later) in pairwise(result):
        assert start < after and end < later and end - after <= overlap_chars


def test_labels_are_permuted_by_the_seed(small):
    rows = work.from_split(str(small), "test", tasks=["NER"], limit=2)
    assert 0 < len(rows) < len(work.from_split(str(small), "test", tasks=["NER"]))
    shuffled = [work.permute_labels(row, 7) for row in rows]
    assert [work.permute_labels(row, 7) for row in rows] == shuffled != list(rows)
    for row, other in zip(rows, shuffled, strict=True):
        original, permuted = json.loads(row["instruction"]), json.loads(other["instruction"])
        assert sorted(original["schema"]) == sorted(permuted["schema"]) == sorted(other["labels"])
        assert permuted["schema"] == other["labels"]
        assert row["instruction"] == json.dumps({**permuted, "schema": original["schema"]}, ensure_ascii=False)


def test_rows_without_example_ids_are_distinguished_by_task():
    row = {"id": "h", "example_id": None, "task": "NER", "source": "s", "instruction": "{}"}
    result = list(work.keys([row, row, {**row, "task": "RE"}]))
    assert len(set(result)) == 3
    assert list(work.keys([{**row, "example_id": "s/test/0", "id": "s/test/0/NER/0"}])) == ["s/test/0/NER/0"]


def test_a_repeated_id_is_refused():
    row = {"id": "i", "example_id": "e", "task": "NER", "source": "s", "instruction": "{}", "text_sha256": "0"}
    with pytest.raises(ConfigError, match="two rows have the id 'i'"):
        work.number_rows(work.Work([row, row]))


@given(
    st.text(
        alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\u00a0\u200b\r\0\te\u0301\x1b"))
    )
)
def test_a_text_is_repaired_as_a_build_repairs_it(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("texts") / "t.jsonl"
    path.write_text(json.dumps({"text": text}))
    built = clean.repair(Example("", "s", "test", "en", text, ("NER",), None, None, None)).text
    if not built:
        with pytest.raises(ConfigError, match=r"t.jsonl:1: "):
            work.from_texts(str(path), "NER", "person")
        return
    made = work.from_texts(str(path), "NER", "person", max_chars=10_000)
    assert [json.loads(row["instruction"])["input"] for row in made] == [built]
    assert {window.document.text for window in made.windows.values()} == {built}


def test_each_text_has_a_prompt_in_its_language(tmp_path):
    given = ["Asta met Berg.", "海港的王芳。", "Berg left.", "王芳离开了。", "أستا في الميناء"]
    rows = work.from_texts(file(tmp_path, "\n".join(given), "t.txt"), "NER", "person,place")
    assert [row["lang"] for row in rows] == ["en", "zh", "en", "zh", "ar"]
    known = prompts.load(langs=("en", "zh", "ar"))["NER"]
    for row, text in zip(rows, given, strict=True):
        prompt = json.loads(row["instruction"])
        assert prompt["input"] == text and prompt["instruction"] in known[row["lang"]]


def test_the_language_of_texts_is_a_code(tmp_path):
    path = file(tmp_path, '{"text": "Asta blieb."}\n{"text": "王芳", "lang": "zh-Hant"}', "t.jsonl")
    assert [row["lang"] for row in work.from_texts(path, "NER", "person", lang="de-AT")] == ["de", "zh"]
    with pytest.raises(ConfigError, match=r"^--lang is 'jp'; it must be a language code .* such as ja for Japanese$"):
        work.from_texts(path, "NER", "person", lang="jp")


def test_triggers_are_repaired_with_their_text(tmp_path):
    content = json.dumps({"text": "Asta re\u0301uni\u200bt\u00a0Berg.", "triggers": {"meet": ["re\u0301uni\u200bt"]}})
    rows = work.from_texts(file(tmp_path, content, "t.jsonl"), "EEA", file(tmp_path, ROLES, "l.json"))
    prompt = json.loads(rows[0]["instruction"])
    assert prompt["input"] == "Asta r\u00e9unit Berg." and prompt["schema"][0]["trigger"] == ["r\u00e9unit"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "\u200b\u00a0"}, "invisible characters only"),
        ({"text": "a", "lang": ["en"]}, r"lang is \['en'\]; it must be a language code"),
        ({"text": "a", "lang": "French"}, "such as fr for French"),
        ({"text": "a", "id": 1.5}, "the id must be"),
        ({"text": "a b", "triggers": {"meet": ["\u200b"]}}, "does not occur in the text"),
    ],
)
def test_a_text_that_cannot_be_used_is_one_line(tmp_path, row, message):
    with pytest.raises(ConfigError, match=message):
        work.from_texts(file(tmp_path, json.dumps(row), "t.jsonl"), "NER", "person")


def test_a_label_that_is_not_utf8_is_refused():
    with pytest.raises(ConfigError, match="not valid UTF-8"):
        labels.read("per\udce4son", "NER")
