"""A tally → rows of scores by task, source, split or label: precision, recall, F1 and their bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.bootstrap import Bootstrap, average_drawn_runs, drawn_figures, interval, precision_recall_f1
from train.scoring.items import MEASURES
from train.scoring.metrics import MISSED, PARTIAL, WRONG
from train.scoring.tally import ANSWERS, Tally

COLUMNS = ("task", "source", "label", "split")
"""The columns that scores can be grouped by. The task is always one of them, since tasks count different items."""

Figures = tuple[float | None, float | None, float | None]
"""Precision, recall, F1; None if the denominator is 0."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one group and measure. With several runs, all but `runs` and `intervals` are means over runs.

    `group`: column → value, the task first. `texts`: number of texts. `macro`: the mean over the labels in the gold,
    where each (source, label) counts once. `overlap`: figures in which a boundary error counts as half right.
    `spread`: standard deviation of F1 over runs (n − 1). `runs`: the figures of each run. `rouge_2` and `combined` are
    None, and the counts after them empty, in tables by label.
    """

    group: dict[str, str]
    measure: str
    texts: int
    gold: float
    predicted: float
    right: float
    figures: Figures
    intervals: tuple[tuple[float, float], ...] | None
    macro: Figures
    overlap: Figures
    runs: tuple[Figures, ...]
    spread: float | None
    rouge_2: float | None
    combined: float | None
    wrong: dict[str, float]
    missed: dict[str, float]
    answers: dict[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """The scores for one --by: `by` are its columns."""

    by: tuple[str, ...]
    rows: list[Scores]


@dataclass(frozen=True, slots=True)
class Report:
    """All scores of a run of train.score. `repaired`: the same tables with invalid answers repaired, empty without
    --repair.
    """

    predictions: tuple[str, ...]
    match: str
    draws: int
    seed: int
    notes: tuple[str, ...]
    total: Scores
    tables: list[Table]
    repaired_total: Scores | None = None
    repaired: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One row of a table. `entries`: indices of tally entries. `members`: indices of records. `measure` None: all."""

    columns: dict[str, str]
    measure: int | None
    entries: np.ndarray
    members: np.ndarray

    @property
    def measure_name(self) -> str:
        return "all" if self.measure is None else MEASURES[self.columns["task"]][self.measure]

    @property
    def key(self) -> str:
        return "\t".join([*self.columns.values(), self.measure_name])


def groups(tally: Tally, by: Sequence[str]) -> list[Group]:
    """A group per task, measure and occurring combination of values of the columns `by`, sorted."""
    described = {"task": tally.task, "source": tally.source, "split": tally.split}
    text_columns = ["task", *(name for name in ("source", "split") if name in by)]
    names, text_group = _grouped([described[name] for name in text_columns])
    columns = [text_group[tally.record], tally.measure]
    if "label" in by:
        columns.append(tally.label)
    keys, entry_group = np.unique(np.stack(columns), axis=1, return_inverse=True)
    entry_group = entry_group.reshape(-1)
    order = np.argsort(entry_group, kind="stable")
    ends = np.searchsorted(entry_group[order], np.arange(keys.shape[1] + 1))
    entries = {tuple(key): order[ends[at] : ends[at + 1]] for at, key in enumerate(keys.T.tolist())}
    if "label" not in by:  # include groups without any gold or predicted item
        for group, name in enumerate(names):
            for measure in range(len(MEASURES[name[0]])):
                entries.setdefault((group, measure), order[:0])
    members = [np.flatnonzero(text_group == group) for group in range(len(names))]
    result = []
    for (group, measure, *label), chosen in entries.items():
        values = dict(zip(text_columns, names[group], strict=True))
        if label:
            values["label"] = tally.labels[label[0]]
        group_columns = {name: values[name] for name in dict.fromkeys(("task", *by))}
        result.append(Group(group_columns, measure, chosen, members[group]))
    return sorted(result, key=lambda group: (*group.columns.values(), group.measure))


