"""The rules on batches of labels and on negatives, computed on arrays with one element per instruction row.

The rows of one example and task are consecutive and in the order of their batches. `starts`: the first row of each
example.
"""

import numpy as np

from transforms.batches import smallest_rest


def lengths(starts: np.ndarray, rows: int) -> np.ndarray:
    """The number of rows of each example."""
    return np.diff(np.r_[starts, rows])


def sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The sum of each example's values; `starts` may be empty."""
    return np.add.reduceat(values.astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)


def out_of_bounds(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool, starts: np.ndarray) -> np.ndarray:
    """Flags rows with more or fewer labels than a batch may have.

    `size`: labels asked. `full`: labels per batch (below 1: all labels in one batch). `typed`: rows of SPO, whose
    batches may be small because no batch asks for a predicate twice.
    """
    rest = smallest_rest(full)
    rows_per_example = lengths(starts, len(size))
    is_only_row = np.repeat(rows_per_example == 1, rows_per_example)
    too_large = (full > 0) & (size > full + rest - 1)
    return (size < 1) | too_large | (_partial(size, full, typed) & (size < rest) & ~is_only_row)


def not_full(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool, starts: np.ndarray) -> np.ndarray:
    """Flags rows without `full` labels, except the last such row of each example."""
    partial = _partial(size, full, typed)
    later = np.repeat(sums(partial, starts), lengths(starts, len(size))) - _running_sum(partial, starts)
    return partial & (later > 0)


def _partial(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool) -> np.ndarray:
    return (size != full) & np.logical_not(typed)


def excess_negatives(has_positive: np.ndarray, starts: np.ndarray, negative_ratio: float) -> np.ndarray:
    """Flags all-negative rows beyond the limit of an example: `negative_ratio` per row with a positive label, or one if
    it has no such row.
    """
    positives = sums(has_positive, starts)
    allowed = np.where(positives > 0, positives * negative_ratio, 1)
    negative = ~has_positive
    return negative & (_running_sum(negative, starts) > np.repeat(allowed, lengths(starts, len(negative))))


def negative_counts(has_positive: np.ndarray, starts: np.ndarray) -> tuple[int, int]:
    """(all-negative rows of examples that also have positive rows, rows with a positive label)."""
    positives = sums(has_positive, starts)
    negatives = lengths(starts, len(has_positive)) - positives
    return int(negatives[positives > 0].sum()), int(positives.sum())


def _running_sum(flags: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The number of flags set from the first row of the example up to each row."""
    total = np.cumsum(flags)
    before = total[starts] - flags[starts]
    return total - np.repeat(before, lengths(starts, len(flags)))
