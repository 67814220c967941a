"""Text → its Unicode normal form, in time proportional to the text.

`unicodedata.normalize` puts the marks on one character in order by insertion, which takes the square of their number:
a second for some twenty thousand marks on one letter.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

PART = 512
"""Code points of a text that are normalised at once; more where they are marks on one character."""


def normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """`unicodedata.normalize(form, text)`."""
    if len(text) <= 2 * PART:
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, part) for part in _parts(form, text))


def _parts(form: Literal["NFC", "NFKC"], text: str) -> Iterator[str]:
    """Runs of the text that can be normalised alone."""
    start = 0
    while start < len(text):
        end = start + PART
        while end < len(text) and not _stands_alone(text[end]):
            end += 1
        part = text[start:end]
        yield part if len(part) <= 2 * PART else _in_order(form, part)
        start = end


def _stands_alone(character: str) -> bool:
    """Whether nothing before it can change the form of the character, nor it that of what is before."""
    if character < "\u0300":
        return True
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first)[0] != "M" and not "\u1160" <= first <= "\u11ff"


def _in_order(form: Literal["NFC", "NFKC"], part: str) -> str:
    """The part decomposed, with the marks on each character in canonical order (Unicode annex 15)."""
    decomposition: Literal["NFD", "NFKD"] = "NFD" if form == "NFC" else "NFKD"
    decomposed = "".join(unicodedata.normalize(decomposition, character) for character in part)
    groups = groupby(decomposed, lambda character: unicodedata.combining(character) > 0)
    return "".join("".join(sorted(group, key=unicodedata.combining) if marks else group) for marks, group in groups)
