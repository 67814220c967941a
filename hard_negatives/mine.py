"""A label set and vectors for each kind of evidence → its hard-negative dictionary.

Every kind counts as far as it is reliable: its vectors are centred (what all labels share tells none apart) and scaled
so that the similarities of different labels have a standard deviation of 1; these, times the reliability of the kind,
add up to the similarity of two labels. There is nothing to tune.
Labels are confused when they stand in the same place among all labels of the set, so the score is a second-order
similarity: the cosine of the rows of the similarity matrix.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.evidence import Evidence
from hard_negatives.index import DECIMALS, neighbours
from hard_negatives.vectors import blocks, centred, standardised, unit
from schemas.label import LabelSet
from transforms.normal_forms import normalize

MAX_NEIGHBOURS = 20
MAX_RANKED = 50

MAX_DIMENSIONS = 1024
"""Where there are more labels than dimensions and more of both than this, scores come from the first principal axes
of the rows, so that 30 000 labels stay a matter of seconds whatever the number of kinds."""

ROUNDING = 1e-12
"""Below this share of the greatest eigenvalue, float64 eigenvalues of similarities say nothing."""


def mine(
    label_set: LabelSet, evidence: Mapping[str, Evidence], model: str, max_neighbours: int = MAX_NEIGHBOURS
) -> Dictionary:
    """The dictionary of a label set from evidence by kind.

    Every label gets its nearest neighbours down to the cut (see `cut`): at least one where there is another label, at
    most `max_neighbours`. Labels that differ only in case, width or blanks are one label written twice: no neighbours
    of each other. The labels next in score, MAX_RANKED in all, stand below the cut.
    """
    labels = label_set.labels
    for kind, found in evidence.items():
        if len(found.rows) != len(labels):
            raise ValueError(f"{len(labels)} labels, but {len(found.rows)} vectors of {kind}")
    folded = [" ".join(normalize("NFKC", label.name).casefold().split()) for label in labels]
    twins = max(Counter(folded).values(), default=1) - 1
    ranked = max(MAX_RANKED, max_neighbours + 1)
    scaled = {kind: weighted(found) for kind, found in evidence.items()}
    scaled = {kind: (rows, mean) for kind, (rows, mean) in scaled.items() if rows.any()}
    vectors = np.hstack([rows for rows, _ in scaled.values()]) if scaled else np.zeros((len(labels), 1), np.float32)
    ends = np.cumsum([rows.shape[1] for rows, _ in scaled.values()])[:-1]
    columns = np.split(vectors, ends, axis=1)  # views: the rows need not be held twice
    scaled = {kind: (rows, mean) for (kind, (_, mean)), rows in zip(scaled.items(), columns, strict=False)}
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
    reliability = {kind: round(evidence[kind].reliability, 2) for kind in scaled}
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, model, rankings, reliability)


def weighted(found: Evidence) -> tuple[np.ndarray, float]:
    """Rows whose dot products have the reliability as their standard deviation, and the mean of these."""
    rows, mean = standardised(found.rows)
    rows *= np.float32(found.reliability**0.5)
    return rows, mean * found.reliability


def spoken_for(scaled: Mapping[str, tuple[np.ndarray, float]], row: int, others: list[int]) -> list[dict[str, float]]:
    """For each of `others` the kinds that find it nearer to label `row` than the mean pair, in standard deviations
    times reliability to one decimal, the strongest first.
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
    stand in the order of their weight; beyond MAX_DIMENSIONS they are dropped, and so are those that are nothing but
    rounding error: products of such small numbers take a processor several times as long.
    """
    n, dimensions = vectors.shape
    if n <= dimensions:
        vectors = centred(np.asarray(vectors, np.float64))
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
    return centred(rows, rows).astype(np.float32)


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
