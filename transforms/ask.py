"""Positive labels of many texts and a label set → batches of labels that instructions ask for.

The rules are those of IEPile (Gui et al. 2024, "IEPile: Unearthing Large-Scale Schema-Based Information Extraction
Corpus", section 3: hard negatives and batched instruction generation). All random choices come from hashes.

- EEA asks only for the positive labels, in every split.
- Test asks for all labels, sorted by name, and keeps all batches.
- Train and validation ask for the positive labels, their hard negatives and as many other labels as fit into one batch
  (all labels if the batch size is unlimited). Without a dictionary they ask for the positive labels and a share of the
  negative ones. For an example without positive labels, a random subset is asked. Of the all-negative batches at most
  `negative_ratio` times the number of the others (rounded down) are kept, those with hard negatives first; one is kept
  if there are no others.
- The order `grouped` (`transforms.grouping`) is not one of IEPile's: train and validation batches hold neighbours. The
  other labels, and those of an example without positive labels, are then drawn as batches of neighbours too: drawn one
  by one they would be less alike than a positive label and its hard negatives, and show that none of them is positive.
- A label that is unknown for a text is never asked.

The choices for all examples are made on one matrix (examples x labels): text by text, they take 50 µs each in Python.
`tests/specification/asking.py` implements the same rules for one text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import chain
from types import MappingProxyType

import numpy as np

from schemas.answer_form import DEFAULT, FORMS, forms_of
from schemas.errors import ConfigError
from schemas.label import Label
from transforms.batches import SPLIT_NUM, cut
from transforms.draw import PURPOSES, draw_order, draw_places, key_array
from transforms.grouping import grouped_order, labels_by_key, neighbours
from transforms.lists import Lists
from transforms.prompts import Prompts
from transforms.render import answer_key, schema_item

ORDERS = ("grouped", "shuffled", "sorted")
"""`grouped`: neighbours in one batch, as far as it holds them. `shuffled`: as IEPile. `sorted`: by name. EEA, and sets
without a dictionary, are shuffled if the order is `grouped`.
"""


def _check(name: str, value: object, allowed: str, fits: bool) -> None:
    if not fits:
        raise ConfigError(f"{name} is {value!r}; it must be {allowed}")


@dataclass(frozen=True, slots=True)
class DescriptionShares:
    """Which rows describe their labels (`transforms.described`).

    `share`: of the rows, those whose prompts have descriptions. `drop`: of the labels in them, those whose description
    is left out. `mask`: of these rows, those that show masks instead of the names of described labels. Raises
    ConfigError for a value that is not from 0 to 1.
    """

    share: float = 0.0
    drop: float = 0.0
    mask: float = 0.0

    def __post_init__(self) -> None:
        for name in ("share", "drop", "mask"):
            value = getattr(self, name)
            _check(f"descriptions.{name}", value, "from 0 to 1", 0 <= value <= 1)


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How many labels are asked for, in which order (see ORDERS) and form, how they are described, and with which
    optional columns.

    `split_num`: labels per batch, for tasks that do not use the default of SPLIT_NUM; -1: all labels in one batch.
    `negative_ratio`: all-negative batches kept per batch with a positive label. `labels_without_positive`: number of
    labels for an example without positive labels (None: `split_num` of the task; -1: all). `negative_share`: share of
    the negative labels that is asked for without a dictionary. `forms`: form of answer (`transforms.answer_forms`) →
    share of the rows; a task that the form does not serve is asked in the form `iepile`. `messages`: whether rows have
    the column `messages`. `held_out`: layer → labels that train and validation never ask for. Raises ConfigError for a
    value out of its range, and for shares that do not sum to 1.
    """

    split_num: Mapping[str, int] = field(default_factory=dict)
    order: str = "grouped"
    negative_ratio: float = 2.0
    labels_without_positive: int | None = None
    negative_share: float = 1.0
    seed: int = 42
    forms: Mapping[str, float] = field(default_factory=lambda: {DEFAULT: 1.0})
    messages: bool = False
    descriptions: DescriptionShares = DescriptionShares()
    held_out: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for task, size in self.split_num.items():
            _check("a task of split_num", task, f"one of {', '.join(SPLIT_NUM)}", task in SPLIT_NUM)
            _check(f"split_num.{task}", size, "-1 or at least 1", _is_size(size))
        _check("order", self.order, f"one of {', '.join(ORDERS)}", self.order in ORDERS)
        _check("negative_ratio", self.negative_ratio, "at least 0", self.negative_ratio >= 0)
        _check("negative_share", self.negative_share, "from 0 to 1", 0 <= self.negative_share <= 1)
        count = self.labels_without_positive
        _check("labels_without_positive", count, "null, -1 or at least 1", count is None or _is_size(count))
        for form, share in self.forms.items():
            _check("a form of forms", form, f"one of {', '.join(FORMS)}", form in FORMS)
            _check(f"forms.{form}", share, "from 0 to 1", 0 <= share <= 1)
        total = sum(self.forms.values())
        if abs(total - 1) > 1e-9:
            raise ConfigError(f"the shares of forms sum to {total:g}; they must sum to 1")

    def forms_of(self, task: str) -> tuple[str, ...]:
        """The forms in which rows of the task are asked, in the order of FORMS."""
        forms = {form if form in forms_of(task) else DEFAULT for form, share in self.forms.items() if share}
        return tuple(form for form in FORMS if form in forms)

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The OPTIONAL_COLUMNS (`schemas.arrow`) of the rows."""
        is_mixed = any(share for form, share in self.forms.items() if form != DEFAULT)
        return ("form",) * is_mixed + ("messages",) * self.messages


def _is_size(value: int) -> bool:
    return value == -1 or value >= 1


def refuse_unknown(example_id: str, task: str, positives: Iterable[str], known: Iterable[str]) -> None:
    """Raises ValueError if a positive label is not `known`."""
    unknown = ", ".join(sorted(set(positives).difference(known)))
    if unknown:
        raise ValueError(f"{example_id}: {unknown} not in the {task} label set of its source")


@dataclass(frozen=True)
class AskSpec:
    """How to ask for the labels of a source and task; labels are numbered in the order of their names."""

    task: str
    labels: tuple[Label, ...]
    hard: Lists | None  # the hard negatives of each label; None without a dictionary
    prompts: Prompts
    options: AskOptions
    form_prompts: Mapping[str, Prompts]
    contrasts: Mapping[str, str]  # label → the line that prompts show in place of its description

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms in which the task is asked."""
        return self.options.forms_of(self.task)

    def texts(self, form: str) -> Mapping[str, Sequence[str]]:
        """Language → the instruction texts of the task that ask for an answer in `form`."""
        return (self.prompts if form == DEFAULT else self.form_prompts[form])[self.task]

    @property
    def size(self) -> int:
        """Labels per batch; -1: all labels in one batch."""
        return self.options.split_num.get(self.task, SPLIT_NUM[self.task])

    @cached_property
    def items(self) -> tuple[str, ...]:
        """The elements of the `schema` of a prompt as JSON, in the order of the labels; for EEA without triggers."""
        return tuple(schema_item(self.task, label) for label in self.labels)

    @cached_property
    def neighbours(self) -> Lists | None:
        """The neighbours of each label; None if batches are not grouped."""
        grouped = self.options.order == "grouped" and self.task != "EEA"
        return neighbours(self.hard) if grouped and self.hard is not None else None

    @cached_property
    def same_key(self) -> Lists | None:
        """For each label those that answer under the same key; None if `has_shared_keys` is false."""
        return labels_by_key([answer_key(label) for label in self.labels]) if self.has_shared_keys() else None

    def has_shared_keys(self) -> bool:
        """Whether two labels answer under the same key, so that no batch may contain both."""
        return len(set(map(answer_key, self.labels))) < len(self.labels)

    @cached_property
    def max_rows_per_example(self) -> int:
        """The maximum number of rows per example."""
        return max(1, len(cut(self.labels, self.size)))


