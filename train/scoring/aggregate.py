"""A tally → rows of scores by text, prompt or label: precision, recall, F1, rates and their bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.bootstrap import Bootstrap, average_drawn_runs, drawn_counts, interval, precision_recall_f1
from train.scoring.confusions import ConfusionReport
from train.scoring.factors import ANSWER, LABEL, TEXT
from train.scoring.items import MEASURES
from train.scoring.metrics import MISSED, OMITTED, PARTIAL, WRONG
from train.scoring.mistakes import Mistakes
from train.scoring.tally import ANSWERS, Tally

RATES = ("predicted_per_text", "gold_per_text", "hallucinated", "omitted")
"""Predicted and gold items per text; the share of the predictions with a mention that neither the text nor the gold
has; the share of the gold that no prediction corresponds to.
"""

Figures = tuple[float | None, float | None, float | None]
"""Precision, recall, F1; None if the denominator is 0."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One of RATES; None if the denominator is 0. `interval`: None without resamples."""

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one group and measure. With several runs, all but `runs` and `intervals` are means over runs.

    `group`: factor → value, the task first. `texts`: number of texts. `macro`: the mean over the labels in the gold,
    where each (source, label) counts once. `overlap`: figures in which a boundary error counts as half right.
    `spread`: standard deviation of F1 over runs (n − 1). `runs`: the figures of each run. `rates`: the values of RATES.
    `rouge_2` and `combined` are None in tables by factors of prompts or labels, `answers` is empty in those by labels.
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
    rates: dict[str, Rate]
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
    """All scores of a run of train.score. `without_answer`: file → the number of its rows that are `missing`, and under
    `unanswerable` the number of those that have no answer, by reason. `repaired`: the same tables with invalid answers
    repaired, empty without --repair. `confusions`: None without --hard_negatives. `mistakes`: None without --html.
    """

    predictions: tuple[str, ...]
    match: str
    draws: int
    seed: int
    notes: tuple[str, ...]
    without_answer: dict[str, dict]
    total: Scores
    tables: list[Table]
    repaired_total: Scores | None = None
    repaired: tuple[Table, ...] = ()
    confusions: ConfusionReport | None = None
    mistakes: Mistakes | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One row of a table. `entries`: indices of tally entries; `members`: of records; `answers`: of answers. `measure`
    None: all.
    """

    columns: dict[str, str]
    measure: int | None
    entries: np.ndarray
    members: np.ndarray
    answers: np.ndarray

    @property
    def measure_name(self) -> str:
        return "all" if self.measure is None else MEASURES[self.columns["task"]][self.measure]

    @property
    def key(self) -> str:
        return "\t".join([*self.columns.values(), self.measure_name])


def groups(tally: Tally, by: Sequence[str]) -> list[Group]:
    """A group per task, measure and occurring combination of values of the factors `by`, in the order of the values.

    By a factor of prompts, a group consists of the texts that have such a prompt; by label, of all texts.
    """
    names = list(dict.fromkeys(("task", *by)))
    used = [tally.factors[name] for name in names]
    prompts = [n for n, name in enumerate(names) if name not in LABEL]
    answers = _grouped([used[n].answers for n in prompts])
    entries = _grouped([*(factor.entries for factor in used), tally.measure])
    if len(prompts) == len(names):  # include groups without any gold or predicted item
        for key in answers:
            for measure in range(len(MEASURES[used[0].names[key[0]]])):
                entries.setdefault((*key, measure), NOTHING)
    result = []
    for (*values, measure), chosen in sorted(entries.items()):
        columns = {name: factor.names[at] for name, factor, at in zip(names, used, values, strict=True)}
        group_answers = answers.get(tuple(values[n] for n in prompts), NOTHING)
        records = (
            tally.answered[group_answers] if len(group_answers) else tally.record[chosen]
        )  # items of labels that were not asked
        result.append(Group(columns, measure, chosen, np.unique(records), group_answers))
    return result


NOTHING = np.zeros(0, np.int64)


def _grouped(columns: Sequence[np.ndarray]) -> dict[tuple[int, ...], np.ndarray]:
    """The distinct rows of integer columns, each with the numbers of the rows that are equal to it."""
    keys, group = np.unique(np.stack(columns), axis=1, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(keys.shape[1] + 1))
    return {tuple(key): order[ends[at] : ends[at + 1]] for at, key in enumerate(keys.T.tolist())}


def scores(tally: Tally, by: Sequence[str], bootstrap: Bootstrap) -> list[Scores]:
    """The scores of each of the `groups`."""
    return [_row(tally, group, bootstrap, by) for group in groups(tally, by)]


def total(tally: Tally, bootstrap: Bootstrap) -> Scores:
    """The scores over all tasks and measures together. They are not comparable with published figures."""
    every_entry, every_text, every_answer = (np.arange(len(a)) for a in (tally.record, tally.rouge, tally.answered))
    return _row(tally, Group({"task": "all"}, None, every_entry, every_text, every_answer), bootstrap, ())


def _row(tally: Tally, group: Group, bootstrap: Bootstrap, by: Sequence[str]) -> Scores:
    entries, members, measure = group.entries, group.members, group.measure
    counts, wrong, missed = (each[entries].astype(np.int64) for each in (tally.counts, tally.wrong, tally.missed))
    hallucinated = wrong[..., [WRONG.index("hallucinated")]].sum(axis=2)
    omitted = missed[..., [MISSED.index(kind) for kind in OMITTED]].sum(axis=2)
    resampled = np.dstack([counts[..., :3], hallucinated, omitted])
    right, predicted, gold, overlapping = np.moveaxis(counts.sum(axis=0), -1, 0)  # (R,) each
    figures = _figures(resampled.sum(axis=0), len(members))  # (R, 7)
    means = _mean(figures)
    intervals: list[tuple[float, float]] = []
    if bootstrap.draws and len(entries):
        sums = drawn_counts(tally.record[entries], resampled, len(members), bootstrap, group.key)
        samples = average_drawn_runs(np.nan_to_num(_figures(sums, len(members))), bootstrap, group.key)
        intervals = [interval(column) for column in samples.T]
    by_text, by_prompt = (not set(by).difference(names) for names in (TEXT, (*TEXT, *ANSWER)))
    rouge = combined = None
    if by_text and measure is not None:
        rouge = float(tally.rouge[members, measure].mean())
        combined = None if means[2] is None else (means[2] + rouge) / 2
    return Scores(
        group=group.columns,
        measure=group.measure_name,
        texts=len(members),
        gold=float(gold.mean()),
        predicted=float(predicted.mean()),
        right=float(right.mean()),
        figures=_three(means),
        intervals=tuple(intervals[:3]) or None,
        macro=_macro(tally, entries, counts),
        overlap=_three(_mean(precision_recall_f1(right + PARTIAL * overlapping, predicted, gold))),
        runs=tuple(_three(_mean(run[None])) for run in figures),
        spread=_or_none(figures[:, 2].std(ddof=1)) if tally.runs > 1 else None,
        rates={name: Rate(means[at], intervals[at] if intervals else None) for at, name in enumerate(RATES, 3)},
        rouge_2=rouge,
        combined=combined,
        wrong=_sums(wrong, WRONG),
        missed=_sums(missed, MISSED),
        answers=_sums(tally.answers[group.answers], ANSWERS) if by_prompt else {},
    )


def _figures(counts: np.ndarray, texts: int) -> np.ndarray:
    """(..., 5) right, predicted, gold, hallucinated, omitted → (..., 7) precision, recall, F1 and RATES."""
    right, predicted, gold, hallucinated, omitted = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = [predicted / texts, gold / texts, hallucinated / predicted, omitted / gold]
    return np.concatenate([precision_recall_f1(right, predicted, gold), np.stack(rates, axis=-1)], axis=-1)


def _or_none(figure: float) -> float | None:
    return None if np.isnan(figure) else float(figure)


def _mean(figures: np.ndarray) -> tuple[float | None, ...]:
    """(R, n) → the n means over runs."""
    return tuple(_or_none(figure) for figure in figures.mean(axis=0))


def _three(figures: Sequence[float | None]) -> Figures:
    """The first three: precision, recall and F1."""
    return figures[0], figures[1], figures[2]


def _sums(counts: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """(n, R, names) → {name: mean count per run}."""
    return dict(zip(names, counts.sum(axis=0).mean(axis=0).tolist(), strict=True))


def _macro(tally: Tally, entries: np.ndarray, counts: np.ndarray) -> Figures:
    """The mean over the labels in the gold, counted separately per task, source and measure. A label that is never
    predicted has precision 0.
    """
    columns = [tally.measure, *(tally.factors[name].entries for name in ("task", "source", "label"))]
    labels, label = np.unique(np.stack(columns)[:, entries], axis=1, return_inverse=True)
    sums = np.zeros((labels.shape[1], *counts.shape[1:]), np.int64)
    np.add.at(sums, label.reshape(-1), counts)
    in_gold = sums[sums[:, 0, 2] > 0]  # the gold labels are the same in all runs
    if not len(in_gold):
        return None, None, None
    return tuple(np.nan_to_num(precision_recall_f1(*np.moveaxis(in_gold[..., :3], -1, 0))).mean(axis=(0, 1)).tolist())
