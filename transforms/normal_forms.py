"""Text → its Unicode normal form, in linear time.

`unicodedata.normalize` orders the marks on a character by insertion sort, which takes quadratic time: one second for
about twenty thousand marks on one letter.
"""

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Literal

PART = 512
"""Code points that are normalised at a time; more if they are marks on one character."""


def normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """`unicodedata.normalize(form, text)`."""
    if len(text) <= 2 * PART:
        return unicodedata.normalize(form, text)
    return "".join(unicodedata.normalize(form, part) for part in _parts(form, text))


def folded(name: str) -> str:
    """The name without differences in case, width and blanks."""
    return " ".join(normalize("NFKC", name).casefold().split())


def _parts(form: Literal["NFC", "NFKC"], text: str) -> Iterator[str]:
    """Parts of the text that can be normalised independently."""
    start = 0
    while start < len(text):
        end = start + PART
        while end < len(text) and not _is_boundary(text[end]):
            end += 1
        part = text[start:end]
        yield part if len(part) <= 2 * PART else _in_order(form, part)
        start = end


def _is_boundary(character: str) -> bool:
    """Whether the normal forms of this character and of the text before it are independent of each other."""
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
