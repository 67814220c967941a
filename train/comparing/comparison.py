"""A recipe of a comparison → the commands that build, train and predict for each arm."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas import key_list
from schemas.errors import ConfigError
from schemas.example import Task
from train import load as load_model
from train import predict, tiny
from train.scoring.metrics import MATCHES
from train.tuning import budget, recipe
from transforms import files, settings, yaml_values

LEAST_ARMS, LEAST_SEEDS, LEAST_HELD_OUT = 2, 3, 3
LENGTHS = ("training.max_steps", "training.num_train_epochs", "token_budget")
"""Settings of train.sft that the budget replaces."""

LABEL_TASKS = ("NER", "RE", "EE", "EET")
"""The tasks in which an item has a label that can be held out, and the score of this label is that of its items."""


class Budget(BaseModel):
    """How long each model is trained: `steps`, or about as many `tokens` as given. Exactly one of the two is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: recipe.Count | None = None
    tokens: recipe.Count | None = None

    @model_validator(mode="after")
    def check_one(self) -> "Budget":
        if (self.steps is None) == (self.tokens is None):
            raise ValueError("write either {steps: N} or {tokens: N}")
        return self

    @property
    def setting(self) -> Mapping[str, int | None]:
        """The setting of train.sft."""
        return {"token_budget": self.tokens} if self.tokens else {"training.max_steps": self.steps}


