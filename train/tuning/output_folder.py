"""The folder of a training: its recipe, its checkpoints, and which of them to resume from."""

import os
import shutil

from schemas.errors import ConfigError
from train.tuning.recipe import Recipe
from transforms import yaml_values

RECIPE, BASE, SUMMARY = "sft.yaml", "base", "sft.json"
"""Files of the output folder: the recipe, written first and checked by --resume; the random model; the summary,
written last, when the training has finished."""


def claim(recipe: Recipe, resume: bool) -> str | None:
    """Writes the recipe into the output folder and returns the checkpoint to resume from, None if there is none.

    Raises ConfigError for a folder with other files or with a training by another recipe.
    """
    path = f"{recipe.output}/{RECIPE}"
    written = recipe.model_dump(mode="json")
    present = os.listdir(recipe.output) if os.path.isdir(recipe.output) else []
    if present and not resume:
        if RECIPE not in present or set(present) - {RECIPE, BASE}:
            raise ConfigError(f"{recipe.output}: not empty; choose a new folder, or continue with --resume")
        shutil.rmtree(
            f"{recipe.output}/{BASE}", ignore_errors=True
        )  # left by a training that failed before its first step
    elif present:
        if RECIPE not in present:
            raise ConfigError(f"{recipe.output}: not the folder of a training (no {RECIPE}); choose another")
        earlier = yaml_values.read(path, "start again in another folder")
        if not isinstance(earlier, dict):
            raise ConfigError(f"{path}: not the settings of a training; start again in another folder")
        changed = [key for key in written if earlier.get(key) != written[key] and key not in ("training", "output")]
        if changed:
            raise ConfigError(
                f"{path}: made with another {', '.join(changed)}; resume with the same, or use another folder"
            )
    os.makedirs(recipe.output, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_values.render(written))
    steps = [int(name.removeprefix("checkpoint-")) for name in present if name.startswith("checkpoint-")]
    complete = [step for step in steps if os.path.exists(f"{recipe.output}/checkpoint-{step}/trainer_state.json")]
    return f"{recipe.output}/checkpoint-{max(complete)}" if complete else None
