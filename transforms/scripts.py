"""Rules that depend on the script of a text, not on its language: which characters are words or parts of words."""

import re
from functools import cache
from unicodedata import category

from schemas.example import Span

UNSPACED = (
    r"\u0e00-\u0fff"  # Thai, Lao, Tibetan
    r"\u1000-\u109f\uaa60-\uaa7f"  # Burmese
    r"\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    r"\u2e80-\u312f\u31a0-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff5f-\uff9f\U00020000-\U0003ffff"  # Chinese, Japanese
)
"""Scripts without blanks between words, as the content of a regular expression's brackets."""

UNBOUND = re.compile(rf"[{UNSPACED}\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
"""Characters beside which a word may begin or end: UNSPACED and Korean, which adds particles to names."""

JOINERS = "\u200c\u200d"
"""The zero-width non-joiner and joiner, which stand inside words of Persian and of Indian languages."""

LETTERS = re.compile(r"[^\W_]+")

UNSPACED_LETTER = re.compile(rf"[{UNSPACED}](?<=\w)")
"""A letter of a script without blanks, which is a token with its marks."""


def is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it: a vowel sign, an accent, a joiner."""
    return character in JOINERS or ("\u02ff" < character < "\U0001e900" and category(character)[0] == "M")


def within_word(text: str, start: int, end: int) -> bool:
    """Whether the span starts or ends inside a word of a script that separates words by blanks, or before a mark of its
    last letter.
    """
    return any(0 < at < len(text) and _is_bound(text[at - 1], text[at]) for at in (start, end))


def _is_bound(before: str, after: str) -> bool:
    if after.isalnum():
        return _is_part_of_word(before) and not UNBOUND.match(before) and not UNBOUND.match(after)
    return _is_part_of_word(after) and _is_part_of_word(before)


def _is_part_of_word(character: str) -> bool:
    """Whether it is a letter, a digit, a mark such as a vowel sign, or a joiner."""
    return character.isalnum() or (character > "\u02ff" and (category(character)[0] == "M" or character in JOINERS))


def words(text: str) -> list[str]:
    """The runs of letters, digits and the marks on them, without punctuation and blanks."""
    return LETTERS.findall(text) if text.isascii() else _patterns()[0].findall(text)


def tokens(text: str) -> list[str]:
    """The words of a text, including underscores. In UNSPACED scripts, each letter with its marks is a token."""
    return _patterns()[1].findall(text)


def token_spans(text: str) -> list[Span]:
    """The spans of the tokens of a text, and of each other character that is not blank."""
    return [match.span() for match in _patterns()[2].finditer(text)]


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """The patterns of `words`, `tokens` and `token_spans`. They name the marks (vowel signs, accents), because `\\w`
    matches none and would cut a Hindi word at its vowel signs.
    """
    marks = [mark for mark in map(chr, range(0x300, 0x1E900)) if is_mark(mark) and mark not in JOINERS]
    near, far = ("".join(mark for mark in marks if (mark > "\uffff") == is_far) for is_far in (False, True))
    # One class of all marks would be searched range by range; below U+10000, Python's regular expressions have tables.
    more = f"(?:[{JOINERS}{near}]|(?=[\U00010000-\U0001ffff])[{far}])"
    words = f"[^\\W_]+(?:{more}+[^\\W_]*)*"
    tokens = f"{UNSPACED_LETTER.pattern}{more}*|[^\\W{UNSPACED}]+(?:{more}+[^\\W{UNSPACED}]*)*"
    return re.compile(words), re.compile(tokens), re.compile(rf"{tokens}|\S")
