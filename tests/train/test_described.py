"""Rows that describe or mask their labels: gold answers score 1, and a user's texts get the prompts of a build."""

import json

import jsonschema
import pytest

from pipelines.build_folder import clean_shards, read_label_set
from schemas.answer_form import FORMS
from schemas.errors import ConfigError
from tests.described import described_tables
from tests.train.conftest import write_rows
from train import corpus, predict
from train.parse import Parsed, parse
from train.prediction import labels, resume, work
from train.prediction.answer_schema import json_schema
from train.prediction.extractions import requested
from train.score import score
from transforms import prompts
from transforms.ask import AskOptions, DescriptionShares, ask_spec
from transforms.instruct import instruction_table
from transforms.label_descriptions import described_labels
from transforms.plain_schema import plain_schema, true_names
from transforms.shards import read_batches


@pytest.fixture(scope="module", params=[{"iepile": 1.0}, dict.fromkeys(FORMS, 1 / len(FORMS))], ids=["iepile", "forms"])
def rows(small, request):
    """Train and validation rows with their own answers as predictions."""
    made = []
    for table, _, _ in described_tables(small, forms=request.param):
        made += [row for row in table.to_pylist() if row["output"] is not None]
    return made


def schema_of(row):
    return json.loads(row["instruction"])["schema"]


def test_gold_answers_score_one(rows, tmp_path):
    masked = [row for row in rows if true_names(row["task"], plain_schema(schema_of(row)), row["labels"])]
    assert {row["task"] for row in masked} == {"NER", "RE", "SPO", "EE", "EET", "EEA"}  # no type of KG is described
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"".join(resume.line(row, row["output"], False) for row in rows))
    report = score([str(path)], by=[("description",)], draws=0)
    assert report.total.right == report.total.predicted == report.total.gold > 300
    (table,) = report.tables
    assert all(not scores.answers["not_asked"] and not scores.answers["malformed"] for scores in table.rows)
    groups = {scores.group["description"] for scores in table.rows if scores.group["task"] != "KG"}
    assert groups == {"none", "described", "masked"}  # an attribute (KG) is no label that a prompt asks for


def test_annotations_have_the_names_of_the_labels(rows):
    for row in rows:
        schema = plain_schema(schema_of(row))
        form = row.get("form") or "iepile"
        parsed = parse(row["task"], row["output"], schema, form, labels=row["labels"])
        assert isinstance(parsed, Parsed) and not parsed.malformed
        requested_names = {label for _, label in requested(row["task"], schema, row["labels"])}
        if row["task"] in ("NER", "RE"):
            assert requested_names == set(row["labels"])
        if form == "iepile":
            guide = json_schema(row["task"], schema)
            jsonschema.validate(json.loads(row["output"]), guide)
        permuted = work.permute_labels(row, seed=3)
        schema, names = plain_schema(schema_of(permuted)), permuted["labels"]
        assert parse(row["task"], row["output"], schema, form, labels=names) == parsed


def test_the_hidden_name_of_a_masked_label_is_no_answer():
    schema = plain_schema({"label_1": "a human being", "place": "a town"})
    labels = ("person", "place")
    assert parse("NER", '{"label_1": ["Asta"]}', schema, labels=labels).annotations == [
        {"entity": "Asta", "entity_type": "person"}
    ]
    assert parse("NER", '{"person": ["Asta"], "place": []}', schema, labels=labels) == Parsed([], 1)


def test_labels_of_described_prompts_are_read(rows):
    for row in rows:
        shown = corpus.requested_labels(row["task"], row["instruction"])
        assert len(shown) == len(row["labels"])


SOURCES = (("NER", "anatem"), ("RE", "semeval_re"), ("EE", "duee1"), ("SPO", "ade_corpus"))


