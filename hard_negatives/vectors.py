"""Rows of numbers, one a label → centred, of one length, of one scale; and how far two of them say the same."""

import numpy as np

COMPARED = 2_000
"""Labels whose pairs are compared for agreement; of more, every n-th."""


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row that is nothing but rounding error becomes zeros."""
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6)


def centred(rows: np.ndarray) -> np.ndarray:
    """Rows less their mean, of length 1."""
    return unit(rows - rows.mean(axis=0)) if len(rows) else rows


def centred_present(rows: np.ndarray) -> np.ndarray:
    """As `centred`, but rows of zeros stay so and have no part in the mean."""
    present = rows.any(axis=1)
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
    lengths = (rows * rows).sum(axis=1)
    gram = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    pairs = max(1, n * (n - 1))
    mean = ((rows.sum(axis=0) ** 2).sum() - lengths.sum()) / pairs
    variance = ((gram * gram).sum() - (lengths**2).sum()) / pairs - mean**2
    if n < 3 or variance < 1e-12:
        return np.zeros_like(rows, np.float32), 0.0
    deviation = np.sqrt(variance)
    return (rows / np.sqrt(deviation)).astype(np.float32), float(mean / deviation)


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
