"""F1 during training, the best weights, early stopping, validation switched off, and which checkpoints stay."""

import json
import os

import pytest

from tests.train.conftest import ner_row, write_rows
from tests.train.test_sft import error_line, flags
from train import score, sft

LEARNS = (
    "--method", "full", "--set", "training.max_steps=120", "--set", "training.learning_rate=5e-3",
    "--set", "training.eval_strategy=steps", "--set", "training.eval_steps=40", "--set", "training.save_steps=40",
    "--set", "training.logging_steps=40", "--set", "training.per_device_train_batch_size=8",
)  # fmt: skip


@pytest.fixture(scope="module")
def repeated_rows(tmp_path_factory) -> str:
    """Rows with one and the same answer in both splits, which even a tiny model learns."""
    numbers = (1, 17, 49, 65, 97, 113, 145, 161, 193, 209, 241, 257)
    rows = [ner_row(number, split) for number in numbers for split in ("train", "validation")]
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", rows)


@pytest.fixture(scope="module")
def trained(tiny_base, repeated_rows, tmp_path_factory, one_thread):
    output = tmp_path_factory.mktemp("f1") / "model"
    more = ("--set", "eval_f1.texts=8", "--set", "keep=best", "--set", "checkpoints=none")
    assert sft.main(flags(tiny_base, repeated_rows, output, *LEARNS, *more)) == 0
    return output


def test_f1_is_that_of_the_score_command(trained):
    summary = json.loads((trained / "sft.json").read_text())
    by_step = {point["step"]: point["f1"] for point in summary["curve"] if "f1" in point}
    assert sorted(by_step) == [40, 80, 120]
    for step, f1 in by_step.items():
        path = trained / f"validation/step-{step}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert len({row["text_sha256"] for row in rows}) == 8
        assert f1 == pytest.approx(score.score([str(path)], draws=0).total.figures[2] or 0.0, abs=1e-6)
    assert max(by_step.values()) > 0


def test_the_best_weights_are_saved_with_their_figures(trained):
    from train import predict

    summary = json.loads((trained / "sft.json").read_text())
    best = max((point for point in summary["curve"] if "f1" in point), key=lambda point: (point["f1"], -point["step"]))
    assert (summary["saved_step"], summary["f1"]) == (best["step"], best["f1"])
    assert summary["validation_loss"] == best["validation_loss"]
    path = trained / f"validation/step-{best['step']}.jsonl"
    answers = {row["id"] or row["text_sha256"]: row["output"] for row in map(json.loads, path.read_text().splitlines())}
    rows = trained.parent / "sample.jsonl"
    kept = [json.loads(line) | {"split": "test"} for line in path.read_text().splitlines()]
    write_rows(
        rows, [{key: row[key] for key in ("id", "task", "source", "instruction", "label", "split")} for row in kept]
    )
    output = trained.parent / "predictions.jsonl"
    assert (
        predict.main(["--model", str(trained), "--data", str(rows), "--output", str(output), "--max_new_tokens", "64"])
        == 0
    )
    again = {row["id"] or row["text_sha256"]: row["output"] for row in map(json.loads, output.read_text().splitlines())}
    assert again == answers


def test_no_checkpoint_is_left(trained):
    assert not [name for name in os.listdir(trained) if name.startswith("checkpoint-")]


def test_training_stops_when_nothing_gets_better(tiny_base, repeated_rows, tmp_path):
    frozen = ("--set", "training.learning_rate=0", "--set", "keep=best", "--set", "early_stopping=2")
    assert (
        sft.main(flags(tiny_base, repeated_rows, tmp_path / "m", *LEARNS, *frozen, "--set", "training.max_steps=200"))
        == 0
    )
    summary = json.loads((tmp_path / "m/sft.json").read_text())
    assert (summary["steps"], summary["saved_step"], summary["f1"]) == (120, 40, None)
    assert [name for name in os.listdir(tmp_path / "m") if name.startswith("checkpoint-")] == ["checkpoint-120"]


@pytest.mark.parametrize("off", ["validation_share=0", "training.eval_strategy=no"])
def test_validation_can_be_switched_off(off, tiny_base, repeated_rows, tmp_path, capsys):
    assert sft.main(flags(tiny_base, repeated_rows, tmp_path / "m", "--set", off)) == 0
    summary = json.loads((tmp_path / "m/sft.json").read_text())
    assert (summary["rows"]["train"], summary["rows"]["validation"], summary["validation_loss"]) == (12, 0, None)
    assert "validation loss" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["eval_f1.texts=0"], "eval_f1.texts: input should be greater than 0"),
        (["eval_f1={}", "validation_share=0"], "eval_f1: there is no validation; set validation_share and"),
        (["keep=best", "training.eval_strategy=no"], "keep: there is no validation"),
        (["early_stopping=2"], "early_stopping: also set keep: best, else worse weights are saved"),
        (["eval_f1={}", "training.max_length=60"], "has no validation rows of at most 60 tokens"),
    ],
)
def test_a_setting_that_cannot_work_is_one_line(more, line, tiny_base, tmp_path, capsys):
    rows = [ner_row(0, "train") | {"instruction": '{"instruction": "", "schema": ["person"], "input": "A"}'}]
    rows += [ner_row(n, "validation") for n in range(4)]
    data = write_rows(tmp_path / "rows.jsonl", rows)
    settings = [flag for setting in more for flag in ("--set", setting)]
    assert sft.main(flags(tiny_base, data, tmp_path / "m", *settings)) == 2
    assert line in error_line(capsys)


def test_a_validation_sample_without_a_positive_is_refused(tiny_base, tmp_path, capsys):
    rows = [ner_row(n, "train") for n in range(4)] + [ner_row(n, "validation") for n in (0, 3, 6)]
    data = write_rows(tmp_path / "rows.jsonl", rows)
    assert sft.main(flags(tiny_base, data, tmp_path / "m", "--set", "eval_f1={}")) == 2
    assert "eval_f1: none of the 3 rows about 3 validation texts has a positive label" in error_line(capsys)