def ask_spec(
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
    form_prompts: Mapping[str, Prompts] = MappingProxyType({}),
    contrasts: Mapping[str, str] = MappingProxyType({}),
) -> AskSpec:
    """The AskSpec of a source and task. `labels` is the label set, `dictionary` the hard negatives (label → labels; for
    EET and EEA those of EE), None without a dictionary. `form_prompts`: form → prompts, for the other forms in use.
    `contrasts`: label → the line that prompts without masks show in place of its description.
    """
    ordered = tuple(sorted({label.name: label for label in labels}.values(), key=lambda label: label.name))
    number = {label.name: n for n, label in enumerate(ordered)}
    hard = None
    if dictionary is not None:
        neighbours = ([number[other] for other in dictionary.get(name, ()) if other in number] for name in number)
        hard = Lists.pack(list(neighbours))
    return AskSpec(task, ordered, hard, prompts, options, form_prompts, contrasts)


@dataclass(frozen=True)
class LabelBatches:
    """Rows and their labels, flat: `label[n]` is asked for in row `row[n]` (ascending) of example `example[row[n]]`.

    `number`: the number of each row in its example, from 0. `left_out`: how many all-negative batches were left out.
    """

    example: np.ndarray
    number: np.ndarray
    row: np.ndarray
    label: np.ndarray
    positive: np.ndarray
    hard: np.ndarray
    left_out: int

    @property
    def lengths(self) -> np.ndarray:
        """The number of labels of each row."""
        return np.bincount(self.row, minlength=len(self.example))


