"""Instruction rows → token ids with a mask on the answer, mixed and balanced: what a trainer is given."""

import difflib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from schemas.errors import ConfigError
from train import chat, corpus
from train.tuning.recipe import Recipe
from transforms import user_files
from transforms.draw import seed_key

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

COLUMNS = ("input_ids", "completion_mask")
"""What trl's trainer reads of a tokenised row."""

SHUFFLE_ROWS = 10_000
"""Rows of a stream among which the next one is drawn."""


@dataclass
class Counts:
    """What became of the rows; `tokens` and `answer_tokens` are those of the training rows, as often as each is seen.

    `special`: rows that spell out a special token, with a tokenizer that cannot read it as text. Of a stream only
    `validation` is known before training; `too_long` and `special` grow while it is read.
    """

    train: int = 0
    validation: int = 0
    too_long: int = 0
    special: int = 0
    negatives_cut: int = 0
    tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True)
class Rows:
    """Tokenised rows (COLUMNS) to train on and to validate with, and their counts."""

    train: "corpus.Rows"
    validation: "datasets.Dataset | None"
    counts: Counts


def tokenised(
    recipe: Recipe, tokenizer: "PreTrainedTokenizerBase", max_length: int, seed: int, workers: int | None = None
) -> Rows:
    """The corpus of `recipe` as token ids. Rows of more than `max_length` tokens are left out and counted, never cut,
    and so are those that `chat.SpecialTokenError` is about.

    Where the corpus has no validation split, the texts whose hash falls into `validation_share` are held out of
    training, so that no batch of a text is on both sides. Raises ConfigError where no row is left to train on.
    """
    if recipe.streaming and recipe.max_negative_ratio is not None:
        raise ConfigError("max_negative_ratio: all rows are counted first, which a stream does not allow; drop one")
    counts = Counts()
    found, held_out = _split(recipe, seed)
    fits = {"max_length": max_length, "counts": counts}
    if recipe.streaming:
        train = found.map(_encoded, fn_kwargs={"tokenizer": tokenizer}).filter(_fits, fn_kwargs=fits)
        train = train.map(_repeated, batched=True, fn_kwargs={"weights": recipe.weights, "seed": seed})
        any_row = next(iter(train), None)
        train = train.shuffle(seed=seed, buffer_size=SHUFFLE_ROWS)
    else:
        encoded = found.map(_encoded, fn_kwargs={"tokenizer": tokenizer}, num_proc=workers, desc="Tokenizing")
        fitting = encoded.select([row for row, length in enumerate(encoded["length"]) if 0 < length <= max_length])
        balanced = fitting.select(_balanced(fitting, recipe.max_negative_ratio, seed))
        _check_weights(balanced, recipe.weights)
        train = balanced.select(_weighted(balanced[:], recipe.weights, seed))
        counts.special, counts.negatives_cut = encoded["length"].count(0), len(fitting) - len(balanced)
        counts.too_long = len(encoded) - len(fitting) - counts.special
        counts.train = any_row = len(train)
        counts.tokens, counts.answer_tokens = sum(train["length"]), sum(train["answer_length"])
    if not any_row:
        raise ConfigError(
            f"{recipe.data}: no row is left to train on ({counts.too_long} were longer than max_length {max_length}"
            f"{f', {counts.special} spell out a special token' if counts.special else ''}); "
            "raise it, or see weights and max_negative_ratio"
        )
    validation = None if held_out is None else _validation(held_out, recipe, tokenizer, max_length, seed)
    counts.validation = len(validation or ())
    if recipe.streaming:
        counts.too_long = counts.special = 0
    return Rows(train.select_columns(list(COLUMNS)), validation, counts)


def is_all_negative(output: str) -> bool:
    """Whether an answer (JSON, label → what was found) finds nothing; one of another form finds something."""
    try:
        found = msgspec.json.decode(output)
    except user_files.UNREADABLE:
        return False
    return isinstance(found, dict) and not any(found.values())


