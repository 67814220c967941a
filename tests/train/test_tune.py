"""train.tune end to end on a tiny random model: DPO and GRPO, the files that they write, resuming, and refusals."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import preferences
from tests.conftest import ROOT
from tests.train.conftest import ner_row, write_rows
from train import chat, corpus, export, predict, sft, tune

pytestmark = pytest.mark.usefixtures("one_thread")

BRIEF = ("training.per_device_train_batch_size=2", "training.gradient_checkpointing=false", "training.logging_steps=1",
         "training.save_steps=1")  # fmt: skip
GRPO = ("training.num_generations=2", "training.max_completion_length=96")


def settings(*more: str) -> list[str]:
    return [flag for setting in (*BRIEF, *more) for flag in ("--set", setting)]


@pytest.fixture(scope="module")
def pairs(small, tmp_path_factory) -> str:
    output = tmp_path_factory.mktemp("pairs") / "pairs"
    assert preferences.main(["--output", str(output), "--sources", "ade_corpus", str(small)]) == 0
    return str(output)


@pytest.fixture(scope="module")
def base(small, tmp_path_factory) -> str:
    """A random model of two layers in a folder named `base`, its tokenizer trained on ADE."""
    from train import tiny

    texts = (row["instruction"] for row in corpus.rows(str(small), "train", sources=["ade_corpus"]))
    return tiny.save(texts, tmp_path_factory.mktemp("tiny") / "base", vocab_size=400, hidden_size=32)


@pytest.fixture(scope="module")
def adapter(base, small, tmp_path_factory) -> str:
    output = str(tmp_path_factory.mktemp("sft") / "adapter")
    brief = ["--set", "training.max_steps=1", "--sources", "ade_corpus"]
    assert sft.main(["--model", base, "--data", str(small), "--output", output, *brief]) == 0
    return output


@pytest.fixture(scope="module")
def tuned(adapter, pairs, tmp_path_factory) -> Path:
    """The adapter after four steps of DPO."""
    output = tmp_path_factory.mktemp("dpo") / "tuned"
    assert tune.main(dpo_flags(adapter, pairs, output)) == 0
    return output


def dpo_flags(adapter: str, pairs: str, output: Path, *more: str) -> list[str]:
    brief = settings("training.max_steps=4", "training.learning_rate=1e-3")
    return ["--method", "dpo", "--adapter", adapter, "--data", pairs, "--output", str(output), *brief, *more]


def grpo_flags(adapter: str, data: str, output: Path, *more: str) -> list[str]:
    brief = settings("training.max_steps=2", *GRPO)
    return ["--method", "grpo", "--adapter", adapter, "--data", data, "--output", str(output), *brief, *more]


def error_line(capsys) -> str:
    return next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))


def weights(folder: Path) -> dict:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def test_dpo_moves_the_adapter_from_that_of_sft(tuned, adapter):
    summary = json.loads((tuned / "tune.json").read_text())
    assert (summary["method"], summary["adapter"], summary["steps"]) == ("dpo", adapter, 4)
    assert summary["rows"]["train"] > 20 and summary["rows"]["too_long"] == summary["rows"]["special"] == 0
    assert [point["step"] for point in summary["curve"]] == [1, 2, 3, 4]
    assert summary["curve"][0]["loss"] == pytest.approx(0.6931, abs=1e-3), "ln 2: the reference is the SFT adapter"
    before, after = weights(Path(adapter)), weights(tuned)
    assert before.keys() == after.keys() and any(not before[name].equal(after[name]) for name in before)
    assert not (tuned / "ref").exists(), "trl's copy of the SFT adapter is not part of the result"
    card = (tuned / "README.md").read_text()
    assert "| ADE_corpus | en |" in card and "## DPO" in card and "  learning_rate: 0.001" in card
    assert adapter not in card and "TRL" not in card


def test_pairs_are_tokenised_like_the_rows_of_sft(base, pairs):
    from train.aligning import recipe, rows
    from transforms.shards import read_shard

    tokenizer = chat.load_tokenizer(base)
    read = rows.pairs(recipe.TuneRecipe(method="dpo", model=base, data=pairs, output="x"), tokenizer)
    first = next(row for path in rows.shards(pairs) for row in read_shard(path).to_pylist())
    for side in ("chosen", "rejected"):
        ids, _ = chat.example(tokenizer, first["prompt"][0]["content"], first[side][0]["content"])
        assert read.train[0]["prompt_ids"] + read.train[0][f"{side}_ids"] == ids


def test_grpo_rewards_are_those_of_train_reward(adapter, small, tmp_path, monkeypatch, capsys):
    from train import reward as reward_module
    from train.aligning import run

    seen = []

    def recorded(completions, **columns):
        seen.append(reward_module.reward(completions, **columns))
        assert {"task", "instruction", "output"} <= columns.keys()
        return seen[-1]

    monkeypatch.setattr(run, "reward", recorded)
    output = tmp_path / "tuned"
    assert tune.main(grpo_flags(adapter, str(small), output, "--sources", "ade_corpus", "--tasks", "RE")) == 0
    curve = json.loads((output / "tune.json").read_text())["curve"]
    assert [point["reward"] for point in curve] == [sum(rewards) / len(rewards) for rewards in seen]
    assert curve[0]["cut"] > 0, "random weights do not stop"
    log = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("step ", "{"))]
    figures = r"loss -?\d\.\d{{4}}  reward \d\.\d{{3}}  ± \d\.\d{{3}}  \d+ answer tokens  cut \d+%  lr \d\.\d\de-\d\d"
    line = rf"step {{}}/2  {figures}.*"
    assert len(log) == 2 and all(re.fullmatch(line.format(at + 1), text) for at, text in enumerate(log)), log


def test_the_result_is_a_model_for_predict_and_export(tuned, base, tmp_path):
    data = write_rows(tmp_path / "rows.jsonl", [{**ner_row(1), "id": "a", "split": "test"}])
    out = tmp_path / "predictions.jsonl"
    flags = ["--adapter", str(tuned), "--data", data, "--output", str(out), "--max_new_tokens", "4"]
    assert predict.main(flags) == 0 and len(out.read_text().splitlines()) == 1
    assert export.main(["--adapter", str(tuned), "--output", str(tmp_path / "merged")]) == 0
    assert (tmp_path / "merged/model.safetensors").exists()


def test_a_new_adapter_on_a_merged_model(base, pairs, tmp_path):
    flags = dpo_flags("", pairs, tmp_path / "tuned", "--set", "lora.r=4")
    flags[2:4] = ["--model", base]
    assert tune.main(flags) == 0
    assert json.loads((tmp_path / "tuned/adapter_config.json").read_text())["r"] == 4


@pytest.mark.parametrize("method", ["dpo", "grpo"])
def test_a_killed_training_resumes_to_the_same_weights(method, adapter, pairs, small, tmp_path):
    if method == "dpo":
        flags = [*dpo_flags(adapter, pairs, Path("OUT")), "--set", "training.max_steps=6"]
    else:
        short = ["--sources", "ade_corpus", "--set", "training.max_steps=4", "--set", "beta=0.1"]
        flags = [*grpo_flags(adapter, str(small), Path("OUT")), *short]

    def with_output(name: str) -> list[str]:
        return [str(tmp_path / name) if flag == "OUT" else flag for flag in flags]

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen(
        [sys.executable, "-m", "train.tune", *with_output("killed")], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    state = tmp_path / "killed/checkpoint-1/trainer_state.json"
    end = time.monotonic() + 300
    while not state.exists() and time.monotonic() < end and started.poll() is None:
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL and not (tmp_path / "killed/tune.json").exists()
    assert tune.main(with_output("killed")) == 2, "without --resume the folder is not touched"
    assert tune.main([*with_output("killed"), "--dry_run"]) == 2
    assert tune.main([*with_output("killed"), "--resume", "--dry_run"]) == 0
    assert tune.main([*with_output("killed"), "--resume"]) == 0
    assert tune.main(with_output("whole")) == 0
    killed, whole = weights(tmp_path / "killed"), weights(tmp_path / "whole")
    assert killed.keys() == whole.keys() and all(killed[name].equal(whole[name]) for name in whole)


def test_too_long_pairs_are_left_out_and_said_loudly(adapter, pairs, tmp_path, capsys):
    from train.aligning import recipe, rows

    tokenizer = chat.load_tokenizer(adapter)
    read = rows.pairs(recipe.TuneRecipe(method="dpo", model="x", data=pairs, output="x"), tokenizer)
    lengths = sorted(
        len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"])) for row in read.train
    )
    limit = lengths[len(lengths) // 2]
    flags = dpo_flags(adapter, pairs, tmp_path / "tuned", "--set", f"max_length={limit}", "--dry_run")
    assert tune.main(flags) == 0
    printed = capsys.readouterr()
    kept = sum(length <= limit for length in lengths)
    skipped = f"{len(lengths) - kept:,} longer than {limit} tokens skipped"
    assert f"warning: training on {kept:,} pairs, {skipped}\n" in printed.err
    assert "method: dpo\n" in printed.out and f"max_length: {limit}\n" in printed.out
    assert not (tmp_path / "tuned").exists(), "--dry_run writes nothing"


def test_rows_with_a_special_token_are_left_out_of_grpo(adapter, tmp_path, capsys):
    marked = ner_row(1)
    marked["instruction"] = marked["instruction"].replace("crates", "</s> crates")
    data = write_rows(tmp_path / "rows.jsonl", [marked, ner_row(2)])
    assert tune.main(grpo_flags(adapter, data, tmp_path / "tuned", "--dry_run")) == 0
    assert "training on 1 rows, 1 with a special token skipped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--method", "ppo"], "--method: method: input should be 'dpo' or 'grpo', not 'ppo'"),
        (["--set", "training.beta=1"], "training.beta: use beta instead"),
        (["--set", "training.max_length=9"], "training.max_length: use max_length instead"),
        (["--set", "training.output_dir=x"], "training.output_dir: use output instead"),
        (["--set", "training.loss_tipe=ipo"], "unknown key training.loss_tipe; did you mean loss_type?"),
        (["--set", "lora.r=4"], "lora: a continued adapter keeps its options"),
        (["--set", "weights={NER: 2}"], "unknown key weights"),
        (["--set", "training.learning_rate=-1"], "training: Invalid learning rate: -1.0"),
        (["--set", "max_length=3"], "no row is left to train on"),
        (["--sources", "ADE_corp"], "no pairs of ADE_corp; did you mean ADE_corpus"),
        (["--tasks", "NER"], "no pairs of NER; it has"),
        (["--config", "dpo"], "--config takes a YAML file or one of dpo-lora, grpo-lora"),
    ],
)
def test_a_wrong_setting_is_one_line(adapter, pairs, tmp_path, capsys, more, line):
    assert tune.main(dpo_flags(adapter, pairs, tmp_path / "tuned", *more)) == 2
    assert line in error_line(capsys)
    assert not (tmp_path / "tuned/tune.json").exists()


def test_dpo_needs_pairs_and_a_fitting_adapter(adapter, base, pairs, small, tmp_path, capsys):
    output = tmp_path / "tuned"
    assert tune.main(dpo_flags(adapter, str(small), output)) == 2
    assert f"make one with ieforge preferences --output pairs {small}" in error_line(capsys)
    other = shutil.copytree(base, tmp_path / "other")
    assert tune.main(dpo_flags(adapter, pairs, output, "--model", str(other))) == 2
    assert f"an adapter for {base}, not for {other}" in error_line(capsys)
    assert tune.main(grpo_flags(adapter, str(small), output, "--set", "training.num_generations=3")) == 2
    assert "error: training: " in capsys.readouterr().err
    assert not output.exists() or not (output / "tune.json").exists()


@pytest.mark.parametrize("name", ["dpo-lora", "grpo-lora"])
def test_shipped_recipes_are_complete(name):
    parsed = tune.argument_parser().parse_args(["--config", name, "--model", "m", "--data", "d", "--output", "o"])
    assert tune.configuration(parsed).method == name.partition("-")[0]
    from train.aligning import run

    assert run.training_arguments(tune.configuration(parsed)).learning_rate > 0
