"""A report of confusions → the header and cells of its tables, and the tables for a terminal."""

from collections.abc import Iterator

from train.scoring.confusions import ConfusionReport
from train.scoring.table import aligned, number, share
from train.scoring.words import say
from transforms.pages.phrases import Phrase

TITLE = say("confusions.about")

Cells = tuple[list[str], list[list[str]]]
"""The header of a table, and its rows."""


def as_text(report: ConfusionReport) -> str:
    parts = [f"{TITLE}:", aligned(*share_cells(report), last_name="first"), say("confusions.pairs")]
    parts.append(aligned(*pair_cells(report), last_name="given"))
    return (
        "\n\n".join([*parts, *notes(report)]) if report.rows else "\n\n".join([say("confusions.none"), *notes(report)])
    )


def notes(report: ConfusionReport) -> Iterator[Phrase]:
    if report.left_out:
        yield say("confusions.left_out", n=number(report.left_out))


def share_cells(report: ConfusionReport) -> Cells:
    header = say.columns("task", "source", "labels", "first", "confusions", "foreseen", "95 %", "random")
    rows = []
    for row in report.rows:
        for one in row.foreseen:
            interval = f"{share(one.interval[0])}–{share(one.interval[1])}" if one.interval else "–"
            first = say("confusions.all") if one.first is None else str(one.first)
            cells = [row.task, row.source, say(f"confusions.{row.labels}"), first, number(row.confusions)]
            rows.append([*cells, share(one.share), interval, share(one.expected)])
    return header, rows


def pair_cells(report: ConfusionReport) -> Cells:
    rows = [
        [
            pair.task,
            pair.source,
            pair.gold,
            pair.given,
            number(pair.times),
            "–" if pair.rank is None else str(pair.rank),
        ]
        for pair in report.pairs
    ]
    return say.columns("task", "source", "gold", "given", "times", "rank"), rows
