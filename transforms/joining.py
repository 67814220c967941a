"""Tokens → text, with blanks only in scripts that separate words by blanks."""

import re
from collections.abc import Sequence

from schemas.example import Span

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\U00020000-\U0003ffff]"
)
"""Characters of scripts without blanks between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese, and the
punctuation of the last two.
"""


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """The text and the span of each token.

    No blank stands beside a character of UNSPACED. In a sentence that contains one, none stands between two tokens of
    one letter or digit either: its file has one character per line.
    """
    by_character = any(map(UNSPACED.search, tokens))
    text, spans, before = [], [], ""
    at = 0
    for token in tokens:
        if before and token:
            single = by_character and len(before) == len(token) == 1 and (before + token).isalnum()
            if not (single or UNSPACED.match(before[-1]) or UNSPACED.match(token[0])):
                text.append(" ")
                at += 1
        spans.append((at, at + len(token)))
        text.append(token)
        at += len(token)
        before = token or before
    return "".join(text), spans
