"""The folder of a finished comparison → its result as JSON values: differences, confusions and the cost of each arm."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from schemas.errors import ConfigError
from schemas.example_id import ExampleId
from train import tiny
from train.comparing.comparison import Comparison, predictions
from train.comparing.difference import differences
from train.comparing.distinct import Distance, Questions
from train.comparing.near import confusion_differences
from train.comparing.steps import REMEDY, seconds
from train.scoring import neighbours
from train.scoring.bootstrap import Bootstrap
from train.scoring.predictions import Record, align, align_texts, load
from transforms import files


class RowCounts(msgspec.Struct):
    """The rows of a training and their tokens."""

    train: int
    tokens: int


class Training(msgspec.Struct):
    """What a comparison reads of the summary of a training (`sft.json`)."""

    model: str
    rows: RowCounts
    steps: int
    epochs: float


def summarise(
    comparison: Comparison, output: Path, rows: Mapping[str, Questions], distances: Mapping[str, Distance]
) -> dict:
    """The result of a comparison whose steps are all finished.

    `rows`: what the training rows of each arm ask; `distances`: of each arm but the first from the first. Raises
    ConfigError as `predictions.load` does, and if there are no gold annotations to compare with.
    """
    baseline, *others = comparison.arms
    loaded = {arm: [load(str(predictions(arm, n, output))) for n in comparison.seeds] for arm in comparison.arms}
    for runs in loaded.values():
        align(runs)
    align_texts([run for runs in loaded.values() for run in runs])  # arms may ask a text in other batches
    records = {arm: [run.records for run in runs] for arm, runs in loaded.items()}
    dictionary = dictionary_arm(comparison)
    dictionaries = neighbours.load(str(output / dictionary / "corpus")) if dictionary else {}
    bootstrap = Bootstrap(comparison.draws)
    compared, confused = [], []
    for labels in ((), comparison.held_out_labels) if comparison.held_out_labels else ((),):
        chosen = {arm: [select(comparison, run, bool(labels)) for run in runs] for arm, runs in records.items()}
        scored = []
        for arm in others if chosen[baseline][0] else ():
            pair = chosen[baseline], chosen[arm]
            about = {"arm": arm, "labels": "held out" if labels else "all"}
            scored += [{**about, **asdict(row)} for row in differences(*pair, comparison.match, bootstrap, labels)]
            near = confusion_differences(*pair, dictionaries, bootstrap, labels)
            confused += [{**about, **asdict(row)} for row in near]
        if not scored:
            which = "held_out_labels: the test texts of sources" if labels else "the test texts of held_out"
            raise ConfigError(f"{which} have no gold annotations for these tasks; choose others")
        compared += scored
    trainings = {arm: [training(output, arm, seed) for seed in comparison.seeds] for arm in comparison.arms}
    models = sorted({one.model for runs in trainings.values() for one in runs})
    return {
        "model": ", ".join(models),
        "evidence": tiny.NAME not in models,
        "arms": {
            arm: {
                "settings": comparison.arms[arm],
                "rows": rows[arm].rows.total(),
                "differing_rows": distances[arm].rows if arm in distances else None,
                "differing_labels": distances[arm].pairs if arm in distances else None,
                **cost(comparison, arm, output, trainings[arm]),
            }
            for arm in comparison.arms
        },
        "baseline": baseline,
        "seeds": comparison.seeds,
        "budget": comparison.budget.model_dump(exclude_none=True),
        "trained_on": comparison.sources,
        "match": comparison.match,
        "draws": comparison.draws,
        "rows": compared,
        "dictionary": dictionary,
        "confusions": confused,
    }


def select(comparison: Comparison, records: Sequence[Record], is_trained: bool) -> list[Record]:
    """The records of the sources that are trained on, or of the held-out ones."""
    keys = {*(comparison.sources if is_trained else comparison.held_out)}
    return [record for record in records if ExampleId.parse(record.id).key in keys]


def dictionary_arm(comparison: Comparison) -> str | None:
    """The first arm whose hard negatives are mined: its dictionary says for all arms which labels are near."""
    for arm, build in comparison.builds.items():
        mine = build.get("mine") or {}
        if mine.get("hard_negatives", "mine") == "mine" and mine.get("neighbours", "nearest") == "nearest":
            return arm
    return None


def training(output: Path, arm: str, seed: int) -> Training:
    return files.read_json(str(output / arm / str(seed) / "model/sft.json"), Training, REMEDY)


def cost(comparison: Comparison, arm: str, output: Path, trainings: list[Training]) -> dict:
    """What an arm took, as means over its seeds: steps, rows and tokens trained on, and seconds by step."""
    runs = len(trainings)
    each = [[seconds(f"{arm}/{seed}/{step}", output) for seed in comparison.seeds] for step in ("train", "predict")]
    return {
        "steps": sum(one.steps for one in trainings) / runs,
        "rows_shown": round(sum(one.epochs * one.rows.train for one in trainings) / runs),
        "tokens_shown": round(sum(one.epochs * one.rows.tokens for one in trainings) / runs),
        "build_seconds": seconds(f"{arm}/build", output),
        "train_seconds": sum(each[0]) / runs,
        "predict_seconds": sum(each[1]) / runs,
    }
