"""train.sft end to end on a tiny random model: the files that it writes, resuming, and refusals."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.train.conftest import ner_row, write_rows
from train import sft

BRIEF = (
    "training.max_steps=2", "training.per_device_train_batch_size=2", "training.save_steps=1",
    "training.gradient_checkpointing=false", "training.logging_steps=1", "validation_share=0.2",
)  # fmt: skip


def flags(model: str, data: str, output: Path, *more: str) -> list[str]:
    settings = [flag for setting in BRIEF for flag in ("--set", setting)]
    return ["--model", model, "--data", data, "--output", str(output), *settings, *more]


@pytest.fixture(scope="module")
def adapter(tiny_base, rows_file, tmp_path_factory) -> Path:
    """An adapter on `tiny_base`, with checkpoints 1 and 2."""
    output = tmp_path_factory.mktemp("lora") / "adapter"
    trained = ("--set", "lora.modules_to_save=[embed_tokens, lm_head]", "--set", "lora.r=4")
    trained += ("--set", "checkpoints=all")
    assert sft.main(flags(tiny_base, rows_file, output, *trained)) == 0
    return output


def error_line(capsys) -> str:
    lines = capsys.readouterr().err.splitlines()
    return next(line for line in lines if line.startswith("error: "))


def test_an_adapter_has_its_options_tokenizer_and_template(adapter, tiny_base):
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 32, tiny_base)
    assert {name.rpartition(".")[2] for name in config["target_modules"]} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert config["modules_to_save"] == ["embed_tokens", "lm_head"]
    assert "### Instruction" in (adapter / "chat_template.jinja").read_text()
    summary = json.loads((adapter / "sft.json").read_text())
    assert summary["rows"]["train"] + summary["rows"]["validation"] == 24 and summary["steps"] == 2
    assert summary["validation_loss"] > 0
    state = json.loads((adapter / "checkpoint-2/trainer_state.json").read_text())
    assert state["log_history"][0]["learning_rate"] == pytest.approx(2e-4)  # in the first step


def test_training_resumes_from_the_last_complete_checkpoint(adapter, tiny_base, rows_file, tmp_path, capsys):
    output = shutil.copytree(adapter, tmp_path / "adapter")
    (output / "sft.json").unlink()
    state = output / "checkpoint-2/trainer_state.json"
    state.write_bytes(state.read_bytes()[:50])  # killed while it was written
    (output / "checkpoint-kept").mkdir()
    same = flags(tiny_base, rows_file, output, "--set", "lora.modules_to_save=[embed_tokens, lm_head]")
    assert sft.main(same) == 2
    assert "not empty; choose a new folder, or continue with --resume" in error_line(capsys)
    assert sft.main([*same, "--resume"]) == 2
    assert "made with another lora; resume with the same" in error_line(capsys)
    assert sft.main([*same, "--set", "lora.r=4", "--resume", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["steps"] == 2
    assert f"resuming from {output}/checkpoint-1\n" in printed.err
    assert (output / "checkpoint-kept").exists()
    steps = json.loads((output / "checkpoint-2/trainer_state.json").read_text())["log_history"]
    earlier = json.loads((adapter / "checkpoint-2/trainer_state.json").read_text())["log_history"]
    assert [entry["step"] for entry in steps] == [entry["step"] for entry in earlier]


@pytest.mark.parametrize("name", ["optimizer.pt", "adapter_model.safetensors"])
@pytest.mark.parametrize("size", [0, 100])
def test_a_damaged_checkpoint_is_named(adapter, tiny_base, rows_file, tmp_path, capsys, name, size):
    output = shutil.copytree(adapter, tmp_path / "adapter")
    (output / "sft.json").unlink()
    damaged = output / "checkpoint-2" / name
    damaged.write_bytes(damaged.read_bytes()[:size])
    same = flags(tiny_base, rows_file, output, "--set", "lora.modules_to_save=[embed_tokens, lm_head]", "--resume")
    assert sft.main([*same, "--set", "lora.r=4"]) == 2
    assert f"if {output}/checkpoint-2 is damaged, delete it and resume again" in error_line(capsys)


def test_a_finished_training_does_not_start_again(adapter, tiny_base, rows_file, tmp_path, capsys):
    output = shutil.copytree(adapter, tmp_path / "adapter", ignore=shutil.ignore_patterns("checkpoint-*"))
    kept = {name: (output / name).read_bytes() for name in ("adapter_model.safetensors", "sft.json", "README.md")}
    (output / "README.md").unlink()  # killed after sft.json was written
    same = flags(tiny_base, rows_file, output, "--set", "lora.modules_to_save=[embed_tokens, lm_head]", "--resume")
    same += ("--set", "lora.r=4", "--set", "checkpoints=all")
    assert sft.main([*same, "--json"]) == 0
    printed = capsys.readouterr()
    assert "has finished already" in printed.err and json.loads(printed.out) == json.loads(kept["sft.json"])
    assert {name: (output / name).read_bytes() for name in kept} == kept
    assert sft.main([*same, "--set", "training.max_steps=5"]) == 2
    assert "finished, without a checkpoint to continue from; choose a new folder" in error_line(capsys)


def test_a_dry_run_estimates_and_writes_nothing(adapter, tiny_base, rows_file, tmp_path, capsys):
    output = tmp_path / "adapter"
    for model in (tiny_base, "tiny"):
        assert sft.main(flags(model, rows_file, output, "--dry_run")) == 0
        printed = capsys.readouterr()
        assert "NER   harbour" in printed.err and "memory: about" in printed.err
        assert "\n2 steps of 2 rows\n" in printed.err
        assert f"output: {output}\n" in printed.out and "max_steps: 2\n" in printed.out
        assert not output.exists()
    before = sorted(adapter.rglob("*"))
    assert sft.main(flags(tiny_base, rows_file, adapter, "--dry_run")) == 2, "the output folder is checked, too"
    assert "not empty" in error_line(capsys) and sorted(adapter.rglob("*")) == before


def test_a_token_budget_decides_the_steps(tiny_base, rows_file, tmp_path, capsys):
    output = tmp_path / "adapter"
    more = ("--set", "token_budget=1500", "--set", "training.gradient_accumulation_steps=2", "--json")
    assert sft.main(flags(tiny_base, rows_file, output, *more)) == 0
    summary = json.loads(capsys.readouterr().out)
    tokens_per_step = 4 * summary["rows"]["tokens"] / summary["rows"]["train"]
    assert summary["steps"] == round(1500 / tokens_per_step) > 2
    assert summary["epochs"] == pytest.approx(summary["steps"] * 4 / summary["rows"]["train"], abs=0.2)


@pytest.mark.parametrize("key", ["training.packing", "streaming"])
def test_a_token_budget_needs_the_tokens_of_a_step(key, tiny_base, rows_file, tmp_path, capsys):
    more = ("--set", "token_budget=1500", "--set", f"{key}=true")
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "adapter", *more)) == 2
    assert f"token_budget: cannot be used with {key}; remove one" in error_line(capsys)


def test_an_adapter_is_continued_on_its_base_only(adapter, tiny_base, rows_file, tmp_path, capsys):
    more = ("--adapter", str(adapter))
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "more", *more)) == 0
    assert json.loads((tmp_path / "more/adapter_config.json").read_text())["r"] == 4
    other = shutil.copytree(tiny_base, tmp_path / "other")
    assert sft.main(flags(str(other), rows_file, tmp_path / "a", *more)) == 2
    assert f"an adapter for {tiny_base}, not for {other}; pass --model {tiny_base}" in error_line(capsys)
    assert sft.main(flags(str(adapter), rows_file, tmp_path / "b")) == 2
    assert f"contains an adapter; pass --model {tiny_base} --adapter {adapter}" in error_line(capsys)


def test_an_adapter_of_another_shape_is_refused(adapter, rows_file, tmp_path, capsys):
    from train import tiny

    base = tiny.save(["abc"], tmp_path / "base", vocab_size=300, hidden_size=64)
    assert sft.main(flags(base, rows_file, tmp_path / "a", "--adapter", str(adapter))) == 2
    assert "this adapter does not fit the model" in error_line(capsys)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--set", "training.max_lenght=9"], "unknown key training.max_lenght; did you mean max_length?"),
        (["--set", "lora.alpha=9"], "unknown key lora.alpha; did you mean lora_alpha?"),
        (["--set", "lora.target_modules=[nope]"], "Target modules {'nope'} not found in the base model"),
        (["--set", "training.num_train_epochs=lots"], "training.num_train_epochs: input should be a valid number"),
        (["--set", "training.learning_rate=-1"], "training: Invalid learning rate: -1.0"),
        (["--set", "training.output_dir=x"], "training.output_dir: use output instead"),
        (["--set", "training.packing=true", "--set", "training.packing_strategy=wrapped"], "cuts rows into pieces"),
        (["--set", "streaming=true", "--set", "training.max_steps=-1"], "set training.max_steps"),
        (["--set", "training.max_length=null"], "set the maximum length of a row in tokens"),
        (["--set", "training.eval_strategy=now"], "training: now is not a valid IntervalStrategy"),
        (["--chat_template", "none.jinja"], "none.jinja: cannot be read"),
        (
            ["--model", "no/such/model"],
            "no/such/model: no such folder or file; give a model folder, a GGUF file or a Hub name",
        ),
        (["--sources", "habour"], "no rows of habour; did you mean harbour"),
        (["--tasks", "RE"], "split train has no RE; it has NER"),
    ],
)
def test_a_wrong_setting_is_one_line(tiny_base, rows_file, tmp_path, capsys, more, line):
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "model", *more)) == 2
    assert line in error_line(capsys)
    assert not (tmp_path / "model/sft.json").exists()


def test_four_bit_weights_need_a_gpu(tiny_base, rows_file, tmp_path, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "model", "--method", "qlora")) == 1
    assert "4-bit weights need" in error_line(capsys)


def test_packing_needs_a_model_that_separates_rows(tiny_base):
    """A model whose attention uses the positions passes the check; one that ignores them does not."""
    import torch

    from train import load
    from train.tuning import packing

    model = load.load_model(tiny_base)
    assert packing.isolates_rows(model)
    forward = model.forward
    model.forward = lambda input_ids, use_cache=False, **_: forward(input_ids=input_ids, use_cache=False)
    assert not packing.isolates_rows(model) and torch.is_grad_enabled() and not model.training


def test_all_weights_packed_and_streamed(rows_file, tmp_path):
    output = tmp_path / "model"
    more = ("--tasks", "NER", "--set", "streaming=true", "--set", "training.packing=true")
    shape = ("--method", "full", "--set", "tiny={vocab_size: 300, hidden_size: 32}", "--set", "training.max_length=512")
    assert sft.main(flags("tiny", rows_file, output, *more, *shape)) == 0
    generation = json.loads((output / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation.get("do_sample", False)) == ([2], False)
    assert (output / "model.safetensors").exists() and not (output / "adapter_config.json").exists()


def test_two_processes_train_one_model(rows_file, tmp_path):
    """16 rows, 2 processes, 2 rows per step and process: 4 steps."""
    data = write_rows(tmp_path / "rows.json", [ner_row(number) for number in range(16)])
    given = flags("tiny", data, tmp_path / "model", "--method", "full", "--set", "tiny={vocab_size: 300}", "--json")
    given = [flag.replace("max_steps=2", "num_train_epochs=1").replace("0.2", "0") for flag in given]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29611"]
    done = subprocess.run(
        [*launcher, "-m", "train.sft", *given],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert "\n4 steps of 4 rows\n" in done.stderr
    assert json.loads(done.stdout)["steps"] == 4


def test_help_needs_no_torch():
    code = "import sys, train.sft, train.export; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
