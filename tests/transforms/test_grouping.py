"""Batches of neighbours: what they hold, and that they do not show whether a positive label is among them."""

from collections.abc import Sequence

import numpy as np
import pytest

from schemas.label import Label, typed_label
from transforms import prompts
from transforms.ask import AskOptions, AskSpec, LabelBatches, ask, ask_spec
from transforms.draw import seed_key

PROMPTS = prompts.load()
FAMILIES, MEMBERS = 8, 5
NAMES = [f"{family}{member}" for family in "abcdefgh" for member in range(MEMBERS)]
MARGIN = 0.02
"""A difference of AUCs that chance explains: with the rows of 3,000 texts their standard error is below 0.01."""


def near(name: str) -> list[str]:
    """The labels of the same family."""
    return [other for other in NAMES if other[0] == name[0] and other != name]


def spec(order: str, labels: Sequence[Label] | None = None, task: str = "RE") -> AskSpec:
    labels = labels or [Label(name) for name in NAMES]
    dictionary = {label.name: near(label.predicate or label.name) for label in labels}
    return ask_spec(task, labels, dictionary, PROMPTS, AskOptions(order=order))


def positive_labels(texts: int, share_without: float, seed: int = 0) -> np.ndarray:
    """Which labels each text has: none in a share of texts, else one to three, drawn independently of likeness."""
    random = np.random.default_rng(seed)
    counts = np.where(random.random(texts) < share_without, 0, random.integers(1, 4, texts))
    return random.random((texts, len(NAMES))).argsort(axis=1) < counts[:, None]


def batches_of(positive: np.ndarray, how: AskSpec) -> LabelBatches:
    keys = np.array([seed_key(42, f"made/train/{n}", how.task) for n in range(len(positive))], np.uint64)
    return ask(positive, None, keys, how, test=False)


def row_flags(batches: LabelBatches, flags: np.ndarray) -> np.ndarray:
    """Per row, the labels with a flag, shape (rows, labels)."""
    asked_labels = np.zeros((len(batches.example), len(NAMES)), bool)
    asked_labels[batches.row[flags], batches.label[flags]] = True
    return asked_labels


def betrayal(order: str, share_without: float) -> float:
    """How well a classifier that sees only the labels of batches tells which of them hold a positive one (AUC)."""
    from benchmarks.betrayal import LabelRows  # with scikit-learn, which takes seconds to import

    batches = batches_of(positive_labels(6_000, share_without), spec(order))
    near_labels = np.array([[other in near(name) for other in NAMES] for name in NAMES], np.float32)
    every = np.ones(len(batches.label), bool)
    rows = LabelRows(row_flags(batches, every), row_flags(batches, batches.positive), batches.example, near_labels)
    return rows.auc(rows.positive)


@pytest.mark.parametrize("share_without", [0, 0.4])
def test_likeness_betrays_no_positive_label(share_without):
    assert betrayal("grouped", share_without) <= betrayal("shuffled", share_without) + MARGIN


def share_beside(order: str) -> float:
    """The share of positive labels with a label of their family in their row."""
    batches = batches_of(positive_labels(2_000, 0.2), spec(order))
    labels = row_flags(batches, np.ones(len(batches.label), bool))
    row, label = np.nonzero(row_flags(batches, batches.positive))
    members = labels.reshape(len(labels), FAMILIES, MEMBERS).sum(axis=2)
    return float((members[row, label // MEMBERS] > 1).mean())


def test_positive_labels_meet_their_neighbours():
    assert share_beside("shuffled") < 0.7
    assert share_beside("grouped") > 0.8  # a batch of four leaves out one label of a family of five


def test_a_batch_takes_the_labels_with_most_neighbours_in_it():
    labels = [Label(name) for name in ("a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3")]
    positive = np.zeros((20, len(labels)), bool)
    positive[:, 0] = True
    batches = batches_of(positive, spec("grouped", labels))
    rows = {tuple(sorted(labels[n].name for n in batches.label[batches.row == row])) for row in np.unique(batches.row)}
    assert rows == {("a0", "a1", "a2", "a3"), ("b0", "b1", "b2", "b3")}


def test_a_batch_of_neighbours_repeats_no_predicate():
    labels = sorted(
        (typed_label(head, name, "x") for name in ("a0", "a1", "b0", "b1") for head in "pqr"), key=lambda one: one.name
    )
    positive = np.zeros((20, len(labels)), bool)
    positive[np.arange(20), np.arange(20) % len(labels)] = True
    batches = batches_of(positive, spec("grouped", labels, "SPO"))
    for row in np.unique(batches.row):
        predicates = [labels[n].predicate for n in batches.label[batches.row == row]]
        assert len(set(predicates)) == len(predicates)


def test_positive_labels_are_at_any_place_of_their_batch():
    batches = batches_of(positive_labels(6_000, 0), spec("grouped"))
    start = np.r_[0, np.cumsum(batches.lengths)][batches.row]
    full = batches.lengths[batches.row] == 4
    place = (np.arange(len(batches.label)) - start)[full & batches.positive]
    shares = np.bincount(place, minlength=4) / len(place)
    assert shares == pytest.approx(np.full(4, 0.25), abs=0.02)


def test_test_rows_and_event_arguments_are_not_grouped():
    labels = [Label(name, roles=("role",)) for name in NAMES]
    positive = positive_labels(50, 0)
    for task, test in (("EEA", False), ("EE", True)):
        keys = np.arange(50, dtype=np.uint64)
        made = [ask(positive, None, keys, spec(order, labels, task), test) for order in ("grouped", "shuffled")]
        assert all(np.array_equal(a.label, b.label) and np.array_equal(a.row, b.row) for a, b in [made])
