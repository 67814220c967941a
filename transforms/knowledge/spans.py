"""Candidate spans of names in a text, and 64-bit hashes of normal forms of names, both by arrays.

Two names are compared by their normal forms: in Unicode form NFC, with single blanks, one kind of apostrophe and dash,
in lower case. The letter case is judged later (`transforms.knowledge.linking.same_case`).
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple, Protocol
from unicodedata import category, is_normalized, normalize

import numpy as np
import yaml

from transforms import draw

SAME = {**dict.fromkeys("’ʼ‘＇", "'"), **dict.fromkeys("‐‑–−", "-"), **dict.fromkeys("·・", "•"), "\xa0": " "}
"""Characters that are compared as another one."""

WORD, IDEOGRAPH, UPPER, LETTER, DIGIT, LINE_END = 1, 2, 4, 8, 16, 32
"""Bits of the classes of characters. A character of a word is a letter, a digit or a combining mark."""

MAX_CODE = 0x110000
TABLE_END = 0x20000
"""Characters from here on are ideographs, emoji variants or unassigned, so their classes need no look-up."""

MAX_LOWER_CASE_WORDS = 4
"""In names of more words, the first or at least half of all words begin with a capital letter or a digit."""

WORD_SIGNS = ".'’#@$"
"""A name may begin with one of them if it stands before a word and after a blank: `.NET`."""

CLOSING_SIGNS = "!?+#*)"
"""A name may end with one or more of them after a word: `Yahoo!`, `C++`."""

LONGEST_ABBREVIATION = 4
"""A name may end with the dot after a word of at most this length: `Inc.`, `U.S.`"""

MULTIPLE_BLANKS = re.compile(r"\s\s|[^\S ]")
BASE = 0x9E3779B97F4A7C15
INVERSE = pow(BASE, -1, 1 << 64)
NAMES_PER_ROUND = 20_000

Spans = np.ndarray
"""int32 of the shape (spans, 2): offsets of start and end, sorted."""


class Recogniser(Protocol):
    """Finds the spans of a text that may be names of items. It must be a function of its arguments alone."""

    __qualname__: str

    def __call__(self, text: str, lang: str, max_tokens: int) -> Spans: ...


class StopWords(NamedTuple):
    words: frozenset[str]
    dates: frozenset[str]
    titles: frozenset[str]
    foreign: frozenset[str]
    demonyms: frozenset[str]


class Tables(NamedTuple):
    """By code point. `classes`: bits. `mixed`: 64 random bits of the normal form of the character."""

    classes: np.ndarray
    mixed: np.ndarray


@cache
def stop_words(lang: str) -> StopWords:
    """The words of stop_words.yaml."""
    content = resources.files(__package__).joinpath("stop_words.yaml").read_text(encoding="utf-8")
    lists = yaml.safe_load(content)[lang]
    return StopWords(*(frozenset(lists.get(name, "").split()) for name in StopWords._fields))


@cache
def tables() -> Tables:
    classes = np.zeros(MAX_CODE, np.uint8)
    lower = np.arange(MAX_CODE, dtype=np.uint32)
    for code in range(TABLE_END):
        character = chr(code)
        major = category(character)
        if major[0] == "L":
            classes[code] = WORD | LETTER | (UPPER if major in ("Lu", "Lt") else 0)
            small = character.lower()
            lower[code] = ord(small) if len(small) == 1 else code
        elif major[0] == "M":
            classes[code] = WORD
        elif major[0] == "N":
            classes[code] = WORD | DIGIT
    for first, last in ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)):
        classes[first : last + 1] = WORD | LETTER | IDEOGRAPH
    classes[[ord(character) for character in "〇々"]] = WORD | LETTER | IDEOGRAPH
    classes[[ord(character) for character in "\n\r\t\v\f\x85\u2028\u2029"]] = LINE_END
    for character, other in SAME.items():
        lower[ord(character)] = ord(other)
    return Tables(classes, draw.key_array(lower.astype(np.uint64), np.uint64(0)))


def code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def spans(text: str, lang: str, max_tokens: int) -> Spans:
    """The spans that may be names: of at most `max_tokens` words without stop words, or in Chinese of twice as many
    characters.

    They begin and end at the ends of words, or in Chinese at any ideograph, and do not cross the end of a line.
    """
    codes = code_points(text)
    padded = np.zeros(len(codes) + 2, np.uint8)
    padded[1:-1] = tables().classes[codes]
    starts, ends, words = boundaries(text, padded, lang)
    if not len(starts) or not len(ends):
        return np.empty((0, 2), np.int32)
    limit = max_tokens if lang == "en" else 2 * max_tokens
    # A span ends before the start of the token that comes `limit` tokens later, and before the end of the line
    later = np.append(words, np.full(limit + 1, len(text) + 1))
    last = later[np.searchsorted(words, starts) + limit]
    breaks = np.append(line_ends(padded) if lang == "en" else crossing_signs(text, padded), len(text))
    last = np.minimum(last, breaks[np.searchsorted(breaks, starts)])
    first = np.searchsorted(ends, starts, "right")
    counts = np.maximum(np.searchsorted(ends, last, "right") - first, 0)
    left = np.repeat(starts, counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    right = ends[np.repeat(first, counts) + within]
    keep = has(padded, LETTER, left, right) & (right - left > 1)
    if lang == "en":
        length = count(words, left, right)
        capital = (padded & (UPPER | DIGIT)) != 0
        capitals = count(words[capital[words + 1]], left, right)
        keep &= (length <= MAX_LOWER_CASE_WORDS) | (2 * capitals >= length) | capital[left + 1]
    return np.stack([left[keep], right[keep]], axis=1).astype(np.int32)


def has(padded: np.ndarray, bits: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether a character of each span has one of the bits."""
    sums = np.concatenate([[0], np.cumsum((padded[1:-1] & bits) != 0)])
    return sums[right] > sums[left]


