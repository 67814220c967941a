"""Tokens → text, with blanks only in scripts that separate words by blanks; tokens in a text that is given."""

import re
from collections.abc import Iterable, Sequence

from schemas.example import Span
from transforms import scripts

NO_BLANK_BESIDE = re.compile(f"[{scripts.UNSPACED}\uff01-\uff5e]")
"""Scripts without blanks between words, and the full-width forms of ASCII."""

QUOTES = frozenset("“”‘’—…·")
"""Punctuation of many scripts, which has no blanks beside it in Chinese and Japanese."""


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """The text and the span of each token.

    No blank stands beside a character of NO_BLANK_BESIDE. In a sentence that contains one, none stands beside QUOTES
    either, nor between two tokens of one letter or digit: its file has one character per line.
    """
    unspaced = any(map(NO_BLANK_BESIDE.search, tokens))
    text, spans, before = [], [], ""
    at = 0
    for token in tokens:
        if before and token and not _adjacent(before, token, unspaced):
            text.append(" ")
            at += 1
        spans.append((at, at + len(token)))
        text.append(token)
        at += len(token)
        before = token or before
    return "".join(text), spans


def _adjacent(before: str, token: str, unspaced: bool) -> bool:
    """Whether no blank stands between the tokens. `unspaced`: whether the sentence has a NO_BLANK_BESIDE character."""
    left, right = before[-1], token[0]
    if left.isspace() or right.isspace() or NO_BLANK_BESIDE.match(left) or NO_BLANK_BESIDE.match(right):
        return True
    single = len(before) == len(token) == 1 and left.isalnum() and right.isalnum()
    return unspaced and (single or left in QUOTES or right in QUOTES)


def find_tokens(text: str, tokens: Iterable[str]) -> list[Span] | None:
    """The spans of the tokens, if the text consists of them, in order, and of blanks; else None."""
    spans: list[Span] = []
    at = 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0 or text[at:start].strip():
            return None
        at = start + len(token)
        spans.append((start, at))
    return None if text[at:].strip() else spans
