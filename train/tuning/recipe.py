"""The settings of a training run, with their types, ranges and defaults."""

import argparse
import dataclasses
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas import key_list
from schemas.errors import ConfigError, did_you_mean
from schemas.example import Task
from transforms import settings
from transforms.settings import NUMBER, Settings

CONFIGS = Path(__file__).parents[1] / "configs"
OTHERS = ("compare", "dpo", "grpo")
"""The first words of the names of shipped recipes that are not for train.sft."""

Names = tuple[str, ...]
Count = Annotated[int, Field(gt=0), NUMBER]
NUMBERS = {int, float, bool, type(None)}


class Tiny(BaseModel):
    """The shape of the random model `tiny`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vocab_size: Annotated[int, Field(ge=259), NUMBER] = 2000
    hidden_size: Annotated[int, Field(gt=0, multiple_of=8), NUMBER] = 128
    layers: Count = 2


class AnswerScores(BaseModel):
    """F1 of the answers to a sample of validation texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    texts: Count = 200


class Recipe(BaseModel):
    """The model, the data and the method of a training run. docs/train.md describes each key.

    `lora`: options of peft's LoraConfig; `training`: options of trl's SFTConfig, both under the library's names.
    `weights`: task or source → how often its rows are seen per epoch (0.5: half of them; 2: each twice).
    `max_negative_ratio`: maximum number of all-negative rows per row with a positive label, by task and source.
    `token_budget`: train on about this many tokens, whatever steps and epochs are set in `training`.
    `validation_share`: the share of the training texts to hold out if the corpus has no validation split; 0: do not
    validate. `eval_f1`: measure F1 at each validation. `keep`: save the last weights, or those that were best in a
    validation, by F1 if it is measured, else by loss. `early_stopping`: stop after this many validations without a
    better one. `checkpoints`: which of them stay when the training has finished.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    data: str
    output: str
    model_revision: str | None = None
    adapter: str | None = None
    chat_template: str | None = None
    eos_token: str | None = None
    trust_remote_code: bool = False
    attn_implementation: str | None = None
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    tiny: Tiny = Tiny()
    method: Literal["lora", "qlora", "full"] = "lora"
    lora: dict = {}
    data_revision: str | None = None
    tasks: tuple[Task, ...] = ()
    sources: Names = ()
    streaming: bool = False
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False), NUMBER]] = {}
    max_negative_ratio: Annotated[float, Field(ge=0, allow_inf_nan=False), NUMBER] | None = None
    token_budget: Count | None = None
    validation_share: Annotated[float, Field(ge=0, lt=1), NUMBER] = 0.02
    max_validation_rows: Count = 1000
    eval_f1: AnswerScores | None = None
    keep: Literal["last", "best"] = "last"
    early_stopping: Count | None = None
    checkpoints: Literal["none", "last", "all"] = "last"
    training: dict = {}


AT_LEAST_ONE = ("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps")
"""Options of `training` that the library takes as 0 or less and then fails with after the rows are read."""


def shipped_names() -> list[str]:
    """Names of the recipes of train.sft in the package, without those of train.compare and train.tune."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml") if not path.stem.startswith(OTHERS))


def read(path: str, model: type[BaseModel] = Recipe, names: Sequence[str] = ()) -> Settings:
    """Reads the settings for `model` from a YAML file. A name without a folder may also be that of a shipped file.
    `names`: the shipped files to name in an error, default those of train.sft.

    Raises ConfigError with file and line for an invalid file.
    """
    shipped = CONFIGS / (path if path.endswith(".yaml") else f"{path}.yaml")
    is_shipped = "/" not in path and not Path(path).exists() and shipped.exists()
    hint = f"--config takes a YAML file or one of {', '.join(names or shipped_names())}"
    return settings.read(shipped if is_shipped else path, model, hint)


def with_flags(values: Settings, arguments: argparse.Namespace, flags: Sequence[str], lists: Sequence[str]) -> Settings:
    """Settings with the values of those `flags` that are given, and of `lists`, whose values are lists of keys.

    Raises ConfigError for an empty list.
    """
    for flag in (*flags, *lists):
        value = getattr(arguments, flag)
        if value is not None:
            value = key_list.split(value, f"--{flag}") if flag in lists else value
            values = values.with_value([flag], value, f"--{flag}")
    return values


def check(values: Settings) -> Recipe:
    """Validates settings and returns the recipe. Raises ConfigError with file, line, key and allowed values."""
    recipe = settings.check(Recipe, values, missing="set --{key} or the key {key}")
    if recipe.adapter and recipe.lora:
        raise ConfigError(f"{values.place('lora')}lora: a continued adapter keeps its options; remove the section")
    if recipe.adapter and recipe.method == "full":
        raise ConfigError(
            f"{values.place('method')}method full: an adapter is continued with lora or qlora; merge it to tune all"
        )
    if recipe.method == "full" and recipe.lora:
        raise ConfigError(
            f"{values.place('lora')}lora: method full trains all weights; remove the section or use method lora"
        )
    for key in AT_LEAST_ONE:
        number = recipe.training.get(key)
        if isinstance(number, int) and number < 1:
            raise ConfigError(f"{values.place('training')}training.{key} {number}: must be at least 1")
    needs = {"eval_f1": recipe.eval_f1, "early_stopping": recipe.early_stopping, "keep": recipe.keep == "best"}
    for key, needs_validation in needs.items():
        if needs_validation and not validates(recipe):
            raise ConfigError(
                f"{values.place(key)}{key}: there is no validation; set validation_share and training.eval_strategy"
            )
    if recipe.early_stopping and recipe.keep == "last":
        raise ConfigError(
            f"{values.place('early_stopping')}early_stopping: also set keep: best, else worse weights are saved"
        )
    return recipe


def validates(recipe: Recipe) -> bool:
    """Whether the training validates: not with `validation_share` 0 or `eval_strategy` no (in YAML, false)."""
    return bool(recipe.validation_share) and recipe.training.get("eval_strategy") not in ("no", False)


def options(content: dict, kind: type, section: str) -> dict:
    """Returns `content` with its keys and numbers validated against the fields of a library's dataclass `kind`.

    Other values are left to the library, whose annotations are narrower than what it accepts. Raises ConfigError.
    """
    names = [field.name for field in dataclasses.fields(kind) if field.init]
    types = typing.get_type_hints(kind)
    checked = {}
    for key, value in content.items():
        if key not in names:
            raise ConfigError(f"unknown key {section}.{key}; {did_you_mean(str(key), names) or 'see docs/train.md'}")
        checked[key] = value
        if {*(typing.get_args(types[key]) or [types[key]])} <= NUMBERS:
            try:
                checked[key] = TypeAdapter(types[key]).validate_python(value)
            except ValidationError as error:
                problem = {**error.errors()[0], "loc": (section, key)}
                raise ConfigError(settings.explain(Recipe, problem)) from error
    return checked
