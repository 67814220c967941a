"""Positive labels and a label set → the labels in the prompts of one text, divided into batches: the rules of
`transforms.ask`, for one text at a time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from schemas.label import Label
from transforms.ask import AskOptions, refuse_unknown
from transforms.batches import SPLIT_NUM
from transforms.draw import drawn, purpose_key, seed_key


@dataclass(frozen=True, slots=True)
class Batch:
    """The labels of one instruction in order; `positives` and `hard_negatives` are among their names."""

    labels: tuple[Label, ...]
    positives: tuple[str, ...]
    hard_negatives: tuple[str, ...]


def ask(
    example_id: str,
    split: str,
    task: str,
    labels: Iterable[Label],
    positives: Collection[str],
    dictionary: Mapping[str, Sequence[str]] | None,
    options: AskOptions,
) -> tuple[list[Batch], int]:
    """The batches of one example, and the number of all-negative batches that were dropped.

    `labels` is the label set of the source and task, `positives` the names of those in the example, `dictionary` the
    hard negatives (label → labels; for EET and EEA those of EE) or None.

    - EEA prompts have only the positive labels, in every split.
    - test prompts have all labels, sorted by name; no batch is dropped.
    - train and validation prompts have the positive labels, their hard negatives and as many of the other labels as
      fit in a batch (all if the batch size is -1), or a share of the negatives without a dictionary. An example
      without a positive label gets a drawn subset. The number of all-negative batches is limited to `negative_ratio`
      times that of the others (rounded down), or to one without a positive label; batches with hard negatives are
      dropped last.
    - with the order `grouped` and a dictionary, other labels and the batches are those that `grouped` takes; the labels
      of a batch are shuffled. EEA prompts are not grouped.

    Raises ValueError if a positive label is not among `labels`.
    """
    by_name = {label.name: label for label in labels}
    positive = set(positives)
    refuse_unknown(example_id, task, positive, by_name)
    hard = {name for p in positive for name in (dictionary or {}).get(p, ()) if name in by_name} - positive

    key = seed_key(options.seed, example_id, task)

    def choice(candidates: Iterable, purpose: str) -> list:
        return drawn(candidates, purpose_key(key, purpose))

    size = options.split_num.get(task, SPLIT_NUM[task])
    is_grouped = options.order == "grouped" and dictionary is not None and task != "EEA" and split != "test"

    def label_choice(names: Iterable[str], purpose: str) -> list[str]:
        order = choice(names, purpose)
        return grouped([by_name[name] for name in order], size, dictionary or {}) if is_grouped else order

    if task == "EEA":
        chosen = positive
    elif split == "test":
        chosen = by_name.keys()
    elif not positive:
        chosen = label_choice(by_name, "labels")[: count(options.labels_without_positive or size, by_name)]
    elif dictionary is None:
        negative = by_name.keys() - positive
        chosen = positive.union(label_choice(negative, "labels")[: round(options.negative_share * len(negative))])
    else:
        other = by_name.keys() - positive - hard
        chosen = positive.union(hard, label_choice(other, "labels")[: count(size, other)])

    names = sorted(chosen) if split == "test" or options.order == "sorted" else label_choice(chosen, "order")
    cuts = cut([by_name[name] for name in names], size)
    if is_grouped:
        places = choice(chosen, "places")
        cuts = [sorted(batch, key=lambda label: places.index(label.name)) for batch in cuts]
    batches = [
        Batch(
            tuple(batch),
            tuple(label.name for label in batch if label.name in positive),
            tuple(label.name for label in batch if label.name in hard),
        )
        for batch in cuts
    ]
    if split == "test":
        return batches, 0

    negative = [number for number, batch in enumerate(batches) if not batch.positives]
    with_positive = len(batches) - len(negative)
    keep = int(min(len(negative), options.negative_ratio * with_positive if with_positive else 1))
    # The sort is stable: each half keeps the drawn order.
    ranked = sorted(choice(negative, "batches"), key=lambda number: not batches[number].hard_negatives)
    dropped = set(ranked[keep:])
    return [batch for number, batch in enumerate(batches) if number not in dropped], len(dropped)


def count(size: int, candidates: Collection) -> int:
    return len(candidates) if size == -1 else size


def grouped(labels: Sequence[Label], size: int, dictionary: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of `labels` in the order in which batches of `size` (-1: all) take them: the first label that is left,
    then, until the batch is full, the one with the most neighbours in it, of equal ones the first. No batch takes two
    labels with the same key. Two labels are neighbours if the dictionary names one as a hard negative of the other.
    """

    def are_neighbours(one: Label, other: Label) -> bool:
        return other.name in dictionary.get(one.name, ()) or one.name in dictionary.get(other.name, ())

    order: list[Label] = []
    while len(order) < len(labels):
        batch: list[Label] = []
        while len(batch) != size:
            fitting = [one for one in labels if one not in order and key(one) not in map(key, batch)]
            if not fitting:
                break
            # max() returns the first of the best
            batch.append(max(fitting, key=lambda one: sum(are_neighbours(one, other) for other in batch)))
            order.append(batch[-1])
    return [label.name for label in order]


def cut(labels: Sequence[Label], size: int) -> list[list[Label]]:
    """`labels` in batches of `size` (-1: all in one). No batch has two labels with the same key in the answer; the
    second one is deferred to the next batch. A last batch smaller than half of `size` is merged into the one before if
    no key is repeated.
    """
    size = len(labels) if size == -1 else size
    batches, waiting = [], list(labels)
    while waiting:
        batch, passed = [], []
        for label in waiting:
            free = key(label) not in {key(other) for other in batch}
            (batch if free and len(batch) < size else passed).append(label)
        batches.append(batch)
        waiting = passed
    joins = len(batches) > 1 and len(batches[-1]) < max(1, size // 2)
    if joins and not {key(label) for label in batches[-1]} & {key(label) for label in batches[-2]}:
        batches[-2].extend(batches.pop())
    return batches


def key(label: Label) -> str:
    return label.predicate or label.name
