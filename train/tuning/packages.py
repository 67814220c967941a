"""Optional packages that a recipe needs, loggers and kernels: a missing one is named before anything is loaded."""

import importlib.util
from collections.abc import Iterator

from schemas.errors import ConfigError
from train.tuning.recipe import Recipe

LOGGERS = {"tensorboard": "tensorboard", "trackio": "trackio", "wandb": "wandb"}
"""Value of `report_to` → its package, which is also the name of the extra. Others are left to transformers."""

FLASH = {"flash_attention_2": "flash_attn", "flash_attention_3": "flash_attn_interface"}
"""Value of `attn_implementation` → the module of its kernel. The package `kernels` is an alternative to all of them."""


def check(recipe: Recipe) -> None:
    """Raises ConfigError for the first package that is missing, with the command that installs it."""
    for setting, modules, command in needed(recipe):
        if not any(map(importlib.util.find_spec, modules)):
            raise ConfigError(
                f"{setting}: the package {modules[0]} is not installed; pip install {command}, or remove it"
            )


def needed(recipe: Recipe) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yields (setting, modules of which one is needed, what to install)."""
    loggers = recipe.training.get("report_to") or ()
    for name in [loggers] if isinstance(loggers, str) else loggers:
        if name in LOGGERS:
            yield f"training.report_to {name}", (LOGGERS[name],), LOGGERS[name]
    if recipe.training.get("use_liger_kernel"):
        yield "training.use_liger_kernel", ("liger_kernel",), "liger-kernel"
    if recipe.attn_implementation in FLASH:
        module = FLASH[recipe.attn_implementation]
        install = "flash-attn --no-build-isolation (or kernels)" if module == "flash_attn" else "kernels"
        yield f"attn_implementation {recipe.attn_implementation}", (module, "kernels"), install