def _split(recipe: Recipe, seed: int) -> tuple["corpus.Rows", "corpus.Rows | None"]:
    """Rows to train on, and those that are held out: the corpus's own validation split, or a part of the texts."""

    def rows(split: str) -> "corpus.Rows":
        chosen = {"tasks": recipe.tasks, "sources": recipe.sources, "revision": recipe.data_revision}
        return corpus.rows(recipe.data, split, streaming=recipe.streaming, **chosen)

    found = rows("train")
    if corpus.has_split(recipe.data, "validation", recipe.data_revision):
        try:
            return found, rows("validation")
        except corpus.EmptySplit:  # none of these tasks and sources
            pass
    if not recipe.validation_share:
        return found, None
    part = {"share": recipe.validation_share, "seed": seed}
    return (
        found.filter(_is_held_out, input_columns=["text_sha256"], fn_kwargs={**part, "wanted": False}),
        found.filter(_is_held_out, input_columns=["text_sha256"], fn_kwargs={**part, "wanted": True}),
    )


def _validation(
    rows: "corpus.Rows", recipe: Recipe, tokenizer: "PreTrainedTokenizerBase", max_length: int, seed: int
) -> "datasets.Dataset | None":
    """At most `max_validation_rows` of `rows`, drawn (of a stream: the first); None where none fits."""
    import datasets

    drawn = rows if recipe.streaming else rows.shuffle(seed=seed)
    encoded = (_encoded(row, tokenizer) for row in drawn)
    fitting = islice((row for row in encoded if 0 < row["length"] <= max_length), recipe.max_validation_rows)
    return datasets.Dataset.from_list([{name: row[name] for name in COLUMNS} for row in fitting]) or None


def _encoded(row: dict, tokenizer: "PreTrainedTokenizerBase") -> dict:
    if row["output"] is None:
        place = row["id"] or row["instruction"][:80]
        raise ConfigError(f"row {place}: no output, so nothing can be learnt from it; train on rows that have one")
    try:
        ids, mask = chat.example(tokenizer, row["instruction"], row["output"])
    except chat.SpecialTokenError:  # left out and counted by its length
        ids, mask = [], []
    return {"input_ids": ids, "completion_mask": mask, "length": len(ids), "answer_length": sum(mask)}


def _fits(row: dict, max_length: int, counts: Counts) -> bool:
    counts.too_long += row["length"] > max_length
    counts.special += not row["length"]
    return 0 < row["length"] <= max_length


def _number(seed: int, purpose: str, what: str) -> float:
    """A number from 0 to below 1 that only these decide."""
    return seed_key(seed, purpose, what) / 2**64


def _is_held_out(text_sha256: str, share: float, seed: int, wanted: bool) -> bool:
    return (_number(seed, "validation", text_sha256) < share) is wanted


def _balanced(rows: "datasets.Dataset", ratio: float | None, seed: int) -> list[int]:
    """Places of the rows to keep: of the all-negative ones at most `ratio` for each other, by task and source."""
    if ratio is None:
        return list(range(len(rows)))
    positive, negative = defaultdict(int), defaultdict(list)
    keep = []
    for place, row in enumerate(rows.select_columns(["task", "source", "instruction", "output"])):
        group = row["task"], row["source"]
        if is_all_negative(row["output"]):
            negative[group].append((_number(seed, "negative", row["instruction"]), place))
        else:
            positive[group] += 1
            keep.append(place)
    for group, drawn in negative.items():
        keep += [place for _, place in sorted(drawn)[: int(ratio * positive[group])]]
    return sorted(keep)


def _check_weights(rows: "datasets.Dataset", weights: Mapping[str, float]) -> None:
    known = sorted({*rows.unique("task"), *rows.unique("source")})
    for name in weights.keys() - set(known):
        near = difflib.get_close_matches(name, known, 3) or known[:10]
        raise ConfigError(f"weights: the rows have no task or source {name}; did you mean {', '.join(near)}?")


def _weighted(rows: Mapping[str, list], weights: Mapping[str, float], seed: int) -> list[int]:
    """Places of the rows, each as often as the product of its task's and its source's weight says.

    What is left of a weight beyond a whole number is the share of the rows that are seen once more.
    """
    places = []
    for place, (task, source) in enumerate(zip(rows["task"], rows["source"], strict=True)):
        weight = weights.get(task, 1) * weights.get(source, 1)
        more = weight % 1 and _number(seed, "weight", rows["instruction"][place]) < weight % 1
        places += [place] * (int(weight) + bool(more))
    return places


def _repeated(rows: dict[str, list], weights: Mapping[str, float], seed: int) -> dict[str, list]:
    places = _weighted(rows, weights, seed)
    return {name: [column[place] for place in places] for name, column in rows.items()}
