import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.draw import MASK, PURPOSES, drawn, key_array, nth_key, purpose_key, seed_key, seed_keys


def test_keys_equal_the_published_splitmix64_outputs():
    # The reference outputs for seed 1234567 that test suites of SplitMix64 implementations use.
    assert [nth_key(1234567, n) for n in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_seed_key_is_blake2b_over_the_parts_joined_by_nul():
    digest = hashlib.blake2b(b"7\x00made/train/0\x00NER", digest_size=8).digest()
    assert seed_key(7, "made/train/0", "NER") == int.from_bytes(digest, "little")
    # As `b2sum -l 64` prints it (30 bb 91 79 82 47 68 ca), read little-endian.
    assert seed_key(42, "数据/train/3", "RE") == 0xCA6847827991BB30
    assert seed_keys(42, ["数据/train/3", "a"], "RE").tolist() == [0xCA6847827991BB30, seed_key(42, "a", "RE")]


def test_each_purpose_has_a_different_key():
    key = seed_key(7, "made/train/0", "NER")
    assert purpose_key(1234567, "order") == 3203168211198807973
    assert len({purpose_key(key, purpose) for purpose in PURPOSES}) == len(PURPOSES) == 7


def test_candidates_are_drawn_in_order_of_their_keys():
    # Key 1234567 gives the sorted candidates the keys above: the second is smallest, then 4th, 1st, 3rd, 5th.
    assert drawn(["e", "c", "a", "d", "b"], 1234567) == ["b", "d", "a", "c", "e"]
    assert drawn([], 1234567) == []


@given(st.lists(st.integers(0, MASK), min_size=1, max_size=5))
def test_numpy_gives_the_same_keys(keys):
    table = key_array(np.array(keys, np.uint64)[:, None], np.arange(50))
    assert table.tolist() == [[nth_key(key, number) for number in range(50)] for key in keys]


@given(st.lists(st.text(), unique=True, max_size=30), st.integers(0, MASK), st.randoms(use_true_random=False))
def test_a_draw_does_not_depend_on_the_candidate_order(candidates, key, random):
    order = drawn(candidates, key)
    assert sorted(order) == sorted(candidates)
    random.shuffle(candidates)
    assert drawn(candidates, key) == order


def test_every_candidate_is_drawn_about_equally_often():
    first = [drawn("abcde", purpose_key(seed_key(0, f"made/train/{n}", "NER"), "labels"))[0] for n in range(5000)]
    assert all(900 < first.count(letter) < 1100 for letter in "abcde")
