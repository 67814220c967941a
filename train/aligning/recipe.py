"""The settings of `train.tune`, with their types, ranges and defaults."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError
from schemas.example import Task
from train.tuning import recipe as sft
from transforms import settings
from transforms.settings import NUMBER, Settings

TRAINING_KEYS = {**dict.fromkeys(("max_length", "max_prompt_length"), "max_length"), "beta": "beta"}
"""Options of trl that the recipe sets elsewhere, besides those of train.sft → the names of these settings."""


SHIPPED = ("dpo-lora", "grpo-lora")
"""The names of the recipes in the package."""


class TuneRecipe(BaseModel):
    """The model, the data and the method of a training after SFT. docs/tune.md describes each key.

    `method`: dpo (Rafailov et al. 2023) or grpo (Shao et al. 2024). `data`: for dpo a folder of `ieforge preferences`,
    for grpo what `train.sft` takes. `max_length`: in tokens, of a prompt with its longest answer. `beta`: the weight of
    the distance to the model before this training (null: trl's default, 0.1 for dpo and 0 for grpo). `lora`: options
    of peft's LoraConfig; `training`: options of trl's DPOConfig or GRPOConfig, both under the library's names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["dpo", "grpo"]
    model: str
    data: str
    output: str
    adapter: str | None = None
    model_revision: str | None = None
    data_revision: str | None = None
    chat_template: str | None = None
    eos_token: str | None = None
    trust_remote_code: bool = False
    attn_implementation: str | None = None
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    tasks: tuple[Task, ...] = ()
    sources: sft.Names = ()
    max_length: sft.Count = 2048
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False), NUMBER] | None = None
    lora: dict = {}
    training: dict = {}

    @property
    def as_sft(self) -> sft.Recipe:
        """The settings of the model and its adapter, for the functions of `train.sft`."""
        return sft.Recipe(
            model=self.model, data=self.data, output=self.output, adapter=self.adapter, lora=self.lora, dtype=self.dtype
        )


def check(values: Settings) -> TuneRecipe:
    """Validates settings and returns the recipe. Raises ConfigError with file, line, key and allowed values."""
    recipe = settings.check(TuneRecipe, values, missing="set --{key} or the key {key}")
    if recipe.adapter and recipe.lora:
        raise ConfigError(f"{values.place('lora')}lora: a continued adapter keeps its options; remove the section")
    for key, name in TRAINING_KEYS.items():
        if key in recipe.training:
            raise ConfigError(f"{values.place('training', key)}training.{key}: use {name} instead")
    return recipe
