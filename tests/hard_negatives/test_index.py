"""Nearest neighbours agree with brute force, with ties in the order of rows."""

import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives.index import neighbours

ROOT = Path(__file__).resolve().parents[2]


def brute_force(vectors: np.ndarray, k: int) -> tuple[list, list]:
    """All pairs in plain Python, ordered by score rounded to 4 decimals, then by row."""
    scores, ids = [], []
    for row, vector in enumerate(vectors.astype(float)):
        others = [(-round(float(vector @ other), 4), i) for i, other in enumerate(vectors.astype(float)) if i != row]
        best = sorted(others)[:k]
        scores.append([-score for score, _ in best])
        ids.append([i for _, i in best])
    return scores, ids


def random_units(seed: int, n: int, d: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def assert_same(vectors, k):
    scores, ids = neighbours(vectors, k)
    expected_scores, expected_ids = brute_force(vectors, k)
    assert ids.tolist() == expected_ids
    assert scores == pytest.approx(np.array(expected_scores).reshape(scores.shape), abs=1e-9)


@pytest.mark.parametrize(("n", "d", "k"), [(700, 16, 5), (60, 384, 50), (90, 2, 10), (5, 3, 4), (2, 3, 9)])
def test_neighbours_agree_with_brute_force(n, d, k):
    assert_same(random_units(7, n, d), k)


@settings(max_examples=40)
@given(st.integers(0, 9), st.integers(2, 80), st.integers(1, 6), st.integers(1, 12))
def test_many_ties_agree_with_brute_force(seed, n, kinds, k):
    """Many rows but few distinct vectors: more equal scores than fetched candidates."""
    rows = np.random.default_rng(seed).integers(0, kinds, n)
    assert_same(random_units(seed, kinds, 4)[rows], k)


def test_ties_are_in_row_order():
    square = np.array([[1, 0], [0, 1], [0, 1], [0.6, 0.8], [0.6, 0.8]], np.float32)
    scores, ids = neighbours(square, 3)
    assert ids[0].tolist() == [3, 4, 1]
    assert scores[0].tolist() == [0.6, 0.6, 0.0]
    assert ids[4].tolist() == [3, 1, 2]
    assert scores[4].tolist() == [1.0, 0.8, 0.8]


def test_scores_equal_after_rounding_are_ties():
    angles = np.array([0, 0.50002, 0.50000])  # cosines 0.87757 and 0.87758: the more distant row is first
    scores, ids = neighbours(np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32), 2)
    assert scores[0].tolist() == [0.8776, 0.8776]
    assert ids[0].tolist() == [1, 2]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_have_no_neighbours(n):
    scores, ids = neighbours(random_units(1, n, 3), 5)
    assert scores.shape == ids.shape == (n, 0)


def test_zero_vectors_have_neighbours_with_score_zero():
    scores, ids = neighbours(np.zeros((3, 4), np.float32), 1)
    assert scores.tolist() == [[0], [0], [0]] and ids.tolist() == [[1], [0], [0]]


def test_the_number_of_threads_does_not_change_the_bytes():
    vectors = random_units(3, 1500, 96)
    results = []
    before = faiss.omp_get_max_threads()
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        results.append([part.tobytes() for part in neighbours(vectors, 20)])
    faiss.omp_set_num_threads(before)
    assert results[0] == results[1]


def test_import_does_not_load_beam_or_torch():
    code = "import sys, hard_negatives.mine; print({'torch', 'apache_beam'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
