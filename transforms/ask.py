"""Positive labels and a label set → the labels that are asked about one text, cut into batches.

The rules are IEPile's (Gui et al. 2024, "IEPile: Unearthing Large-Scale Schema-Based Information Extraction
Corpus", section 3: hard negatives and batched instruction generation), with every choice drawn from a hash.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from schemas.errors import ConfigError
from schemas.label import Label
from transforms.draw import drawn, purpose_key, seed_key

SPLIT_NUM = {"NER": 6, "RE": 4, "SPO": 4, "EE": 4, "EET": 4, "EEA": 4, "KG": 1}
ORDERS = ("shuffled", "sorted")


@dataclass(frozen=True, slots=True)
class Batch:
    """Labels asked in one instruction, in the order asked; `positives` and `hard_negatives` are among their names."""

    labels: tuple[Label, ...]
    positives: tuple[str, ...]
    hard_negatives: tuple[str, ...]


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


def ask(
    example_id: str,
    split: str,
    task: str,
    labels: Iterable[Label],
    positives: Collection[str],
    dictionary: Mapping[str, Sequence[str]] | None,
    options: AskOptions,
) -> tuple[list[Batch], int]:
    """The batches that are asked about one example, and how many all-negative ones were cut.

    `labels` is the label set of the source and task, `positives` the names of those that the example has,
    `dictionary` the hard negatives (label → labels; for EET and EEA that of EE), None without one.

    - EEA asks the positive labels and nothing else, in every split.
    - test asks all labels, sorted by name; nothing is cut.
    - train and validation ask the positive labels, their hard negatives and as many of the other ones as a batch
      holds (all where a batch holds all), or a share of the negatives where there is no dictionary; an example
      without a positive label is asked a drawn subset. All-negative batches above `negative_ratio` times the
      others (rounded down) are cut, those with hard negatives last; without a positive label one is kept.

    Raises ValueError where a positive label is not among `labels`.
    """
    by_name = {label.name: label for label in labels}
    positive = set(positives)
    refuse_strange(example_id, task, positive, by_name)
    hard = {name for p in positive for name in (dictionary or {}).get(p, ()) if name in by_name} - positive

    key = seed_key(options.seed, example_id, task)

    def choice(candidates: Iterable, purpose: str) -> list:
        return drawn(candidates, purpose_key(key, purpose))

    size = options.split_num.get(task, SPLIT_NUM[task])
    asked: Iterable[str]
    if task == "EEA":
        asked = positive
    elif split == "test":
        asked = by_name.keys()
    elif not positive:
        asked = choice(by_name, "labels")[: _count(options.labels_without_positive or size, by_name)]
    elif dictionary is None:
        others = by_name.keys() - positive
        asked = positive.union(choice(others, "labels")[: round(options.negative_share * len(others))])
    else:
        other = by_name.keys() - positive - hard
        asked = positive.union(hard, choice(other, "labels")[: _count(size, other)])

    shuffled = split != "test" and options.order == "shuffled"
    names = choice(asked, "order") if shuffled else sorted(asked)
    batches = [
        Batch(
            tuple(batch),
            tuple(label.name for label in batch if label.name in positive),
            tuple(label.name for label in batch if label.name in hard),
        )
        for batch in cut([by_name[name] for name in names], size)
    ]
    if split == "test":
        return batches, 0

    negative = [number for number, batch in enumerate(batches) if not batch.positives]
    with_positive = len(batches) - len(negative)
    keep = int(min(len(negative), options.negative_ratio * with_positive if with_positive else 1))
    # The sort is stable: within each half the drawn order holds.
    ranked = sorted(choice(negative, "batches"), key=lambda number: not batches[number].hard_negatives)
    dropped = set(ranked[keep:])
    return [batch for number, batch in enumerate(batches) if number not in dropped], len(dropped)


def refuse_strange(example_id: str, task: str, positives: Iterable[str], known: Iterable[str]) -> None:
    """Raises ValueError where a positive label is not among the `known` ones."""
    strange = ", ".join(sorted(set(positives).difference(known)))
    if strange:
        raise ValueError(f"{example_id}: {strange} not in the {task} label set of its source")


def _count(size: int, candidates: Collection) -> int:
    return len(candidates) if size == -1 else size


def cut(labels: Sequence[Label], size: int) -> list[list[Label]]:
    """`labels` in batches of `size` (-1: all in one); a rest below max(1, size // 2) joins the batch before it.

    The answer's keys of a typed triple are predicates, so no batch holds one predicate twice: a label whose
    predicate is already in the batch is passed over and stands first in line for the next one. Every label comes
    exactly once. A batch before the last holds fewer than `size` only where no predicate was left that it lacks; a
    rest stays on its own where joining would repeat a predicate; and with -1 there are as many batches as the
    commonest predicate has labels.
    """
    size = len(labels) if size == -1 else size
    queues: dict[str, deque[int]] = {}  # key → the numbers of its labels that wait
    for number, label in enumerate(labels):
        queues.setdefault(_key(label), deque()).append(number)
    first = [queue[0] for queue in queues.values()]  # ascending, so a heap
    batches = []
    while first:
        numbers = [heappop(first) for _ in range(min(size, len(first)))]
        batches.append([labels[number] for number in numbers])
        for label in batches[-1]:
            queue = queues[_key(label)]
            queue.popleft()
            if queue:
                heappush(first, queue[0])
    if len(batches) > 1 and len(batches[-1]) < max(1, size // 2):
        rest = set(map(_key, batches[-1]))
        if not any(_key(label) in rest for label in batches[-2]):
            batches[-2].extend(batches.pop())
    return batches


def _key(label: Label) -> str:
    """What the label answers under."""
    return label.predicate or label.name
