"""Matrices with one row per label: scale to unit length, centre and standardise them, and measure their agreement."""

from collections.abc import Iterator

import numpy as np

AGREEMENT_LABELS = 2_000
"""The agreement of larger label sets is computed from the pairs of every n-th label."""

BLOCK = 2048
"""Rows processed at a time: a copy of all rows of a large label set takes hundreds of megabytes."""


def blocks(rows: np.ndarray) -> Iterator[slice]:
    """Slices of BLOCK rows, the last one shorter."""
    return (slice(start, start + BLOCK) for start in range(0, len(rows), BLOCK))


def squares(rows: np.ndarray) -> np.ndarray:
    """The squared length of each row."""
    lengths = np.empty(len(rows), rows.dtype)
    for block in blocks(rows):
        lengths[block] = (rows[block] * rows[block]).sum(axis=1)
    return lengths


def unit(rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The rows scaled to length 1; rows no longer than a rounding error become zeros. `out` may be `rows`."""
    lengths = np.sqrt(squares(rows))[:, None]
    out = np.divide(rows, lengths, out=np.zeros_like(rows) if out is None else out, where=lengths > 1e-6)
    out[~(lengths[:, 0] > 1e-6)] = 0
    return out


def centre(rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The rows minus their mean, scaled to length 1. `out` may be `rows`."""
    if not len(rows):
        return rows
    out = np.subtract(rows, rows.mean(axis=0), out=out)
    return unit(out, out)


def centre_nonzero(rows: np.ndarray) -> np.ndarray:
    """Like `centre`, but rows of zeros remain zeros and do not count in the mean. Float64."""
    nonzero = rows.any(axis=1)
    if nonzero.all():
        result = np.array(rows, np.float64)
        return centre(result, result)
    result = np.zeros(rows.shape)
    result[nonzero] = centre(np.asarray(rows[nonzero], np.float64))
    return result


def standardise(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows whose dot products have a standard deviation of 1 over all pairs of labels with a nonzero row, and the mean
    of these dot products. The rows are float32 of the same shape; all zeros if the dot products are all equal.

    The sums over all pairs come from the smaller of V Vᵀ and Vᵀ V, which have the same sum of squares.
    """
    rows = centre_nonzero(rows)
    n = int(rows.any(axis=1).sum())
    lengths = squares(rows)
    gram = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    pairs = max(1, n * (n - 1))
    mean = ((rows.sum(axis=0) ** 2).sum() - lengths.sum()) / pairs
    variance = ((gram * gram).sum() - (lengths**2).sum()) / pairs - mean**2
    if n < 3 or variance < 1e-12:
        return np.zeros_like(rows, np.float32), 0.0
    deviation = np.sqrt(variance)
    rows /= np.sqrt(deviation)
    return rows.astype(np.float32), float(mean / deviation)


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """The correlation of two similarities of labels, clipped to 0 to 1, over the pairs of labels with nonzero rows in
    both. 0 if there are fewer than three such labels or one of the similarities is constant.
    """
    both = np.flatnonzero(first.any(axis=1) & second.any(axis=1))
    both = both[:: -(-len(both) // AGREEMENT_LABELS) or 1]
    pairs = np.triu_indices(len(both), 1)
    similarities = [(rows @ rows.T)[pairs] for rows in (centre_nonzero(first[both]), centre_nonzero(second[both]))]
    if len(both) < 3 or min(similarity.std() for similarity in similarities) < 1e-6:
        return 0.0
    return float(np.clip(np.corrcoef(*similarities)[0, 1], 0, 1))
