"""Texts of test splits → an index; other texts → the indexed texts that may contain them, lie within them or be alike.

The index has hashes and numbers of texts only, in a few arrays of numbers, so that it can be written to a file and read
by any worker. Candidates are no more than that: the texts decide (`transforms.partial_leaks`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from transforms.anchors import FEWEST_BYTES, anchors
from transforms.decontaminate import squeezed
from transforms.partial_leaks import LeakRules
from transforms.shingles import band_hashes, shingle_hashes

LOW = 0xFFFFFFFF
"""The lower half of a pair of numbers that is one int64."""

OTHERS = 3
"""Anchors of a text, besides the rarest, that another text must have to be a candidate. Each anchor that is missing
saves reading the text.
"""

MOST_PAIRS = 1 << 20
"""Number of candidates that are in memory at a time."""

MOST_PER_BAND = 1_000
"""Indexed texts with one band that are candidates; of more only the first are. Only sentences of one template have such
bands, and without a limit their number would be squared.
"""


@dataclass(frozen=True)
class TextHashes:
    """The hashes of some texts. `numbers`: of the texts that are long enough, ascending; all other arrays count these.

    `anchors` and `anchor_owners` are ordered by owner. `bands`: texts × bands.
    """

    numbers: np.ndarray
    anchors: np.ndarray
    anchor_owners: np.ndarray
    bands: np.ndarray

    @classmethod
    def from_texts(cls, texts: Sequence[str], rules: LeakRules) -> "TextHashes":
        hashes, counts, words = shingle_hashes(texts)
        squeezed_texts = [squeezed(text) for text in texts]
        long_enough = (words >= rules.words) & (counts > 0)
        long_enough &= np.array([len(text) >= FEWEST_BYTES for text in squeezed_texts], bool)
        numbers = np.flatnonzero(long_enough)
        values, owners = anchors([squeezed_texts[number] for number in numbers.tolist()])
        hashes = hashes[np.repeat(long_enough, counts)]
        bands = band_hashes(hashes, np.cumsum(counts[long_enough]), rules.jaccard)
        return cls(numbers, values, owners, bands)

    def have(self, owners: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Whether each of the `owners` has the anchor in `values` beside it."""
        if not len(owners):
            return np.empty(0, bool)
        is_asked = np.zeros(len(self.numbers), bool)
        is_asked[owners] = True
        places = np.flatnonzero(is_asked[self.anchor_owners])
        pairs = np.sort(self.anchor_owners[places].astype(np.int64) << 32 | self.anchors[places])
        wanted = owners << 32 | values
        return pairs[np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)] == wanted


