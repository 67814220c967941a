"""A table of Examples → the rows that `clean.repair`, `clean.low_quality` and `windows.windows` leave unchanged.

This is an optimisation: most rows need no change, and checking their strings one by one takes three times as long as
checking all strings of a table. Rows for which this check is not conclusive are left to the plain functions; a test
compares the two.
"""

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

IS_SURE = bytes(byte in SURE_LETTERS for byte in range(256))
"""Translates SURE_LETTERS to 1, other bytes to 0."""


def untouched(table: pa.Table, max_chars: int) -> np.ndarray:
    """Whether each row is certain to stay unchanged: a single window, clean text and mentions, and some task."""
    texts = table["text"].combine_chunks()
    characters = pc.utf8_length(texts).to_numpy()
    fine = clean_strings(texts) & (characters >= MIN_CHARS) & (characters <= max_chars) & has_letters(texts)
    fine &= pc.list_value_length(table["tasks"]).to_numpy() > 0
    for mentions, rows in mention_columns(table):
        if not len(mentions):
            continue
        strings = mentions.field("text")
        fine[rows[pc.equal(strings, "").to_numpy(zero_copy_only=False)]] = False
        bare = pc.equal(pc.list_value_length(mentions.field("spans")), 0)
        fine[rows[bare.to_numpy(zero_copy_only=False)][~clean_strings(strings.filter(bare))]] = False
    return fine


def has_letters(strings: pa.StringArray) -> np.ndarray:
    """Whether at least one in ONE_LETTER_IN characters of each string is a letter; for most, the bytes suffice."""
    content, bounds = utf_8(strings)
    is_sure = np.frombuffer(content.translate(IS_SURE), np.uint8)
    filled = np.flatnonzero(np.diff(bounds))
    sure = np.zeros(len(strings), np.int64)
    sure[filled] = np.add.reduceat(is_sure, bounds[filled], dtype=np.int32)
    enough = sure * ONE_LETTER_IN >= pc.utf8_length(strings).to_numpy()
    for n in np.flatnonzero(~enough).tolist():
        string = strings[n].as_py()
        enough[n] = letter_count(string) * ONE_LETTER_IN >= len(string)
    return enough


def clean_strings(strings: pa.StringArray) -> np.ndarray:
    """`is_clean` of each string. If joined strings need no change and are in NFC, so are their parts."""
    content, bounds = utf_8(strings)
    results = np.ones(len(strings), bool)
    for first in range(0, len(strings), STRINGS_PER_CHECK):
        joined = str(content[bounds[first] : bounds[min(first + STRINGS_PER_CHECK, len(strings))]], "utf-8")
        is_nfc = is_normalized("NFC", joined)
        # No character that `repair` changes is printable, and this check takes half the time.
        if is_nfc and joined.isprintable():
            continue
        some = strings.slice(first, STRINGS_PER_CHECK).to_pylist()
        if is_nfc and not CHANGED_ANYWHERE.search(joined):
            results[first : first + len(some)] = [string.strip() == string for string in some]
        else:
            results[first : first + len(some)] = list(map(is_clean, some))
    start, end = bounds[:-1], bounds[1:]
    filled = np.flatnonzero(start < end)
    characters = np.frombuffer(content, np.uint8)
    for edge in (start[filled], end[filled] - 1):
        results[filled[characters[edge] == ord(" ")]] = False  # the only blank that is printable
    return results


def utf_8(strings: pa.StringArray) -> tuple[bytes, np.ndarray]:
    """The bytes of all strings, and the bounds of the strings in them: (strings + 1,)."""
    _, offsets, content = strings.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(strings) + 1, 4 * strings.offset)
    first, last = int(bounds[0]), int(bounds[-1])
    return (content.slice(first, last - first).to_pybytes() if content else b""), bounds - first
