"""Mistakes of predictions → a bounded sample of texts with their right, wrong and missed items, and confused labels.

The page of scores shows the sample. It has texts of every class of error in every source and task, of every label with
a mistake, and of the labels that are confused most often.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.example_id import ExampleId
from train.scoring.confusions import confusions
from train.scoring.items import MEASURES, Item, comparable_items
from train.scoring.metrics import MISSED, WRONG, compare
from train.scoring.predictions import Record
from train.scoring.tally import Tally, display_name, predicted
from transforms.draw import seed_key

PER_CLASS = 6
"""Texts per source, task, measure and class of error."""

PER_LABEL = 2
"""Texts per source, task, measure and label with a mistake."""

PER_PAIR = 4
"""Texts per pair of labels in PAIRS."""

PAIRS = 20
"""Pairs of labels: those that are confused most often, over all runs."""

MAX_TEXTS = 3_000
"""Texts in all. With more sources than this allows, each cell has fewer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The items of one run for a text: those that are right, and (class, item) of the wrong and missed ones."""

    right: list[Item]
    wrong: list[tuple[str, Item]]
    missed: list[tuple[str, Item]]


@dataclass(frozen=True, slots=True)
class MistakenText:
    """A text with one measure of its task, its gold items, and the Answered of each run."""

    record: Record
    measure: str
    gold: list[Item]
    runs: list[Answered]
    confused: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Confused:
    """How often the label `gold` was given as `given` in the texts of a source and task, over all runs. `key`: that of
    the source, "" if the ids of the predictions do not tell it.
    """

    source: str
    task: str
    gold: str
    given: str
    times: int
    key: str


@dataclass(frozen=True, slots=True)
class Mistakes:
    """`texts`: the drawn ones of the `total` texts with a mistake, counted by text and measure."""

    texts: list[MistakenText]
    total: int
    pairs: list[Confused]


def draw_mistakes(runs: Sequence[Sequence[Record]], tally: Tally, match: str) -> Mistakes:
    """Draws texts with a mistake in any run. `tally`: that of `runs` without repair; `match`: as for `metrics.compare`.

    Which texts are drawn depends on hashes of their ids, so equal predictions give equal samples.
    """
    first = runs[0]
    confused = confusions(runs)
    pairs = most_confused(first, ((one.record, one.gold, one.given) for one in confused))
    cells: dict[tuple, set[tuple[int, int]]] = defaultdict(set)
    limits: dict[tuple, int] = {}
    has_mistake = (tally.wrong.sum(axis=1) > 0, tally.missed.sum(axis=1) > 0)
    labels = tally.factors["label"]
    mistaken = set()
    for entry in np.flatnonzero(has_mistake[0].any(axis=1) | has_mistake[1].any(axis=1)).tolist():
        at, measure = int(tally.record[entry]), int(tally.measure[entry])
        place = first[at].source, first[at].task, measure
        mistaken.add((at, measure))
        for side, kinds, flags in zip(("wrong", "missed"), (WRONG, MISSED), has_mistake, strict=True):
            for kind in (kind for kind, flag in zip(kinds, flags[entry], strict=True) if flag):
                cells[*place, side, kind].add((at, measure))
                limits[*place, side, kind] = PER_CLASS
        label = int(labels.entries[entry])
        cells[*place, "label", label].add((at, measure))
        limits[*place, "label", label] = PER_LABEL
    shown = {(pair.source, pair.task, pair.gold, pair.given) for pair in pairs}
    by_text: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for one in confused:
        record = first[one.record]
        pair = record.source, record.task, one.gold, one.given
        if pair in shown and (one.gold, one.given) not in by_text[one.record]:
            by_text[one.record].append((one.gold, one.given))
            cells[*pair, "pair"].add((one.record, 0))
            limits[*pair, "pair"] = PER_PAIR
    drawn = draw_texts(first, cells, limits)
    texts = [mistaken_text([run[at] for run in runs], measure, match, by_text.get(at, [])) for at, measure in drawn]
    return Mistakes(texts, len(mistaken), pairs)


def most_confused(records: Sequence[Record], confused: Iterable[tuple[int, str, str]]) -> list[Confused]:
    """The PAIRS that occur most often. `confused`: record number, gold label, given label of each confusion."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    keys: dict[str, str] = {}
    for at, gold, given in confused:
        counts[records[at].source, records[at].task, gold, given] += 1
        example_id = ExampleId.match(records[at].id)
        keys.setdefault(records[at].source, example_id.key if example_id else "")
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confused(*pair, times, keys[pair[0]]) for pair, times in ordered[:PAIRS]]


def draw_texts(
    records: Sequence[Record], cells: dict[tuple, set[tuple[int, int]]], limits: dict[tuple, int]
) -> list[tuple[int, int]]:
    """(record, measure) of the drawn texts, in the order of the records: one of each cell, then the second ones, and so
    on to the limit of the cell, at most MAX_TEXTS.
    """
    hashes = {at: seed_key(0, *records[at].key) for members in cells.values() for at, _ in members}
    ordered = {
        cell: sorted(members, key=lambda one: (hashes[one[0]], one))[: limits[cell]] for cell, members in cells.items()
    }
    drawn: dict[tuple[int, int], None] = {}
    for rank in range(max(limits.values(), default=0)):
        for cell in sorted(ordered, key=str):
            if rank < len(ordered[cell]) and len(drawn) < MAX_TEXTS:
                drawn.setdefault(ordered[cell][rank])
    return sorted(drawn)


def mistaken_text(runs: Sequence[Record], measure: int, match: str, pairs: list[tuple[str, str]]) -> MistakenText:
    """The items of a text. `runs`: its record in each run."""
    record, answered = runs[0], []
    name = MEASURES[record.task][measure]
    for run in runs:
        annotations, counts = predicted(run, repair=False)
        ours, gold = comparable_items(run.task, annotations, run.gold)
        outcome = compare(ours[name], gold[name], run.text, match, any(row[1] > row[2] for row in counts))
        mistakes = Counter(item for side, _, item in outcome.mistakes if side == "wrong")
        right = list((Counter(ours[name]) - mistakes).elements())
        sides = ([(kind, item) for at, kind, item in outcome.mistakes if at == side] for side in ("wrong", "missed"))
        answered.append(Answered(right, *sides))
    _, gold = comparable_items(record.task, [], record.gold)
    return MistakenText(record, name, gold[name], answered, pairs)


def payload(mistakes: Mistakes) -> dict:
    """The sample as the page reads it: items are [label, mention, …]."""
    return {
        "total": mistakes.total,
        "pairs": [[pair.source, pair.task, pair.gold, pair.given, pair.times] for pair in mistakes.pairs],
        "texts": [
            {
                "source": one.record.source,
                "task": one.record.task,
                "measure": one.measure,
                "split": one.record.split,
                "id": one.record.id,
                "lang": one.record.lang,
                "text": one.record.text,
                "gold": list(map(shown, one.gold)),
                "runs": [
                    {
                        "right": list(map(shown, run.right)),
                        "wrong": [[kind, shown(item)] for kind, item in run.wrong],
                        "missed": [[kind, shown(item)] for kind, item in run.missed],
                    }
                    for run in one.runs
                ],
                "confused": one.confused,
            }
            for one in mistakes.texts
        ],
    }


def shown(item: Item) -> list[str]:
    label, *mentions = item
    return [display_name(label), *mentions]
