"""The estimate of memory, and the message when it runs out: exact where it counts, harmless where it measures."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.train.test_sft import flags
from train import sft
from train.tuning import memory, recipe
from transforms.settings import Settings


@pytest.fixture(scope="module")
def trainer(tiny_base, rows_file, tmp_path_factory, one_thread):
    return make(tiny_base, rows_file, tmp_path_factory.mktemp("memory"))


def make(base: str, data: str, output, **training):
    from train import chat, load
    from train.tuning import options, rows
    from train.tuning import trainer as trainers

    training = {"per_device_train_batch_size": 2, "gradient_checkpointing": False, **training}
    content = {"model": base, "data": data, "output": str(output), "lora": {"r": 4}, "training": training}
    content["validation_share"] = 0
    checked = recipe.check(Settings(content))
    arguments, tokenizer = options.training_arguments(checked), chat.load_tokenizer(base)
    tokenised = rows.tokenize(checked, tokenizer, 512, seed=1)
    return trainers.make(
        arguments, load.load_model(base), tokenizer, options.adapter_options(checked), tokenised, None, None
    )


def test_weights_and_states_are_counted_and_activations_grow_with_the_batch(trainer, tiny_base, rows_file, tmp_path):
    result = memory.estimate(trainer, 100)
    parameters = list(trainer.model.parameters())
    trainable = 4 * sum(p.numel() for p in parameters if p.requires_grad)
    assert result.weights == 4 * sum(p.numel() for p in parameters)
    assert (result.gradients, result.optimizer) == (trainable, 2 * trainable)
    hidden, layers = 32, 2
    assert result.activations > 2 * 100 * layers * 4 * hidden * 10  # at least ten vectors a layer and token
    assert memory.estimate(trainer, 200).activations == 2 * result.activations
    wider = make(tiny_base, rows_file, tmp_path / "wide", per_device_train_batch_size=6)
    assert memory.estimate(wider, 100).activations == 3 * result.activations
    saving = make(tiny_base, rows_file, tmp_path / "saving", gradient_checkpointing=True, optim="sgd")
    thrifty = memory.estimate(saving, 100)
    assert thrifty.activations < result.activations and thrifty.optimizer == 0


def test_the_measurement_changes_nothing(trainer):
    import torch

    before, mode = torch.get_rng_state(), trainer.model.training
    memory.estimate(trainer, 100)
    assert torch.equal(torch.get_rng_state(), before) and trainer.model.training is mode
    assert all(p.grad is None for p in trainer.model.parameters())
    assert not trainer._metrics["train"] and trainer._total_train_tokens == 0


def test_memory_is_printed_before_the_first_step(tiny_base, rows_file, tmp_path, capsys):
    assert sft.main(flags(tiny_base, rows_file, tmp_path / "a")) == 0
    error = capsys.readouterr().err
    assert 0 < error.index("\nmemory: about 0.0 GB (weights 0.00, ") < error.index("\nstep 1/2")
    assert "2 rows of " in error


def test_running_out_of_memory_names_the_numbers(tiny_base, tmp_path):
    """In a process that may have only so much memory, with rows that need more."""
    from tests.train.conftest import ner_row, write_rows

    long = [
        ner_row(n) | {"instruction": ner_row(n)["instruction"].replace("sailed", "sailed " * 900)} for n in range(1, 9)
    ]
    data = write_rows(tmp_path / "rows.jsonl", [{**row, "split": "train"} for row in long])
    settings = ["--method", "full", "--set", "training.per_device_train_batch_size=512", "--set", "weights.NER=64"]
    given = flags(
        "tiny", data, tmp_path / "m", *settings, "--set", "tiny.hidden_size=256", "--set", "validation_share=0"
    )
    code = f"""
import resource, sys
from train import sft
import torch, trl, peft, datasets
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 2**30,) * 2)
sys.exit(sft.main({given!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=250)
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert done.returncode == 1
    assert line.startswith("error: cpu: out of memory with 512 rows of up to ")
    assert "set training.per_device_train_batch_size=256 with training.gradient_accumulation_steps=2" in line
    assert "(still 512 rows a step), or training.gradient_checkpointing=true, or training.max_length=" in line
