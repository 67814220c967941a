"""Text → words, cut so that every mention is a sequence of whole words."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from schemas.example import Example, Span
from transforms import scripts

ONE = f"[{scripts.UNSPACED}](?<=\\w)"
RUN = f"[^\\W{scripts.UNSPACED}]+"
GLINER = re.compile(rf"{ONE}|{RUN}(?:[-_]{RUN})*|\S")
"""Words as the default splitter of GLiNER cuts them (runs of letters, joined by hyphens, and other characters alone),
except in scripts without blanks between words, whose letters are words of their own.
"""


def gliner_words(text: str) -> list[Span]:
    return [match.span() for match in GLINER.finditer(text)]


def words(example: Example, split: Callable[[str], Iterable[Span]] = scripts.token_spans) -> list[Span]:
    """The spans of the words of the text, as `split` finds them, cut at the mentions of the entities."""
    places = sorted({at for entity in example.entities or () for span in entity.mention.spans for at in span})
    spans = []
    for start, end in split(example.text):
        for at in places[bisect_right(places, start) : bisect_left(places, end)]:
            spans.append((start, at))
            start = at
        spans.append((start, end))
    return spans


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
