"""A label set and vectors for each kind of evidence → its hard-negative dictionary.

Every kind counts the same: its vectors are centred (what all labels share tells none apart) and scaled so that the
similarities of different labels have a standard deviation of 1; the sum over the kinds is the similarity of two labels.
Labels are confused when they stand in the same place among all labels of the set, so the score is a second-order
similarity: the cosine of the rows of the similarity matrix.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.evidence import unit
from hard_negatives.index import DECIMALS, neighbours
from schemas.label import LabelSet

MAX_NEIGHBOURS = 20
MAX_RANKED = 50

MAX_DIMENSIONS = 512
"""Where there are more labels than dimensions and more of both than this, the search goes over the first principal
axes of the rows: 30 000 labels in some seconds."""


def mine(
    label_set: LabelSet, evidence: Mapping[str, np.ndarray], model: str, max_neighbours: int = MAX_NEIGHBOURS
) -> Dictionary:
    """The dictionary of a label set from evidence: kind → rows (labels, dimensions) in the order of its labels.

    Every label gets its nearest neighbours down to the cut (see `cut`): at least one where there is another label, at
    most `max_neighbours`. Labels that differ only in case, width or blanks are one label written twice: no neighbours
    of each other. The labels next in score, MAX_RANKED in all, stand below the cut.
    """
    labels = label_set.labels
    for kind, rows in evidence.items():
        if len(rows) != len(labels):
            raise ValueError(f"{len(labels)} labels, but {len(rows)} vectors of {kind}")
    folded = [" ".join(unicodedata.normalize("NFKC", label.name).casefold().split()) for label in labels]
    twins = max(Counter(folded).values(), default=1) - 1
    ranked = max(MAX_RANKED, max_neighbours + 1)
    scaled = {kind: standardised(rows) for kind, rows in evidence.items()}
    vectors = np.hstack([rows for rows, _ in scaled.values()]) if scaled else np.zeros((len(labels), 1), np.float32)
    scores, ids = neighbours(second_order(vectors), ranked + twins)
    rankings = {}
    for row, label in enumerate(labels):
        others = [
            other
            for other in zip(ids[row].tolist(), scores[row].tolist(), strict=True)
            if folded[other[0]] != folded[row]
        ][:ranked]
        kept = cut([score for _, score in others], max_neighbours)
        speaks = spoken_for(scaled, row, [other for other, _ in others[:kept]])
        near = tuple(
            Neighbour(labels[other].name, score, said)
            for (other, score), said in zip(others[:kept], speaks, strict=True)
        )
        rankings[label.name] = Ranking(
            near, tuple(Neighbour(labels[other].name, score) for other, score in others[kept:])
        )
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, model, rankings)


def standardised(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Rows whose dot products have a standard deviation of 1 over all pairs of labels that the evidence speaks of,
    and the mean of these dot products. All zeros where they are all the same. Float32, shape kept.

    The sums over all pairs come from the smaller of V Vᵀ and Vᵀ V, which have the same sum of squares.
    """
    present = rows.any(axis=1)
    n = int(present.sum())
    if n < 3:
        return np.zeros_like(rows, np.float32), 0.0
    rows = np.asarray(rows, np.float64)
    rows = unit(np.where(present[:, None], rows - rows[present].mean(axis=0), 0))
    lengths = (rows * rows).sum(axis=1)
    gram = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    pairs = n * (n - 1)
    mean = ((rows.sum(axis=0) ** 2).sum() - lengths.sum()) / pairs
    variance = ((gram * gram).sum() - (lengths**2).sum()) / pairs - mean**2
    if variance < 1e-12:
        return np.zeros_like(rows, np.float32), 0.0
    deviation = np.sqrt(variance)
    return (rows / np.sqrt(deviation)).astype(np.float32), float(mean / deviation)


def spoken_for(scaled: Mapping[str, tuple[np.ndarray, float]], row: int, others: list[int]) -> list[dict[str, float]]:
    """For each of `others` the kinds that find it nearer to label `row` than the mean pair, in standard deviations to
    one decimal, the strongest first.
    """
    above = {
        kind: np.round(rows[others].astype(np.float64) @ rows[row] - mean, 1) for kind, (rows, mean) in scaled.items()
    }
    found = []
    for n in range(len(others)):
        said = [(-float(points[n]), kind) for kind, points in above.items() if points[n] > 0]
        found.append({kind: -points for points, kind in sorted(said)})
    return found


def second_order(vectors: np.ndarray) -> np.ndarray:
    """Rows whose dot products are the second-order similarities; float32, as many rows as `vectors`.

    For more labels than dimensions the rows of the similarity matrix V Vᵀ are not needed: their dot products are
    those of the rows of V (Vᵀ V)^½, so the cost is linear in the labels. In the basis of its eigenvectors the columns
    stand in the order of their weight; beyond MAX_DIMENSIONS they are dropped.
    """
    vectors = centred(np.asarray(vectors, np.float64))
    n, dimensions = vectors.shape
    if n <= dimensions:
        rows = vectors @ vectors.T
    else:
        values, basis = np.linalg.eigh(vectors.T @ vectors)
        weights = np.sqrt(np.clip(values[-MAX_DIMENSIONS:], 0, None))
        rows = vectors @ (basis[:, -MAX_DIMENSIONS:] * weights)
    return centred(unit(rows)).astype(np.float32)


def centred(rows: np.ndarray) -> np.ndarray:
    """Rows less their mean, of length 1."""
    return unit(rows - rows.mean(axis=0)) if len(rows) else rows


def cut(scores: list[float], max_neighbours: int) -> int:
    """How many of the scores (best first) are neighbours: those above the threshold that best parts the first
    `max_neighbours` + 1 in two, by the variance between the two (Otsu 1979, "A Threshold Selection Method from
    Gray-Level Histograms"). At most `max_neighbours`; the first of equally good cuts; one score is one neighbour.
    """
    points = np.rint(np.array(scores[: max_neighbours + 1]) * 10**DECIMALS).astype(np.int64)
    n = len(points)
    if n < 2:
        return n
    above = np.arange(1, n)
    # In whole numbers: n² n_above n_below (mean_above − mean_below)² = (n · sum_above − n_above · sum)² n² / (…)
    sums = np.cumsum(points)[:-1]
    between = (n * sums - above * points.sum()) ** 2 / (above * (n - above))
    return int(np.argmax(between)) + 1
