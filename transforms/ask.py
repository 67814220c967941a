"""Positive labels of many texts and a label set → the labels that are asked about each text, in batches.

The rules are IEPile's (Gui et al. 2024, "IEPile: Unearthing Large-Scale Schema-Based Information Extraction
Corpus", section 3: hard negatives and batched instruction generation), with every choice drawn from a hash:

- EEA asks the positive labels and nothing else, in every split.
- test asks all labels, sorted by name; no batch is left out.
- train and validation ask the positive labels, their hard negatives and as many of the other ones as a batch holds
  (all where a batch holds all), or a share of the negatives where there is no dictionary; an example without a
  positive label is asked a drawn subset. All-negative batches above `negative_ratio` times the others (rounded down)
  are left out, those with hard negatives last; without a positive label one is kept.
- A label that is unknown for a text is not asked of it.

The draws of all examples are one matrix (examples x labels): text by text, Python spends 50 µs on them.
`tests/specification/asking.py` states the same rules for one text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np

from schemas.errors import ConfigError
from schemas.label import Label
from transforms.batches import SPLIT_NUM, cut
from transforms.draw import PURPOSES, key_array
from transforms.prompts import Prompts
from transforms.render import answer_key, schema_item

ORDERS = ("shuffled", "sorted")


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How many labels are asked, and in which order.

    `split_num`: labels a batch, for the tasks where it is not SPLIT_NUM's; -1 puts all into one batch.
    `negative_ratio`: all-negative batches kept for each batch with a positive label.
    `labels_without_positive`: how many labels an example without a positive one is asked for (None: the task's
    `split_num`; -1: all). `negative_share`: the share of the negative labels that is drawn without a dictionary.
    Raises ConfigError where a value is out of its range.
    """

    split_num: Mapping[str, int] = field(default_factory=dict)
    order: str = "shuffled"
    negative_ratio: float = 2.0
    labels_without_positive: int | None = None
    negative_share: float = 1.0
    seed: int = 42

    def __post_init__(self) -> None:
        for task, size in self.split_num.items():
            _check("a task of split_num", task, f"one of {', '.join(SPLIT_NUM)}", task in SPLIT_NUM)
            _check(f"split_num.{task}", size, "-1 or at least 1", _is_size(size))
        _check("order", self.order, " or ".join(ORDERS), self.order in ORDERS)
        _check("negative_ratio", self.negative_ratio, "at least 0", self.negative_ratio >= 0)
        _check("negative_share", self.negative_share, "from 0 to 1", 0 <= self.negative_share <= 1)
        count = self.labels_without_positive
        _check("labels_without_positive", count, "null, -1 or at least 1", count is None or _is_size(count))


def _is_size(value: int) -> bool:
    return value == -1 or value >= 1


def _check(name: str, value: object, allowed: str, fits: bool) -> None:
    if not fits:
        raise ConfigError(f"{name} is {value!r}; it must be {allowed}")


def refuse_strange(example_id: str, task: str, positives: Iterable[str], known: Iterable[str]) -> None:
    """Raises ValueError where a positive label is not among the `known` ones."""
    strange = ", ".join(sorted(set(positives).difference(known)))
    if strange:
        raise ValueError(f"{example_id}: {strange} not in the {task} label set of its source")


