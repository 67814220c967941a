"""Rows with the same text in all sources → the train and validation rows whose text occurs in a test split."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from transforms.normal_forms import normalize

ASCII_LOWER = bytes(range(256)).lower()
ASCII_BLANKS = bytes(code for code in range(128) if chr(code).isspace())


def leakage_key(text: str) -> bytes:
    """A 16-byte hash of the squeezed text. Only whole texts have the same key; `partial_leaks` finds the others."""
    return blake2b(squeezed(text), digest_size=16).digest()


def squeezed(text: str) -> bytes:
    """The text without blanks, in lower case and in compatibility form (NFKC), as UTF-8.

    Sources share sentences in different spellings: tokenised in one corpus ("cells , in vitro ."), as published in
    another, and in Chinese with full-width or half-width characters. All of them are the same when squeezed, but not
    brackets and quotes in their treebank spelling (-LRB-).
    """
    if text.isascii():  # most texts, and much faster: no character has another form
        return text.encode().translate(ASCII_LOWER, ASCII_BLANKS)
    return "".join(folded(text).split()).encode()


def folded(text: str) -> str:
    """The text in lower case and in compatibility form (NFKC)."""
    return text.lower() if text.isascii() else normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A row of train or validation to drop, and the keys of the sources in whose test split its text occurs."""

    source: str
    split: str
    ordinal: int
    into: tuple[str, ...]


def leaks(rows: Iterable[tuple[str, str, int]]) -> list[Leak]:
    """The leaks, sorted, among all rows (source key, split, ordinal) with the same `leakage_key`.

    They are counted by (source, split) and `into` for the leakage matrix of the report.
    """
    rows = list(rows)
    into = tuple(sorted({source for source, split, _ in rows if split == "test"}))
    if not into:
        return []
    return sorted(Leak(source, split, ordinal, into) for source, split, ordinal in rows if split != "test")
