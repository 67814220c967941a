"""Text → words, cut so that every mention is a sequence of whole words."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from sys import maxunicode
from unicodedata import category

from schemas.example import Example, Span
from transforms.joining import UNSPACED

ONE = UNSPACED.pattern
JOINERS = "\u200c\u200d"


def pattern(letter: str) -> re.Pattern[str]:
    """Words as GLiNER's default splitter cuts them: runs of the character class `letter`, joined by hyphens, or single
    other characters. A character of a script without blanks between words is a word of its own.
    """
    run = f"(?:(?!{ONE}){letter})+"
    return re.compile(rf"{ONE}|{run}(?:[-_]{run})*|\S")


GLINER = pattern(r"\w")


@cache
def with_marks() -> re.Pattern[str]:
    """As GLINER, but a vowel sign or another combining mark belongs to its word, as in Hindi or in decomposed text."""
    marks = "".join(chr(code) for code in range(0x300, maxunicode + 1) if category(chr(code)).startswith("M"))
    return pattern(rf"[\w{JOINERS}{marks}]")


def words(text: str, cuts: Iterable[int], word: re.Pattern[str]) -> list[Span]:
    """The spans of the words of `text`, none of which extends over one of the `cuts` (offsets)."""
    places = sorted(set(cuts))
    spans = []
    for match in word.finditer(text):
        start, end = match.span()
        for at in places[bisect_right(places, start) : bisect_left(places, end)]:
            spans.append((start, at))
            start = at
        spans.append((start, end))
    return spans


def words_of(example: Example, word: re.Pattern[str]) -> list[Span]:
    """The words of an example, cut at the mentions of its entities."""
    return words(example.text, (at for e in example.entities or () for span in e.mention.spans for at in span), word)


def word_range(spans: Sequence[Span], mention: Span) -> Span:
    """The words of a mention as (first, last + 1). `spans`: the words, cut at its start and end."""
    start, end = mention
    return bisect_left(spans, (start, start)), bisect_left(spans, (end, end))


def tags(example: Example, spans: Sequence[Span], scheme: str = "BIO") -> list[str]:
    """The tag of each word in the scheme BIO or BILUO. Mentions must not overlap."""
    result = ["O"] * len(spans)
    for entity in example.entities or ():
        first, end = word_range(spans, entity.mention.spans[0])
        result[first:end] = [f"I-{entity.label}"] * (end - first)
        result[first] = f"B-{entity.label}"
        if scheme == "BILUO":
            result[end - 1] = f"{'U' if end - first == 1 else 'L'}-{entity.label}"
    return result
