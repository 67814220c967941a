"""Rows of numbers, one a label → centred, of one length, of one scale; and how far two of them say the same."""

from collections.abc import Iterator

import numpy as np

COMPARED = 2_000
"""Labels whose pairs are compared for agreement; of more, every n-th."""


BLOCK = 2048
"""Rows that are worked on at once: label sets are large, and a copy of all their rows is hundreds of megabytes."""


def blocks(rows: np.ndarray) -> Iterator[slice]:
    """Slices of BLOCK rows, the last one shorter."""
    return (slice(start, start + BLOCK) for start in range(0, len(rows), BLOCK))


def squares(rows: np.ndarray) -> np.ndarray:
    """The square of each row's length."""
    found = np.empty(len(rows), rows.dtype)
    for block in blocks(rows):
        found[block] = (rows[block] * rows[block]).sum(axis=1)
    return found


def unit(rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Rows of length 1; a row that is nothing but rounding error becomes zeros. `out` may be `rows`."""
    lengths = np.sqrt(squares(rows))[:, None]
    out = np.divide(rows, lengths, out=np.zeros_like(rows) if out is None else out, where=lengths > 1e-6)
    out[~(lengths[:, 0] > 1e-6)] = 0
    return out


def centred(rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Rows less their mean, of length 1. `out` may be `rows`."""
    if not len(rows):
        return rows
    out = np.subtract(rows, rows.mean(axis=0), out=out)
    return unit(out, out)


def centred_present(rows: np.ndarray) -> np.ndarray:
    """As `centred`, but rows of zeros stay so and have no part in the mean."""
    present = rows.any(axis=1)
    if present.all():
        found = np.array(rows, np.float64)
        return centred(found, found)
    found = np.zeros(rows.shape)
    found[present] = centred(np.asarray(rows[present], np.float64))
    return found


def standardised(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows whose dot products have a standard deviation of 1 over all pairs of labels that they speak of (those that
    are not zeros), and the mean of these dot products. All zeros where they are all the same. Float32, shape kept.

    The sums over all pairs come from the smaller of V Vᵀ and Vᵀ V, which have the same sum of squares.
    """
    rows = centred_present(rows)
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
    """The correlation, from 0 to 1, of two similarities over the pairs of labels of which both speak; 0 where these
    are fewer than three labels, or one of the similarities is the same for all.
    """
    both = np.flatnonzero(first.any(axis=1) & second.any(axis=1))
    both = both[:: -(-len(both) // COMPARED) or 1]
    pairs = np.triu_indices(len(both), 1)
    of = [(rows @ rows.T)[pairs] for rows in (centred_present(first[both]), centred_present(second[both]))]
    if len(both) < 3 or min(likeness.std() for likeness in of) < 1e-6:
        return 0.0
    return float(np.clip(np.corrcoef(*of)[0, 1], 0, 1))
