"""Predictions with the mentions of a gold item under another label → which share of these confusions was foreseen.

What a confusion A → B is, `transforms.confused_labels` defines; its mentions are the entity, the head and tail of the
relation, or the trigger. It is foreseen if B is among the hard negatives of A. The share is compared with that of a
dictionary in which each label has as many hard negatives, drawn at random from its set: its expected value follows from
the sizes alone, so nothing is drawn.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from train.scoring.bootstrap import Bootstrap, drawn_counts, drawn_runs, interval
from train.scoring.items import MEASURES, comparable_items
from train.scoring.neighbours import Dictionaries
from train.scoring.predictions import Record
from train.scoring.tally import predicted, prompt_name
from transforms import confused_labels

FIRST = (1, 3, 5, None)
"""How many of the hard negatives of a label count: the first ones, or all."""

MOST_FREQUENT = 20


@dataclass(frozen=True, slots=True)
class Confusion:
    """The label `gold` was given as `given` in record `record` of run `run`. `is_joint`: one prompt asks for both."""

    record: int
    run: int
    gold: str
    given: str
    is_joint: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The share of confusions within the `first` hard negatives (None: all) of the gold label. `interval`: None without
    resamples. `expected`: the share in a random dictionary of equal size.
    """

    first: int | None
    share: float
    interval: tuple[float, float] | None
    expected: float


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """The confusions of one source and task; both are "all" in the last rows. `labels`: `all`, or `in one prompt` for
    those of two labels that one prompt asks for.
    """

    task: str
    source: str
    labels: str
    confusions: int
    foreseen: tuple[Foreseen, ...]


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """How often the label `gold` was given as `given`. `rank`: the place of `given` among the hard negatives of `gold`,
    None if it is none of them.
    """

    task: str
    source: str
    gold: str
    given: str
    times: int
    rank: int | None


@dataclass(frozen=True, slots=True)
class ConfusionReport:
    """Confusions summed over all runs. `pairs`: the MOST_FREQUENT. `left_out`: confusions in sources that have no
    dictionary.
    """

    rows: tuple[ConfusionRow, ...]
    pairs: tuple[ConfusedPair, ...]
    left_out: int


def confusions(runs: Sequence[Sequence[Record]]) -> list[Confusion]:
    """All confusions of `runs`, which have the same records in the same order (see `predictions.align`)."""
    return [
        Confusion(at, run, *confused)
        for run, records in enumerate(runs)
        for at, record in enumerate(records)
        if record.task in confused_labels.TASKS
        for confused in _confused(record)
    ]


def _confused(record: Record) -> Iterator[tuple[str, str, bool]]:
    """(gold label, given label, whether one prompt asks for both) of each confusion; equal predictions count once."""
    ours, theirs = comparable_items(record.task, predicted(record, repair=False)[0], record.gold or ())
    measure = MEASURES[record.task][0]
    for pair in confused_labels.confusions(theirs[measure], ours[measure]):
        label, given = map(prompt_name, pair)
        yield label, given, any({label, given} <= {*answer.labels} for answer in record.answers)


def report(runs: Sequence[Sequence[Record]], dictionaries: Dictionaries, bootstrap: Bootstrap) -> ConfusionReport:
    """Which confusions of `runs` are foreseen by `dictionaries`. Labels outside the label set of the source are left
    out, since no dictionary could contain them.
    """
    records = runs[0]
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        members[record.task, record.source].append(at)
    by_set: dict[tuple[str, str], list[Confusion]] = defaultdict(list)
    left_out = 0
    for confusion in confusions(runs):
        record = records[confusion.record]
        neighbours = dictionaries.get((record.task, record.source))
        if neighbours is None:
            left_out += 1
        elif {confusion.gold, confusion.given} <= neighbours.labels:
            by_set[record.task, record.source].append(confusion)
    groups = {key: (by_set[key], len(members[key])) for key in sorted(by_set)}
    if len(groups) > 1:
        every = [confusion for chosen, _ in groups.values() for confusion in chosen]
        groups["all", "all"] = every, sum(texts for _, texts in groups.values())
    rows = []
    for (task, source), (chosen, texts) in groups.items():
        joint = [confusion for confusion in chosen if confusion.is_joint]
        for labels, some in (("all", chosen), ("in one prompt", joint)):
            if some and (labels == "all" or len(joint) < len(chosen)):
                shares = _foreseen(
                    some, texts, len(runs), records, dictionaries, bootstrap, f"{task}\t{source}\t{labels}"
                )
                rows.append(ConfusionRow(task, source, labels, len(some), shares))
    times = Counter((key, one.gold, one.given) for key, chosen in by_set.items() for one in chosen)
    frequent = sorted(times.items(), key=lambda item: (-item[1], item[0]))[:MOST_FREQUENT]
    pairs = (
        ConfusedPair(*key, gold, given, n, dictionaries[key].rank(gold, given)) for (key, gold, given), n in frequent
    )
    return ConfusionReport(tuple(rows), tuple(pairs), left_out)


def _foreseen(
    chosen: Sequence[Confusion],
    texts: int,
    runs: int,
    records: Sequence[Record],
    dictionaries: Dictionaries,
    bootstrap: Bootstrap,
    key: str,
) -> tuple[Foreseen, ...]:
    """The shares for each of FIRST. Each resample draws texts, and runs if there are several."""
    sets = [dictionaries[records[one.record].task, records[one.record].source] for one in chosen]
    ranks = [neighbours.rank(one.gold, one.given) for neighbours, one in zip(sets, chosen, strict=True)]
    within = np.array([[rank is not None and rank <= (first or rank) for first in FIRST] for rank in ranks])
    counts = np.zeros((len(chosen), runs, 1 + len(FIRST)), np.int64)
    run = np.array([one.run for one in chosen])
    counts[np.arange(len(chosen)), run] = np.column_stack([np.ones(len(chosen), np.int64), within])
    intervals: list[tuple[float, float] | None] = [None] * len(FIRST)
    if bootstrap.draws:
        drawn = drawn_counts(np.array([one.record for one in chosen]), counts, texts, bootstrap, key)
        sums = drawn_runs(drawn, bootstrap, key).sum(axis=1)
        sums = sums[sums[:, 0] > 0]
        intervals = [interval(sums[:, at] / sums[:, 0]) for at in range(1, sums.shape[1])]
    expected = [
        float(np.mean([neighbours.chance(one.gold, first) for neighbours, one in zip(sets, chosen, strict=True)]))
        for first in FIRST
    ]
    return tuple(map(Foreseen, FIRST, within.mean(axis=0).tolist(), intervals, expected))
