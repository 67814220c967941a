"""Shingles and anchors: the hashes of many texts at a time agree with the definitions for one text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.anchors import FEWEST_BYTES, GRAM, WINDOW, anchors
from transforms.decontaminate import squeezed
from transforms.scripts import tokens
from transforms.shingles import (
    PERMUTATIONS,
    RECALL,
    ShingleSets,
    band_hashes,
    bands,
    folded,
    jaccard,
    shingle_hashes,
    shingles,
    unique_hashes,
)

PIECES = (
    "ab", "Cd", "_", " ", " ", "\n", ",", "中", "文", "，", "ก", "\u0e31", "े", "\u0301", "\u200d", "é", "İ", "２", "क",
    "😀", "\U000e0100", "ﬁ", "한",
)  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.text(max_size=30))


@given(st.lists(TEXTS, max_size=5))
def test_hashes_are_those_of_the_shingles(texts):
    hashes, counts, lengths = shingle_hashes(texts)
    ends = np.cumsum(counts)
    assert lengths.tolist() == [len(tokens(folded(text))) for text in texts]
    assert len(hashes) == counts.sum()
    for text, end, count in zip(texts, ends.tolist(), counts.tolist(), strict=True):
        distinct = set(hashes[end - count : end].tolist())
        assert len(distinct) == len(shingles(text))
        assert set(shingle_hashes([text])[0].tolist()) == distinct
    assert len(set(hashes.tolist())) == len(frozenset().union(*map(shingles, texts)))


@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS, st.data())
def test_many_texts_are_compared_by_their_hashes(texts, other, data):
    numbers = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, unique=True).map(sorted))
    indexes = ShingleSets(texts).jaccard(unique_hashes(other), np.array(numbers))
    assert indexes.tolist() == [jaccard(shingles(texts[number]), shingles(other)) for number in numbers]


def test_shingles_are_of_words_or_of_letters_without_blanks():
    assert shingles("The cat, the DOG - and") == {("the", "cat", "the"), ("cat", "the", "dog"), ("the", "dog", "and")}
    assert shingles("王芳去了港口。") == {tuple("王芳去了港"), tuple("芳去了港口")}
    assert shingles("OK 王芳") == shingles("") == shingles("Yes .") == frozenset()
    assert shingles("ａ b c") == shingles("A b C!")


@given(st.frozensets(st.integers(0, 9)), st.frozensets(st.integers(0, 9)))
def test_jaccard_is_symmetric_and_one_only_for_equal_sets(one, other):
    assert jaccard(one, other) == jaccard(other, one)
    assert (jaccard(one, other) == 1) == (one == other and bool(one))


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_bands_reach_the_recall(threshold):
    size = bands(threshold)
    assert 1 - (1 - threshold**size) ** (PERMUTATIONS // size) >= RECALL
    assert size == PERMUTATIONS or 1 - (1 - threshold ** (size + 1)) ** (PERMUTATIONS // (size + 1)) < RECALL


def test_equal_texts_have_equal_bands_and_others_none():
    hashes, counts, _ = shingle_hashes(["a b c d e f", "A b, c d e f!", "u v w x y z"])
    rows = band_hashes(hashes, np.cumsum(counts), 0.8)
    assert (rows[0] == rows[1]).all() and not (rows[0] == rows[2]).any()
    assert len(np.unique(rows[0])) == rows.shape[1]


BYTES = st.text("ab 王é", max_size=120).map(squeezed)


@given(BYTES, st.lists(BYTES, min_size=2, max_size=2))
def test_a_text_has_the_anchors_of_every_text_within_it(inner, around):
    outer = around[0] + inner + around[1]
    hashes, owners = anchors([inner, outer, inner])
    first, second, third = (set(hashes[owners == number].tolist()) for number in range(3))
    assert first <= second and first == third
    assert bool(first) == (len(inner) >= FEWEST_BYTES)


def test_anchors_are_the_least_hashes_of_the_windows():
    text = bytes(np.random.default_rng(0).integers(97, 123, 300, np.uint8))
    grams = [anchors([text[start : start + GRAM] * 40])[0] for start in range(3)]
    assert all(len(hashes) for hashes in grams)  # a periodic text has anchors too
    hashes, _ = anchors([text])
    assert len(text) / WINDOW <= len(hashes) <= 3 * len(text) / WINDOW
    windows = [anchors([text[start : start + FEWEST_BYTES]])[0] for start in range(len(text) - FEWEST_BYTES + 1)]
    assert all(len(window) == 1 for window in windows)
    assert set(np.concatenate(windows).tolist()) == set(hashes.tolist())


def test_long_texts_and_many_texts_are_hashed_in_chunks():
    long = "word " * 200_000
    texts = ["x y z " * 20, long, *(f"text {n} " * 30 for n in range(3_000))]
    hashes, counts, _ = shingle_hashes(texts)
    assert counts[1] == 199_998 and len(hashes) == counts.sum()
    _, owners = anchors([squeezed(text) for text in texts])
    assert (np.diff(owners) >= 0).all() and set(owners.tolist()) == set(range(len(texts)))
