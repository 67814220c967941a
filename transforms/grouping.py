"""Labels of many texts → an order in which labels that are confused with each other are in one batch.

A batch begins with a label drawn at random. Then the label with the most neighbours in the batch is added, until the
batch is full: two labels are neighbours if one is a hard negative of the other. Of labels with equally many neighbours
the one that was drawn first is added. No rule depends on which labels are positive, so that the likeness of the labels
of a batch does not betray whether one of them is.

One step of all texts is computed at once. `tests/specification/asking.py` implements the same rule for one text.
"""

from collections.abc import Sequence

import numpy as np

from transforms.draw import draw_places
from transforms.lists import Lists

PLACED = np.int64(-(2**62))
"""The rank of a label that cannot be added to a batch; no sum of neighbours outweighs it."""


def neighbours(hard: Lists) -> Lists:
    """The neighbours of each label, in either direction, from the hard negatives of each label."""
    count = len(hard.starts) - 1
    lengths, others = hard.take(np.arange(count))
    labels = np.repeat(np.arange(count), lengths)
    pairs = np.unique(np.r_[labels * count + others, others * count + labels])
    first, second = np.divmod(pairs, max(1, count))
    first, second = first[first != second], second[first != second]
    return Lists(np.searchsorted(first, np.arange(count + 1)), second)


def labels_by_key(keys: Sequence[str]) -> Lists:
    """For each label, the labels that answer under the same key as it does (also itself)."""
    by_key: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        by_key.setdefault(key, []).append(number)
    return Lists.pack([by_key[key] for key in keys])


def grouped_order(
    candidates: np.ndarray, keys: np.ndarray, size: int, near: Lists, same_key: Lists | None, limit: int | None
) -> np.ndarray:
    """Per row, the column numbers of its candidates in the order in which batches take them; then zeros.

    `candidates`: bool of shape (examples, labels). `keys`: the key of the draw of each example. `size`: labels per
    batch (-1: all). `near`: the neighbours of each label. `same_key`: for each label those that may not be in its
    batch; None if all labels may share one. `limit`: the maximum number of a row. The batches are those of
    `batches.cut`.
    """
    counts = candidates.sum(axis=1)
    if limit is not None:
        counts = np.minimum(counts, limit)
    longest_first = np.argsort(-counts)  # the examples that still need labels are then the first ones
    candidates, keys, counts = candidates[longest_first], keys[longest_first], counts[longest_first]
    labels, steps = candidates.shape[1], int(counts.max(initial=0))
    waiting = np.where(candidates, -draw_places(candidates, keys), PLACED)
    rank = waiting.copy()  # `labels` times the number of a label's neighbours in the batch, minus its place in the draw
    filled = np.zeros(len(counts), np.int64)
    order = np.zeros((len(counts), steps), np.int64)
    for step, active in enumerate(np.searchsorted(-counts, -np.arange(steps)).tolist()):
        rows = np.arange(active)
        label = rank[:active].argmax(axis=1)
        full = np.flatnonzero((filled[:active] == size) | (rank[rows, label] < PLACED // 2))
        rank[full], filled[full] = waiting[full], 0
        label[full] = rank[full].argmax(axis=1)
        order[:active, step] = label
        filled[:active] += 1
        lengths, others = near.take(label)
        rank[np.repeat(rows, lengths), others] += labels
        waiting[rows, label] = rank[rows, label] = PLACED
        if same_key is not None:
            lengths, others = same_key.take(label)
            rank[np.repeat(rows, lengths), others] = PLACED
    order[longest_first] = order.copy()
    return order