def ask(positive: np.ndarray, allowed: np.ndarray | None, keys: np.ndarray, spec: AskSpec, test: bool) -> LabelBatches:
    """The batches of labels to ask for. `positive` and `allowed` have shape (examples, labels): the labels that each
    example has, and those that may be asked of it (None: all). `keys`: the `seed_key` of each example and the task.
    `test`: whether the split is test.
    """
    key = {purpose: key_array(keys, np.full(len(keys), n)) for n, purpose in enumerate(PURPOSES)}
    hard = np.zeros_like(positive)
    if spec.hard is not None:
        row, label = np.nonzero(positive)
        lengths, others = spec.hard.take(label)
        hard[np.repeat(row, lengths), others] = True
        hard &= ~positive
    others = ~positive & ~hard
    if allowed is not None:
        hard, others = hard & allowed, others & allowed
    if spec.task == "EEA":
        chosen = positive
    elif test:
        chosen = positive | hard | others
    else:
        chosen = positive | hard | first_drawn(others, other_counts(positive, others, spec), key["labels"], spec)
    if test or spec.options.order == "sorted":
        order = np.argsort(~chosen, axis=1, kind="stable")
    else:
        order = drawn_order(chosen, key["order"], spec)

    counts = chosen.sum(axis=1)
    label = order[np.arange(order.shape[1]) < counts[:, None]]
    label, batch, batch_counts = split_into_batches(label, counts, spec)
    example = np.repeat(np.arange(len(counts)), batch_counts)
    label_example = example[batch]
    if spec.neighbours is not None and not test:  # the label that a batch began with is the first one until here
        place = draw_places(chosen, key["places"])
        label = label[np.lexsort((place[label_example, label], batch))]
    is_positive, is_hard = positive[label_example, label], hard[label_example, label]
    kept = np.ones(len(example), bool)
    if not test:
        has_positive, has_hard = (
            np.bincount(batch[flags], minlength=len(example)) > 0 for flags in (is_positive, is_hard)
        )
        ratio = spec.options.negative_ratio
        kept = kept_batches(example, has_positive, has_hard, len(counts), key["batches"], ratio)
    in_kept = kept[batch]
    return LabelBatches(
        example[kept],
        rank_in_group(example[kept]),
        (np.cumsum(kept) - 1)[batch[in_kept]],
        label[in_kept],
        is_positive[in_kept],
        is_hard[in_kept],
        int(len(kept) - kept.sum()),
    )


