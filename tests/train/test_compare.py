"""The difference between two arms, worked out by hand; the commands of a comparison; finished steps are skipped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from schemas.errors import ConfigError
from tests.conftest import ROOT
from tests.train.predicted import entities, row, write
from train import compare
from train.comparing import comparison
from train.comparing.comparison import Step
from train.comparing.difference import differences
from train.comparing.steps import StepError, locked, seconds
from train.comparing.steps import run as run_step
from train.scoring.bootstrap import Bootstrap
from train.scoring.predictions import align_texts, load

RECIPE = {
    "arms": {"none": {"mine": {"hard_negatives": "none"}}, "mined": {"mine": {"hard_negatives": "mine"}}},
    "build": {"data_root": "raw", "mine": {"embedding_model": "lexical"}},
    "tasks": ["NER"],
    "sources": ["a", "b"],
    "held_out": ["c", "d", "e"],
    "seeds": [1, 2, 3],
    "sft": "tiny-cpu",
    "settings": {"training.warmup_steps": 2, "method": "full"},
    "budget": {"steps": 7},
    "predict": {"limit": 5, "guided": True, "four_bit": False},
}


def recipe(tmp_path: Path, **changes) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **changes}, sort_keys=False), encoding="utf-8")
    return str(path)


def predictions(path: Path, result: dict[str, list[list[str]]]) -> str:
    """`result`: source → the ships predicted in each text; gold is Ada and Bo in every text."""
    rows = [
        row("NER", ["ship"], {"ship": ships}, entities(ship=["Ada", "Bo"]), number, source=source)
        | {"id": f"{source}/test/{number}/NER/0", "example_id": f"{source}/test/{number}"}
        for source, texts in result.items()
        for number, ships in enumerate(texts)
    ]
    return write(path, rows)


def arm(tmp_path: Path, name: str, *runs: dict[str, list[list[str]]]) -> list:
    return [load(predictions(tmp_path / f"{name}{at}.jsonl", run)).records for at, run in enumerate(runs)]


BOTH, ONE, NONE = ["Ada", "Bo"], ["Ada", "Tin"], ["Tin"]


def test_differences_by_hand(tmp_path):
    """F1 of S: first arm 0.5 and 0, second 1 and 1. Of T: 0.5 and 0.5 in both."""
    first = arm(tmp_path, "a", {"S": [ONE, ONE], "T": [ONE]}, {"S": [NONE, NONE], "T": [ONE]})
    second = arm(tmp_path, "b", {"S": [BOTH, BOTH], "T": [ONE]}, {"S": [BOTH, BOTH], "T": [ONE]})
    result = {r.source: r for r in differences(first, second, "normal", Bootstrap(400))}
    assert result["S"].f1 == ((0.5, 0), (1, 1))
    assert result["S"].difference == 0.75
    assert result["S"].interval == (0.5, 1)  # drawn are twice the first seed, twice the second, or one of each
    assert (result["T"].difference, result["T"].interval) == (0, (0, 0))
    assert result[None].f1 == ((0.5, 0.25), (0.75, 0.75))
    assert result[None].difference == 0.375
    assert result[None].interval == (0.25, 0.5)
    assert (result["S"].texts, result[None].texts) == (2, 3)


def test_arms_are_scored_on_the_same_texts(tmp_path):
    """Texts differ a lot, the arms not at all: without pairing the interval would be wide."""
    texts = {"S": [BOTH, NONE, ONE, BOTH, NONE, NONE]}
    runs = [texts, texts, texts]
    (result,) = differences(arm(tmp_path, "a", *runs), arm(tmp_path, "b", *runs), "normal", Bootstrap(200))
    assert (result.difference, result.interval) == (0, (0, 0))


def test_arms_are_paired_by_seed(tmp_path):
    """Seeds differ a lot, the arms by the same in each seed: unpaired, the interval would be as wide as the seeds."""
    first = arm(tmp_path, "a", {"S": [NONE, NONE]}, {"S": [ONE, ONE]})
    second = arm(tmp_path, "b", {"S": [ONE, ONE]}, {"S": [BOTH, BOTH]})
    (result,) = differences(first, second, "normal", Bootstrap(200))
    assert (result.difference, result.interval) == (0.5, (0.5, 0.5))
    with pytest.raises(ValueError, match="2 and 1 runs; the arms are paired by seed"):
        differences(first, second[:1], "normal", Bootstrap(200))


def test_arms_may_ask_a_text_in_other_batches(tmp_path):
    gold = entities(ship=["Ada"], port=["Coal Quay"])
    whole = row("NER", ["ship", "port"], {"ship": ["Ada"], "port": ["Low Water"]}, gold)
    parts = [row("NER", [label], {label: right}, gold, batch=at) for at, (label, right) in enumerate(
        (("ship", ["Ada"]), ("port", ["Coal Quay"]))
    )]  # fmt: skip
    first, second = (load(write(tmp_path / f"{at}", rows)) for at, rows in enumerate(([whole], parts)))
    align_texts([first, second])
    (result,) = differences([first.records], [second.records], "normal", Bootstrap(100))
    assert (result.f1, result.difference, result.texts) == (((0.5,), (1,)), 0.5, 1)


def test_only_some_labels_count(tmp_path):
    gold = entities(ship=["Ada"], port=["Coal Quay"])
    answers = {"ship": ["Ada"], "port": []}, {"ship": [], "port": ["Coal Quay"]}
    first, second = (
        [load(write(tmp_path / f"{at}", [row("NER", ["ship", "port"], answer, gold)])).records]
        for at, answer in enumerate(answers)
    )
    for labels, expected in (((), 0), (("port",), 1), (("ship",), -1)):
        (result,) = differences(first, second, "normal", Bootstrap(100), labels)
        assert (result.difference, result.texts) == (expected, 1)
    assert differences(first, second, "normal", Bootstrap(100), ("tide",)) == []


def test_sources_without_gold_are_left_out(tmp_path):
    rows = [row("NER", ["ship"], {"ship": ["Ada"]}, [])]
    runs = [load(write(tmp_path / "p.jsonl", rows)).records]
    assert differences(runs, runs, "normal", Bootstrap(100)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"arms": {"one": {}}}, "arms: .*there must be at least 2 arms"),
        ({"arms": {"a": {"mine": {}}, "b": {"mine": {}}}}, "arms: .*a and b have the same settings"),
        ({"budget": {}}, "budget: .*write either {steps: N} or {tokens: N}"),
        ({"budget": {"steps": 5, "tokens": 5}}, "budget: .*write either {steps: N} or {tokens: N}"),
        ({"budget": {"steps": 0}}, "budget.steps: .*greater than 0"),
        ({"settings": {"training.max_steps": 5}}, "settings: .*do not set training.max_steps: it follows from budget"),
        ({"settings": {"training.seed": 5}}, "settings: .*do not set training.seed: it follows from seeds"),
        ({"arms": {"a/b": {}, "c": {}}}, "arms.a/b"),
        ({"held_out": ["c", "d"]}, "held_out: .*at least 3"),
        ({"seeds": [1, 2]}, "seeds: .*at least 3"),
        ({"seeds": [1, 2, 2]}, "seeds: .*one is listed twice"),
        ({"held_out": ["c", "d", "a"]}, "held_out: also in sources, which are used for training: a"),
        ({"tasks": ["SPO"], "held_out_labels": ["x"]}, "held_out_labels: only for the tasks NER, RE, EE, EET"),
        ({"build": {"hold_out": {"labels": ["x"]}}}, "build: .*do not set hold_out.labels"),
        ({"tasks": ["MRC"]}, "tasks.0"),
        ({"build": {"sources": ["x"]}}, "build: .*follow from sources and held_out"),
        ({"draws": 10}, "draws: .*100"),
        ({"modell": "x"}, "modell; "),
    ],
)
def test_invalid_recipes_are_refused(changes, expected, tmp_path):
    with pytest.raises(ConfigError, match=rf"recipe.yaml:\d+: (unknown key )?{expected}") as error:
        comparison.load(recipe(tmp_path, **changes))
    assert "\n" not in str(error.value)


def test_the_shipped_recipe_uses_bundled_samples():
    result = comparison.load("compare-tiny")
    samples = ROOT / "pipelines/samples"
    assert all((samples / key).is_dir() for key in (*result.sources, *result.held_out))


def test_commands_of_a_comparison(tmp_path):
    plan, output = comparison.load(recipe(tmp_path)), tmp_path / "out"
    comparison.claim(plan, output)
    assert yaml.safe_load((output / "none/build.yaml").read_text()) == {
        "data_root": "raw",
        "mine": {"embedding_model": "lexical", "hard_negatives": "none"},
        "sources": ["a", "b", "c", "d", "e"],
    }
    build = comparison.build_step(plan, "none", output)
    assert build.command[1:] == (
        *("-m", "pipelines.build", "--recipe", f"{output}/none/build.yaml", "--output", f"{output}/none/corpus"),
        *("--tasks", "NER"),
    )
    train = comparison.train_step(plan, "mined", 2, output)
    assert train.name == "mined/2/train"
    assert train.command[1:] == (
        *("-m", "train.sft", "--config", "tiny-cpu", "--data", f"{output}/mined/corpus"),
        *("--output", f"{output}/mined/2/model", "--tasks", "NER", "--sources", "a,b"),
        *("--set", "training.warmup_steps=2", "--set", 'method="full"', "--set", "training.max_steps=7"),
        *("--set", "training.seed=2"),
    )
    predict = comparison.predict_step(plan, "mined", 2, output)
    assert predict.command[1:] == (
        *("-m", "train.predict", "--model", f"{output}/mined/2/model", "--data", f"{output}/mined/corpus"),
        *("--split", "test", "--tasks", "NER", "--sources", "c,d,e", "--limit", "5", "--guided"),
        *("--output", f"{output}/mined/2/predictions.jsonl"),
    )


def test_a_budget_of_tokens(tmp_path):
    plan = comparison.load(recipe(tmp_path, budget={"tokens": 5000}))
    assert comparison.train_step(plan, "mined", 2, tmp_path).command[-4:-2] == ("--set", "token_budget=5000")
    with pytest.raises(ConfigError, match=r"token_budget: cannot be used with training\.packing"):
        comparison.load(recipe(tmp_path, budget={"tokens": 5000}, settings={"training.packing": True}))


def test_held_out_labels_are_not_trained_on_but_scored(tmp_path):
    plan = comparison.load(recipe(tmp_path, held_out_labels=["port"], build={"hold_out": {"share": 0.1}}))
    assert plan.builds["mined"]["hold_out"] == {"share": 0.1, "labels": ["port"]}
    command = comparison.predict_step(plan, "mined", 2, tmp_path).command
    assert command[command.index("--sources") + 1] == "c,d,e,a,b"


def test_an_unfinished_training_is_resumed_and_an_adapter_used(tmp_path):
    plan, model = comparison.load(recipe(tmp_path)), tmp_path / "none/1/model"
    model.mkdir(parents=True)
    (model / "sft.yaml").touch()
    (model / "adapter_config.json").touch()
    assert comparison.train_step(plan, "none", 1, tmp_path).command[-1] == "--resume"
    assert comparison.predict_step(plan, "none", 1, tmp_path).command[3:5] == ("--adapter", str(model))


def test_a_folder_of_another_comparison_is_refused(tmp_path):
    plan, output = comparison.load(recipe(tmp_path)), tmp_path / "out"
    comparison.claim(plan, output)
    comparison.claim(plan, output)
    with pytest.raises(ConfigError, match="other settings"):
        comparison.claim(comparison.load(recipe(tmp_path, seeds=[1, 2, 4])), output)
    with pytest.raises(ConfigError, match="not empty"):
        comparison.claim(plan, tmp_path)


def python_step(code: str) -> Step:
    return Step("none/1/train", (sys.executable, "-c", code))


def run(step: Step, output: Path) -> bool:
    with locked(output) as lock:
        return run_step(step, output, lock)


def test_a_finished_step_is_skipped(tmp_path):
    step = python_step(f"open({str(tmp_path / 'ran')!r}, 'a').write('x'); import time; time.sleep(0.2)")
    assert [run(step, tmp_path), run(step, tmp_path)] == [True, False]
    assert (tmp_path / "ran").read_text() == "x"
    assert 0.2 <= seconds(step.name, tmp_path) < 30


@pytest.mark.parametrize(("code", "expected"), [(2, 2), (4, 4), (77, 1)])
def test_a_failed_command_stops_the_comparison_and_is_repeated(code, expected, tmp_path):
    with pytest.raises(StepError, match=f"none/1/train: the command ended with {code}: ") as error:
        run(python_step(f"raise SystemExit({code})"), tmp_path)
    assert error.value.exit_code == expected
    assert run(python_step("pass"), tmp_path)


def test_an_interrupted_command_interrupts(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(python_step("raise SystemExit(130)"), tmp_path)
    assert not (tmp_path / "done").exists()


def started(tmp_path: Path) -> tuple[subprocess.Popen, int]:
    """A process that runs a step, and the id of the step's command, which sleeps."""
    pid = tmp_path / "pid"
    sleeper = f"import os, time; open({str(pid)!r} + 'x', 'w').write(str(os.getpid())); " + (
        f"os.replace({str(pid)!r} + 'x', {str(pid)!r}); time.sleep(60)"
    )
    code = (
        "import sys; from pathlib import Path; from schemas.command import handle_signals;"
        "from train.comparing.steps import locked, run; from train.comparing.comparison import Step;"
        f"handle_signals(None); output = Path({str(tmp_path)!r}); command = (sys.executable, '-c', {sleeper!r})"
        "\nwith locked(output) as lock: run(Step('a/build', command), output, lock)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)
    while not pid.exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process, int(pid.read_text())


def test_no_command_outlives_a_comparison_that_is_stopped(tmp_path):
    process, command = started(tmp_path)
    process.terminate()
    assert b"KeyboardInterrupt" in process.communicate(timeout=30)[1]
    with pytest.raises(ProcessLookupError):
        os.kill(command, 0)
    assert not (tmp_path / "done").exists()


def test_a_command_that_outlives_a_killed_comparison_keeps_the_folder_locked(tmp_path):
    process, command = started(tmp_path)
    while not (tmp_path / ".lock").read_text():
        time.sleep(0.05)
    process.kill()
    process.wait(timeout=30)
    try:
        with pytest.raises(ConfigError, match=rf"is running in this folder \(a/build, process {command}\); wait"):
            run(python_step("pass"), tmp_path)
    finally:
        os.kill(command, signal.SIGKILL)
    for _ in range(100):
        try:
            assert run(python_step("pass"), tmp_path)
            break
        except ConfigError:  # the kernel has not yet closed the files of the command
            time.sleep(0.05)


def test_settings_of_all_arms_are_checked_before_the_first_build(tmp_path, capfd):
    arms = {"none": {"mine": {"hard_negatives": "none"}}, "all": {"instruct": {"split_num": -1}}}
    keys = {"sources": ["conll2003"], "held_out": ["crossner_science", "fabner", "ncbi_disease"]}
    given, output = recipe(tmp_path, arms=arms, build={}, **keys), tmp_path / "out"
    assert compare.main(["--config", given, "--output", str(output)]) == 2
    assert "all/build.yaml:2: instruct.split_num: input should be a valid dictionary" in capfd.readouterr().err
    assert not (output / "none/corpus").exists()


def test_command_line_errors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "train.compare", "--config", str(tmp_path / "none.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/none.yaml: No such file") and done.stderr.count("\n") == 1
