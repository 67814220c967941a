"""A table of Examples → which rows `clean.repair`, `clean.low_quality` and `windows.windows` leave as they are.

Beside these for speed: most rows need nothing, and to find that out string by string, from objects, takes three times
as long as to read all strings of a table at once. What is not certain here is left to the plain functions; a test
compares the two.
"""

from collections.abc import Sequence
from unicodedata import is_normalized

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import mention_columns
from transforms.clean import ASCII_LETTERS, CHANGED_ANYWHERE, MIN_CHARS, ONE_LETTER_IN, is_clean, letter_count

AT_ONCE = 200
"""Strings that are looked at as one: where that is not clean, each of them is looked at."""

SURE_LETTERS = ASCII_LETTERS + bytes(range(0xE5, 0xE9))
"""Bytes of UTF-8 that begin nothing but letters: ASCII's, and the ideographs from U+5000 to U+8FFF."""


def untouched(table: pa.Table, max_chars: int) -> np.ndarray:
    """Whether each row is certain to stay as it is: one window, its text and mentions in order, for some task."""
    texts = table["text"].to_pylist()
    fine = clean_strings(texts)
    fine &= [MIN_CHARS <= len(text) <= max_chars and has_letters(text) for text in texts]
    fine &= pc.list_value_length(table["tasks"]).to_numpy() > 0
    for mentions, rows in mention_columns(table):
        if not len(mentions):
            continue
        strings = mentions.field("text")
        fine[rows[pc.equal(strings, "").to_numpy(zero_copy_only=False)]] = False
        bare = pc.equal(pc.list_value_length(mentions.field("spans")), 0)
        fine[rows[bare.to_numpy(zero_copy_only=False)][~clean_strings(strings.filter(bare).to_pylist())]] = False
    return fine


def has_letters(text: str) -> bool:
    """Whether one in ONE_LETTER_IN characters is a letter; the bytes tell of most texts."""
    content = text.encode()
    sure = len(content) - len(content.translate(None, SURE_LETTERS))
    return sure * ONE_LETTER_IN >= len(text) or letter_count(text) * ONE_LETTER_IN >= len(text)


def clean_strings(strings: Sequence[str]) -> np.ndarray:
    """`is_clean` of each. A blank is clean and composes with nothing, so many are seen to be at once."""
    found: list[bool] = []
    for first in range(0, len(strings), AT_ONCE):
        some = strings[first : first + AT_ONCE]
        together = " ".join(some)
        # All that is changed is not printable, which takes half as long to see.
        unchanged = together.isprintable() or not CHANGED_ANYWHERE.search(together)
        if unchanged and is_normalized("NFC", together):
            found += [string.strip() == string for string in some]
        else:
            found += map(is_clean, some)
    return np.array(found, bool)
