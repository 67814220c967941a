"""Many short lists of numbers in one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Lists:
    """List n is `numbers[starts[n]:starts[n + 1]]`."""

    starts: np.ndarray
    numbers: np.ndarray

    @classmethod
    def pack(cls, lists: Sequence[Sequence[int]]) -> "Lists":
        starts = np.cumsum([0, *map(len, lists)])
        return cls(starts, np.fromiter(chain.from_iterable(lists), np.int64, starts[-1]))

    def take(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lengths of the lists `which`, and their numbers, concatenated."""
        lengths = self.starts[which + 1] - self.starts[which]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return lengths, self.numbers[np.repeat(self.starts[which], lengths) + within]
