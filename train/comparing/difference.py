"""Runs of two arms over the same texts → the differences in F1, with 95 % intervals over texts and seeds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.aggregate import groups
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
    first: Sequence[Sequence[Record]],
    second: Sequence[Sequence[Record]],
    match: str,
    bootstrap: Bootstrap,
    labels: Collection[str] = (),
) -> list[Difference]:
    """Returns a row per task, measure and source with gold, and one for the mean over several sources.

    Each arm is a list of runs, all over the same records (see `predictions.align`); the n-th runs of both arms have the
    same seed. Each resample draws texts and seeds and scores both arms on them; the seeds are the same for all sources,
    since a run is one trained model. `labels`: only these count, if there are any. Raises ValueError
    if the arms have different numbers of runs.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} runs; the arms are paired by seed")
    picks = drawn_seeds(len(first), bootstrap)
    arms = [
        _counts_by_group(tally(arm, match), labels) for arm in (first, second)
    ]  # apart, as their prompts may differ
    rows: list[Difference] = []
    samples: dict[tuple[str, str], list[np.ndarray]] = {}
    for (task, source, measure), first_counts in arms[0].items():
        counts = np.concatenate([first_counts, arms[1][task, source, measure]], axis=1)
        texts = len(counts)
        if not counts[..., 2].any():
            continue
        f1 = np.nan_to_num(precision_recall_f1(*np.moveaxis(counts.sum(axis=0), -1, 0))[:, 2])
        figures = drawn_figures(np.arange(texts), counts, texts, bootstrap, f"{task}\t{source}\t{measure}")
        drawn = paired_difference(figures[..., 2], picks)
        samples.setdefault((task, measure), []).append(drawn)
        rows.append(_row(task, measure, source, texts, f1, len(first), drawn))
    means = []
    for (task, measure), by_source in samples.items():
        measure_rows = [row for row in rows if (row.task, row.measure) == (task, measure)]
        if len(measure_rows) > 1:
            f1 = np.mean([[*row.f1[0], *row.f1[1]] for row in measure_rows], axis=0)
            texts = sum(row.texts for row in measure_rows)
            means.append(_row(task, measure, None, texts, f1, len(first), np.mean(by_source, axis=0)))
    return [*rows, *means]


def _counts_by_group(counted: Tally, labels: Collection[str]) -> dict[tuple[str, str, str], np.ndarray]:
    """(task, source, measure) → (texts, R, 3): right, predicted and gold items of each text, in the order of the
    records.
    """
    label = counted.factors["label"]
    is_counted = np.array([not labels or name.partition(" / ")[0] in labels for name in label.names], bool)
    counts = {}
    for group in groups(counted, ("source",)):
        by_text = np.zeros((len(group.members), counted.runs, 3), np.int64)
        entries = group.entries[is_counted[label.entries[group.entries]]]
        places = np.searchsorted(group.members, counted.record[entries])
        np.add.at(by_text, places, counted.counts[entries, :, :3])
        counts[group.columns["task"], group.columns["source"], group.measure_name] = by_text
    return counts


def drawn_seeds(seeds: int, bootstrap: Bootstrap) -> np.ndarray:
    """(draws, seeds): the places of the seeds of each resample, drawn with replacement."""
    return np.random.default_rng(bootstrap.seed).integers(seeds, size=(bootstrap.draws, seeds))


def paired_difference(figures: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """(draws, 2 · seeds) figures of the first and the second arm → (draws,): the mean difference over the seeds drawn.

    `picks`: as `drawn_seeds` returns them.
    """
    seeds = picks.shape[1]
    by_seed = figures[:, seeds:] - figures[:, :seeds]
    return np.take_along_axis(by_seed, picks, axis=1).mean(axis=1)


def _row(
    task: str, measure: str, source: str | None, texts: int, f1: np.ndarray, first_runs: int, drawn: np.ndarray
) -> Difference:
    first, second = f1[:first_runs], f1[first_runs:]
    difference = float(second.mean() - first.mean())
    return Difference(task, measure, source, texts, (tuple(first), tuple(second)), difference, interval(drawn))
