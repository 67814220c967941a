"""A text → the spans of its sentences, cut further where one is longer than a limit."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter

import sentencex

from schemas.example import Span

OTHER_BLANK = re.compile(r"[^\S \n]")
CLAUSE_END = re.compile(r"\s|(?<=[，；、：])\S")
NOT_BLANK = re.compile(r"\S")
PARAGRAPH = "\n\n"

STRETCH = 8192
"""Code points that sentencex is given at once: within a paragraph it takes the square of the number of sentences."""


def sentences(text: str, lang: str) -> list[Span]:
    """The spans of the sentences of `text` without the blanks at their edges; `lang` as in ISO 639-1.

    A blank line ends a sentence, a single line feed does not: files with wrapped lines have it within sentences.
    """
    # sentencex 1.0.32 panics on an initial and a full stop with a blank of several bytes between,
    # so it sees every blank as U+0020.
    ends = list(_ends(OTHER_BLANK.sub(" ", text), lang))
    spans = (without_blanks(text, start, end) for start, end in zip([0, *ends], ends, strict=False))
    return [(start, end) for start, end in spans if start < end]


def _ends(text: str, lang: str) -> Iterator[int]:
    """Where the sentences end, with the blanks behind them; the last is the end of the text.

    A text longer than STRETCH is looked at stretch by stretch, each up to a paragraph's end where it holds one. Where
    it holds none the sentences of its last quarter, in which a quotation may be cut open, are left to the next stretch;
    if it is one sentence, that goes on.
    """
    start = 0
    while len(text) - start > STRETCH:
        limit = start + STRETCH
        paragraph = text.rfind(PARAGRAPH, start + 1, limit)
        if paragraph < 0:
            ends = _segmented(text, start, limit, lang)[:-1]
            ends = [end for end in ends if end <= limit - STRETCH // 4] or ends
        else:
            ends = _segmented(text, start, paragraph + len(PARAGRAPH), lang)
        yield from ends
        start = ends[-1] if ends else limit
    yield from _segmented(text, start, len(text), lang)


def _segmented(text: str, start: int, end: int, lang: str) -> list[int]:
    return list(accumulate(map(len, sentencex.segment(lang, text[start:end])), initial=start))[1:]


def without_blanks(text: str, start: int, end: int) -> Span:
    """The span without the blanks at its edges."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """Spans, in order, that have the same places strictly inside them as `spans` have: overlapping ones are one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            start, end = merged[-1][0], max(end, merged.pop()[1])
        merged.append((start, end))
    return merged


def pieces(text: str, span: Span, max_chars: int, whole: Sequence[Span]) -> Iterator[Span]:
    """`span` in pieces of at most `max_chars` code points; itself where it is short enough.

    Each is cut at the last blank or clause mark before the limit that is inside none of the spans `whole` (in order,
    see `disjoint`), else at the last place inside none, else at the limit.
    """
    start, end = span
    while end - start > max_chars:
        cut = _cut(text, start, start + max_chars, whole)
        yield without_blanks(text, start, cut)
        after = NOT_BLANK.search(text, cut, end)
        start = after.start() if after else end
    yield start, end


def _cut(text: str, start: int, limit: int, whole: Sequence[Span]) -> int:
    inside = bytearray(limit - start + 1)
    for number in range(bisect_right(whole, start, key=itemgetter(1)), len(whole)):
        left, right = max(whole[number][0], start) + 1, min(whole[number][1], limit + 1)
        if left > limit:
            break
        if left < right:
            inside[left - start : right - start] = b"\1" * (right - left)
    clause_ends = [match.start() for match in CLAUSE_END.finditer(text, start + 1, limit + 1)]
    for candidates in (clause_ends, range(start + 1, limit + 1)):
        free = [cut for cut in candidates if not inside[cut - start]]
        if free:
            return free[-1]
    return limit
