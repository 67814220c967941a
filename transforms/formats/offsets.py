"""Numbers in files that stand for places in a text: as JSON integers and as digits."""

from typing import Annotated

import msgspec

LIMIT = 10**18
"""No text is as long. Python refuses to convert numbers of more than 4,300 digits (https://docs.python.org/3/library/
stdtypes.html#int-max-str-digits), so that one in a file would be an error without a record.
"""

Offset = Annotated[int, msgspec.Meta(gt=-LIMIT, lt=LIMIT)]
"""An integer of a JSON file. Negative ones are left to those who compare them with the text."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=LIMIT)]

DIGITS = "[0-9]{1,18}"
"""The pattern of what `is_offset` has as true, ASCII digits alone."""


def is_offset(string: str) -> bool:
    """Whether the string is digits and nothing else, and not more of them than LIMIT has zeros."""
    return string.isdecimal() and len(string) <= 18
