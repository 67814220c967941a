"""A recipe → the options of trl's trainer and of peft's adapter: our defaults, overridden by the recipe."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from schemas.errors import ConfigError
from train import load
from train.refusals import first_line
from train.tuning.recipe import Recipe, options, validates

if TYPE_CHECKING:
    from peft import LoraConfig
    from trl import SFTConfig

RECIPE_KEYS = {
    "output_dir": "output",
    "chat_template_path": "chat_template",
    "eos_token": "eos_token",
    "trust_remote_code": "trust_remote_code",
    "model_init_kwargs": "dtype, attn_implementation, model_revision",
    "resume_from_checkpoint": "--resume",
}
"""Options of SFTConfig that the recipe sets elsewhere → the names of these settings."""

LEARNING_RATE = {"lora": 2e-4, "qlora": 2e-4, "full": 2e-5}
LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all-linear"}


def refuse_recipe_keys(training: Mapping) -> None:
    """Raises ConfigError for an option of the section `training` that the recipe sets elsewhere."""
    for key, name in RECIPE_KEYS.items():
        if key in training:
            raise ConfigError(f"training.{key}: use {name} instead")


def training_arguments(recipe: Recipe) -> "SFTConfig":
    """The options of trl's trainer: our defaults, overridden by the section `training` of the recipe."""
    import torch
    from trl import SFTConfig

    values = options(recipe.training, SFTConfig, "training")
    for key in ("eval_strategy", "save_strategy"):
        if values.get(key) is False:  # `no` in YAML
            values[key] = "no"
    if recipe.streaming and values.get("max_steps", -1) <= 0:
        raise ConfigError("streaming: the number of rows is unknown; set training.max_steps")
    has_bfloat16 = load.has_bfloat16() and not values.get("fp16") and recipe.dtype in ("auto", "bfloat16")
    defaults = {
        "learning_rate": LEARNING_RATE[recipe.method],
        "max_length": 2048,
        "bf16": has_bfloat16,
        "use_cpu": not torch.accelerator.is_available(),  # without it, several processes on CPUs would train separately
        "completion_only_loss": True,
        "eval_strategy": "epoch" if validates(recipe) else "no",
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "disable_tqdm": not sys.stderr.isatty(),
    }
    if recipe.keep == "best":
        defaults |= {
            "load_best_model_at_end": True,
            "metric_for_best_model": "f1" if recipe.eval_f1 else "loss",
            "greater_is_better": recipe.eval_f1 is not None,
            "save_strategy": values.get("eval_strategy", "epoch"),
        }
        if "eval_steps" in values:
            defaults["save_steps"] = values["eval_steps"]
    try:
        arguments = SFTConfig(output_dir=recipe.output, **{**defaults, **values})
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"training: {first_line(error)}") from error
    if arguments.packing and arguments.packing_strategy != "bfd":
        raise ConfigError(f"training.packing_strategy {arguments.packing_strategy}: cuts rows into pieces; use bfd")
    return arguments


def adapter_options(recipe: Recipe) -> "LoraConfig | None":
    """The options of a new adapter: our defaults, overridden by the section `lora` of the recipe. None if the training
    has no new adapter.
    """
    from peft import LoraConfig

    if recipe.method == "full" or recipe.adapter:
        return None
    values = options(recipe.lora, LoraConfig, "lora")
    try:
        return LoraConfig(task_type="CAUSAL_LM", **{**LORA, "revision": load.content_id(recipe.model), **values})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"lora: {first_line(error)}") from error
