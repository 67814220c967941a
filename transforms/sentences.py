"""A text → the spans of its sentences, cut further where one is longer than a limit."""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate

import sentencex

from schemas.example import Span

OTHER_BLANK = re.compile(r"[^\S \n]")
CLAUSE_END = re.compile(r"\s|(?<=[，；、：])\S")


def sentences(text: str, lang: str) -> list[Span]:
    """The spans of the sentences of `text` without the blanks at their edges; `lang` as in ISO 639-1.

    A blank line ends a sentence, a single line feed does not: files with wrapped lines have it within sentences.
    """
    # sentencex 1.0.32 panics on an initial and a full stop with a blank of several bytes between,
    # so it sees every blank as U+0020.
    ends = list(accumulate(map(len, sentencex.segment(lang, OTHER_BLANK.sub(" ", text)))))
    spans = (without_blanks(text, start, end) for start, end in zip([0, *ends], ends, strict=False))
    return [(start, end) for start, end in spans if start < end]


def without_blanks(text: str, start: int, end: int) -> Span:
    """The span without the blanks at its edges."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def pieces(text: str, span: Span, max_chars: int, whole: Iterable[Span]) -> Iterator[Span]:
    """`span` in pieces of at most `max_chars` code points; itself where it is short enough.

    Each is cut at the last blank or clause mark before the limit that is inside none of the spans `whole`, else at
    the last place inside none, else at the limit.
    """
    start, end = span
    while end - start > max_chars:
        cut = _cut(text, start, start + max_chars, whole)
        yield without_blanks(text, start, cut)
        start, _ = without_blanks(text, cut, end)
    yield start, end


def _cut(text: str, start: int, limit: int, whole: Iterable[Span]) -> int:
    inside = bytearray(limit - start + 1)
    for left, right in whole:
        left, right = max(left, start) + 1, min(right, limit + 1)
        if left < right:
            inside[left - start : right - start] = b"\1" * (right - left)
    clause_ends = [match.start() for match in CLAUSE_END.finditer(text, start + 1, limit + 1)]
    for candidates in (clause_ends, range(start + 1, limit + 1)):
        free = [cut for cut in candidates if not inside[cut - start]]
        if free:
            return free[-1]
    return limit
