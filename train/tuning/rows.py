"""Instruction rows → weighted and balanced rows of token ids with an answer mask, for the trainer."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, names_hint
from train import chat, corpus
from train.tuning.lengths import Lengths, measure
from train.tuning.recipe import Recipe, validates
from transforms import answer_forms
from transforms.draw import seed_key

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

COLUMNS = ("input_ids", "completion_mask")
"""The columns of a tokenised row that trl's trainer reads."""

SHUFFLE_ROWS = 10_000
"""Size of the shuffle buffer when streaming, in rows."""


@dataclass
class Counts:
    """Counts of rows and tokens. `tokens` and `answer_tokens`: of the training rows, counted as often as each is seen.

    `special`: skipped rows with the string of a special token that the tokenizer cannot encode as text. If streaming,
    only `validation` is known before training; `too_long` and `special` grow as the stream is read.
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
    """Tokenised rows (COLUMNS) for training and validation, their counts, the lengths of the training rows by task and
    source (empty if streaming), and all rows that are held out for validation, as they are in the corpus.
    """

    train: "corpus.Rows"
    validation: "datasets.Dataset | None"
    counts: Counts
    lengths: tuple[Lengths, ...] = ()
    held_out: "corpus.Rows | None" = None


def tokenize(
    recipe: Recipe, tokenizer: "PreTrainedTokenizerBase", max_length: int, seed: int, workers: int | None = None
) -> Rows:
    """Tokenizes the corpus of `recipe`. Rows of more than `max_length` tokens are skipped and counted, never truncated,
    as are rows that raise `chat.SpecialTokenError`.

    If the corpus has no validation split, the texts whose hash falls into `validation_share` are held out. All rows of
    a text are therefore on the same side. Without validation (`recipe.validates`) none are. Raises ConfigError if no
    row is left to train on.
    """
    if recipe.streaming and recipe.max_negative_ratio is not None:
        raise ConfigError(
            "max_negative_ratio: needs all rows to be counted first, which streaming does not allow; remove one"
        )
    counts = Counts()
    training, held_out = _split(recipe, seed)
    fits = {"max_length": max_length, "counts": counts}
    lengths: tuple[Lengths, ...] = ()
    if recipe.streaming:
        train = training.map(_encoded, fn_kwargs={"tokenizer": tokenizer}).filter(_fits, fn_kwargs=fits)
        train = train.map(_repeated, batched=True, fn_kwargs={"weights": recipe.weights, "seed": seed})
        any_row = next(iter(train), None)
        train = train.shuffle(seed=seed, buffer_size=SHUFFLE_ROWS)
    else:
        encoded = training.map(_encoded, fn_kwargs={"tokenizer": tokenizer}, num_proc=workers, desc="Tokenizing")
        sizes = encoded["length"]
        fitting = [row for row, length in enumerate(sizes) if 0 < length <= max_length]
        balanced = [fitting[place] for place in _balanced(encoded.select(fitting), recipe.max_negative_ratio, seed)]
        _check_weights(encoded.select(balanced), recipe.weights)
        chosen = [balanced[place] for place in _weighted(encoded.select(balanced)[:], recipe.weights, seed)]
        train = encoded.select(chosen)
        lengths = measure(zip(encoded["task"], encoded["source"], strict=True), sizes, chosen, max_length)
        counts.special, counts.negatives_cut = sizes.count(0), len(fitting) - len(balanced)
        counts.too_long = len(encoded) - len(fitting) - counts.special
        counts.train = any_row = len(train)
        counts.tokens, counts.answer_tokens = sum(train["length"]), sum(train["answer_length"])
    if not any_row:
        raise ConfigError(
            f"{recipe.data}: no row is left to train on ({counts.too_long} were longer than max_length {max_length}"
            f"{f', {counts.special} contain a special token' if counts.special else ''}); "
            "raise max_length, or check weights and max_negative_ratio"
        )
    validation = None if held_out is None else _validation(held_out, recipe, tokenizer, max_length, seed)
    counts.validation = len(validation or ())
    if recipe.streaming:
        counts.too_long = counts.special = 0
    return Rows(train.select_columns(list(COLUMNS)), validation, counts, lengths, held_out)


def is_all_negative(row: Mapping) -> bool:
    """Whether the answer of a row gives nothing for any label. False for an answer that does not have its form."""
    try:
        answer = answer_forms.read(corpus.row_form(row), row["task"], row["output"])
    except ValueError:
        return False
    return not any(answer.values())


def _split(recipe: Recipe, seed: int) -> tuple["corpus.Rows", "corpus.Rows | None"]:
    """The training rows, and the held-out rows (None: none): the validation split, else a part of the texts."""

    def rows(split: str) -> "corpus.Rows":
        return corpus.rows(
            recipe.data,
            split,
            tasks=recipe.tasks,
            sources=recipe.sources,
            streaming=recipe.streaming,
            revision=recipe.data_revision,
        )

    training = rows("train")
    if not recipe.streaming:  # which would read all rows
        corpus.refuse_absent(training, recipe.data, "train", recipe.sources)
    if not validates(recipe):
        return training, None
    if corpus.has_split(recipe.data, "validation", recipe.data_revision):
        try:
            return training, rows("validation")
        except corpus.EmptySplit:  # it has none of these tasks and sources
            pass
    part = {"share": recipe.validation_share, "seed": seed}
    return (
        training.filter(_is_held_out, input_columns=["text_sha256"], fn_kwargs={**part, "held_out": False}),
        training.filter(_is_held_out, input_columns=["text_sha256"], fn_kwargs={**part, "held_out": True}),
    )


def _validation(
    rows: "corpus.Rows", recipe: Recipe, tokenizer: "PreTrainedTokenizerBase", max_length: int, seed: int
) -> "datasets.Dataset | None":
    """At most `max_validation_rows` of `rows`, drawn at random (streaming: the first ones). None if none fits."""
    import datasets

    drawn = rows if recipe.streaming else rows.shuffle(seed=seed)
    encoded = (_encoded(row, tokenizer) for row in drawn)
    fitting = islice((row for row in encoded if 0 < row["length"] <= max_length), recipe.max_validation_rows)
    return datasets.Dataset.from_list([{name: row[name] for name in COLUMNS} for row in fitting]) or None


def _encoded(row: dict, tokenizer: "PreTrainedTokenizerBase") -> dict:
    if row["output"] is None:
        place = row["id"] or row["instruction"][:80]
        raise ConfigError(f"row {place}: no output, so nothing can be learnt from it; use rows with an output")
    try:
        ids, mask = chat.example(tokenizer, row["instruction"], row["output"])
    except chat.SpecialTokenError:  # skipped and counted because its length is 0
        ids, mask = [], []
    return {"input_ids": ids, "completion_mask": mask, "length": len(ids), "answer_length": sum(mask)}


def _fits(row: dict, max_length: int, counts: Counts) -> bool:
    counts.too_long += row["length"] > max_length
    counts.special += not row["length"]
    return 0 < row["length"] <= max_length


def _uniform(seed: int, purpose: str, key: str) -> float:
    """A number in [0, 1) that depends only on the arguments."""
    return seed_key(seed, purpose, key) / 2**64


def _is_held_out(text_sha256: str, share: float, seed: int, held_out: bool) -> bool:
    return (_uniform(seed, "validation", text_sha256) < share) is held_out


def _balanced(rows: "datasets.Dataset", ratio: float | None, seed: int) -> list[int]:
    """Indices of the rows to keep: by task and source, at most `ratio` all-negative rows per other row."""
    if ratio is None:
        return list(range(len(rows)))
    positive: dict[tuple[str, str], int] = defaultdict(int)
    negative: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    keep = []
    columns = [name for name in ("task", "source", "instruction", "output", "form") if name in rows.column_names]
    for place, row in enumerate(rows.select_columns(columns)):
        group = row["task"], row["source"]
        if is_all_negative(row):
            negative[group].append((_uniform(seed, "negative", row["instruction"]), place))
        else:
            positive[group] += 1
            keep.append(place)
    for group, drawn in negative.items():
        keep += [place for _, place in sorted(drawn)[: int(ratio * positive[group])]]
    return sorted(keep)


def _check_weights(rows: "datasets.Dataset", weights: Mapping[str, float]) -> None:
    names = sorted({*rows.unique("task"), *rows.unique("source")})
    for name in weights.keys() - set(names):
        raise ConfigError(f"weights: the rows have no task or source {name}; {names_hint(name, names)}")


def _weighted(rows: Mapping[str, list], weights: Mapping[str, float], seed: int) -> list[int]:
    """Indices of the rows, each repeated by the product of the weights of its task and source.

    The fractional part of a weight is the share of rows that are repeated once more.
    """
    places = []
    for place, (task, source) in enumerate(zip(rows["task"], rows["source"], strict=True)):
        weight = weights.get(task, 1) * weights.get(source, 1)
        more = weight % 1 and _uniform(seed, "weight", rows["instruction"][place]) < weight % 1
        places += [place] * (int(weight) + bool(more))
    return places


def _repeated(rows: dict[str, list], weights: Mapping[str, float], seed: int) -> dict[str, list]:
    places = _weighted(rows, weights, seed)
    return {name: [column[place] for place in places] for name, column in rows.items()}
