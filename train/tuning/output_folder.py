"""The folder of a training: its recipe, its checkpoints, and which of them to resume from."""

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, TypeVar

from schemas.errors import ConfigError
from train.tuning.page import page
from train.tuning.recipe import Recipe
from train.tuning.summary import Summary, as_json
from transforms import files, yaml_values

if TYPE_CHECKING:
    from train.aligning.recipe import TuneRecipe

T = TypeVar("T")

RECIPE, BASE, SUMMARY, PAGE = "sft.yaml", "base", "sft.json", "training.html"
"""Files of the output folder: the recipe, written first and checked by --resume; the random model; the summary,
written last, when the training has finished; the summary for people."""

CHECKPOINT = re.compile(r"checkpoint-(\d+)")

MAY_CHANGE = {"training", "early_stopping", "checkpoints"}
"""Keys of a recipe that may be changed when its training is resumed."""


def claim(recipe: "Recipe | TuneRecipe", resume: bool, name: str = RECIPE) -> str | None:
    """Writes the recipe into the file `name` of the output folder and returns the checkpoint to resume from, None if
    there is none. Raises ConfigError as `check` does.
    """
    check(recipe, resume, name)
    if not resume:  # left by a training that failed before its first step
        shutil.rmtree(f"{recipe.output}/{BASE}", ignore_errors=True)
    os.makedirs(recipe.output, exist_ok=True)
    with open(f"{recipe.output}/{name}", "w", encoding="utf-8") as file:
        file.write(yaml_values.render(recipe.model_dump(mode="json")))
    return last_checkpoint(recipe.output)


def finished(recipe: "Recipe | TuneRecipe", summary: type[T], name: str = RECIPE) -> T | None:
    """The summary of a training by the same recipe that has finished; None if there is none.

    Raises ConfigError for a damaged summary.
    """
    path = f"{recipe.output}/{name}"
    result = path.replace(".yaml", ".json")
    if not os.path.exists(result) or changes(recipe, path):
        return None
    return files.read_json(result, summary, "delete it, and resume")


def check(recipe: "Recipe | TuneRecipe", resume: bool, name: str = RECIPE) -> None:
    """Raises ConfigError for an output folder with other files, with a training by another recipe, or with a finished
    one that is to be changed but has no checkpoint, and would start again.
    """
    present = entries(recipe.output)
    if present and not resume:
        if name not in present or set(present) - {name, BASE}:
            raise ConfigError(f"{recipe.output}: not empty; choose a new folder, or continue with --resume")
    elif present:
        if name not in present:
            raise ConfigError(f"{recipe.output}: not the folder of a training (no {name}); choose another")
        path = f"{recipe.output}/{name}"
        changed = changes(recipe, path)
        if decisive := [key for key in changed if key not in MAY_CHANGE]:
            raise ConfigError(
                f"{path}: made with another {', '.join(decisive)}; resume with the same, or use another folder"
            )
        if changed and name.replace(".yaml", ".json") in present and not last_checkpoint(recipe.output):
            raise ConfigError(f"{recipe.output}: finished, without a checkpoint to continue from; choose a new folder")


def changes(recipe: "Recipe | TuneRecipe", path: str) -> list[str]:
    """The keys of a recipe, other than `output`, whose values differ from those in the file of an earlier one.

    Raises ConfigError for a file that is no recipe.
    """
    earlier = yaml_values.read(path, "start again in another folder")
    if not isinstance(earlier, dict):
        raise ConfigError(f"{path}: not the settings of a training; start again in another folder")
    written = recipe.model_dump(mode="json", exclude={"output"})
    return [key for key in written if key in earlier and earlier[key] != written[key]]


def last_checkpoint(folder: str) -> str | None:
    """The path of the last complete checkpoint in the folder of a training; None if there is none."""
    paths = [f"{folder}/{name}" for name in checkpoints(folder)]
    return next(filter(is_complete, reversed(paths)), None)


def checkpoints(folder: str) -> list[str]:
    """The names of the checkpoints by step. A folder with another name, such as a copy of one, is not among them."""
    steps = [int(match[1]) for name in entries(folder) if (match := CHECKPOINT.fullmatch(name))]
    return [f"checkpoint-{step}" for step in sorted(steps)]


def is_complete(checkpoint: str) -> bool:
    """Whether the state of the trainer, which is the last file of a checkpoint, is there and not cut off."""
    try:
        with open(f"{checkpoint}/trainer_state.json", encoding="utf-8") as file:
            json.load(file)
    except (FileNotFoundError, ValueError):
        return False
    return True


def entries(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def write(folder: str, summary: Summary) -> None:
    """Writes the page and, as the last file, the summary of a finished training."""
    for name, content in ((PAGE, page(summary)), (SUMMARY, as_json(summary) + "\n")):
        files.write_text(f"{folder}/{name}", content)


def remove_checkpoints(folder: str, kept: str) -> None:
    """Removes the checkpoints of a finished training: all (`kept` none), all but the last (last) or no one (all)."""
    names = checkpoints(folder)
    for name in {"none": names, "last": names[:-1], "all": []}[kept]:
        shutil.rmtree(f"{folder}/{name}")
