"""Random choices from hashes: (seed, example id, task, purpose) → the order in which sorted candidates are drawn.

A choice depends on these four and on the set of candidates, never on the order of the input, the worker or
`PYTHONHASHSEED`. The numbers are those of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators", OOPSLA): one generator per example and task, split into one per purpose, which assigns a key to each
candidate. The computation consists of 64-bit sums, products and shifts, so arrays over many examples (`key_array`) give
the same numbers as single values (`nth_key`).
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

T = TypeVar("T")

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
LAST = np.uint64(MASK)
PURPOSES = ("labels", "order", "batches", "prompts", "places", "forms", "descriptions")
"""The choices: which labels are asked, in which order, which all-negative batches are kept, which prompts, the places
of the labels in a batch of neighbours, which forms of answer, and how rows describe their labels. A new one comes last,
so that the others keep their keys.
"""


def seed_key(seed: int, *names: str) -> int:
    """The 64-bit key of all choices for `names` (an example id and a task): BLAKE2b of the seed and the names, joined
    by NUL, read as little-endian.
    """
    return int.from_bytes(_digest("\0".join((str(seed), *names))), "little")


def seed_keys(seed: int, ids: Iterable[str], task: str) -> np.ndarray:
    """The `seed_key` of each id and the task, as uint64."""
    return np.frombuffer(b"".join([_digest(f"{seed}\0{id_}\0{task}") for id_ in ids]), "<u8")


def _digest(string: str) -> bytes:
    return hashlib.blake2b(string.encode(), digest_size=8).digest()


def purpose_key(key: int, purpose: str) -> int:
    """The key of one choice of the example and task with this `seed_key`."""
    return nth_key(key, PURPOSES.index(purpose))


def splitmix64(state: int) -> int:
    """SplitMix64's output function: a bijection of the 64-bit numbers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK
    return state ^ (state >> 31)


def nth_key(key: int, number: int) -> int:
    """The key of candidate `number`, from 0. The candidates of a choice have different keys."""
    return splitmix64((key + (number + 1) * GAMMA) & MASK)


def key_array(keys: np.ndarray, numbers: np.ndarray | np.uint64) -> np.ndarray:
    """`nth_key` of uint64 keys and integer numbers, element by element, with broadcasting."""
    state = keys + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(GAMMA)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def draw_order(candidates: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Per row, the column numbers of its candidates in the order of `drawn`, then the other columns in any order.

    `candidates`: bool. `keys`: one per row. No two candidates have the same key, so the sort need not be stable.
    """
    ranks = np.cumsum(candidates, axis=1) - 1
    return np.argsort(np.where(candidates, key_array(keys[:, None], ranks), LAST), axis=1)


def draw_places(candidates: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Per row, the place of each column in `draw_order`."""
    order = draw_order(candidates, keys)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(order.shape[1])[None], axis=1)
    return places


def drawn(candidates: Iterable[T], key: int) -> list[T]:
    """All `candidates` in the order in which they are drawn. They must be sortable and distinct.

    The result is a random permutation. Its first k elements are a sample of size k, so a sample of size k + 1 contains
    the sample of size k.
    """
    ordered = sorted(candidates)
    return [candidate for _, candidate in sorted((nth_key(key, n), candidate) for n, candidate in enumerate(ordered))]
