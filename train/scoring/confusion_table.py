"""A report of confusions → the header and cells of its tables, and the tables for a terminal."""

from collections.abc import Iterator

from train.scoring.confusions import ConfusionReport
from train.scoring.table import aligned, number, share

TITLE = (
    "Confusions (the mentions of a gold item under another label): the share whose given label is among the first hard "
    "negatives of the gold label, and the share expected of a random dictionary of equal size, in %"
)

Cells = tuple[list[str], list[list[str]]]
"""The header of a table, and its rows."""


def as_text(report: ConfusionReport) -> str:
    parts = [f"{TITLE}:", aligned(*share_cells(report), last_name="first"), "The most frequent:"]
    parts.append(aligned(*pair_cells(report), last_name="given"))
    return "\n\n".join([*parts, *notes(report)]) if report.rows else "\n\n".join(["No confusions.", *notes(report)])


def notes(report: ConfusionReport) -> Iterator[str]:
    if report.left_out:
        yield f"{number(report.left_out)} confusions in sources without a dictionary are left out."


def share_cells(report: ConfusionReport) -> Cells:
    header = ["task", "source", "labels", "first", "confusions", "foreseen", "95 %", "random"]
    rows = []
    for row in report.rows:
        for one in row.foreseen:
            interval = f"{share(one.interval[0])}–{share(one.interval[1])}" if one.interval else "–"
            first = "all" if one.first is None else str(one.first)
            cells = [row.task, row.source, row.labels, first, number(row.confusions)]
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
    return ["task", "source", "gold", "given", "times", "rank"], rows
