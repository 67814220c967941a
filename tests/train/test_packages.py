"""Loggers and kernels: a missing package is one line before anything is loaded; TensorBoard gets all figures."""

import importlib.util
import json

import pytest

from tests.train.test_sft import error_line, flags
from train import sft


@pytest.mark.parametrize(
    ("settings", "module", "line"),
    [
        (
            ["training.report_to=tensorboard"],
            "tensorboard",
            "training.report_to tensorboard: the package tensorboard is",
        ),
        (["training.report_to=[trackio]"], "trackio", "not installed; pip install trackio, or remove it"),
        (["training.report_to=wandb"], "wandb", "pip install wandb"),
        (["training.use_liger_kernel=true"], "liger_kernel", "pip install liger-kernel"),
        (
            ["attn_implementation=flash_attention_2"],
            "flash_attn",
            "pip install flash-attn --no-build-isolation (or kernels)",
        ),
    ],
)
def test_a_missing_package_is_one_line(settings, module, line, rows_file, tmp_path, capsys):
    if importlib.util.find_spec(module) or importlib.util.find_spec("kernels"):
        pytest.skip(f"{module} is installed")
    given = [flag for setting in settings for flag in ("--set", setting)]
    assert sft.main(flags("tiny", rows_file, tmp_path / "m", *given)) == 2
    assert line in error_line(capsys)
    assert not (tmp_path / "m").exists()


def test_tensorboard_has_curves_speed_and_rows_by_source(tiny_base, rows_file, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    output = tmp_path / "a"
    assert sft.main(flags(tiny_base, rows_file, output, "--set", "training.report_to=tensorboard")) == 0
    (events,) = output.glob("runs/*/events.*")
    log = EventAccumulator(str(events)).Reload()
    values = {name: [scalar.value for scalar in log.Scalars(name)] for name in log.Tags()["scalars"]}
    summary = json.loads((output / "sft.json").read_text())
    assert values["train/loss"] == pytest.approx([point["loss"] for point in summary["curve"]], abs=1e-4)
    assert len(values["train/tokens_per_s"]) == 2 and len(values["eval/loss"]) == 1
    by_source = {each["source"]: each for each in summary["lengths"]}
    for source in ("harbour", "weather"):
        assert values[f"train/rows/NER/{source}"] == [by_source[source]["trained"]]
        assert values[f"train/source_tokens/NER/{source}"] == [by_source[source]["tokens"]]
