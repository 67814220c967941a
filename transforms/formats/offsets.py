"""Offsets in files: JSON integers and strings of digits."""

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
