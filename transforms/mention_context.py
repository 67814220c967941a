"""A span of a text ↔ its string with the fewest words around it that are in the text only once."""

from collections.abc import Iterator

from schemas.example import Span
from transforms.scripts import token_spans

MAX_WORDS = 32
"""A span that more words around it would not tell apart has no context."""

MAX_CHARS = 512
"""The length of a context on each side, in code points."""

Context = tuple[str, str, str]
"""The text before the span, the string of the span, and the text after it."""


def occurrences(text: str, string: str) -> Iterator[int]:
    """The places where a string that is not empty starts in the text, also those that overlap."""
    at = text.find(string)
    while at >= 0:
        yield at
        at = text.find(string, at + 1)


def context(text: str, span: Span) -> Context | None:
    """The shortest run of whole words around `span` that occurs once in the text; of two with as many words, the one
    with more of them behind the span. None if it would have more than MAX_WORDS words or MAX_CHARS on a side.
    """
    start, end = span
    before, after = text[max(0, start - MAX_CHARS) : start], text[end : end + MAX_CHARS]
    shared = [
        (
            common_prefix(text[max(0, at - MAX_CHARS) : at][::-1], before[::-1]),
            common_prefix(text[at + end - start :][:MAX_CHARS], after),
        )
        for at in occurrences(text, text[start:end])
        if at != start
    ]
    left = [0, *(len(before) - at for at, _ in reversed(token_spans(before)[-MAX_WORDS:]))]
    right = [0, *(at for _, at in token_spans(after)[:MAX_WORDS])]
    best: tuple[int, int, int] | None = None  # words, and characters on both sides
    for words, chars in enumerate(left):
        equal = max((after for before, after in shared if before >= chars), default=-1)
        more = next((n for n, chars_after in enumerate(right) if chars_after > equal), MAX_WORDS + 1)
        if words + more < (best[0] if best else MAX_WORDS + 1):
            best = words + more, chars, right[more]
    return best and (text[start - best[1] : start], text[start:end], text[end : end + best[2]])


def common_prefix(one: str, other: str) -> int:
    """The length of the longest common prefix."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def locate(text: str, parts: Context) -> Span | None:
    """The span of the middle part, None unless the three parts together occur exactly once in the text."""
    before, string, after = parts
    places = occurrences(text, before + string + after)
    at, other = next(places, None), next(places, None)
    if at is None or other is not None:
        return None
    return at + len(before), at + len(before) + len(string)
