"""Texts → their shingles (word n-grams), the Jaccard index of two texts, and hashes that similar texts share.

Shingles are 3-grams of words; of a text that is mainly in a script without blanks, 5-grams of characters, since
`scripts.tokens` makes a word of each letter there. MinHash (Broder 1997) with bands (locality-sensitive hashing, Indyk
and Motwani 1998) finds pairs that are probably similar; `jaccard` decides.
"""

from collections.abc import Sequence

import numpy as np
from rensa import RMinHash

from transforms.anchors import BASE, chunks, mixed
from transforms.decontaminate import folded
from transforms.scripts import UNSPACED_LETTER, is_mark, tokens

WORDS, LETTERS = 3, 5
"""Tokens of a shingle, in scripts with blanks and without."""

PERMUTATIONS = 40
RECALL = 0.99
"""Two texts whose Jaccard index is the threshold share a band with at least this probability."""

SEED = 42

BASE_64 = 0x9E3779B97F4A7C15
"""As `anchors.BASE`, for 64 bits."""

TEXTS_PER_CALL = 500
"""Texts whose signatures are made at a time: they pass through lists of Python's integers."""

BREAK, WORD, LETTER, MARK, UNKNOWN = range(5)
"""Classes of code points. BREAK: not part of a token; LETTER: a token of its own; MARK: belongs to the one before."""

CLASSES = np.full(0x110000, UNKNOWN, np.uint8)
"""Code point → class, filled when a code point occurs."""

POSITIONS = mixed(np.arange(1, 65, dtype=np.uint32)) | np.uint32(1)
"""Factors for the characters of a token by position; they repeat after 64 characters."""


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """The shingles of a text without regard to case, punctuation and compatibility forms. Empty for a text of fewer
    tokens than a shingle has.
    """
    words = tokens(folded(text))
    letters = sum(1 for word in words if UNSPACED_LETTER.match(word))
    length = LETTERS if 2 * letters > len(words) else WORDS
    return frozenset(zip(*(words[start:] for start in range(length)), strict=False))


def jaccard(one: frozenset, other: frozenset) -> float:
    """The size of the intersection divided by that of the union; 0 for two empty sets."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def bands(threshold: float) -> int:
    """The number of values of a signature in a band: the most for which RECALL is reached.

    A pair with Jaccard index j shares a band of r values with probability 1 - (1 - j**r)**(PERMUTATIONS // r).
    """
    return max(
        size
        for size in range(1, PERMUTATIONS + 1)
        if size == 1 or 1 - (1 - threshold**size) ** (PERMUTATIONS // size) >= RECALL
    )


def band_hashes(hashes: np.ndarray, ends: np.ndarray, threshold: float) -> np.ndarray:
    """The hashes of the bands of each text, uint64, texts × bands: similar texts have equal values in a column.

    `hashes`: those of the shingles of all texts (`shingle_hashes`); `ends`: where those of each text end, at least one
    per text.
    """
    parts = [np.empty((0, PERMUTATIONS), np.uint32)]
    starts = np.concatenate([[0], ends])
    for first in range(0, len(ends), TEXTS_PER_CALL):
        offsets = starts[first : first + TEXTS_PER_CALL + 1]
        values = hashes[offsets[0] : offsets[-1]].astype(np.uint64)
        offsets = (offsets - offsets[0]).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(values, offsets, PERMUTATIONS, SEED)
        parts.append(np.array(matrix.to_rows(), np.uint32))
    signatures = np.concatenate(parts)
    size = bands(threshold)
    count = PERMUTATIONS // size
    # 64 bits: with 32, texts that share nothing would often share a band with one of many texts
    combined = np.broadcast_to(np.arange(1, count + 1, dtype=np.uint64), (len(ends), count))
    for value in range(size):
        combined = (combined ^ (combined >> np.uint64(29))) * np.uint64(BASE_64)
        combined = combined + signatures[:, value : count * size : size]
    return combined


def shingle_hashes(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(hashes of the shingles of all texts, uint32; number of shingles of each text; number of tokens of each text).

    The same as the hashes of `shingles`, but a repeated shingle is repeated.
    """
    parts = [_hashes(part) for _, part in chunks(texts)]
    if not parts:
        return np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0, np.int64)
    hashes, counts, words = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return hashes, counts, words


