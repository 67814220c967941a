"""A number of tokens to train on → the number of steps, so that trainings on different corpora cost the same."""

import math
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError
from train.tuning.recipe import Recipe
from train.tuning.rows import Counts

if TYPE_CHECKING:
    from trl import SFTConfig

    from train.tuning.trainer import Trainer


def check(recipe: Recipe) -> None:
    """Raises ConfigError for settings with which the tokens of a step are unknown before the training."""
    for key, is_set in (("streaming", recipe.streaming), ("training.packing", recipe.training.get("packing"))):
        if recipe.token_budget and is_set:
            raise ConfigError(f"token_budget: cannot be used with {key}; remove one, or set training.max_steps")


def steps(token_budget: int, counts: Counts, arguments: "SFTConfig") -> int:
    """The number of steps that comes closest to `token_budget` tokens (prompts and answers, without padding), at least
    one. The rows of a step have the mean length of the training rows.

    The steps are known before the first one, so that the learning rate falls to its end within them.
    """
    return max(1, round(token_budget * counts.train / (counts.tokens * rows_per_step(arguments))))


def rows_per_step(arguments: "SFTConfig") -> int:
    return arguments.train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size


def planned_steps(trainer: "Trainer") -> int:
    """The number of steps that `trainer` takes if nothing stops it early."""
    arguments: Any = trainer.args
    rows: Any = trainer.train_dataset
    if arguments.max_steps > 0:
        return arguments.max_steps
    batches = math.ceil(len(rows) / (arguments.train_batch_size * arguments.world_size))
    return math.ceil(arguments.num_train_epochs * math.ceil(batches / arguments.gradient_accumulation_steps))
