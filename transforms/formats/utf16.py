"""Offsets in UTF-16 units, as Java and JavaScript count them → offsets in code points."""

import re
from bisect import bisect_left
from typing import NamedTuple

from schemas.example import Span

ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""The characters that have two units, such as emoji."""


class Units(NamedTuple):
    """The UTF-16 units of a text. `astral`: the unit at which each character with two units starts, ascending."""

    length: int
    astral: tuple[int, ...]

    def code_point(self, unit: int) -> int | None:
        """The offset in code points; None if the unit is outside the text or inside a character."""
        before = bisect_left(self.astral, unit)
        if not 0 <= unit <= self.length or (before and self.astral[before - 1] == unit - 1):
            return None
        return unit - before

    def span(self, begin: int, end: int) -> Span | None:
        """The span in code points; None if it is empty or has no place in the text."""
        first, last = self.code_point(begin), self.code_point(end)
        return (first, last) if first is not None and last is not None and first < last else None


def units(text: str) -> Units:
    """The UTF-16 units of `text`."""
    astral = tuple(match.start() + before for before, match in enumerate(ASTRAL.finditer(text)))
    return Units(len(text) + len(astral), astral)