LAST = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Lists:
    """Lists of numbers, end to end: label sets are large and these lists short. `starts` has one more than lists."""

    starts: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Lists":
        starts = np.cumsum([0, *map(len, lists)])
        return cls(starts, np.fromiter(chain.from_iterable(lists), np.int64, starts[-1]))

    def taken(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The length of each list of `which`, and their numbers end to end."""
        lengths = self.starts[which + 1] - self.starts[which]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return lengths, self.numbers[np.repeat(self.starts[which], lengths) + within]


@dataclass(frozen=True)
class Asking:
    """What is asked of every example of a source for a task; labels are numbered in the order of their names."""

    task: str
    labels: tuple[Label, ...]
    hard: Lists | None  # the hard negatives of each label; None: no dictionary
    prompts: Prompts
    options: AskOptions

    @property
    def size(self) -> int:
        """Labels a batch, -1: all in one."""
        return self.options.split_num.get(self.task, SPLIT_NUM[self.task])

    @cached_property
    def items(self) -> tuple[str, ...]:
        """The elements of a prompt's `schema` as JSON, in the order of the labels; those of EEA without triggers."""
        return tuple(schema_item(self.task, label) for label in self.labels)

    def shared_keys(self) -> bool:
        """Whether two labels answer under one key, so that no batch may hold both."""
        return len(set(map(answer_key, self.labels))) < len(self.labels)

    def rows_an_example(self) -> int:
        """The most rows that an example becomes."""
        return max(1, len(cut(self.labels, self.size)))


def asking(
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
) -> Asking:
    """What is asked of the examples of a source: `labels` is its label set for the task, `dictionary` the hard
    negatives (label → labels; for EET and EEA those of EE), None without one.
    """
    ordered = tuple(sorted({label.name: label for label in labels}.values(), key=lambda label: label.name))
    number = {label.name: n for n, label in enumerate(ordered)}
    hard = None
    if dictionary is not None:
        listed = ([number[other] for other in dictionary.get(name, ()) if other in number] for name in number)
        hard = Lists.of(list(listed))
    return Asking(task, ordered, hard, prompts, options)


@dataclass(frozen=True)
class Asked:
    """Rows and the labels they ask, flat: `label[n]` is asked in row `row[n]` (ascending) of example `example[row]`.

    `number` counts the rows of each example, `cut` is how many all-negative ones are left out in all.
    """

    example: np.ndarray
    number: np.ndarray
    row: np.ndarray
    label: np.ndarray
    positive: np.ndarray
    hard: np.ndarray
    cut: int

    @property
    def lengths(self) -> np.ndarray:
        return np.bincount(self.row, minlength=len(self.example))


def ask(positive: np.ndarray, may: np.ndarray | None, keys: np.ndarray, what: Asking, test: bool) -> Asked:
    """The rows that are asked. `positive` and `may`: (examples, labels), which labels the examples have and which may
    be asked (None: all). `keys`: the `seed_key` of each example and the task. `test`: whether the split is test.
    """
    key = {purpose: key_array(keys, np.full(len(keys), n)) for n, purpose in enumerate(PURPOSES)}
    hard = np.zeros_like(positive)
    if what.hard is not None:
        row, label = np.nonzero(positive)
        lengths, others = what.hard.taken(label)
        hard[np.repeat(row, lengths), others] = True
        hard &= ~positive
    others = ~positive & ~hard
    if may is not None:
        hard, others = hard & may, others & may
    if what.task == "EEA":
        asked = positive
    elif test:
        asked = positive | hard | others
    else:
        asked = positive | hard | first_drawn(others, other_counts(positive, others, what), key["labels"])
    shuffled = not test and what.options.order == "shuffled"
    order = draw_order(asked, key["order"]) if shuffled else np.argsort(~asked, axis=1, kind="stable")

    counts = asked.sum(axis=1)
    label = order[np.arange(asked.shape[1]) < counts[:, None]]
    label, batch, batches = batched(label, counts, what)
    example = np.repeat(np.arange(len(counts)), batches)
    of_label = example[batch]
    is_positive, is_hard = positive[of_label, label], hard[of_label, label]
    kept = np.ones(len(example), bool)
    if not test:
        has = [np.bincount(batch[flags], minlength=len(example)) > 0 for flags in (is_positive, is_hard)]
        kept = kept_batches(example, *has, len(counts), key["batches"], what.options.negative_ratio)
    in_kept = kept[batch]
    return Asked(
        example[kept],
        rank_in_group(example[kept]),
        (np.cumsum(kept) - 1)[batch[in_kept]],
        label[in_kept],
        is_positive[in_kept],
        is_hard[in_kept],
        int(len(kept) - kept.sum()),
    )


def other_counts(positive: np.ndarray, others: np.ndarray, what: Asking) -> np.ndarray:
    """How many of each example's `others` are asked beside its positive labels and their hard negatives."""
    total, options = positive.shape[1], what.options
    if what.hard is None:
        counts = np.rint(options.negative_share * others.sum(axis=1)).astype(np.int64)
    else:
        counts = np.full(len(positive), total if what.size == -1 else what.size)
    without_positive = options.labels_without_positive or what.size
    counts[~positive.any(axis=1)] = total if without_positive == -1 else without_positive
    return counts


def draw_order(candidates: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """`draw.drawn` of each row's candidates, by column number; what is no candidate comes after them, in any order.

    No two candidates have the same key, so the sort need not be stable.
    """
    ranks = np.cumsum(candidates, axis=1) - 1
    return np.argsort(np.where(candidates, key_array(keys[:, None], ranks), LAST), axis=1)


def first_drawn(candidates: np.ndarray, wanted: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The first `wanted` of each row's candidates in the order in which they are drawn."""
    if (wanted >= candidates.sum(axis=1)).all():
        return candidates
    place = np.argsort(draw_order(candidates, keys), axis=1)
    return candidates & (place < wanted[:, None])


def batched(label: np.ndarray, counts: np.ndarray, what: Asking) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`cut` of each example's labels: the labels in the order of their batches, the batch of each (numbered through all
    examples), and how many batches each example has.
    """
    if what.shared_keys():  # which labels may share a batch depends on the labels
        number = {name.name: n for n, name in enumerate(what.labels)}
        of_examples = np.split(label, np.cumsum(counts)[:-1])
        cuts = [cut([what.labels[n] for n in numbers], what.size) for numbers in of_examples]
        every = list(chain.from_iterable(cuts))
        label = np.array([number[name.name] for batch in every for name in batch], np.int64)
        batch = np.repeat(np.arange(len(every)), np.array([len(batch) for batch in every], np.int64))
        return label, batch, np.array([len(batches) for batches in cuts])
    different, which = np.unique(counts, return_inverse=True)
    batches, lengths = Lists.of([batch_lengths(count, what.size) for count in different.tolist()]).taken(which)
    return label, np.repeat(np.arange(len(lengths)), lengths), batches


def batch_lengths(count: int, size: int) -> list[int]:
    """The lengths of the batches of `count` labels with different keys."""
    return [len(batch) for batch in cut([Label(str(n)) for n in range(count)], size)]


def kept_batches(
    example: np.ndarray, has_positive: np.ndarray, has_hard: np.ndarray, examples: int, keys: np.ndarray, ratio: float
) -> np.ndarray:
    """Which batches stay: those with a positive label, and of the others as many as `negative_ratio` allows."""
    negative = np.flatnonzero(~has_positive)
    of_negative = example[negative]
    with_positive = np.bincount(example[has_positive], minlength=examples)
    allowed = np.where(with_positive > 0, np.floor(ratio * np.maximum(with_positive, 1)), 1)
    drawn = key_array(keys[of_negative], rank_in_group(of_negative))
    ranked = np.lexsort((drawn, ~has_hard[negative], of_negative))
    kept = has_positive.copy()
    kept[negative[ranked]] = rank_in_group(of_negative) < allowed[of_negative]
    return kept


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """How many of the same value stand before each of the ascending `groups`."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)
