"""A label set and a vector for each label → its hard-negative dictionary.

Two labels are confused when they stand in the same place among all labels of the set, so the score is a
second-order similarity: the cosine of the rows of the similarity matrix, each row and the vectors before it taken
less their mean over the set (what all labels share tells none apart).
"""

import unicodedata
from collections import Counter

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.index import DECIMALS, neighbours
from schemas.errors import SourceError
from schemas.label import Label, LabelSet

MAX_NEIGHBOURS = 20
MAX_RANKED = 50


def texts(label_set: LabelSet) -> list[str]:
    """What is embedded for each label, in the set's order.

    Raises SourceError where a name is empty (no prompt could ask for it) or stands twice.
    """
    names = Counter(label.name for label in label_set.labels)
    for label in label_set.labels:
        if not label.name.strip():
            raise SourceError(f"{label_set.key}: a {label_set.task} label has an empty name; give it one")
        if names[label.name] > 1:
            raise SourceError(f"{label_set.key}: {label_set.task} label {label.name[:80]!r} stands twice; keep one")
    return [text(label) for label in label_set.labels]


def text(label: Label) -> str:
    """`name: description (role, role)`; the name of a typed label is its three parts."""
    parts = (label.subject_type, label.predicate, label.object_type)
    name = " ".join(part for part in parts if part) if label.predicate else label.name
    described = f"{name}: {label.description}" if label.description else name
    return f"{described} ({', '.join(label.roles)})" if label.roles else described


def mine(label_set: LabelSet, vectors: np.ndarray, model: str, max_neighbours: int = MAX_NEIGHBOURS) -> Dictionary:
    """The dictionary of a label set from unit vectors (n, d) in the order of its labels, embedded by `model`.

    Every label gets its nearest neighbours down to the largest drop in score (see `cut`): at least one where there
    is another label, at most `max_neighbours`. Labels that differ only in case, width or blanks are one label
    written twice: no neighbours of each other. The labels next in score, MAX_RANKED in all, stand below the cut.
    """
    labels = label_set.labels
    if len(vectors) != len(labels):
        raise ValueError(f"{len(labels)} labels, but {len(vectors)} vectors")
    folded = [" ".join(unicodedata.normalize("NFKC", label.name).casefold().split()) for label in labels]
    twins = max(Counter(folded).values(), default=1) - 1
    ranked = max(MAX_RANKED, max_neighbours + 1)
    scores, ids = neighbours(second_order(vectors), ranked + twins)
    rankings = {}
    for row, label in enumerate(labels):
        others = [
            Neighbour(labels[other].name, float(score))
            for score, other in zip(scores[row], ids[row].tolist(), strict=True)
            if folded[other] != folded[row]
        ][:ranked]
        kept = cut([other.score for other in others], max_neighbours)
        rankings[label.name] = Ranking(tuple(others[:kept]), tuple(others[kept:]))
    return Dictionary(label_set.task, label_set.key, label_set.source, label_set.lang, model, rankings)


def second_order(vectors: np.ndarray) -> np.ndarray:
    """Rows whose dot products are the second-order similarities; float32, shape (n, min(n, d)).

    For more labels than dimensions the rows of the similarity matrix V Vᵀ are not needed: their dot products are
    those of the rows of V (Vᵀ V)^½, so the cost is linear in the labels.
    """
    vectors = centred(np.asarray(vectors, np.float64))
    n, dimensions = vectors.shape
    if n <= dimensions:
        rows = vectors @ vectors.T
    else:
        values, basis = np.linalg.eigh(vectors.T @ vectors)
        rows = vectors @ (basis * np.sqrt(np.clip(values, 0, None))) @ basis.T
    return centred(unit(rows)).astype(np.float32)


def centred(rows: np.ndarray) -> np.ndarray:
    """Rows less their mean, of length 1."""
    return unit(rows - rows.mean(axis=0)) if len(rows) else rows


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row that is nothing but rounding error becomes zeros."""
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6)


def cut(scores: list[float], max_neighbours: int) -> int:
    """How many of the scores (best first) are neighbours: all before the largest drop, `max_neighbours` at most.

    The first of equal drops counts. One score is one neighbour.
    """
    points = np.rint(np.array(scores[: max_neighbours + 1]) * 10**DECIMALS).astype(np.int64)
    if len(points) < 2:
        return len(points)
    return int(np.argmax(points[:-1] - points[1:])) + 1
