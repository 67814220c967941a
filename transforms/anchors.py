"""Squeezed texts → hashes such that a text that lies within another shares its hashes with it (winnowing).

Of every WINDOW consecutive n-grams of GRAM bytes, the one with the least hash is an anchor (Schleimer, Wilkerson and
Aiken 2003, Winnowing: local algorithms for document fingerprinting). A window depends on its own bytes only, so all
anchors of a text are also anchors of every text that contains it. About one byte in ten starts an anchor.
"""

from collections.abc import Iterator, Sequence

import numpy as np

GRAM, WINDOW = 12, 19

FEWEST_BYTES = GRAM + WINDOW - 1
"""A shorter text has no anchor. 30 bytes of UTF-8 are 30 Latin letters or 10 Chinese characters."""

CHUNK_BYTES = 1 << 16
"""Bytes that are hashed at a time, unless one text is longer: the arrays of a chunk fit into the cache."""

BASE = 0x9E3779B1
"""An odd number with irregular bits: about 2**32 divided by the golden ratio."""


def anchors(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """(hashes, uint32; the number of the text of each, int32), in the order of the texts. A text may repeat a hash."""
    parts = [(hashes, owners + first) for first, part in chunks(texts) for hashes, owners in [_anchors(part)]]
    if not parts:
        return np.empty(0, np.uint32), np.empty(0, np.int32)
    hashes, owners = zip(*parts, strict=True)
    return np.concatenate(hashes), np.concatenate(owners)


def chunks(texts: Sequence) -> Iterator[tuple[int, Sequence]]:
    """(number of the first text, consecutive texts) with at most CHUNK_BYTES bytes or characters; a longer text is
    alone.
    """
    first = size = 0
    for number, text in enumerate(texts):
        if number > first and size + len(text) > CHUNK_BYTES:
            yield first, texts[first:number]
            first, size = number, 0
        size += len(text)
    if first < len(texts):
        yield first, texts[first:]


def mixed(values: np.ndarray) -> np.ndarray:
    """The uint32 `values`, each mapped to another with evenly distributed bits (the last step of MurmurHash3)."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def _anchors(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    content = np.frombuffer(b"".join(texts), np.uint8)
    owners = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
    if len(content) < FEWEST_BYTES:
        return np.empty(0, np.uint32), owners[:0]
    least = _least(mixed(_gram_hashes(content)))
    inside = owners[: len(least)] == owners[FEWEST_BYTES - 1 :]
    starts = np.flatnonzero(inside)
    least, owners = least[starts], owners[starts]
    new = np.ones(len(starts), bool)
    new[1:] = (least[1:] != least[:-1]) | (owners[1:] != owners[:-1])
    return least[new], owners[new]


def _gram_hashes(content: np.ndarray) -> np.ndarray:
    """The polynomial hash of the GRAM bytes from each position on, modulo 2**32."""
    once = content.astype(np.uint32) + np.uint32(1)
    powers = [np.uint32(pow(BASE, length, 1 << 32)) for length in (1, 2, 4)]
    two = once[:-1] * powers[0] + once[1:]
    four = two[:-2] * powers[1] + two[2:]
    eight = four[:-4] * powers[2] + four[4:]
    return eight[:-4] * powers[2] + four[8:]


def _least(hashes: np.ndarray) -> np.ndarray:
    """The least of the WINDOW hashes from each position on."""
    width = 1
    while 2 * width <= WINDOW:
        hashes = np.minimum(hashes[:-width], hashes[width:])
        width *= 2
    rest = WINDOW - width
    return np.minimum(hashes[:-rest], hashes[rest:])
