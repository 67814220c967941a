"""Exact nearest neighbours of unit vectors, independent of the number of threads."""

import faiss
import numpy as np

DECIMALS = 4
BATCH = 2048
MARGIN = 16
TOLERANCE = 1e-5
"""An upper bound of the error of a float32 dot product of unit vectors, in any order of summation."""


def neighbours(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` nearest other rows of each row of `vectors` (n, d), by dot product.

    Returns scores (float64, rounded to 4 decimals) and row numbers (int64), both of shape (n, min(k, n - 1)), best
    first. Equal scores are in row order, so callers sort the rows by name. FAISS fetches MARGIN more candidates than
    needed; they are scored again in float64 and rounded before they are ordered. If a row that was not fetched could
    be among the k best, all rows are scored. The result therefore does not depend on the order of summation.
    """
    n, dimensions = vectors.shape
    k = max(0, min(k, n - 1))
    scores, ids = np.zeros((n, k)), np.zeros((n, k), np.int64)
    if k == 0:
        return scores, ids
    vectors = np.ascontiguousarray(vectors, np.float32)
    exact = vectors.astype(np.float64)
    fetch = min(n, k + 1 + MARGIN)
    if fetch == n:  # all rows are candidates
        points, ids = _best(exact @ exact.T, np.broadcast_to(np.arange(n), (n, n)), np.arange(n), n, k)
        return points / 10**DECIMALS, ids
    flat = faiss.IndexFlatIP(dimensions)
    flat.add(vectors)
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        approximate, candidates = flat.search(vectors[rows], fetch)
        similarity = np.stack([exact[near] @ exact[row] for row, near in zip(rows, candidates, strict=True)])
        points, ids[rows] = _best(similarity, candidates, rows, n, k)
        unseen = np.rint((approximate[:, -1].astype(np.float64) + TOLERANCE) * 10**DECIMALS)
        undecided = np.flatnonzero(unseen >= points[:, -1])
        for first in range(0, len(undecided), 64):
            part = undecided[first : first + 64]
            all_rows = np.broadcast_to(np.arange(n), (len(part), n))
            points[part], ids[rows[part]] = _best(exact[rows[part]] @ exact.T, all_rows, rows[part], n, k)
        scores[rows] = points / 10**DECIMALS
    return scores, ids


def _best(
    similarity: np.ndarray, candidates: np.ndarray, rows: np.ndarray, n: int, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates of each row without the row itself: similarities in ten-thousandths, and row numbers."""
    points = np.rint(similarity * 10**DECIMALS).astype(np.int64)
    # One integer orders by score, then by row. It is unique, so any selection algorithm gives the same k rows
    order = points * n + (n - 1 - candidates)
    order[candidates == rows[:, None]] = np.iinfo(np.int64).min
    if k < order.shape[1]:
        order = np.partition(order, -k, axis=1)[:, -k:]
    order = np.sort(order, axis=1)[:, ::-1]
    return order // n, n - 1 - order % n