def scores(tally: Tally, by: Sequence[str], bootstrap: Bootstrap) -> list[Scores]:
    """The scores of each of the `groups`."""
    return [_row(tally, group, bootstrap, by_label="label" in by) for group in groups(tally, by)]


def total(tally: Tally, bootstrap: Bootstrap) -> Scores:
    """The scores over all tasks and measures together. They are not comparable with published figures."""
    everything = Group({"task": "all"}, None, np.arange(len(tally.record)), np.arange(len(tally.task)))
    return _row(tally, everything, bootstrap, by_label=False)


def _grouped(columns: Sequence[np.ndarray]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """The distinct rows of string columns, sorted, and the index of each row in them."""
    rows = list(zip(*columns, strict=True))
    names = sorted(set(rows))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[row] for row in rows])


def _row(tally: Tally, group: Group, bootstrap: Bootstrap, by_label: bool) -> Scores:
    entries, members, measure = group.entries, group.members, group.measure
    counts = tally.counts[entries].astype(np.int64)
    right, predicted, gold, overlapping = np.moveaxis(counts.sum(axis=0), -1, 0)  # (R,) each
    figures = precision_recall_f1(right, predicted, gold)
    intervals = None
    if bootstrap.draws and len(entries):
        drawn = drawn_figures(tally.record[entries], counts[..., :3], len(members), bootstrap, group.key)
        samples = average_drawn_runs(drawn, bootstrap, group.key)
        intervals = tuple(interval(samples[:, at]) for at in range(3))
    rouge = combined = None
    if not by_label and measure is not None:
        rouge = float(tally.rouge[members, measure].mean())
        f1 = _or_none(figures[:, 2].mean())
        combined = None if f1 is None else (f1 + rouge) / 2
    at = slice(None) if measure is None else slice(measure, measure + 1)
    wrong = {} if by_label else _sums(tally.wrong[members, at].sum(axis=1), WRONG)
    missed = {} if by_label else _sums(tally.missed[members, at].sum(axis=1), MISSED)
    return Scores(
        group=group.columns,
        measure=group.measure_name,
        texts=len(members),
        gold=float(gold.mean()),
        predicted=float(predicted.mean()),
        right=float(right.mean()),
        figures=_mean(figures),
        intervals=intervals,
        macro=_macro(tally, entries, counts),
        overlap=_mean(precision_recall_f1(right + PARTIAL * overlapping, predicted, gold)),
        runs=tuple(tuple(_or_none(figure) for figure in run) for run in figures),
        spread=_or_none(figures[:, 2].std(ddof=1)) if tally.runs > 1 else None,
        rouge_2=rouge,
        combined=combined,
        wrong=wrong,
        missed=missed,
        answers={} if by_label else _sums(tally.answers[members], ANSWERS),
    )


def _or_none(figure: float) -> float | None:
    return None if np.isnan(figure) else float(figure)


def _mean(figures: np.ndarray) -> Figures:
    return tuple(_or_none(figure) for figure in figures.mean(axis=0))


def _sums(counts: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """(texts, R, names) → {name: mean count per run}."""
    return dict(zip(names, counts.sum(axis=0).mean(axis=0).tolist(), strict=True))


def _macro(tally: Tally, entries: np.ndarray, counts: np.ndarray) -> Figures:
    """The mean over the labels in the gold, counted separately per task, source and measure. A label that is never
    predicted has precision 0.
    """
    record = tally.record[entries]
    where = zip(tally.task[record], tally.source[record], tally.measure[entries], tally.label[entries], strict=True)
    places: dict[tuple, int] = {}
    label = np.array([places.setdefault(key, len(places)) for key in where], np.int64)
    sums = np.zeros((len(places), *counts.shape[1:]), np.int64)
    np.add.at(sums, label, counts)
    in_gold = sums[sums[:, 0, 2] > 0]  # the gold labels are the same in all runs
    if not len(in_gold):
        return None, None, None
    return tuple(np.nan_to_num(precision_recall_f1(*np.moveaxis(in_gold[..., :3], -1, 0))).mean(axis=(0, 1)).tolist())
