"""Runs of two arms over the same texts → how often they confuse labels, and how often near ones, with the differences.

A confusion is that of `train.scoring.confusions`. It is near if the given label is among the hard negatives of the gold
one, in one dictionary for both arms. Rates are confusions per gold item.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from train.comparing.difference import drawn_seeds, paired_difference
from train.scoring.bootstrap import Bootstrap, drawn_counts, interval
from train.scoring.confusions import confusions
from train.scoring.items import MEASURES, items
from train.scoring.neighbours import Dictionaries
from train.scoring.predictions import Record
from transforms import confused_labels

KINDS = ("all", "near")


@dataclass(frozen=True, slots=True)
class ConfusionDifference:
    """The difference in the confusions per gold item. `kind`: one of KINDS. `source` None: the mean over sources.

    `confusions`: their number in all runs, by arm. `rates`: the mean over the runs, by arm.
    """

    task: str
    source: str | None
    kind: str
    gold: int
    confusions: tuple[int, int]
    rates: tuple[float, float]
    difference: float
    interval: tuple[float, float]


def confusion_differences(
    first: Sequence[Sequence[Record]],
    second: Sequence[Sequence[Record]],
    dictionaries: Dictionaries,
    bootstrap: Bootstrap,
    labels: Collection[str] = (),
) -> list[ConfusionDifference]:
    """A row per task, source with gold and a dictionary, and kind, and the means over several sources of a task.

    `labels`: only gold items with these labels count, if there are any. The arms and the resamples are those of
    `difference.differences`.
    """
    records, seeds = first[0], len(first)
    counts = np.zeros((len(records), 2 * seeds, 3), np.int64)  # all confusions, near ones, gold items
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        if record.task in confused_labels.TASKS and (record.task, record.source) in dictionaries:
            members[record.task, record.source].append(at)
            gold = set(items(record.task, record.gold or ())[MEASURES[record.task][0]])
            counts[at, :, 2] = sum(not labels or item[0] in labels for item in gold)
    for one in confusions([*first, *second]):
        record = records[one.record]
        neighbours = dictionaries.get((record.task, record.source))
        if neighbours and {one.gold, one.given} <= neighbours.labels and (not labels or one.gold in labels):
            counts[one.record, one.run, 0] += 1
            counts[one.record, one.run, 1] += neighbours.rank(one.gold, one.given) is not None
    picks = drawn_seeds(seeds, bootstrap)
    by_task: dict[str, list[tuple[ConfusionDifference, np.ndarray]]] = defaultdict(list)
    for (task, source), places in sorted(members.items()):
        chosen = counts[places]
        if chosen[..., 2].any():
            drawn = drawn_counts(
                np.arange(len(places)), chosen, len(places), bootstrap, f"{task}\t{source}\tconfusions"
            )
            by_task[task] += _rows(task, source, chosen, drawn, picks)
    return [row for task, rows in by_task.items() for row in (*(row for row, _ in rows), *_means(task, rows))]


def _rows(
    task: str, source: str, counts: np.ndarray, drawn: np.ndarray, picks: np.ndarray
) -> Iterator[tuple[ConfusionDifference, np.ndarray]]:
    """The rows of one source, each with its drawn differences (draws,)."""
    seeds, sums = picks.shape[1], counts.sum(axis=0)
    gold = int(sums[0, 2])
    for at, kind in enumerate(KINDS):
        with np.errstate(invalid="ignore", divide="ignore"):
            samples = paired_difference(np.nan_to_num(drawn[..., at] / drawn[..., 2]), picks)
        first, second = int(sums[:seeds, at].sum()), int(sums[seeds:, at].sum())
        rates = first / (seeds * gold), second / (seeds * gold)
        row = ConfusionDifference(
            task, source, kind, gold, (first, second), rates, rates[1] - rates[0], interval(samples)
        )
        yield row, samples


def _means(task: str, rows: Sequence[tuple[ConfusionDifference, np.ndarray]]) -> Iterator[ConfusionDifference]:
    """The mean over the sources of a task, each with the same weight, if there are several."""
    for kind in KINDS:
        chosen = [row for row, _ in rows if row.kind == kind]
        if len(chosen) > 1:
            samples = np.mean([drawn for row, drawn in rows if row.kind == kind], axis=0)
            first, second = (sum(row.confusions[arm] for row in chosen) for arm in (0, 1))
            rates = (
                sum(row.rates[0] for row in chosen) / len(chosen),
                sum(row.rates[1] for row in chosen) / len(chosen),
            )
            gold, difference = sum(row.gold for row in chosen), rates[1] - rates[0]
            yield ConfusionDifference(task, None, kind, gold, (first, second), rates, difference, interval(samples))