class Comparison(BaseModel):
    """The recipe of a comparison. docs/compare.md describes the keys.

    `arms`: name → build settings that only this arm has (`{mine: {hard_negatives: none}}`); the others are compared
    with the first. `sources`: used for training. `held_out`: never used for training; all arms are scored on their test
    splits. `held_out_labels`: not asked in training; all arms are also scored on these labels in the test splits of
    `sources`. `sft`: a recipe of train.sft, by file or name; `settings`: its `--set`. `budget`: the same for all arms.
    `predict`: flags of train.predict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    arms: dict[Annotated[str, Field(pattern=r"^\w[\w-]*$")], dict]
    build: dict = {}
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    held_out: Annotated[tuple[str, ...], Field(min_length=LEAST_HELD_OUT)]
    held_out_labels: tuple[str, ...] = ()
    seeds: Annotated[tuple[int, ...], Field(min_length=LEAST_SEEDS)]
    sft: str
    settings: dict[str, str | int | float | bool | None] = {}
    budget: Budget
    predict: dict[str, str | int | float | bool] = {}
    match: Literal[MATCHES] = "normal"
    draws: Annotated[int, Field(ge=100)] = 1000

    @field_validator("arms")
    @classmethod
    def check_arms(cls, arms: dict) -> dict:
        if len(arms) < LEAST_ARMS:
            raise ValueError(f"there must be at least {LEAST_ARMS} arms; the others are compared with the first")
        for first, second in combinations(arms, 2):
            if arms[first] == arms[second]:
                raise ValueError(f"{first} and {second} have the same settings, so their corpora would be equal")
        return arms

    @field_validator("seeds", "held_out", "sources", "held_out_labels")
    @classmethod
    def check_distinct(cls, values: tuple) -> tuple:
        if len(set(values)) < len(values):
            raise ValueError("one is listed twice")
        return values

    @field_validator("settings")
    @classmethod
    def check_settings(cls, values: dict) -> dict:
        for key in (*LENGTHS, "training.seed"):
            if key in values:
                raise ValueError(f"do not set {key}: it follows from {'seeds' if key.endswith('seed') else 'budget'}")
        return values

    @field_validator("build")
    @classmethod
    def check_build(cls, build: dict) -> dict:
        if "sources" in build:
            raise ValueError("do not set sources: they follow from sources and held_out")
        if "labels" in (build.get("hold_out") or {}):
            raise ValueError("do not set hold_out.labels: they follow from held_out_labels")
        return build

    @property
    def builds(self) -> dict[str, dict]:
        """Arm → the settings of its build."""
        shared: dict = {"sources": [*self.sources, *self.held_out]}
        if self.held_out_labels:
            shared["hold_out"] = {"labels": list(self.held_out_labels)}
        return {
            arm: settings.merged(settings.merged(self.build, changes), shared) for arm, changes in self.arms.items()
        }

    @property
    def scored(self) -> tuple[str, ...]:
        """The keys of the sources whose test splits are predicted."""
        return (*self.held_out, *(self.sources if self.held_out_labels else ()))


@dataclass(frozen=True, slots=True)
class Step:
    """One command. `name`: `<arm>/check`, `<arm>/build`, `<arm>/<seed>/train` or `<arm>/<seed>/predict`.

    `is_quiet`: its standard output is dropped.
    """

    name: str
    command: tuple[str, ...]
    is_quiet: bool = False


def load(path: str) -> Comparison:
    """Reads the comparison from a YAML file or, by name, a shipped one. Raises ConfigError with file and key."""
    values = recipe.read(path, Comparison)
    comparison = settings.check(Comparison, values)
    _check_commands(comparison, values)
    both = sorted(set(comparison.sources) & set(comparison.held_out))
    if both:
        place = values.place("held_out")
        raise ConfigError(f"{place}held_out: also in sources, which are used for training: {', '.join(both)}")
    if comparison.held_out_labels and set(comparison.tasks) - set(LABEL_TASKS):
        place = values.place("held_out_labels")
        raise ConfigError(f"{place}held_out_labels: only for the tasks {', '.join(LABEL_TASKS)}; remove the others")
    return comparison


def _check_commands(comparison: Comparison, values: settings.Settings) -> None:
    """Raises ConfigError for a recipe of train.sft or flags of train.predict that are invalid.

    The commands themselves would report them only after both builds.
    """
    tuning = recipe.read(comparison.sft)
    for key, value in {**comparison.settings, **comparison.budget.setting}.items():
        tuning = tuning.with_setting(f"{key}={json.dumps(value)}", levels=1)
    for flag in ("data", "output"):
        tuning = tuning.with_value([flag], "-", f"--{flag}")
    checked = recipe.check(tuning)
    budget.check(checked)
    if checked.model != tiny.NAME:
        load_model.check(checked.model, checked.adapter)
    flags = predict_step(comparison, "arm", 0, Path("output")).command[3:]
    try:
        predict.check_flags(predict.argument_parser().parse_args(flags))
    except ConfigError as error:
        raise ConfigError(f"{values.place('predict')}predict: {error}") from error


def claim(comparison: Comparison, output: Path) -> None:
    """Marks a folder as that of this comparison, and writes the recipes of the two builds.

    Raises ConfigError if the folder contains other files or another comparison.
    """
    marker = output / "compare.json"
    decisive = comparison.model_dump(mode="json", exclude={"match", "draws"})  # changing these two repeats no step
    written = json.dumps(decisive, ensure_ascii=False, indent=1) + "\n"
    if marker.exists():
        if marker.read_text(encoding="utf-8") != written:
            raise ConfigError(
                f"{marker}: from a comparison with other settings; choose another --output, or delete the folder"
            )
    elif output.exists() and any(output.iterdir()):
        raise ConfigError(f"{output}: not empty, and not the folder of a comparison; choose another --output")
    files.write_text(str(marker), written)
    for arm, build in comparison.builds.items():
        files.write_text(str(output / arm / "build.yaml"), yaml_values.render(build))


def build_step(comparison: Comparison, arm: str, output: Path) -> Step:
    folder = output / arm
    command = ("pipelines.build", "--recipe", str(folder / "build.yaml"), "--output", str(folder / "corpus"))
    return Step(f"{arm}/build", python(*command, "--tasks", ",".join(comparison.tasks)))


def check_step(comparison: Comparison, arm: str, output: Path) -> Step:
    """The command that checks the settings of a build without building."""
    return Step(f"{arm}/check", (*build_step(comparison, arm, output).command, "--dry_run"), is_quiet=True)


def train_step(comparison: Comparison, arm: str, seed: int, output: Path) -> Step:
    """The training command. It resumes a training that has started."""
    corpus, model = output / arm / "corpus", output / arm / str(seed) / "model"
    command = ["train.sft", "--config", comparison.sft, "--data", str(corpus), "--output", str(model)]
    command += ["--tasks", ",".join(comparison.tasks), "--sources", key_list.join(comparison.sources)]
    for key, value in {**comparison.settings, **comparison.budget.setting, "training.seed": seed}.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    if (model / "sft.yaml").exists():
        command.append("--resume")
    return Step(f"{arm}/{seed}/train", python(*command))


def predict_step(comparison: Comparison, arm: str, seed: int, output: Path) -> Step:
    """The prediction command. train.predict resumes by itself, and a trained adapter names its base model."""
    folder = output / arm / str(seed)
    kind = "--adapter" if (folder / "model/adapter_config.json").exists() else "--model"
    command = ["train.predict", kind, str(folder / "model"), "--data", str(output / arm / "corpus"), "--split", "test"]
    command += ["--tasks", ",".join(comparison.tasks), "--sources", key_list.join(comparison.scored)]
    for flag, value in comparison.predict.items():
        if value is not False:
            command += [f"--{flag}"] if value is True else [f"--{flag}", str(value)]
    return Step(f"{arm}/{seed}/predict", python(*command, "--output", str(predictions(arm, seed, output))))


def predictions(arm: str, seed: int, output: Path) -> Path:
    return output / arm / str(seed) / "predictions.jsonl"


def python(module: str, *flags: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *flags)
