"""Random choices from hashes: (seed, example id, task, purpose) → the order in which sorted candidates are drawn.

A choice depends on these four and on the set of candidates, never on the order of the input, the worker or
`PYTHONHASHSEED`. The numbers are those of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators", OOPSLA): one generator for each example and task, split into one for each purpose, which gives
each candidate its key. All are 64-bit sums, products and shifts, so arrays over many examples (`key_array`) come out
as single numbers do (`nth_key`).
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

T = TypeVar("T")

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
PURPOSES = ("labels", "order", "batches", "prompts")
"""What is drawn: which labels are asked, in which order, which all-negative batches stay, which prompts."""


def seed_key(seed: int, *what: str) -> int:
    """The 64-bit key of all choices about `what` (an example's id and a task): BLAKE2b of the seed and what, joined by
    NUL, read little-endian.
    """
    digest = hashlib.blake2b("\0".join((str(seed), *what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def purpose_key(key: int, purpose: str) -> int:
    """The key of one choice of the example and task with this `seed_key`."""
    return nth_key(key, PURPOSES.index(purpose))


def splitmix64(state: int) -> int:
    """SplitMix64's output function: a bijection of the 64-bit numbers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK
    return state ^ (state >> 31)


def nth_key(key: int, number: int) -> int:
    """The key of candidate `number`, counted from 0; no two candidates of a choice have the same."""
    return splitmix64((key + (number + 1) * GAMMA) & MASK)


def key_array(keys: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """`nth_key` of uint64 keys and integer numbers, element by element; the two broadcast."""
    state = keys + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(GAMMA)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def drawn(candidates: Iterable[T], key: int) -> list[T]:
    """All `candidates` in the order in which they are drawn; they must be sortable and differ.

    The whole list is a shuffle; its first k are a draw of k, and a draw of k + 1 holds the draw of k.
    """
    ordered = sorted(candidates)
    return [candidate for _, candidate in sorted((nth_key(key, n), candidate) for n, candidate in enumerate(ordered))]
