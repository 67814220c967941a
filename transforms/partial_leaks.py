"""A text and a text of a test split → whether the former leaks into the latter, although they are not equal."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from transforms.decontaminate import squeezed
from transforms.shingles import jaccard, shingles, unique_hashes


class LeakKind(StrEnum):
    """EQUAL: both texts are the same when squeezed (`decontaminate.squeezed`). CONTAINED: one squeezed text lies within
    the other. NEAR: their shingles have at least the Jaccard index of the rules.
    """

    EQUAL = "equal"
    CONTAINED = "contained"
    NEAR = "near"


@dataclass(frozen=True)
class LeakRules:
    """`words`: the fewest tokens (`scripts.tokens`) of a text that can be contained or near, so that "Yes ." is no
    leak; it also needs `anchors.FEWEST_BYTES` when squeezed. `jaccard`: the least Jaccard index of near texts.
    """

    words: int
    jaccard: float


class ComparedText:
    """A text with what its comparisons need, computed once."""

    def __init__(self, text: str):
        self.text = text

    @cached_property
    def squeezed(self) -> bytes:
        return squeezed(self.text)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        return shingles(self.text)

    @cached_property
    def shingle_hashes(self) -> np.ndarray:
        return unique_hashes(self.text)


def is_leak(text: ComparedText, other: ComparedText, kind: LeakKind, rules: LeakRules) -> bool:
    """Whether the texts are a leak of this kind, if both are long enough. Equal texts are of the kind EQUAL only."""
    if text.squeezed == other.squeezed:
        return kind == LeakKind.EQUAL
    if kind == LeakKind.CONTAINED:
        inner, outer = sorted((text.squeezed, other.squeezed), key=len)
        return inner in outer
    return kind == LeakKind.NEAR and jaccard(text.shingles, other.shingles) >= rules.jaccard
