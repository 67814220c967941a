"""The result of a comparison: its figures, its page, confusions of near labels, and arms that hardly differ."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from schemas.errors import ConfigError
from tests.train.predicted import dictionary, entities, row, write
from tests.train.test_compare import BOTH, ONE, predictions, recipe
from train.comparing import comparison
from train.comparing.distinct import Distance, Questions, check, distance, read_questions
from train.comparing.near import confusion_differences
from train.comparing.page import page
from train.comparing.result import summarise
from train.comparing.steps import Done
from train.comparing.table import as_text
from train.scoring import neighbours
from train.scoring.bootstrap import Bootstrap
from train.scoring.predictions import load
from transforms import files


def finished(tmp_path: Path, model: str) -> tuple[comparison.Comparison, Path]:
    """A comparison and its folder, as if all of its commands had finished."""
    plan, output = comparison.load(recipe(tmp_path)), tmp_path / "out"
    comparison.claim(plan, output)
    steps = msgspec.json.encode(Done([], 2.0)).decode()
    training = {"model": model, "rows": {"train": 20, "tokens": 500}, "steps": 7, "epochs": 1.4}
    for name, ships in (("none", ONE), ("mined", BOTH)):
        files.write_text(str(output / "done" / f"{name}-build"), steps)
        for seed in plan.seeds:
            files.write_text(str(output / name / str(seed) / "model/sft.json"), json.dumps(training))
            predictions(comparison.predictions(name, seed, output), {"c": [ships], "d": [ships], "e": [BOTH]})
            for kind in ("train", "predict"):
                files.write_text(str(output / "done" / f"{name}-{seed}-{kind}"), steps)
    dictionary(output / "mined/corpus", "NER", "c", "c", {"ship": ["port"], "port": ["ship"]})
    return plan, output


ROWS = {"none": Questions(Counter({b"a": 3}), Counter()), "mined": Questions(Counter({b"b": 2}), Counter())}
APART = {"mined": Distance(0.9, 0.25)}


def test_the_result_of_a_finished_comparison(tmp_path):
    result = summarise(*finished(tmp_path, "harbour/pilot-4b"), ROWS, APART)
    assert [(r["arm"], r["source"], r["difference"]) for r in result["rows"]] == [
        ("mined", "c", 0.5),
        ("mined", "d", 0.5),
        ("mined", "e", 0),
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
        "build_seconds": 2,
        "train_seconds": 2,
        "predict_seconds": 2,
    }
    lines = [" ".join(line.split()) for line in as_text(result).splitlines()]
    assert lines[:2] == ["base model: harbour/pilot-4b", "3 seeds per arm, 7 steps for each model, trained on a, b"]
    assert "mined 2 90.0% 25.0% 7 28 700 2 2 2" in lines
    assert "mined NER mean over sources entity 3 66.67 100.00 +33.33 +33.33 to +33.33" in lines
    assert "mined NER c near 2 0.00 0.00 +0.00 +0.00 to +0.00" in lines


def test_held_out_labels_are_scored_in_the_sources_that_are_trained_on(tmp_path):
    plan, output = finished(tmp_path, "harbour/pilot-4b")
    plan = plan.model_copy(update={"held_out_labels": ("ship",)})
    with pytest.raises(ConfigError, match="held_out_labels: the test texts of sources have no gold annotations"):
        summarise(plan, output, ROWS, APART)
    for name, ships in (("none", ONE), ("mined", BOTH)):
        for seed in plan.seeds:
            predictions(comparison.predictions(name, seed, output), {"a": [ships], "c": [ONE], "d": [ONE], "e": [ONE]})
    result = summarise(plan, output, ROWS, APART)
    rows = [(row["source"], row["labels"], row["difference"]) for row in result["rows"]]
    assert rows == [("c", "all", 0), ("d", "all", 0), ("e", "all", 0), (None, "all", 0), ("a", "held out", 0.5)]
    assert "a, held-out labels" in as_text(result)


def test_random_weights_are_no_evidence(tmp_path):
    result = summarise(*finished(tmp_path, "tiny"), ROWS, APART)
    assert as_text(result).startswith("base model: tiny (random weights: this only shows that the parts work together")


def test_the_page_has_every_difference_and_its_interval(tmp_path):
    result = summarise(*finished(tmp_path, "a<b"), ROWS, APART)
    made = page(result)
    assert made == page(json.loads(json.dumps(result)))
    assert "base model: a&lt;b" in made and "://" not in made
    assert made.count('class="point"') == len(result["rows"]) + len(result["confusions"])
    assert made.count("+33.33 (+33.33 to +33.33)<") == 2 and "mined minus none" in made
    assert made.count('class="run"') == 3 * len(result["rows"])


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
