"""Pairs of answers, or instruction rows → the rows of trl's DPOTrainer or GRPOTrainer; none is cut.

Prompts and answers are rendered and tokenised by `train.chat`, as in `train.sft`.
"""

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError, names_hint
from train import chat, corpus
from train.aligning.recipe import TuneRecipe
from transforms.shards import read_shard

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

PAIRS = "preferences.json"
"""The file that marks a folder of `ieforge preferences`."""

PAIR_COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids")
"""The columns of a tokenised pair that trl's DPOTrainer reads."""

PROMPT_COLUMNS = ("prompt", "task", "instruction", "output", "form")
"""The columns of a row that GRPOTrainer and `train.reward` read; `form` is optional."""


@dataclass(frozen=True)
class Counts:
    """Counts of rows (dpo: pairs). `train`: those to train on; `too_long`: left out, as they are longer than
    `max_length` or, for grpo, as the right answer is longer than `training.max_completion_length`; `special`: left out,
    as they contain the string of a special token that the model would not see as text.
    """

    train: int
    too_long: int
    special: int


@dataclass(frozen=True)
class Rows:
    train: "datasets.Dataset"
    counts: Counts


def check(recipe: TuneRecipe) -> None:
    """Checks `data` quickly. Raises ConfigError for data that the method does not take."""
    if recipe.method == "grpo":
        corpus.check(recipe.data, "train")
    elif not os.path.exists(f"{recipe.data}/{PAIRS}"):
        is_build = os.path.exists(f"{recipe.data}/build.json")
        raise ConfigError(
            f"{recipe.data}: not a folder of pairs (no {PAIRS}), which dpo needs; make one with "
            f"ieforge preferences --output pairs {recipe.data if is_build else 'BUILD'}"
        )
    elif not shards(recipe.data):
        raise ConfigError(f"{recipe.data}: no pairs for training (no data/train-*.parquet); make the folder again")


def shards(folder: str) -> list[str]:
    return sorted(glob.glob(f"{glob.escape(folder)}/data/train-*.parquet"))


def pairs(recipe: TuneRecipe, tokenizer: "PreTrainedTokenizerBase") -> Rows:
    """The pairs of `recipe.data`, tokenised (PAIR_COLUMNS). Raises ConfigError if none is left to train on."""
    import datasets

    tables = [datasets.Dataset(read_shard(path)) for path in shards(recipe.data)]
    rows = datasets.concatenate_datasets(tables)
    if recipe.tasks or recipe.sources:
        wanted = [n for n, row in enumerate(rows.select_columns(["id", "task", "source"])) if is_wanted(row, recipe)]
        if not wanted:
            names = sorted({*rows["source"]})
            hint = names_hint(recipe.sources[0], names) if recipe.sources else f"it has {', '.join({*rows['task']})}"
            raise ConfigError(f"{recipe.data}: no pairs of {', '.join((*recipe.tasks, *recipe.sources))}; {hint}")
        rows = rows.select(wanted)
    return fitting(rows.map(encoded_pair, fn_kwargs={"tokenizer": tokenizer}), PAIR_COLUMNS, recipe)


def is_wanted(row: Mapping[str, str], recipe: TuneRecipe) -> bool:
    """Whether a pair is of the tasks and sources (published names or keys) of the recipe."""
    key = row["id"].partition("/")[0]
    return (not recipe.tasks or row["task"] in recipe.tasks) and (
        not recipe.sources or row["source"] in recipe.sources or key in recipe.sources
    )


def encoded_pair(row: Mapping[str, Any], tokenizer: "PreTrainedTokenizerBase") -> dict[str, Any]:
    """PAIR_COLUMNS, and the `length` of the longer answer with its prompt; 0 for a special token in a text."""
    instruction = row["prompt"][-1]["content"]
    try:
        (chosen, answer), (rejected, _) = (
            chat.example(tokenizer, instruction, row[side][-1]["content"]) for side in ("chosen", "rejected")
        )
    except chat.SpecialTokenError:
        return {**{name: [] for name in PAIR_COLUMNS}, "length": 0}
    start = answer.index(1)
    return {
        "prompt_ids": chosen[:start],
        "chosen_ids": chosen[start:],
        "rejected_ids": rejected[start:],
        "length": max(len(chosen), len(rejected)),
    }


def prompts(recipe: TuneRecipe, tokenizer: "PreTrainedTokenizerBase", longest_answer: int) -> Rows:
    """The training rows of `recipe.data` with their messages (PROMPT_COLUMNS). `longest_answer`: in tokens.

    Raises the errors of `corpus.rows`, and ConfigError if no row is left to train on.
    """
    rows = corpus.rows(recipe.data, "train", tasks=recipe.tasks, sources=recipe.sources, revision=recipe.data_revision)
    corpus.refuse_absent(rows, recipe.data, "train", recipe.sources)
    columns = [name for name in PROMPT_COLUMNS if name == "prompt" or name in rows.column_names]
    options = {"tokenizer": tokenizer, "longest_answer": longest_answer, "too_long": recipe.max_length + 1}
    return fitting(rows.map(rendered_prompt, fn_kwargs=options), columns, recipe)


def rendered_prompt(
    row: Mapping[str, Any], tokenizer: "PreTrainedTokenizerBase", longest_answer: int, too_long: int
) -> dict[str, Any]:
    """`prompt`, the messages, and the `length` with the right answer: 0 if trl, which renders the messages itself,
    gives other tokens than `train.chat`; `too_long` if the answer has more tokens than `longest_answer`.
    """
    messages = chat.messages(row["instruction"])
    try:
        ids, answer = chat.example(tokenizer, row["instruction"], row["output"])
    except chat.SpecialTokenError:
        return {"prompt": messages, "length": 0}
    theirs: Any = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    if theirs["input_ids"] != ids[: answer.index(1)]:
        return {"prompt": messages, "length": 0}
    return {"prompt": messages, "length": too_long if sum(answer) > longest_answer else len(ids)}


def fitting(rows: "datasets.Dataset", columns: "list[str] | tuple[str, ...]", recipe: TuneRecipe) -> Rows:
    """The rows whose `length` is neither 0 nor above `max_length`. Raises ConfigError if there is none."""
    lengths: list[int] = list(rows["length"])
    kept = [place for place, length in enumerate(lengths) if 0 < length <= recipe.max_length]
    special = sum(length == 0 for length in lengths)
    counts = Counts(len(kept), len(rows) - len(kept) - special, special)
    if not kept:
        raise ConfigError(
            f"{recipe.data}: no row is left to train on ({counts.too_long:,} are too long, {special:,} contain a "
            "special token); raise max_length (and training.max_completion_length)"
        )
    return Rows(rows.select(kept).select_columns(list(columns)), counts)
