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
from transforms.clean import CHANGED_ANYWHERE, MIN_CHARS, ONE_LETTER_IN, is_clean, letter_count


def untouched(table: pa.Table, max_chars: int) -> np.ndarray:
    """Whether each row is certain to stay as it is: one window, its text and mentions in order, for some task."""
    texts = table["text"].to_pylist()
    fine = clean_strings(texts)
    fine &= [MIN_CHARS <= len(text) <= max_chars and letter_count(text) * ONE_LETTER_IN >= len(text) for text in texts]
    fine &= pc.list_value_length(table["tasks"]).to_numpy() > 0
    for mentions, rows in mention_columns(table):
        strings = mentions.field("text")
        fine[rows[pc.equal(strings, "").to_numpy(zero_copy_only=False)]] = False
        bare = pc.equal(pc.list_value_length(mentions.field("spans")), 0)
        fine[rows[bare.to_numpy(zero_copy_only=False)][~clean_strings(strings.filter(bare).to_pylist())]] = False
    return fine


def clean_strings(strings: Sequence[str]) -> np.ndarray:
    """`is_clean` of each. A line feed is clean and composes with nothing, so most tables are seen as one string."""
    together = "\n".join(strings)
    if CHANGED_ANYWHERE.search(together) or not is_normalized("NFC", together):
        return np.array([is_clean(string) for string in strings], bool)
    return np.array([not (string[:1].isspace() or string[-1:].isspace()) for string in strings], bool)
