"""Rows in each form of answer go through predicting and scoring: from gold answers, and from a model's."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from pipelines.build_folder import clean_shards, read_label_set, read_result
from schemas.answer_form import FORM_TASKS, FORMS
from schemas.manifests import Labelled
from tests.train.conftest import write_rows
from tests.train.test_predict_guided import accepts
from train.parse import parse
from train.prediction import prompting
from transforms import prompts
from transforms.answer_forms import places
from transforms.ask import AskOptions, ask_spec
from transforms.instruct import instruction_table
from transforms.plain_schema import plain_schema
from transforms.shards import read_shard

FORM_PROMPTS = {form: prompts.load(form=form) for form in FORMS}


def rows_in(build: Path, form: str, splits: Collection[str] = ("train",)) -> list[dict]:
    """The rows that the build would have if all of them were in `form`, those of other tasks left out."""
    tasks = read_result(str(build), Labelled).tasks
    options = AskOptions(forms={form: 1.0})
    rows = []
    for shard, _ in clean_shards(str(build)):
        examples = read_shard(f"{build}/{shard.path}")
        for task in set(tasks[shard.key]) & set(FORM_TASKS[form]):
            if shard.split in splits and examples.num_rows:
                labels = read_label_set(str(build), task, shard.key).labels
                spec = ask_spec(task, labels, None, FORM_PROMPTS["iepile"], options, FORM_PROMPTS)
                rows += instruction_table(examples, spec)[0].to_pylist()
    return sorted(rows, key=lambda row: (len(row["instruction"]), row["id"]))


def scores(predictions: Path, capsys) -> dict:
    from train import score

    capsys.readouterr()
    assert score.main(["--predictions", str(predictions), "--bootstrap", "0", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def micro_f1(scored: dict) -> float:
    (table,) = scored["tables"]
    gold, predicted, right = (sum(row[name] for row in table["rows"]) for name in ("gold", "predicted", "right"))
    assert gold > 30
    return 2 * right / (gold + predicted)


@pytest.mark.parametrize("form", FORMS)
def test_gold_answers_have_a_perfect_score(form, small, tmp_path, capsys):
    from train.prediction import resume

    path = tmp_path / "predictions.jsonl"
    path.write_bytes(b"".join(resume.line(row, row["output"], False) for row in rows_in(small, form)))
    assert micro_f1(scores(path, capsys)) == 1
    assert all(("form" in json.loads(line)) == (form != "iepile") for line in path.read_text().splitlines())


@pytest.mark.parametrize("form", FORMS)
def test_guided_decoding_can_write_gold_answers(form, built):
    """Of every row of the bundled samples whose mentions are in its text, which nearly all are."""
    guidance = prompting.Guidance(32, prompting.values_in_build(str(built)))
    tried = absent = 0
    for row in rows_in(built, form, ("train", "validation")):
        guided = prompting.prompt(row, None, guidance)
        assert (guided.schema is None) == (form == "sentences")
        tried += 1
        if not accepts(guided.grammar, row["output"]):
            text = json.loads(row["instruction"])["input"]
            absent += 1
            assert any(mention not in text for mention in mentions(row)), row
    assert tried > 300 and absent < 0.01 * tried


def mentions(row: dict) -> Iterator[str]:
    schema = plain_schema(json.loads(row["instruction"])["schema"])
    for item in parse(row["task"], row["output"], schema, row.get("form") or "iepile").annotations:
        yield from (item[key] for key in ("entity", "head", "tail", "event_trigger") if item.get(key))
        yield from (argument["argument"] for argument in item.get("arguments", ()))


def test_the_places_that_an_answer_names_are_in_the_joined_file(small, tmp_path):
    from train.prediction import extractions, resume

    rows = [row for row in rows_in(small, "spans") if row["task"] == "NER" and "before" in row["output"]]
    path, joined = tmp_path / "predictions.jsonl", tmp_path / "joined.jsonl"
    path.write_bytes(b"".join(resume.line(row, row["output"], False) for row in rows))
    extractions.write(str(path), str(joined), {})
    (first, *_) = map(json.loads, joined.read_text().splitlines())
    named = places(rows[0]["output"], first["text"])
    assert named and all(
        item["spans"] == [list(span) for span in named[item["entity_type"], item["entity"]]]
        for item in first["entity"]
        if (item["entity_type"], item["entity"]) in named
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", FORMS)
def test_a_model_overfits_64_rows_in_a_form(form, small, tmp_path, capsys, one_thread):
    from train import predict, sft

    rows = rows_in(small, form)
    chosen = [row for row in rows if row["positives"]][:56]
    chosen += [row for row in rows if not row["positives"]][: 64 - len(chosen)]
    data = write_rows(tmp_path / "rows.jsonl", chosen)
    settings = (
        "training.max_steps=600", "training.per_device_train_batch_size=4", "training.learning_rate=2e-3",
        "training.max_length=1024", "training.logging_steps=100", "validation_share=0",
    )  # fmt: skip
    flags = [flag for setting in settings for flag in ("--set", setting)]
    model, predictions = str(tmp_path / "model"), tmp_path / "predictions.jsonl"
    assert len(chosen) == 64
    assert sft.main(["--config", "tiny-cpu", "--data", data, "--output", model, *flags]) == 0
    assert predict.main(["--model", model, "--data", data, "--split", "train", "--output", str(predictions)]) == 0
    assert micro_f1(scores(predictions, capsys)) >= 0.95