class ShingleSets:
    """The hashed shingles of some texts, for the comparison of another text with all of them.

    `ids`: the shingles of all texts, each once per text, as positions in `hashes`, which are sorted; `sizes`, `ends`:
    their number in each text, and where those of each text end.
    """

    def __init__(self, texts: Sequence[str]):
        hashes, counts, _ = shingle_hashes(texts)
        self.hashes, ids = np.unique(hashes, return_inverse=True)
        pairs = np.unique(np.repeat(np.arange(len(texts)), counts) << 32 | ids)
        self.ids = pairs & 0xFFFFFFFF
        self.sizes = np.bincount(pairs >> 32, minlength=len(texts))
        self.ends = np.cumsum(self.sizes)

    def jaccard(self, hashes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The Jaccard index of a text with the `hashes` of `unique_hashes` and the texts with these numbers (ascending,
        at least one). Two shingles with one hash count as equal.
        """
        first, last, number = numbers[0], numbers[-1] + 1, len(hashes)
        sizes, ends = self.sizes[first:last], self.ends[first:last]
        start = ends[0] - sizes[0]
        is_shared = np.zeros(len(self.hashes), bool)
        places = np.searchsorted(self.hashes, hashes)
        inside = places < len(self.hashes)
        places, hashes = places[inside], hashes[inside]
        is_shared[places[self.hashes[places] == hashes]] = True
        before = np.zeros(ends[-1] - start + 1, np.int32)
        np.cumsum(is_shared[self.ids[start : ends[-1]]], out=before[1:])
        shared = before[ends - start] - before[ends - start - sizes]
        return (shared / np.maximum(sizes + number - shared, 1))[numbers - first]


def unique_hashes(text: str) -> np.ndarray:
    """The hashes of the shingles of a text, sorted, each once."""
    return np.unique(shingle_hashes([text])[0])


def _hashes(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [folded(text) for text in texts]
    words, letters, places = _token_hashes("\n".join(parts))
    starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])])
    owners = np.searchsorted(starts, places, "right") - 1
    lengths = np.bincount(owners, minlength=len(texts))
    unspaced = 2 * np.bincount(owners[letters], minlength=len(texts)) > lengths
    combined, inside = _combined(words, owners, WORDS)
    inside &= ~unspaced[owners]
    if unspaced.any():
        by_letters, inside_letters = _combined(words, owners, LETTERS)
        inside_letters &= unspaced[owners]
        combined = np.where(inside_letters, by_letters, combined)
        inside |= inside_letters
    return combined[inside], np.bincount(owners[inside], minlength=len(texts)), lengths


def _combined(words: np.ndarray, owners: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The hash of the `length` tokens from each token on, and whether all of them are of one text."""
    combined = np.full(len(words), length, np.uint32)
    inside = np.zeros(len(words), bool)
    whole = len(words) - length + 1
    if whole > 0:
        for start in range(length):
            combined[:whole] = combined[:whole] * np.uint32(BASE) + words[start : start + whole]
        inside[:whole] = owners[:whole] == owners[length - 1 :]
    return mixed(combined), inside


def _token_hashes(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The hashes of the tokens of a folded text, whether each is a letter of a script without blanks, and their
    places in code points.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    classes = _classes(codes)
    is_base = classes != MARK
    if not is_base.all():
        bases = np.maximum.accumulate(np.where(is_base, np.arange(len(codes)), 0))
        classes = np.where(is_base[bases], classes[bases], BREAK)
    before = np.concatenate([np.array([BREAK], np.uint8), classes[:-1]])
    starts = ((classes == LETTER) & is_base) | ((classes == WORD) & (before != WORD))
    inside = np.flatnonzero(classes != BREAK)
    if not len(inside):
        return np.empty(0, np.uint32), np.empty(0, bool), np.empty(0, np.int64)
    bounds = np.flatnonzero(starts[inside])
    lengths = np.diff(np.append(bounds, len(inside)))
    positions = np.arange(len(inside)) - np.repeat(bounds, lengths)
    values = np.add.reduceat(codes[inside].astype(np.uint32) * POSITIONS[positions & 63], bounds)
    places = inside[bounds]
    return mixed(values), classes[places] == LETTER, places


def _classes(codes: np.ndarray) -> np.ndarray:
    classes = CLASSES[codes]
    if UNKNOWN in classes:
        for code in np.unique(codes[classes == UNKNOWN]).tolist():
            character = chr(code)
            if is_mark(character):
                CLASSES[code] = MARK
            elif UNSPACED_LETTER.match(character):
                CLASSES[code] = LETTER
            else:
                CLASSES[code] = WORD if tokens(character) else BREAK
        classes = CLASSES[codes]
    return classes
