"""Runs of two arms over the same texts → the differences in F1, with 95 % intervals over texts and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.aggregate import Group, groups
from train.scoring.bootstrap import Bootstrap, drawn_figures, interval, precision_recall_f1
from train.scoring.predictions import Record
from train.scoring.tally import Tally, tally


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference in F1 for one task, measure and source. `source` None: the mean over sources.

    `f1`: F1 of each run, by arm. `difference`: mean of the second arm minus mean of the first, with its `interval`.
    """

    task: str
    measure: str
    source: str | None
    texts: int
    f1: tuple[tuple[float, ...], tuple[float, ...]]
    difference: float
    interval: tuple[float, float]


def differences(
    first: Sequence[Sequence[Record]], second: Sequence[Sequence[Record]], match: str, bootstrap: Bootstrap
) -> list[Difference]:
    """Returns a row per task, measure and source with gold, and one for the mean over several sources.

    Each arm is a list of runs, all over the same records (see `predictions.align`). Each resample scores both arms on
    the same texts. It also draws runs of each arm, the same ones for all sources, since a run is one trained model.
    """
    counted = tally([*first, *second], match)
    generator = np.random.default_rng(bootstrap.seed)
    picks = [
        start + generator.integers(len(arm), size=(bootstrap.draws, len(arm)))
        for start, arm in ((0, first), (len(first), second))
    ]
    rows: list[Difference] = []
    samples: dict[tuple[str, str], list[np.ndarray]] = {}
    for group in groups(counted, ("source",)):
        counts = counted.counts[group.entries, :, :3].astype(np.int64)
        if not counts[..., 2].sum():
            continue
        task, measure = group.columns["task"], group.measure_name
        f1 = np.nan_to_num(precision_recall_f1(*np.moveaxis(counts.sum(axis=0), -1, 0))[:, 2])
        drawn = _drawn_difference(counted, group, counts, picks, bootstrap)
        samples.setdefault((task, measure), []).append(drawn)
        rows.append(_row(task, measure, group.columns["source"], len(group.members), f1, len(first), drawn))
    means = []
    for (task, measure), drawn in samples.items():
        measure_rows = [row for row in rows if (row.task, row.measure) == (task, measure)]
        if len(measure_rows) > 1:
            f1 = np.mean([[*row.f1[0], *row.f1[1]] for row in measure_rows], axis=0)
            texts = sum(row.texts for row in measure_rows)
            means.append(_row(task, measure, None, texts, f1, len(first), np.mean(drawn, axis=0)))
    return [*rows, *means]


def _drawn_difference(
    counted: Tally, group: Group, counts: np.ndarray, picks: Sequence[np.ndarray], bootstrap: Bootstrap
) -> np.ndarray:
    """(draws,): F1 of the second arm minus that of the first."""
    figures = drawn_figures(counted.record[group.entries], counts, len(group.members), bootstrap, group.key)
    first, second = (np.take_along_axis(figures[..., 2], chosen, axis=1).mean(axis=1) for chosen in picks)
    return second - first


def _row(
    task: str, measure: str, source: str | None, texts: int, f1: np.ndarray, first_runs: int, drawn: np.ndarray
) -> Difference:
    first, second = f1[:first_runs], f1[first_runs:]
    difference = float(second.mean() - first.mean())
    return Difference(task, measure, source, texts, (tuple(first), tuple(second)), difference, interval(drawn))
