"""Counts of right, predicted and gold items per text → figures of resampled test sets, for 95 % intervals."""

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Settings of the intervals, which span the 2.5th to the 97.5th percentile (95 %) of `draws` resamples."""

    draws: int = 1000
    seed: int = 0


def precision_recall_f1(right: np.ndarray, predicted: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """(..., 3): precision, recall and F1 = 2 right / (predicted + gold); nan where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack([right / predicted, right / gold, 2 * right / (predicted + gold)], axis=-1)


def drawn_figures(record: np.ndarray, counts: np.ndarray, texts: int, bootstrap: Bootstrap, key: str) -> np.ndarray:
    """(draws, R, 3): precision, recall and F1 on the `drawn_counts` of right, predicted and gold items; 0 where the
    denominator is 0.
    """
    drawn = drawn_counts(record, counts, texts, bootstrap, key)
    return np.nan_to_num(precision_recall_f1(*np.moveaxis(drawn, -1, 0)))


def drawn_counts(record: np.ndarray, counts: np.ndarray, texts: int, bootstrap: Bootstrap, key: str) -> np.ndarray:
    """(draws, R, n): the sums of `counts` of each run on test sets of `texts` texts drawn with replacement.

    `record` (E,): the text of each entry of `counts` (E, R, n). All entries of a text are drawn together. Texts with
    equal counts are interchangeable, so the number of draws per distinct count is multinomial: the same distribution
    for much less work. The draws of a group depend only on its `key` and the seed.
    """
    _, runs, width = counts.shape
    _, place = np.unique(record, return_inverse=True)
    by_text = np.zeros((place.max() + 1, runs * width), np.int64)
    np.add.at(by_text, place, counts.reshape(len(counts), -1))
    kinds, times = np.unique(by_text, axis=0, return_counts=True)
    kinds = np.vstack([np.zeros((1, runs * width), np.int64), kinds])  # texts without items of the group
    times = np.array([texts - times.sum(), *times])
    drawn = _generator(bootstrap, key).multinomial(texts, times / texts, size=bootstrap.draws) @ kinds
    return drawn.reshape(-1, runs, width)


def average_drawn_runs(figures: np.ndarray, bootstrap: Bootstrap, key: str) -> np.ndarray:
    """(draws, R, n) → (draws, n): the mean over R runs drawn with replacement, independently for each test set."""
    return drawn_runs(figures, bootstrap, key).mean(axis=1)


def drawn_runs(figures: np.ndarray, bootstrap: Bootstrap, key: str) -> np.ndarray:
    """(draws, R, n) → (draws, R, n): the figures of R runs drawn with replacement, independently for each test set."""
    draws, runs, _ = figures.shape
    chosen = _generator(bootstrap, f"runs\t{key}").integers(runs, size=(draws, runs))
    return np.take_along_axis(figures, chosen[..., None], axis=1)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of `samples` (draws,)."""
    low, high = np.quantile(samples, (0.025, 0.975)).tolist()
    return low, high


def _generator(bootstrap: Bootstrap, key: str) -> np.random.Generator:
    return np.random.default_rng([bootstrap.seed, zlib.crc32(key.encode())])