def count(positions: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How many of the sorted positions are in each span."""
    return np.searchsorted(positions, right) - np.searchsorted(positions, left)


def line_ends(padded: np.ndarray) -> np.ndarray:
    return np.flatnonzero(padded[1:-1] & LINE_END)


def crossing_signs(text: str, padded: np.ndarray) -> np.ndarray:
    """Positions of punctuation that a Chinese name does not cross: all but blanks, dots and dashes between words."""
    signs = np.flatnonzero((padded[1:-1] & WORD) == 0)
    return np.array([place for place in signs.tolist() if text[place] not in " ·・•.-–'’&:："], np.int64)


def boundaries(text: str, padded: np.ndarray, lang: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions where a name may start, where it may end, and where the tokens start; sorted."""
    word = (padded & WORD) != 0
    starts = word[1:] & ~word[:-1]
    ends = word[:-1] & ~word[1:]
    if lang == "en":
        return english_boundaries(text, np.flatnonzero(starts), np.flatnonzero(ends))
    ideograph = (padded & IDEOGRAPH) != 0
    starts |= ideograph[1:] | (word[1:] & ideograph[:-1])
    ends |= ideograph[:-1] | (word[:-1] & ideograph[1:])
    starts, ends = np.flatnonzero(starts), np.flatnonzero(ends)
    return starts, ends, starts


def english_boundaries(text: str, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `boundaries`, without starts and ends within words with an apostrophe, and beside stop words.

    A possessive `'s` is not part of the word. Signs that may belong to a name make further starts and ends.
    """
    stop = stop_words("en").words
    length = len(text)
    first, last, tokens = [], [], []
    begin = 0
    previous_end = -2
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        after = text[end] if end < length else " "
        apostrophe = start and start == previous_end + 1 and text[start - 1] in "'’"
        before = text[start - 1] if start else " "
        stops = text[start:end] in stop
        if not apostrophe:
            begin = start
            if not stops:
                tokens.append(start)
        if not apostrophe:
            the = stops and text[start:end] == "the" and text[end + 1 : end + 2].isupper()
            if not stops or the or after in "-'’":
                first.append(start)
                if before in WORD_SIGNS and (start == 1 or text[start - 2].isspace()):
                    first.append(start - 1)
        previous_end = end
        contraction = after in "'’" and end + 1 < length and text[end + 1].isalnum()
        possessive = contraction and text[end + 1] == "s" and not text[end + 2 : end + 3].isalnum()
        if (contraction and not possessive) or (stops and before.isspace() and after != "."):
            continue
        if apostrophe and text[start:end] == "s":
            continue
        last.append(end)
        if after == "." and end - begin <= LONGEST_ABBREVIATION:
            last.append(end + 1)
        place = end
        while place < length and text[place] in CLOSING_SIGNS and place < end + 3:
            place += 1
            last.append(place)
    return np.array(sorted(first), np.int64), np.array(sorted(set(last)), np.int64), np.array(tokens, np.int64)


class Powers:
    """Powers of BASE and INVERSE modulo 2**64, computed as far as they are needed."""

    def __init__(self) -> None:
        self.base = self.inverse = np.ones(1, np.uint64)

    def upto(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        if length >= len(self.base):
            size = 1 << length.bit_length()
            self.base, self.inverse = (
                np.cumprod(np.concatenate([np.ones(1, np.uint64), np.full(size, number, np.uint64)]))
                for number in (BASE, INVERSE)
            )
        return self.base, self.inverse


POWERS = Powers()


def hash_spans(text: str, places: Spans) -> np.ndarray:
    """The hashes of the normal forms of these spans of the text, uint64.

    The hash is a polynomial over the characters, taken from prefix sums, so its cost does not depend on the lengths.
    """
    if MULTIPLE_BLANKS.search(text) or not is_normalized("NFC", text):
        return hash_names([text[start:end] for start, end in places.tolist()])
    return hash_parts(text, places[:, 0], places[:, 1])


def hash_names(names: Sequence[str]) -> np.ndarray:
    """The hashes of the normal forms of these names, uint64."""
    rounds = []
    for first in range(0, len(names), NAMES_PER_ROUND):
        normal = [normal_blanks(name) for name in names[first : first + NAMES_PER_ROUND]]
        bounds = np.cumsum([0, *map(len, normal)])
        rounds.append(hash_parts("".join(normal), bounds[:-1], bounds[1:]))
    return np.concatenate(rounds) if rounds else np.empty(0, np.uint64)


def normal_blanks(name: str) -> str:
    return " ".join((name if is_normalized("NFC", name) else normalize("NFC", name)).split())


def with_usual_signs(name: str) -> str:
    """The normal form of the name, but with its letter case."""
    return normal_blanks(name).translate(SAME_CODES)


SAME_CODES = str.maketrans(SAME)


def hash_parts(text: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    base, inverse = POWERS.upto(len(text))
    sums = np.zeros(len(text) + 1, np.uint64)
    np.cumsum(tables().mixed[code_points(text)] * base[: len(text)], out=sums[1:])
    # The last step makes the low bits, which choose the bucket, depend on the order of the characters
    return draw.key_array((sums[ends] - sums[starts]) * inverse[starts], np.uint64(0))


@lru_cache(1 << 16)
def is_name(name: str, lang: str) -> bool:
    """Whether a name can be linked in a text: it has a letter and a second character, and is neither a date nor a stop
    word.
    """
    if len(name) < 2 or not any(map(str.isalpha, name)):
        return False
    stop = stop_words(lang)
    if lang == "zh":
        return name not in stop.words and not is_chinese_date(name, stop.dates)
    words = re.findall(r"\w+", name)
    if all(word.isdecimal() or word.lower() in stop.dates for word in words):
        return False
    capitals = sum(word[0].isupper() for word in words)
    return capitals > 1 or not all(word.lower() in stop.words and word[1:] == word[1:].lower() for word in words)


def is_chinese_date(name: str, parts: frozenset[str]) -> bool:
    return all(character.isdecimal() or character in parts or character in " -–" for character in name)
