"""Texts and names → 64-bit hashes of their spans, computed in bulk, so that the spans of all texts can be joined with
all names of a knowledge graph.

The hash of a span is a polynomial in its characters modulo 2**64. Prefix sums give the hash of any span in constant
time. Equal strings have equal hashes; `linking.is_name` compares the strings themselves.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa

from schemas.arrow import required

BASE = np.uint64(0x9E3779B97F4A7C15 | 1)
INVERSE = np.uint64(pow(int(BASE), -1, 2**64))

WORD = re.compile(r"[^\W_]+")
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
GAP = re.compile(r"[\s\-'.,:&/!()·・–_]{0,3}")
"""What may stand between two words of one name."""

MAX_CHARS = 120
"""Longer names are not looked up."""

EQUIVALENT = {"’": "'", "‘": "'", "–": "-", "—": "-", "\u2011": "-", "\u00a0": " ", "・": "·", "•": "·"}

SPANS = pa.schema(
    [
        required("hash", pa.uint64()),
        required("shard", pa.int32()),
        required("row", pa.int32()),
        required("start", pa.int32()),
        required("end", pa.int32()),
    ]
)


@cache
def fold_character(character: str) -> str:
    lower = EQUIVALENT.get(character, character).lower()
    return lower if len(lower) == 1 else character


def fold(text: str) -> str:
    """The text without differences of case, kinds of quotes, dashes and blanks. It has the same length."""
    lower = text.lower()
    if len(lower) == len(text) and text.isascii():
        return lower
    return "".join(map(fold_character, text))


def normal_name(name: str) -> str:
    """The form in which a name is compared with texts, which are in Unicode's NFC."""
    return fold(unicodedata.normalize("NFC", name.strip()))


def hash_strings(strings: Sequence[str]) -> np.ndarray:
    """The hash of each string: uint64."""
    lengths = np.array([len(string) for string in strings], np.int64)
    ends = np.cumsum(lengths)
    return hash_spans("".join(strings), ends - lengths, ends)


def hash_spans(text: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The hash of each span of the text: uint64."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64) + np.uint64(1)
    powers = np.cumprod(np.full(len(codes), BASE, np.uint64))
    inverses = np.cumprod(np.full(len(codes) + 1, INVERSE, np.uint64)) * BASE  # INVERSE ** position
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * powers)])
    mixed = (sums[ends] - sums[starts]) * inverses[starts]
    mixed ^= mixed >> np.uint64(32)
    return mixed * BASE


def text_spans(text: str, max_tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of all spans that may be a name: up to `max_tokens` words, or twice as many Han characters, that
    are divided by at most three characters of GAP. A span may end with the full stop of an abbreviation.
    """
    tokens = list(tokenize(text))
    starts: list[int] = []
    ends: list[int] = []
    for first, (start, _) in enumerate(tokens):
        weight = 0
        previous = start
        for token_start, end in tokens[first:]:
            if token_start > previous and not GAP.fullmatch(text, previous, token_start):
                break
            weight += 1 if is_han(text[token_start]) else 2
            if weight > 2 * max_tokens or end - start > MAX_CHARS:
                break
            starts.append(start)
            ends.append(end)
            if text.startswith((".", ")", "!"), end):
                starts.append(start)
                ends.append(end + 1)
            previous = end
    return np.array(starts, np.int64), np.array(ends, np.int64)


def tokenize(text: str):
    """(start, end) of each word; every Han character is a word."""
    for word in WORD.finditer(text):
        start = word.start()
        if not HAN.search(word[0]):
            yield word.span()
            continue
        for place in range(word.start(), word.end()):
            if is_han(text[place]):
                if start < place:
                    yield start, place
                yield place, place + 1
                start = place + 1
        if start < word.end():
            yield start, word.end()


def is_han(character: str) -> bool:
    return HAN.match(character) is not None


def span_table(texts: Sequence[str], shard: int, first_row: int, max_tokens: int) -> pa.Table:
    """SPANS of all spans of the texts. `first_row`: the row of the first text in its shard."""
    columns: list[tuple[np.ndarray, ...]] = []
    for row, text in enumerate(texts, first_row):
        starts, ends = text_spans(text, max_tokens)
        if len(starts):
            folded = fold(text)
            columns.append((hash_spans(folded, starts, ends), np.full(len(starts), row), starts, ends))
    if not columns:
        return SPANS.empty_table()
    hashes, rows, starts, ends = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    arrays = [hashes, np.full(len(rows), shard), rows, starts, ends]
    return pa.Table.from_arrays([pa.array(a, t) for a, t in zip(arrays, SPANS.types, strict=True)], schema=SPANS)
