"""The difference between two arms, worked out by hand; the commands of a comparison; finished steps are skipped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import yaml

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, dump
from schemas.errors import ConfigError
from schemas.label import Label, LabelSet
from tests.conftest import ROOT
from tests.train.predicted import entities, row, write
from train.comparing import comparison
from train.comparing.comparison import Step
from train.comparing.difference import differences
from train.comparing.distinct import Distance, Questions, check, distance, read_questions
from train.comparing.near import confusion_differences
from train.comparing.page import page
from train.comparing.result import summarise
from train.comparing.steps import Done, StepError, locked, seconds
from train.comparing.steps import run as run_step
from train.comparing.table import NO_EVIDENCE, as_text
from train.scoring import neighbours
from train.scoring.bootstrap import Bootstrap
from train.scoring.predictions import align_texts, load
from transforms import files

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
        | {"id": f"{source}/{number}", "example_id": f"{source}/{number}"}
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


def test_sources_without_gold_are_left_out(tmp_path):
    rows = [row("NER", ["ship"], {"ship": ["Ada"]}, [])]
    runs = [load(write(tmp_path / "p.jsonl", rows)).records]
    assert differences(runs, runs, "normal", Bootstrap(100)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"arms": {"one": {}}}, "arms: .*there must be at least 2 arms"),
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


def finished(tmp_path: Path, model: str) -> tuple[comparison.Comparison, Path]:
    """A comparison and its folder, as if all of its commands had finished."""
    plan, output = comparison.load(recipe(tmp_path)), tmp_path / "out"
    comparison.claim(plan, output)
    steps = msgspec.json.encode(Done([], 2.0)).decode()
    training = {"model": model, "rows": {"train": 20, "tokens": 500}, "steps": 7, "epochs": 1.4, "train_loss": 0.5}
    for name, ships in (("none", ONE), ("mined", BOTH)):
        files.write_text(str(output / "done" / f"{name}-build"), steps)
        for seed in plan.seeds:
            files.write_text(str(output / name / str(seed) / "model/sft.json"), json.dumps(training))
            predictions(comparison.predictions(name, seed, output), {"S": [ships], "T": [ships], "U": [BOTH]})
            for kind in ("train", "predict"):
                files.write_text(str(output / "done" / f"{name}-{seed}-{kind}"), steps)
    dictionary(output / "mined/corpus", "NER", "s", "S", {"ship": ["port"], "port": ["ship"]})
    return plan, output


ROWS = {"none": Questions(Counter({b"a": 3}), Counter()), "mined": Questions(Counter({b"b": 2}), Counter())}
APART = {"mined": Distance(0.9, 0.25)}


def test_the_result_of_a_finished_comparison(tmp_path):
    result = summarise(*finished(tmp_path, "harbour/pilot-4b"), ROWS, APART)
    assert [(r["arm"], r["source"], r["difference"]) for r in result["rows"]] == [
        ("mined", "S", 0.5),
        ("mined", "T", 0.5),
        ("mined", "U", 0),
        ("mined", None, pytest.approx(1 / 3)),
    ]
    assert (result["baseline"], result["dictionary"], result["budget"]) == ("none", "mined", {"steps": 7})
    assert result["arms"]["mined"] == {
        "settings": {"mine": {"hard_negatives": "mine"}},
        "rows": 2,
        "differing_rows": 0.9,
        "differing_labels": 0.25,
        "steps": 7,
        "rows_shown": 28,
        "tokens_shown": 700,
        "train_loss": 0.5,
        "build_seconds": 2,
        "train_seconds": 2,
        "predict_seconds": 2,
    }
    lines = [" ".join(line.split()) for line in as_text(result).splitlines()]
    assert lines[:2] == ["base model: harbour/pilot-4b", "3 seeds per arm, 7 steps for each model, trained on a, b"]
    assert "mined 2 90.0% 25.0% 7 28 700 0.500 2 2 2" in lines
    assert "mined NER mean over sources entity 3 66.67 100.00 +33.33 +33.33 to +33.33" in lines
    assert "mined NER S near 2 0.00 0.00 +0.00 +0.00 to +0.00" in lines


def test_random_weights_are_no_evidence(tmp_path):
    result = summarise(*finished(tmp_path, "tiny"), ROWS, APART)
    assert as_text(result).startswith(f"base model: tiny ({NO_EVIDENCE})\n")


def test_the_page_has_every_difference_and_its_interval(tmp_path):
    result = summarise(*finished(tmp_path, "a<b"), ROWS, APART)
    made = page(result)
    assert made == page(json.loads(json.dumps(result)))
    assert "base model: a&lt;b" in made and "<script" not in made and "http" not in made
    assert made.count('class="point"') == len(result["rows"]) + len(result["confusions"])
    assert made.count("+33.33 +33.33 to +33.33") == 1 and "mined minus none" in made
    assert made.count('class="run"') == 3 * len(result["rows"])


def dictionary(build: Path, task: str, key: str, source: str, ranked: dict[str, list[str]]) -> None:
    """Writes a label set and its dictionary into the folder of a build."""
    labels = LabelSet(task, key, source, "en", tuple(Label(name) for name in sorted(ranked)))
    files.write_text(f"{build}/labels/{task}/{key}.json", msgspec.json.encode(labels).decode())
    rankings = {label: Ranking(tuple(Neighbour(other) for other in others)) for label, others in ranked.items()}
    text = dump(Dictionary(task, key, source, "en", "lexical", rankings))
    files.write_text(f"{build}/hard_negatives/{task}/{key}.json", text)


def near_arm(tmp_path: Path, name: str, given: str) -> list:
    """Two runs over two texts; in each the gold ship Ada is given as a `given`, and Bo is right."""
    gold = entities(ship=["Ada", "Bo"])
    answer = {"ship": ["Bo"], given: ["Ada"]}
    rows = [row("NER", ["ship", "port", "tide"], answer, gold, number) for number in range(2)]
    return [load(write(tmp_path / f"{name}{run}.jsonl", rows)).records for run in range(2)]


def test_confusions_of_near_labels_apart_from_all(tmp_path):
    dictionary(tmp_path / "build", "NER", "harbour", "Harbour", {"ship": ["port"], "port": [], "tide": []})
    arms = near_arm(tmp_path, "a", "port"), near_arm(tmp_path, "b", "tide")
    rows = confusion_differences(*arms, neighbours.load(str(tmp_path / "build")), Bootstrap(100))
    every, near = rows
    assert (every.kind, every.gold, every.confusions, every.rates, every.difference) == (
        "all",
        4,
        (4, 4),
        (0.5, 0.5),
        0,
    )
    assert (near.kind, near.confusions, near.rates) == ("near", (4, 0), (0.5, 0))
    assert (near.difference, near.interval) == (-0.5, (-0.5, -0.5))


def rows_of(path: Path, *batches: list[str], text: str = "Ada left.", task: str = "NER") -> Questions:
    rows = [row(task, labels, {label: [] for label in labels}, None, text=text) for labels in batches]
    return read_questions(write(path, [{**one, "split": "train"} for one in rows]), [task], ["Harbour"])


def test_the_distance_of_two_arms(tmp_path):
    six = rows_of(tmp_path / "a", ["a", "b", "c"], ["d", "e", "f"])
    assert distance(six, rows_of(tmp_path / "b", ["c", "b", "a"], ["e", "d", "f"])) == Distance(0, 0)
    assert distance(six, rows_of(tmp_path / "c", ["a", "b", "d"], ["c", "e", "f"])) == Distance(1, 0)
    assert distance(six, rows_of(tmp_path / "d", ["a", "b", "c"], ["d", "e"])) == Distance(0.5, 1 - 10 / 11)
    assert distance(six, rows_of(tmp_path / "e", ["a", "b", "c"], ["d", "e", "f"], text="Bo left.")) == Distance(1, 1)


MINE, SHUFFLED = {"mine": {"hard_negatives": "none"}}, {"instruct": {"order": "shuffled"}}


@pytest.mark.parametrize(
    ("apart", "settings", "expected"),
    [
        (Distance(0, 0), SHUFFLED, "b and a: the training rows are the same, so there is nothing to compare"),
        (Distance(0.0999, 0.5), SHUFFLED, "b and a: only 10.0% of the training rows differ, less than 10%; choose"),
        (
            Distance(0.9, 0.01),
            MINE,
            "b and a: only 1.0% of the labels asked of a text differ, less than 10%: the label",
        ),
    ],
)
def test_arms_that_hardly_differ_are_refused(apart, settings, expected):
    with pytest.raises(ConfigError, match=expected) as error:
        check({"b": apart}, {"a": {}, "b": settings})
    assert error.value.exit_code == 2


@pytest.mark.parametrize("settings", [SHUFFLED, MINE | SHUFFLED])
def test_arms_whose_prompts_differ_may_ask_the_same_labels(settings):
    check({"b": Distance(0.1, 0)}, {"a": {}, "b": settings})


def test_command_line_errors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "train.compare", "--config", str(tmp_path / "none.yaml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/none.yaml: No such file") and done.stderr.count("\n") == 1