def other_counts(positive: np.ndarray, others: np.ndarray, spec: AskSpec) -> np.ndarray:
    """How many of the `others` of each example are asked for in addition to positive labels and hard negatives."""
    total, options = positive.shape[1], spec.options
    if spec.hard is None:
        counts = np.rint(options.negative_share * others.sum(axis=1)).astype(np.int64)
    else:
        counts = np.full(len(positive), total if spec.size == -1 else spec.size)
    without_positive = options.labels_without_positive or spec.size
    counts[~positive.any(axis=1)] = total if without_positive == -1 else without_positive
    return counts


def drawn_order(candidates: np.ndarray, keys: np.ndarray, spec: AskSpec, limit: int | None = None) -> np.ndarray:
    """Per row, the column numbers of its candidates in the order of `draw.drawn` or, if batches are grouped, of
    `grouped_order`; then other columns. `limit`: the maximum number of a row.
    """
    if spec.neighbours is None:
        return draw_order(candidates, keys)[:, :limit]
    return grouped_order(candidates, keys, spec.size, spec.neighbours, spec.same_key, limit)


def first_drawn(candidates: np.ndarray, counts: np.ndarray, keys: np.ndarray, spec: AskSpec) -> np.ndarray:
    """Per row, the first `counts` candidates in the order of `drawn_order`."""
    some = np.flatnonzero(counts < candidates.sum(axis=1))  # the rows that do not take all
    counts = counts[some]
    order = drawn_order(candidates[some], keys[some], spec, int(counts.max(initial=0)))
    row, place = np.nonzero(np.arange(order.shape[1]) < counts[:, None])
    first = candidates.copy()
    first[some] = False
    first[some[row], order[row, place]] = True
    return first


def split_into_batches(
    label: np.ndarray, counts: np.ndarray, spec: AskSpec
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`cut` of the labels of each example: (labels in the order of their batches, batch of each label, numbered through
    all examples, number of batches of each example).
    """
    if spec.has_shared_keys():  # which labels may share a batch depends on the labels
        number = {name.name: n for n, name in enumerate(spec.labels)}
        by_example = np.split(label, np.cumsum(counts)[:-1])
        cuts = [cut([spec.labels[n] for n in numbers], spec.size) for numbers in by_example]
        every = list(chain.from_iterable(cuts))
        label = np.array([number[name.name] for batch in every for name in batch], np.int64)
        batch = np.repeat(np.arange(len(every)), np.array([len(batch) for batch in every], np.int64))
        return label, batch, np.array([len(batches) for batches in cuts])
    different, which = np.unique(counts, return_inverse=True)
    batches, lengths = Lists.pack([batch_lengths(count, spec.size) for count in different.tolist()]).take(which)
    return label, np.repeat(np.arange(len(lengths)), lengths), batches


@cache
def batch_lengths(count: int, size: int) -> list[int]:
    """The lengths of the batches of `count` labels without shared keys."""
    return [len(batch) for batch in cut([Label(str(n)) for n in range(count)], size)]


def kept_batches(
    example: np.ndarray, has_positive: np.ndarray, has_hard: np.ndarray, examples: int, keys: np.ndarray, ratio: float
) -> np.ndarray:
    """Which batches are kept: those with a positive label, and as many others as `ratio` allows."""
    negative = np.flatnonzero(~has_positive)
    negative_example = example[negative]
    with_positive = np.bincount(example[has_positive], minlength=examples)
    limits = np.where(with_positive > 0, np.floor(ratio * np.maximum(with_positive, 1)), 1)
    drawn = key_array(keys[negative_example], rank_in_group(negative_example))
    ranked = np.lexsort((drawn, ~has_hard[negative], negative_example))
    kept = has_positive.copy()
    kept[negative[ranked]] = rank_in_group(negative_example) < limits[negative_example]
    return kept


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """The position of each element of the ascending `groups` among those with the same value, from 0."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)
