"""Offsets in files: JSON integers and strings of digits, in code points or in UTF-16 code units."""

from bisect import bisect_left
from typing import Annotated

import msgspec

LIMIT = 10**18
"""Exclusive upper bound of an offset, longer than any text. Without it, a number of more than 4,300 digits would raise
an error (https://docs.python.org/3/library/stdtypes.html#int-max-str-digits) instead of giving a BadRecord.
"""

Offset = Annotated[int, msgspec.Meta(gt=-LIMIT, lt=LIMIT)]
"""An integer of a JSON file. Negative offsets are rejected later, when they are compared with the text."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=LIMIT)]

DIGITS = "[0-9]{1,18}"
"""The pattern of an offset: ASCII digits only."""


def is_offset(string: str) -> bool:
    """Whether the string consists of 1 to 18 digits, so that the number is below LIMIT."""
    return string.isdecimal() and len(string) <= 18


class Utf16Offsets:
    """Offsets in UTF-16 code units of `text`, as JavaScript and Java count → offsets in code points.

    An offset between the two units of a character becomes the offset of the character.
    """

    __slots__ = ("pairs",)

    def __init__(self, text: str):
        indices = [] if text.isascii() else [at for at, character in enumerate(text) if character > "\uffff"]
        self.pairs = [at + number for number, at in enumerate(indices)]  # units before each character of two units

    def __bool__(self) -> bool:
        """Whether the two kinds of offsets differ."""
        return bool(self.pairs)

    def __call__(self, offset: int) -> int:
        return offset - bisect_left(self.pairs, offset)
