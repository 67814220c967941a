import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.draw import GAMMA, MASK, drawn, keys, seed_key


def test_keys_are_the_published_outputs_of_splitmix64():
    # The reference outputs for seed 1234567 that implementations of SplitMix64 are checked against.
    assert keys(1234567, 5) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_seed_key_is_blake2b_of_the_four_joined_by_nul():
    digest = hashlib.blake2b(b"7\x00made/train/0\x00NER\x00order", digest_size=8).digest()
    assert seed_key(7, "made/train/0", "NER", "order") == int.from_bytes(digest, "little")
    # As `b2sum -l 64` prints it (ad b5 e6 54 18 ac 65 50), read little-endian.
    assert seed_key(42, "数据/train/3", "RE", "labels") == 0x5065AC1854E6B5AD


def test_candidates_are_drawn_by_their_keys():
    # Key 1234567 gives the sorted candidates the keys above: the second is smallest, then 4th, 1st, 3rd, 5th.
    assert drawn(["e", "c", "a", "d", "b"], 1234567) == ["b", "d", "a", "c", "e"]
    assert drawn([], 1234567) == []


def test_numpy_gives_the_same_keys():
    key, count = seed_key(1, "made/train/1", "EE", "labels"), 500
    state = np.uint64(key) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    assert (state ^ (state >> np.uint64(31))).tolist() == keys(key, count)


@given(st.lists(st.text(), unique=True, max_size=30), st.integers(0, MASK), st.randoms(use_true_random=False))
def test_a_draw_is_a_permutation_that_does_not_see_the_order_of_the_candidates(candidates, key, random):
    order = drawn(candidates, key)
    assert sorted(order) == sorted(candidates)
    random.shuffle(candidates)
    assert drawn(candidates, key) == order


def test_every_candidate_is_drawn_about_equally_often():
    first = [drawn("abcde", seed_key(0, f"made/train/{n}", "NER", "labels"))[0] for n in range(5000)]
    assert all(900 < first.count(letter) < 1100 for letter in "abcde")