@dataclass(frozen=True)
class Postings:
    """`hashes`, sorted, and the text of each (`owners`, int32)."""

    hashes: np.ndarray
    owners: np.ndarray

    @classmethod
    def sort(cls, hashes: np.ndarray, owners: np.ndarray) -> "Postings":
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], owners[order].astype(np.int32))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return self.hashes, self.owners

    def ranges(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the postings of each query begin, and their number."""
        order = np.argsort(queries)  # neighbours in the search are neighbours in memory, which is much faster
        first = np.empty(len(queries), np.int64)
        first[order] = np.searchsorted(self.hashes, queries[order])
        counts = np.zeros(len(queries), np.int64)
        if len(self.hashes):
            hits = np.flatnonzero(self.hashes[np.minimum(first, len(self.hashes) - 1)] == queries)
            counts[hits] = np.searchsorted(self.hashes, queries[hits], "right") - first[hits]
        return first, counts

    def pairs(self, owners: np.ndarray, first: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
        """Pairs (owner of a query, text of one of its postings), each as one int64, at most MOST_PAIRS at a time unless
        one query has more, sorted and without repetition.
        """
        hits = np.flatnonzero(counts)
        owners, first, counts = owners[hits], first[hits], counts[hits]
        ends = np.cumsum(counts)
        start = 0
        while start < len(hits):
            before = ends[start - 1] if start else 0
            stop = max(int(np.searchsorted(ends, before + MOST_PAIRS, "right")), start + 1)
            lengths = counts[start:stop]
            offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            texts = self.owners[np.repeat(first[start:stop], lengths) + offsets]
            pairs = np.sort(np.repeat(owners[start:stop], lengths).astype(np.int64) << 32 | texts)
            yield pairs[np.diff(pairs, prepend=-1) > 0]
            start = stop


@dataclass(frozen=True)
class LeakIndex:
    """`rows`: int64, the caller's number of each indexed text. `anchors`: all anchors of the texts. `rarest`: for each
    text the anchor that occurs least often; `others`: uint32, OTHERS × texts, the next of its anchors (the same again
    if it has too few). Whoever contains the text has all of these. `bands`: see `shingles`.
    """

    rows: np.ndarray
    others: np.ndarray
    anchors: Postings
    rarest: Postings
    bands: Postings

    @classmethod
    def build(cls, texts: Sequence[str], rows: np.ndarray, rules: LeakRules) -> "LeakIndex":
        hashes = TextHashes.from_texts(texts, rules)
        postings = Postings.sort(hashes.anchors, hashes.anchor_owners)
        counts = postings.ranges(hashes.anchors)[1]
        rarest, *others = anchors_by_count(hashes.anchor_owners, counts, 1 + OTHERS)
        owners = np.repeat(np.arange(len(hashes.numbers)), hashes.bands.shape[1])
        return cls(
            rows[hashes.numbers],
            hashes.anchors[np.array(others)],
            postings,
            Postings.sort(hashes.anchors[rarest], np.arange(len(rarest))),
            Postings.sort(hashes.bands.ravel(), owners),
        )

    def contained(self, hashes: TextHashes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(numbers of texts, rows of indexed texts): at least all pairs of which one text lies within the other."""
        first, counts = self.anchors.ranges(hashes.anchors)
        hits = np.flatnonzero(counts)
        if not len(hits):
            return
        for pairs in self.rarest.pairs(hashes.anchor_owners[hits], *self.rarest.ranges(hashes.anchors[hits])):
            for values in self.others:
                pairs = pairs[hashes.have(pairs >> 32, values[pairs & LOW])]
            yield self._named(hashes, pairs)
        # A text lies within another only if the other has all its anchors, so any one of them leads to it
        starts = np.flatnonzero(np.diff(hashes.anchor_owners, prepend=-1))
        complete = np.minimum.reduceat(counts, starts) > 0
        (rarest,) = anchors_by_count(hashes.anchor_owners, counts, 1)
        rarest = rarest[complete]
        for pairs in self.anchors.pairs(hashes.anchor_owners[rarest], first[rarest], counts[rarest]):
            yield self._named(hashes, pairs)

    def near(self, hashes: TextHashes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(numbers of texts, rows of indexed texts) that share a band (see MOST_PER_BAND)."""
        owners = np.repeat(np.arange(len(hashes.numbers)), hashes.bands.shape[1])
        first, counts = self.bands.ranges(hashes.bands.ravel())
        for pairs in self.bands.pairs(owners, first, np.minimum(counts, MOST_PER_BAND)):
            yield self._named(hashes, pairs)

    def _named(self, hashes: TextHashes, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return hashes.numbers[pairs >> 32], self.rows[pairs & LOW]

    def to_bytes(self) -> bytes:
        stream = BytesIO()
        arrays = [self.rows, self.others]
        arrays += [part for postings in (self.anchors, self.rarest, self.bands) for part in postings.arrays()]
        for array in arrays:
            np.save(stream, array)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "LeakIndex":
        stream = BytesIO(content)
        rows, others, *arrays = (np.load(stream) for _ in range(8))
        return cls(rows, others, *(Postings(*arrays[at : at + 2]) for at in (0, 2, 4)))


def anchors_by_count(owners: np.ndarray, counts: np.ndarray, number: int) -> list[np.ndarray]:
    """For each owner, the index of its value with the least count, of that with the next, and so on, `number` times; it
    begins again if an owner has fewer values. `owners`: ascending, of each value. `counts`: positive.
    """
    if not len(owners):
        return [np.empty(0, np.int64)] * number
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    lengths = np.diff(starts, append=len(owners))
    remaining = counts.astype(np.int64)
    chosen = []
    for turn in range(number):
        least = np.repeat(np.minimum.reduceat(remaining, starts), lengths)
        indexes = np.flatnonzero(remaining == least)
        chosen.append(indexes[np.flatnonzero(np.diff(owners[indexes], prepend=-1))])
        remaining[chosen[-1]] += (turn + 1) << 32  # behind all others of this owner
    return chosen
