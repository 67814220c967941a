"""A label set and vectors for each kind of evidence → its hard-negative dictionary.

The vectors of each kind are centred, because what all labels share does not distinguish them, and scaled so that the
similarities of different labels have a standard deviation of 1. The similarity of two labels is the sum over all kinds,
weighted by reliability. There are no parameters to tune.
Two labels are easily confused if they are similar to the same other labels. The score is therefore a second-order
similarity: the cosine of two rows of the similarity matrix.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.evidence import Evidence
from hard_negatives.index import DECIMALS, neighbours
from hard_negatives.vectors import blocks, centre, standardise, unit
from schemas.label import LabelSet
from transforms.draw import drawn, seed_key
from transforms.normal_forms import folded

MAX_NEIGHBOURS = 20
MAX_RANKED = 50

MAX_DIMENSIONS = 1024
"""If there are more labels than dimensions and more of both than this, scores are computed from this many principal
axes of the rows, so that 30,000 labels take seconds for any number of kinds."""

ROUNDING = 1e-12
"""Float64 eigenvalues of similarities below this share of the largest one are rounding error."""


def mine(
    label_set: LabelSet, evidence: Mapping[str, Evidence], model: str, max_neighbours: int = MAX_NEIGHBOURS
) -> Dictionary:
    """The dictionary of a label set from evidence by kind.

    Every label gets its nearest neighbours down to the cut-off (see `cut`): at least one if there is another label, at
    most `max_neighbours`. Labels that differ only in case, width or blanks are spellings of one label and are never
    neighbours of each other. The labels next in score follow in `below_cut`, MAX_RANKED labels in all. Raises
    ValueError if the number of vectors of a kind is not the number of labels.
    """
    labels = label_set.labels
    for kind, item in evidence.items():
        if len(item.rows) != len(labels):
            raise ValueError(f"{len(labels)} labels, but {len(item.rows)} vectors of {kind}")
    spelling = [folded(label.name) for label in labels]
    spellings = max(Counter(spelling).values(), default=1) - 1
    ranked = max(MAX_RANKED, max_neighbours + 1)
    scaled = {kind: scale(item) for kind, item in evidence.items()}
    scaled = {kind: (rows, mean) for kind, (rows, mean) in scaled.items() if rows.any()}
    vectors = np.hstack([rows for rows, _ in scaled.values()]) if scaled else np.zeros((len(labels), 1), np.float32)
    ends = np.cumsum([rows.shape[1] for rows, _ in scaled.values()])[:-1]
    columns = np.split(vectors, ends, axis=1)  # views, so that the rows are in memory only once
    scaled = {kind: (rows, mean) for (kind, (_, mean)), rows in zip(scaled.items(), columns, strict=False)}
    scores, ids = neighbours(second_order(vectors), ranked + spellings)
    rankings = {}
    for row, label in enumerate(labels):
        others = [
            other
            for other in zip(ids[row].tolist(), scores[row].tolist(), strict=True)
            if spelling[other[0]] != spelling[row]
        ][:ranked]
        kept = cut([score for _, score in others], max_neighbours)
        reasons = evidence_above_mean(scaled, row, [other for other, _ in others[:kept]])
        near = tuple(
            Neighbour(labels[other].name, score, reason)
            for (other, score), reason in zip(others[:kept], reasons, strict=True)
        )
        rankings[label.name] = Ranking(
            near, tuple(Neighbour(labels[other].name, score) for other, score in others[kept:])
        )
    reliability = {kind: round(evidence[kind].reliability, 2) for kind in scaled}
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, model, rankings, reliability)


def drawn_at_random(dictionary: Dictionary, seed: int) -> Dictionary:
    """The dictionary with as many neighbours per label, drawn at random from the other labels, without scores.

    A draw depends on the seed, the source and the label. Spellings of one label are no neighbours, as in `mine`.
    """
    rankings = {}
    for label, ranking in dictionary.labels.items():
        others = (other for other in dictionary.labels if folded(other) != folded(label))
        order = drawn(others, seed_key(seed, dictionary.key, label))
        rankings[label] = Ranking(tuple(Neighbour(other) for other in order[: len(ranking.neighbours)]))
    return replace(dictionary, labels=rankings, evidence={})


def scale(evidence: Evidence) -> tuple[np.ndarray, float]:
    """Rows whose dot products have the reliability as their standard deviation, and the mean of these dot products."""
    rows, mean = standardise(evidence.rows)
    rows *= np.float32(evidence.reliability**0.5)
    return rows, mean * evidence.reliability


def evidence_above_mean(
    scaled: Mapping[str, tuple[np.ndarray, float]], row: int, others: list[int]
) -> list[dict[str, float]]:
    """For each of `others`, the kinds in which it is more similar to label `row` than the mean pair, strongest first,
    with the difference in standard deviations times reliability, to one decimal.
    """
    above = {
        kind: np.round(rows[others].astype(np.float64) @ rows[row] - mean, 1) for kind, (rows, mean) in scaled.items()
    }
    reasons = []
    for n in range(len(others)):
        positive = [(-float(points[n]), kind) for kind, points in above.items() if points[n] > 0]
        reasons.append({kind: -points for points, kind in sorted(positive)})
    return reasons


def second_order(vectors: np.ndarray) -> np.ndarray:
    """Rows whose dot products are the second-order similarities; float32, as many rows as `vectors`.

    With more labels than dimensions, the rows of the similarity matrix V Vᵀ are not computed: their dot products are
    those of the rows of V (Vᵀ V)^½, so the cost is linear in the labels. In the basis of the eigenvectors the columns
    are ordered by weight. All but MAX_DIMENSIONS of them are dropped, and so are columns of rounding error, because
    products of such small numbers are several times slower.
    """
    n, dimensions = vectors.shape
    if n <= dimensions:
        vectors = centre(np.asarray(vectors, np.float64))
        rows = vectors @ vectors.T
    else:
        mean = vectors.mean(axis=0, dtype=np.float64)
        gram = np.zeros((dimensions, dimensions))
        for block in blocks(vectors):
            part = unit(vectors[block] - mean)
            gram += part.T @ part
        values, basis = np.linalg.eigh(gram)
        values = np.clip(values, 0, None)
        axes = np.flatnonzero(values >= ROUNDING * values[-1])[-MAX_DIMENSIONS:]
        basis = basis[:, axes] * np.sqrt(values[axes])
        rows = np.empty((n, len(axes)))
        for block in blocks(vectors):
            rows[block] = unit(vectors[block] - mean) @ basis
    rows = unit(rows, rows)
    return centre(rows, rows).astype(np.float32)


def cut(scores: list[float], max_neighbours: int) -> int:
    """How many of the scores (best first) are above the cut-off, at most `max_neighbours`.

    The cut-off splits the first `max_neighbours` + 1 scores into two groups with the greatest variance between them
    (Otsu 1979, "A Threshold Selection Method from Gray-Level Histograms"). Of equally good cut-offs the highest is
    used. A single score is above the cut-off.
    """
    points = np.rint(np.array(scores[: max_neighbours + 1]) * 10**DECIMALS).astype(np.int64)
    n = len(points)
    if n < 2:
        return n
    above = np.arange(1, n)
    # In integers: n² n_above n_below (mean_above − mean_below)² = (n · sum_above − n_above · sum)² n² / (…)
    sums = np.cumsum(points)[:-1]
    between = (n * sums - above * points.sum()) ** 2 / (above * (n - above))
    return int(np.argmax(between)) + 1
