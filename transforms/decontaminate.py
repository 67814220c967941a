"""Rows that share a text over all sources → train and validation rows that occur in some test split."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from transforms.normal_forms import normalize

ASCII_LOWER = bytes(range(256)).lower()
ASCII_BLANKS = bytes(code for code in range(128) if chr(code).isspace())


def leakage_key(text: str) -> bytes:
    """16 bytes that stand for the text without its blanks, case and compatibility forms (NFKC).

    Sources share sentences in different dress: one corpus gives them tokenised ("cells , in vitro ."), another as
    published; full-width and half-width forms alternate in Chinese. Without blanks and in one form they meet. It
    is a match of whole texts: a sentence within another source's document, and quotes and brackets that a treebank
    wrote in its own way (-LRB-), stay apart.
    """
    if text.isascii():  # most of the texts, and at once: no character has another form
        squeezed = text.encode().translate(ASCII_LOWER, ASCII_BLANKS)
    else:
        squeezed = "".join(normalize("NFKC", text).casefold().split()).encode()
    return blake2b(squeezed, digest_size=16).digest()


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A row of train or validation to drop, and the keys of the sources in whose test split its text occurs."""

    source: str
    split: str
    ordinal: int
    into: tuple[str, ...]


def leaks(rows: Iterable[tuple[str, str, int]]) -> list[Leak]:
    """The leaking ones, sorted, of all rows (source key, split, ordinal) with one `leakage_key`.

    Each (source, split) → `into` is a cell of the report's matrix of which source leaks into which.
    """
    rows = list(rows)
    into = tuple(sorted({source for source, split, _ in rows if split == "test"}))
    if not into:
        return []
    return sorted(Leak(source, split, ordinal, into) for source, split, ordinal in rows if split != "test")
