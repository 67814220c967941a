"""A text → the spans of its sentences, and of their pieces if a sentence is longer than a limit."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from unicodedata import category

import sentencex

from schemas.example import Span

OTHER_BLANK = re.compile(r"[^\S \n]")
CLAUSE_END = re.compile(r"\s|(?<=[，；、：])\S")
NOT_BLANK = re.compile(r"\S")
PARAGRAPH = "\n\n"

BLANK_ENDS = frozenset(("bo", "dz", "km", "lo", "th"))
"""Languages that end sentences and clauses with a blank or with marks that sentencex does not know (Thai, Lao, Khmer,
Tibetan, Dzongkha).
"""

BLANK_END = re.compile(r"\s+(?=\S)|[។៕༎](?=[^\s។៕༎])")

STRETCH = 8192
"""Code points passed to sentencex at a time: its time is quadratic in the number of sentences of a paragraph."""


def sentences(text: str, lang: str) -> list[Span]:
    """The spans of the sentences of `text` without the blanks at their edges; `lang` as in `schemas.language`.

    A blank line ends a sentence. A single line feed does not, because it occurs inside sentences if lines are wrapped.
    sentencex knows the abbreviations of many languages, and uses those of English for a code that it does not know. In
    the languages of BLANK_ENDS, each blank ends a unit, so that these are clauses rather than sentences.
    """
    # sentencex 1.0.32 panics on an initial and a full stop with a multi-byte blank between them,
    # so all blanks are replaced by U+0020.
    ends = list(_ends(OTHER_BLANK.sub(" ", text), lang))
    spans = (without_blanks(text, start, end) for start, end in zip([0, *ends], ends, strict=False))
    return [(start, end) for start, end in spans if start < end]


def _ends(text: str, lang: str) -> Iterator[int]:
    """The ends of the sentences, including the blanks after them; the last is the end of the text.

    A text longer than STRETCH is segmented in stretches. A stretch ends at the end of a paragraph if it contains one.
    Otherwise the sentences in its last quarter, where a quotation may be cut, are left to the next stretch; a sentence
    that fills the stretch continues in the next one.
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
    part = text[start:end]
    ends = list(accumulate(map(len, sentencex.segment(lang, part)), initial=start))[1:]
    if lang not in BLANK_ENDS:
        return ends
    return sorted({*ends, *(start + match.end() for match in BLANK_END.finditer(part))})


def without_blanks(text: str, start: int, end: int) -> Span:
    """The span without the blanks at its edges."""
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, with overlapping spans merged. Spans that only touch are not merged."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            start, end = merged[-1][0], max(end, merged.pop()[1])
        merged.append((start, end))
    return merged


def pieces(text: str, span: Span, max_chars: int, whole: Sequence[Span]) -> Iterator[Span]:
    """`span` in pieces of at most `max_chars` code points; `span` itself if it is short enough.

    Each piece ends at the last blank or clause mark before the limit that is outside all spans of `whole` (the result
    of `disjoint`), else at the last position outside all of them that is not before a mark, else at the limit.
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
            return next((cut for cut in reversed(free) if not is_mark(text, cut)), free[-1])
    return limit


def is_mark(text: str, at: int) -> bool:
    """Whether a mark such as a vowel sign begins here, which belongs to the letter before it."""
    return at < len(text) and category(text[at])[0] == "M"
