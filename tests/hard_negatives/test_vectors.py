import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives import vectors as rows_of
from hard_negatives.vectors import agreement, centred, standardised, unit


def test_standardised_by_hand():
    # Less their mean (1/2, 1/2), of length 1: two at (1, -1)/√2, two opposite. Of the 6 pairs 2 are 1 and 4 are -1,
    # so the mean is -1/3 and the standard deviation √(1 - 1/9) = √8/3
    rows, mean = standardised(np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32))
    assert mean == pytest.approx(-(1 / 3) / (np.sqrt(8) / 3), abs=1e-6)
    assert (rows @ rows.T)[0].tolist() == pytest.approx([3 / np.sqrt(8)] * 2 + [-3 / np.sqrt(8)] * 2, abs=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 99), st.integers(3, 30), st.integers(1, 40), st.integers(0, 3))
def test_standardised_has_a_deviation_of_one(seed, n, d, silent):
    vectors = np.random.default_rng(seed).normal(size=(n + silent, d))
    vectors[n:] = 0
    rows, mean = standardised(vectors)
    assert rows.shape == vectors.shape and not rows[n:].any()
    likeness = rows[:n].astype(float) @ rows[:n].T
    of_pairs = likeness[~np.eye(n, dtype=bool)]
    if rows.any():
        assert of_pairs.std() == pytest.approx(1, abs=1e-3)
        assert of_pairs.mean() == pytest.approx(mean, abs=1e-3)
    else:
        assert np.ptp(unit_likeness(vectors[:n])) < 1e-5


def unit_likeness(vectors: np.ndarray) -> np.ndarray:
    rows = centred(vectors)
    return (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]


@pytest.mark.parametrize("rows", [np.ones((4, 3)), np.eye(4), np.zeros((4, 3)), np.eye(2)])
def test_evidence_that_tells_no_two_apart_counts_nothing(rows):
    assert not standardised(rows)[0].any()


def test_agreement_by_hand():
    # Three labels on a circle, less their mean: the pairs' similarities are (-1/2, -1/2, -1/2) where they are spread
    # evenly, so these agree with nothing; a pair that stands apart from a third agrees with itself
    angles = np.array([0, 2, 4]) * np.pi / 3
    even = np.column_stack([np.cos(angles), np.sin(angles)])
    apart = np.array([[1, 0.1], [1, -0.1], [-1, 0]])
    assert agreement(even, apart) == 0
    assert agreement(apart, apart) == pytest.approx(1)
    assert agreement(apart, 5 * apart) == pytest.approx(1)
    assert agreement(apart, apart[[2, 1, 0]]) == 0  # says the opposite: counts nothing, not less


def test_agreement_needs_three_labels_of_which_both_speak():
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
    monkeypatch.setattr(rows_of, "COMPARED", 20)
    assert agreement(signal, signal + 0.1 * noise[0]) > 0.9
    assert agreement(signal + noise[0], signal + noise[1]) == pytest.approx(
        np.corrcoef(pairs(signal[::3] + noise[0][::3]), pairs(signal[::3] + noise[1][::3]))[0, 1]
    )


def pairs(rows: np.ndarray) -> np.ndarray:
    rows = centred(rows)
    return np.array([rows[a] @ rows[b] for a in range(len(rows)) for b in range(a)])


@pytest.mark.parametrize("n", [0, 1, 3, 7])
def test_blocks_of_rows_give_what_all_rows_at_once_do(monkeypatch, n):
    vectors = np.random.default_rng(n).normal(size=(n, 5))
    vectors[n // 2 :: 4] = 0
    whole = unit(vectors), centred(vectors), standardised(vectors)
    monkeypatch.setattr(rows_of, "BLOCK", 3)
    assert np.array_equal(unit(vectors), whole[0]) and np.array_equal(centred(vectors), whole[1])
    assert np.array_equal(standardised(vectors)[0], whole[2][0])
    assert np.array_equal(unit(vectors.copy(), out := vectors.copy()), whole[0]) and np.array_equal(out, whole[0])
