"""Rows of examples, with how many labels each asks and whether one is positive → which of them break a rule.

The rows of one example and task are consecutive, in the order of their batches; `starts` are the first row of each.
"""

import numpy as np

from transforms.batches import smallest_rest


def lengths(starts: np.ndarray, rows: int) -> np.ndarray:
    """How many rows each example has."""
    return np.diff(np.r_[starts, rows])


def sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The sum of each example's values; `starts` may be empty."""
    return np.add.reduceat(values.astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)


def out_of_bounds(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool, starts: np.ndarray) -> np.ndarray:
    """Rows with more or fewer labels than a batch may have. `size`: labels asked, `full`: labels per batch (below 1:
    all in one), `typed`: of SPO, where batches may be small, as no batch asks one predicate twice.
    """
    rest = smallest_rest(full)
    of_example = lengths(starts, len(size))
    alone = np.repeat(of_example == 1, of_example)
    over = (full > 0) & (size > full + rest - 1)
    return (size < 1) | over | (_partial(size, full, typed) & (size < rest) & ~alone)


def not_full(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool, starts: np.ndarray) -> np.ndarray:
    """Rows that have not `full` labels and are not the last such row of their example."""
    partial = _partial(size, full, typed)
    later = np.repeat(sums(partial, starts), lengths(starts, len(size))) - _running(partial, starts)
    return partial & (later > 0)


def _partial(size: np.ndarray, full: np.ndarray | int, typed: np.ndarray | bool) -> np.ndarray:
    return (size != full) & np.logical_not(typed)


def excess_negatives(has_positive: np.ndarray, starts: np.ndarray, negative_ratio: float) -> np.ndarray:
    """All-negative rows beyond what an example may keep: `negative_ratio` for each row with a positive, else one."""
    positives = sums(has_positive, starts)
    allowed = np.where(positives > 0, positives * negative_ratio, 1)
    negative = ~has_positive
    return negative & (_running(negative, starts) > np.repeat(allowed, lengths(starts, len(negative))))


def negative_counts(has_positive: np.ndarray, starts: np.ndarray) -> tuple[int, int]:
    """(all-negative rows of examples that have a positive, rows with a positive)."""
    positives = sums(has_positive, starts)
    negatives = lengths(starts, len(has_positive)) - positives
    return int(negatives[positives > 0].sum()), int(positives.sum())


def _running(flags: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """How many flags are set from the example's first row to each row."""
    total = np.cumsum(flags)
    before = total[starts] - flags[starts]
    return total - np.repeat(before, lengths(starts, len(flags)))
