"""Labels that test rows ask for → the most similar labels that train rows of the same task ask for.

The similarity of two labels is the cosine of the vectors of their names, descriptions and roles, after the mean of all
labels of their language was subtracted: what all labels share, such as the language, makes none familiar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hard_negatives.evidence import text
from hard_negatives.vectors import blocks, centre_nonzero
from schemas.example import TASKS
from schemas.familiarity import Familiarity, LabelFamiliarity, TrainingLabel
from schemas.label import Label, LabelSet
from transforms.normal_forms import folded

NEAREST = 3
"""The number of training labels that are listed for a label."""

DECIMALS = 3

Vectors = Mapping[str, np.ndarray]
"""The `evidence.text` of a label → its vector."""


@dataclass(frozen=True)
class AskedLabels:
    """A label set, and the names of its labels that train and test rows ask for, and those that are `held_out`."""

    label_set: LabelSet
    train: frozenset[str]
    test: frozenset[str]
    held_out: frozenset[str] = frozenset()

    def annotations(self, name: str, split: str) -> int:
        return self.label_set.counts.get(name, {}).get(split, 0)


def centred_by_language(label_sets: Sequence[AskedLabels], vectors: Vectors) -> dict[tuple[str, str], np.ndarray]:
    """(language, text of a label) → its unit vector, minus the mean of the different texts of the language."""
    texts: dict[str, set[str]] = {}
    for entry in label_sets:
        texts.setdefault(entry.label_set.lang, set()).update(map(text, entry.label_set.labels))
    centred = {}
    for lang, different in sorted(texts.items()):
        ordered = sorted(different)
        rows = centre_nonzero(np.stack([vectors[one] for one in ordered])).astype(np.float32)
        centred.update({(lang, one): row for one, row in zip(ordered, rows, strict=True)})
    return centred


def familiarity(label_sets: Sequence[AskedLabels], vectors: Vectors, near: float) -> list[LabelFamiliarity]:
    """One item for each label that test rows ask for, sorted as in `FamiliarityReport`. `near`: the least similarity of
    a label that is near.
    """
    label_sets = [entry for entry in label_sets if entry.label_set.labels]
    centred = centred_by_language(label_sets, vectors)
    items = []
    for task in TASKS:
        group = [entry for entry in label_sets if entry.label_set.task == task]
        items += familiarity_in_task(group, centred, near)
    return sorted(items, key=lambda item: (item.key, TASKS.index(item.task), not item.held_out, item.label))


def stacked(pairs: Sequence[tuple[AskedLabels, Label]], centred: Mapping[tuple[str, str], np.ndarray]) -> np.ndarray:
    return np.stack([centred[entry.label_set.lang, text(label)] for entry, label in pairs])


def familiarity_in_task(
    label_sets: Sequence[AskedLabels], centred: Mapping[tuple[str, str], np.ndarray], near: float
) -> list[LabelFamiliarity]:
    train = [(entry, label) for entry in label_sets for label in entry.label_set.labels if label.name in entry.train]
    test = [(entry, label) for entry in label_sets for label in entry.label_set.labels if label.name in entry.test]
    train.sort(key=lambda pair: pair[1].name)
    first: dict[str, int] = {}
    for number, (_, label) in enumerate(train):
        first.setdefault(label.name, number)
    names, starts = list(first), list(first.values())
    if not test or not names:
        return [item(entry, label, [], near) for entry, label in test]
    ends = [*starts[1:], len(train)]
    spellings = np.array(list(map(folded, names)), object)
    training, asked_rows = stacked(train, centred), stacked(test, centred)
    items = []
    for block in blocks(asked_rows):
        cosines = (asked_rows[block] @ training.T).astype(np.float64)
        similarities = np.maximum.reduceat(cosines, starts, axis=1).round(DECIMALS) + 0.0  # no -0.0
        for (entry, label), similarity in zip(test[block], similarities, strict=True):
            is_same = spellings == folded(label.name)
            similarity = np.where(is_same, 1.0, similarity)
            nearest = np.argsort(-similarity - 2 * is_same, kind="stable")[:NEAREST]
            neighbours = [
                training_label(names[n], float(similarity[n]), train[starts[n] : ends[n]]) for n in nearest.tolist()
            ]
            items.append(item(entry, label, neighbours, near))
    return items


def training_label(name: str, similarity: float, pairs: Sequence[tuple[AskedLabels, Label]]) -> TrainingLabel:
    """`pairs`: the labels of this name that train rows ask for, with their label sets."""
    annotations = sum(entry.annotations(name, "train") for entry, _ in pairs)
    return TrainingLabel(name, similarity, annotations, tuple(sorted(entry.label_set.key for entry, _ in pairs)))


def item(entry: AskedLabels, label: Label, nearest: Sequence[TrainingLabel], near: float) -> LabelFamiliarity:
    kind: Familiarity = "unseen"
    if nearest and folded(nearest[0].label) == folded(label.name):
        kind = "seen"
    elif nearest and nearest[0].similarity >= near:
        kind = "near"
    return LabelFamiliarity(
        entry.label_set.key,
        entry.label_set.task,
        label.name,
        kind,
        label.name in entry.held_out,
        entry.annotations(label.name, "test"),
        tuple(nearest),
    )
