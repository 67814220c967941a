"""A comparison that is killed while it builds, trains and predicts ends with the same result as one that is not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

RECIPE = {
    "arms": {"none": {"mine": {"hard_negatives": "none"}, "instruct": {"negative_share": 0.3}}, "mined": {}},
    "build": {"mine": {"embedding_model": "lexical"}},
    "tasks": ["NER"],
    "sources": ["anatem", "mit_movie"],
    "held_out": ["crossner_science", "fabner", "ncbi_disease"],
    "seeds": [1, 2, 3],
    "sft": "tiny-cpu",
    "settings": {"training.save_strategy": "steps", "training.save_steps": 2, "training.eval_strategy": "no"},
    "budget": {"steps": 8},
    "predict": {"max_new_tokens": 16, "limit": 4, "batch_size": 1},
}


def start(recipe: Path, output: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "train.compare", "--config", str(recipe), "--output", str(output), "--json"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def kill_when(is_reached: Callable[[], bool], recipe: Path, output: Path) -> None:
    """Kills the comparison and its command, without warning, as soon as a place is reached."""
    process = start(recipe, output)
    try:
        while not is_reached():
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finish(recipe: Path, output: Path) -> dict:
    """The result without the seconds."""
    printed, errors = (process := start(recipe, output)).communicate()
    assert process.returncode == 0, errors.decode()
    result = json.loads(printed)
    for figures in result["arms"].values():
        for name in ("build", "train", "predict"):
            assert figures.pop(f"{name}_seconds") > 0
    return result


def test_a_comparison_that_is_killed_at_each_kind_of_step(tmp_path):
    recipe, output = tmp_path / "recipe.yaml", tmp_path / "killed"
    recipe.write_text(yaml.safe_dump(RECIPE, sort_keys=False))
    kill_when((output / "none/corpus/clean/manifest.json").exists, recipe, output)
    assert not (output / "done/none-build").exists()
    kill_when((output / "none/1/model/checkpoint-2/trainer_state.json").exists, recipe, output)
    assert not (output / "done/none-1-train").exists()
    answers = output / "none/1/predictions.jsonl"
    kill_when(lambda: answers.exists() and answers.stat().st_size > 0, recipe, output)
    assert not (output / "done/none-1-predict").exists()
    assert finish(recipe, output) == finish(recipe, tmp_path / "whole")
    for arm in RECIPE["arms"]:
        for seed in RECIPE["seeds"]:
            place = f"{arm}/{seed}/predictions.jsonl"
            assert (output / place).read_bytes() == (tmp_path / "whole" / place).read_bytes()
