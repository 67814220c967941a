"""Random choices from hashes: (seed, example id, task, purpose) → the order in which sorted candidates are drawn.

A choice depends on these four and on the set of candidates, never on the order of the input, the worker or
`PYTHONHASHSEED`. The keys are the outputs of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable
pseudorandom number generators", OOPSLA): 64-bit sums, products and shifts of (seed key, candidate number), so the
same bytes come of `numpy.uint64` arrays over many examples; what stands here is the plain form.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

GAMMA = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def seed_key(seed: int, example_id: str, task: str, purpose: str) -> int:
    """The 64-bit key of one choice: BLAKE2b of the four, joined by NUL, read little-endian."""
    digest = hashlib.blake2b(f"{seed}\0{example_id}\0{task}\0{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def splitmix64(state: int) -> int:
    """SplitMix64's output function: a bijection of the 64-bit numbers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK
    return state ^ (state >> 31)


def keys(key: int, count: int) -> list[int]:
    """The keys of candidates 0 to `count` - 1; no two are equal."""
    return [splitmix64((key + number * GAMMA) & MASK) for number in range(1, count + 1)]


def drawn(candidates: Iterable[T], key: int) -> list[T]:
    """All `candidates` in the order in which they are drawn; they must be sortable and differ.

    The whole list is a shuffle; its first k are a draw of k, and a draw of k + 1 holds the draw of k.
    """
    ordered = sorted(candidates)
    return [candidate for _, candidate in sorted(zip(keys(key, len(ordered)), ordered, strict=True))]
