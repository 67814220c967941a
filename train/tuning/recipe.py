"""A YAML file, flags and `--set key=value` → one checked recipe of a training run."""

import dataclasses
import difflib
import typing
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.errors import ConfigError, quoted
from schemas.example import Task
from transforms import yaml_values

CONFIGS = Path(__file__).parents[1] / "configs"

Names = tuple[str, ...]
Count = Annotated[int, Field(gt=0)]
NUMBERS = {int, float, bool, type(None)}


class Tiny(BaseModel):
    """The shape of the random model that the model name `tiny` stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vocab_size: Annotated[int, Field(ge=259)] = 2000
    hidden_size: Annotated[int, Field(gt=0, multiple_of=8)] = 128
    layers: Count = 2


class Recipe(BaseModel):
    """What to train on what, and how. docs/train.md describes each key.

    `lora` holds options of peft's LoraConfig, `training` those of trl's SFTConfig, both by their own names.
    `weights`: task or source → how often its rows are seen (0.5: half of them; 2: each twice).
    `max_negative_ratio`: all-negative rows kept for each row with a positive label, by task and source.
    `validation_share`: the share of the training texts that is held out where the corpus has no validation split.
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
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}
    max_negative_ratio: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    validation_share: Annotated[float, Field(ge=0, lt=1)] = 0.02
    max_validation_rows: Count = 1000
    training: dict = {}


def shipped_names() -> list[str]:
    """Names of the recipes that come with the package; those of train.compare are of another kind."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml") if not path.stem.startswith("compare"))


def read(path: str) -> dict:
    """The mapping in a recipe file; a name without a folder is one of the shipped recipes too.

    Raises ConfigError with file and line where it is none.
    """
    shipped = CONFIGS / (path if path.endswith(".yaml") else f"{path}.yaml")
    found = shipped if "/" not in path and not Path(path).exists() and shipped.exists() else Path(path)
    content = yaml_values.read(found, f"--config takes a YAML file or one of {', '.join(shipped_names())}")
    if content is not None and not isinstance(content, dict):
        raise ConfigError(f"{path}:1: a recipe is a mapping of {', '.join(Recipe.model_fields)}")
    return content or {}


def with_setting(content: dict, setting: str) -> dict:
    """`content` with one `key=value` or `section.key=value`; the value is read as YAML."""
    name, equals, value = setting.partition("=")
    section, _, key = name.partition(".")
    if not equals or not name:
        raise ConfigError(f"--set {setting}: write key=value, for example --set training.num_train_epochs=1")
    parsed = yaml_values.parse(value.encode("utf-8", "surrogateescape"), f"--set {name}")
    if not key:
        return {**content, section: parsed}
    inner = content.get(section)
    return {**content, section: {**(inner if isinstance(inner, dict) else {}), key: parsed}}


def check(content: dict, origin: str) -> Recipe:
    """The recipe in `content`. Raises ConfigError naming `origin`, the key and what it may be."""
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{origin}: {'; '.join(map(_explain, error.errors()))}") from error
    if recipe.adapter and recipe.lora:
        raise ConfigError(f"{origin}: lora: an adapter that is continued keeps its own options; remove the section")
    if recipe.adapter and recipe.method == "full":
        raise ConfigError(f"{origin}: method full: an adapter is continued with lora or qlora; merge it to tune all")
    if recipe.method == "full" and recipe.lora:
        raise ConfigError(f"{origin}: lora: method full trains all weights; remove the section or take method lora")
    return recipe


def options(content: dict, kind: type, section: str) -> dict:
    """`content`, its keys and its numbers checked against the options of a library, the fields of a dataclass `kind`.

    Options that are no numbers are left to the library, whose annotations are narrower there than what it takes.
    """
    known = [field.name for field in dataclasses.fields(kind) if field.init]
    types = typing.get_type_hints(kind)
    checked = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 3)
            hint = f"did you mean {', '.join(near)}?" if near else "see docs/train.md"
            raise ConfigError(f"unknown key {section}.{key}; {hint}")
        checked[key] = value
        if {*(typing.get_args(types[key]) or [types[key]])} <= NUMBERS:
            try:
                checked[key] = TypeAdapter(types[key]).validate_python(value)
            except ValidationError as error:
                problem = error.errors()[0]
                raise ConfigError(f"{section}.{_explain({**problem, 'loc': (key,)})}") from error
    return checked


def _explain(problem: dict) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{where} is missing; give --{where} or the key {where}"
    if problem["type"] != "extra_forbidden":
        message = problem["msg"]
        return f"{where}: {message[0].lower()}{message[1:]}, not {quoted(problem['input'])}"
    known = list(Tiny.model_fields if problem["loc"][0] == "tiny" else Recipe.model_fields)
    near = difflib.get_close_matches(str(problem["loc"][-1]), known, 3)
    return f"unknown key {where}; " + (f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known)}")
