"""A table of Examples → the rows that `clean.repair`, `clean.low_quality` and `windows.windows` leave unchanged.

This is an optimisation: most rows need no change, and checking their strings one by one takes three times as long as
checking all strings of a table. Rows for which this check is not conclusive are left to the plain functions; a test
compares the two.
"""

from collections.abc import Sequence
from unicodedata import is_normalized

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import mention_columns
from transforms.clean import ASCII_LETTERS, CHANGED_ANYWHERE, MIN_CHARS, ONE_LETTER_IN, is_clean, letter_count

STRINGS_PER_CHECK = 200
"""Strings that are joined for one check; if it fails, each is checked alone."""

SURE_LETTERS = ASCII_LETTERS + bytes(range(0xE5, 0xE9))
"""Bytes that only start letters in UTF-8: ASCII letters, and the ideographs from U+5000 to U+8FFF."""


def untouched(table: pa.Table, max_chars: int) -> np.ndarray:
    """Whether each row is certain to stay unchanged: a single window, clean text and mentions, and some task."""
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
    """Whether at least one in ONE_LETTER_IN characters is a letter; for most texts the bytes suffice."""
    content = text.encode()
    sure = len(content) - len(content.translate(None, SURE_LETTERS))
    return sure * ONE_LETTER_IN >= len(text) or letter_count(text) * ONE_LETTER_IN >= len(text)


def clean_strings(strings: Sequence[str]) -> np.ndarray:
    """`is_clean` of each string. A space is clean and composes with nothing, so strings can be joined for the check."""
    results: list[bool] = []
    for first in range(0, len(strings), STRINGS_PER_CHECK):
        some = strings[first : first + STRINGS_PER_CHECK]
        joined = " ".join(some)
        # No character that `repair` changes is printable, and this check takes half the time.
        unchanged = joined.isprintable() or not CHANGED_ANYWHERE.search(joined)
        if unchanged and is_normalized("NFC", joined):
            results += [string.strip() == string for string in some]
        else:
            results += map(is_clean, some)
    return np.array(results, bool)
