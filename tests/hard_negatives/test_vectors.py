"""Centring, standardising and agreement of label vectors, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives import vectors as vectors_module
from hard_negatives.vectors import agreement, centre, standardise, unit


def test_standardise_by_hand():
    # Centred, with length 1: two at (1, -1)/√2, two opposite. Of the 6 pairs 2 are 1 and 4 are -1,
    # so the mean is -1/3 and the standard deviation √(1 - 1/9) = √8/3
    rows, mean = standardise(np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32))
    assert mean == pytest.approx(-(1 / 3) / (np.sqrt(8) / 3), abs=1e-6)
    assert (rows @ rows.T)[0].tolist() == pytest.approx([3 / np.sqrt(8)] * 2 + [-3 / np.sqrt(8)] * 2, abs=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 99), st.integers(3, 30), st.integers(1, 40), st.integers(0, 3))
def test_standardised_similarities_have_deviation_one(seed, n, d, silent):
    vectors = np.random.default_rng(seed).normal(size=(n + silent, d))
    vectors[n:] = 0
    rows, mean = standardise(vectors)
    assert rows.shape == vectors.shape and not rows[n:].any()
    similarity = rows[:n].astype(float) @ rows[:n].T
    pair_similarities = similarity[~np.eye(n, dtype=bool)]
    if rows.any():
        assert pair_similarities.std() == pytest.approx(1, abs=1e-3)
        assert pair_similarities.mean() == pytest.approx(mean, abs=1e-3)
    else:
        assert np.ptp(pair_cosines(vectors[:n])) < 1e-5


def pair_cosines(vectors: np.ndarray) -> np.ndarray:
    rows = centre(vectors)
    return (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]


@pytest.mark.parametrize("rows", [np.ones((4, 3)), np.eye(4), np.zeros((4, 3)), np.eye(2)])
def test_constant_evidence_becomes_zeros(rows):
    assert not standardise(rows)[0].any()


def test_agreement_by_hand():
    # Three centred labels on a circle. Evenly spread, their similarities are (-1/2, -1/2, -1/2), which are constant and
    # agree with nothing; two labels far from a third agree with themselves
    angles = np.array([0, 2, 4]) * np.pi / 3
    even = np.column_stack([np.cos(angles), np.sin(angles)])
    apart = np.array([[1, 0.1], [1, -0.1], [-1, 0]])
    assert agreement(even, apart) == 0
    assert agreement(apart, apart) == pytest.approx(1)
    assert agreement(apart, 5 * apart) == pytest.approx(1)
    assert agreement(apart, apart[[2, 1, 0]]) == 0  # a negative correlation counts as 0


def test_agreement_needs_three_labels_with_both_kinds():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 4))
    other = rows.copy()
    other[2:] = 0
    assert agreement(rows, other) == agreement(rows[:2], rows[:2]) == agreement(rows[:0], rows[:0]) == 0
    other[2] = rows[2]
    assert agreement(rows, other) == pytest.approx(1)


def test_noise_agrees_with_nothing_and_signal_with_itself(monkeypatch):
    rng = np.random.default_rng(0)
    signal, noise = rng.normal(size=(60, 30)), [rng.normal(size=(60, 30)) for _ in range(2)]
    assert agreement(*noise) < 0.1
    # Half of each vector's variance is signal, so a quarter of that of a product of two
    assert 0.15 < agreement(signal + noise[0], signal + noise[1]) < 0.35
    monkeypatch.setattr(vectors_module, "AGREEMENT_LABELS", 20)
    assert agreement(signal, signal + 0.1 * noise[0]) > 0.9
    assert agreement(signal + noise[0], signal + noise[1]) == pytest.approx(
        np.corrcoef(pairs(signal[::3] + noise[0][::3]), pairs(signal[::3] + noise[1][::3]))[0, 1]
    )


def pairs(rows: np.ndarray) -> np.ndarray:
    rows = centre(rows)
    return np.array([rows[a] @ rows[b] for a in range(len(rows)) for b in range(a)])


@pytest.mark.parametrize("n", [0, 1, 3, 7])
def test_blocks_of_rows_do_not_change_the_result(monkeypatch, n):
    vectors = np.random.default_rng(n).normal(size=(n, 5))
    vectors[n // 2 :: 4] = 0
    expected = unit(vectors), centre(vectors), standardise(vectors)
    monkeypatch.setattr(vectors_module, "BLOCK", 3)
    assert np.array_equal(unit(vectors), expected[0]) and np.array_equal(centre(vectors), expected[1])
    assert np.array_equal(standardise(vectors)[0], expected[2][0])
    assert np.array_equal(unit(vectors.copy(), out := vectors.copy()), expected[0]) and np.array_equal(out, expected[0])
