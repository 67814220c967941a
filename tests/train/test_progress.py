"""The log of a training: step of steps, speed, time left; whole after an interruption."""

import json
import re
import shutil

from tests.train.test_sft import flags
from train import sft


def test_each_log_line_has_step_loss_rate_and_speed(tiny_base, rows_file, tmp_path, capsys):
    more = ("--set", "training.max_steps=6", "--set", "training.save_strategy=no")
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "a", *more)) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("step ")]
    logged = r"step {}/6  loss \d+\.\d{{4}}  lr \d\.\d\de-\d\d  [\d,]+ tokens/s"
    left = r"  about \d+ s left"
    expected = [
        logged.format(1),
        logged.format(2) + left,
        r"step 3/6  about \d+ s left, without validation",
        *(logged.format(step) + left for step in (3, 4, 5)),
        logged.format(6),
        r"step 6/6  validation loss \d+\.\d{4}",
    ]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_figures_of_a_resumed_training_are_those_of_the_whole(tiny_base, rows_file, tmp_path, capsys):
    """The losses are those of an uninterrupted training, though logging_steps does not divide the steps."""
    odd = ("--set", "training.logging_steps=3", "--set", "training.max_steps=8", "--set", "training.save_steps=4")
    odd += ("--set", "checkpoints=all")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for output in (whole, cut):
        assert sft.main(flags(tiny_base, rows_file, output, *odd)) == 0
    shutil.rmtree(cut / "checkpoint-8")
    (cut / "sft.json").unlink()
    assert sft.main(flags(tiny_base, rows_file, cut, *odd, "--resume")) == 0
    assert f"resuming from {cut}/checkpoint-4\n" in capsys.readouterr().err
    assert (whole / "adapter_model.safetensors").read_bytes() == (cut / "adapter_model.safetensors").read_bytes()
    first, second = (json.loads((output / "sft.json").read_text()) for output in (whole, cut))
    assert [point["step"] for point in first["curve"]] == [3, 4, 6, 8]
    assert first["curve"] == second["curve"] and first["train_loss"] == second["train_loss"]
    (last,) = (point for point in first["curve"] if point["step"] == 8)
    assert last["validation_loss"] == first["validation_loss"] and last["learning_rate"] > 0
    assert first["tokens"] == second["tokens"] > 0 and first["seconds"] > 0 and first["tokens_per_s"] > 0
    mean = (
        3 * first["curve"][0]["loss"] + first["curve"][1]["loss"] + sum(2 * p["loss"] for p in first["curve"][2:])
    ) / 8
    assert abs(first["train_loss"] - mean) < 1e-3


def test_durations():
    from train.tuning.summary import duration

    assert [duration(s) for s in (3.4, 89, 100, 24 * 60, 5400, 12345)] == [
        "3 s", "89 s", "2 min", "24 min", "1 h 30 min", "3 h 26 min",
    ]  # fmt: skip