@pytest.mark.parametrize(("task", "key"), SOURCES)
def test_prompts_are_the_same_as_in_a_build(small, tmp_path, task, key):
    """A user's texts with --descriptions and the label set of the build: the schema and text of its test rows."""
    label_set = read_label_set(str(small), task, key)
    spec = ask_spec(
        task, described_labels(label_set), None, prompts.load(), AskOptions(descriptions=DescriptionShares(1.0))
    )
    built = []
    for shard, _ in clean_shards(str(small)):
        if shard.key == key and shard.split == "test":
            for examples in read_batches(f"{small}/{shard.path}", 1000):
                built += instruction_table(examples, spec)[0].to_pylist()
    texts = dict.fromkeys((row["example_id"], json.loads(row["instruction"])["input"], row["lang"]) for row in built)
    path = write_rows(tmp_path / "t.jsonl", [{"id": id_, "text": text, "lang": lang} for id_, text, lang in texts])
    made = work.from_texts(path, task, str(small / "labels" / task / f"{key}.json"), max_chars=9999, descriptions=True)
    assert len(made) == len(built) > 0
    for ours, theirs in zip(made, built, strict=True):
        parts = [row["instruction"].partition(', "schema": ')[2] for row in (ours, theirs)]
        assert parts[0] == parts[1] and parts[0].startswith("[{" if task in ("KG", "SPO") else "{")


@pytest.mark.parametrize(
    ("task", "content", "schema"),
    [
        ("NER", {"person": "a human being", "place": ""}, {"person": "a human being", "place": "place"}),
        ("RE", [{"name": "knows", "description": "has met"}, "works"], {"knows": "has met", "works": "works"}),
        (
            "EE",
            [{"name": "meet", "description": "people come together", "roles": {"who": "one of them"}}],
            {"meet": {"meet": "people come together", "trigger": True, "arguments": {"who": "one of them"}}},
        ),
        (
            "EE",
            {"meet": {"who": "one of them"}},
            {"meet": {"meet": "meet", "trigger": True, "arguments": {"who": "one of them"}}},
        ),
        (
            "SPO",
            [{"subject_type": "a", "predicate": "b", "object_type": "c", "description": "why"}],
            [{"subject_type": "a", "predicate": "b", "object_type": "c", "description": "why"}],
        ),
    ],
)
def test_label_files_describe_labels(tmp_path, task, content, schema):
    path, texts = tmp_path / "labels.json", tmp_path / "t.txt"
    path.write_text(json.dumps(content))
    texts.write_text("Asta met Berg.")
    (row,) = work.from_texts(str(texts), task, str(path), descriptions=True)
    assert schema_of(row) == schema
    (plain,) = work.from_texts(str(texts), task, str(path))
    assert schema_of(plain) == plain_schema(schema)


def test_descriptions_need_described_labels(tmp_path, capsys):
    texts = tmp_path / "t.txt"
    texts.write_text("Asta met Berg.")
    with pytest.raises(ConfigError, match=r"--descriptions: a,b describes no label; give a file such as"):
        work.from_texts(str(texts), "NER", "a,b", descriptions=True)
    path = tmp_path / "l.json"
    path.write_text('{"person": 3}')
    with pytest.raises(ConfigError, match=r"l.json: task NER has no roles; expected"):
        labels.read(str(path), "NER")
    assert predict.main(["--model", "m", "--data", str(tmp_path), "--descriptions"]) == 2
    assert "--descriptions is for --texts" in capsys.readouterr().err


def test_a_schema_in_no_known_form_is_refused(tmp_path):
    row = {"task": "NER", "source": "s", "labels": ["a"], "output": "{}"}
    row["instruction"] = json.dumps({"instruction": "?", "schema": {"a": 3}, "input": "x"})
    path = write_rows(tmp_path / "rows.jsonl", [row])
    with pytest.raises(ConfigError, match=r"rows.jsonl:1: the instruction is not a JSON object .*under 'a'"):
        list(corpus.rows(path, "train"))
    scored = write_rows(tmp_path / "p.jsonl", [row | {"id": "1", "label": "[]"}])
    with pytest.raises(ConfigError, match=r"p.jsonl:1: instruction is not the JSON .*under 'a'"):
        score([scored], draws=0)
