"""A report of scores → one static HTML page: F1 with its interval per group, and the error classes."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from train.scoring import confusion_table
from train.scoring.aggregate import Report, Scores, Table
from train.scoring.confusions import ConfusionReport
from train.scoring.mistake_page import mistake_section
from train.scoring.table import by_measure, error_cells, group_columns, number, rate_cells, score_cells, share

PLOTTED = 60
"""Maximum number of bars in a plot. The table below it has all groups."""

STYLE = (Path(__file__).parent / "templates" / "scores.css").read_text(encoding="utf-8")
"""The style of all pages of training, scores and comparisons."""

COLOURS = {
    "hallucinated": "k0",
    "boundary": "k1",
    "spurious": "k2",
    "other label": "k2",
    "entity mismatch": "k3",
    "incongruent": "k4",
    "not found": "k4",
    "repeated": "k5",
    "unparseable": "k5",
}
"""Error class → CSS class of its colour. Corresponding classes of wrong and missed items have the same colour."""

MEANINGS = {
    "hallucinated": "a mention that occurs neither in the text nor in the gold",
    "boundary": "the right label, each mention equal to the gold's or overlapping it in the text",
    "spurious": "mentions that the gold has, but with another label or direction",
    "entity mismatch": "the right label but a wrong mention; in a pair, one of the two is right",
    "incongruent": "no gold item corresponds to it",
    "repeated": "a right item, predicted more often than it occurs in the gold",
    "other label": "its mentions were predicted with another label or direction",
    "unparseable": "an answer about this text is not a JSON object",
    "not found": "no prediction corresponds to it",
}


def page(report: Report, hard_negatives: str = "") -> str:
    """Returns the page, which loads no external resources. Equal predictions give equal pages. `hard_negatives`: the
    address of the page of hard negatives that confused labels link to, "" without one.
    """
    body = ["<h1>Scores</h1>", *summary(report)]
    for table in report.tables:
        body += section(table, f"By {', '.join(group_columns(table))}")
    if report.repaired_total:
        answers = report.repaired_total.answers
        body.append(
            f"<h2>After repair</h2><p>{number(answers['repaired'])} of {number(answers['unparseable'])} invalid "
            "answers could be parsed after json-repair. The tables below include them and are not comparable with "
            "published scores.</p>"
        )
        for table in report.repaired:
            body += section(table, f"After repair, by {', '.join(group_columns(table))}")
    if report.confusions:
        body += ["<h2>Confusions</h2>", *confusion_section(report.confusions)]
    files = report.predictions if not any("file" in table.by for table in report.tables) else ("",)
    kinds = {name: {"colour": COLOURS[name], "meaning": meaning} for name, meaning in MEANINGS.items()}
    if report.mistakes:
        body += mistake_section(report.mistakes, files, kinds, hard_negatives)
    body.append("<h2>Error classes</h2><ul>")
    body += [f"<li><b>{name}</b>: {meaning}</li>" for name, meaning in MEANINGS.items()]
    body.append("</ul>")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Scores</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def summary(report: Report) -> Iterator[str]:
    files = ", ".join(f"<code>{escape(path)}</code>" for path in report.predictions)
    runs = f"{len(report.predictions)} runs; figures are their means. " if len(report.predictions) > 1 else ""
    answers = report.total.answers
    yield f"<p>{files}</p>"
    yield (
        f"<p>{runs}Strict string match, <b>{report.match}</b>. {number(report.total.texts)} texts, "
        f"{number(answers['rows'])} answers, of which {number(answers['unparseable'])} are not JSON objects; "
        f"{number(answers['malformed'])} malformed values, {number(answers['not_asked'])} predictions for "
        "labels not asked for.</p>"
    )
    if report.draws:
        units = "texts and runs" if runs else "texts"
        yield f"<p class=dim>Intervals: 95 %, {report.draws:,} bootstrap resamples of {units}.</p>"
    if report.notes:
        yield "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in report.notes) + "</ul>"


def section(table: Table, title: str) -> Iterator[str]:
    """The plots of each task and measure, then the tables."""
    yield f"<h2>{escape(title)}</h2>"
    if group_columns(table) == ["task"]:
        plots = {"": table.rows}
    else:
        plots = {
            f"{task} <span class=dim>{name}</span>: ": rows for (task, name), rows in by_measure(table.rows).items()
        }
    for title, rows in plots.items():
        scored = [row for row in rows if row.figures[2] is not None]
        if title:
            scored.sort(key=lambda row: -row.figures[2])
        if scored:
            yield f"<h3>{title}F1 in %</h3>{f1_bars(scored[:PLOTTED])}"
        if len(scored) > PLOTTED:
            yield f"<p class=dim>The {PLOTTED} best of {len(scored):,}; the table has all.</p>"
    for kind, name in (("wrong", "Wrong predictions"), ("missed", "Missed gold")):
        yield f"<h3>{name} <span class=dim>by class</span></h3>"
        yield class_bars(table, kind)
    yield f"<details{' open' if len(table.rows) <= PLOTTED else ''}><summary>All figures</summary>"
    errors = error_cells(table, "wrong"), error_cells(table, "missed")
    for header, cells in (score_cells(table), rate_cells(table), *errors):
        yield html_table(header, cells, len(group_columns(table)))
    yield "</details>"


def confusion_section(report: ConfusionReport) -> Iterator[str]:
    yield f"<p>{escape(confusion_table.TITLE)}.</p>"
    yield html_table(*confusion_table.share_cells(report), names=3)
    yield "<p>The most frequent:</p>"
    yield html_table(*confusion_table.pair_cells(report), names=3)
    yield from (f"<p class=dim>{escape(note)}</p>" for note in confusion_table.notes(report))


def full_name(row: Scores) -> str:
    task, *others = row.group.values()
    return ", ".join([*others, f"{task} {row.measure}"])


def f1_bars(rows: Sequence[Scores]) -> str:
    """Returns a bar per row, a whisker for its interval and, with several runs, a dot per run."""
    lines = []
    for row in rows:
        f1 = row.figures[2]
        title = f"{full_name(row)}: {share(f1)}"
        parts = [f'<i class="bar" style="width:{f1:.2%}"></i>']
        if row.intervals:
            low, high = row.intervals[2]
            title += f" ({share(low)} to {share(high)})"
            parts.append(f'<i class="whisker" style="left:{low:.2%};width:{high - low:.2%}"></i>')
        for run in row.runs if len(row.runs) > 1 else ():
            if run[2] is not None:
                parts.append(f'<i class="run" style="left:{run[2]:.2%}"></i>')
        lines.append(bar_line(full_name(row), "".join(parts), share(f1), title))
    ticks = "".join(f'<span style="left:{percent}%">{percent}</span>' for percent in range(0, 101, 20))
    return bars(
        [*lines, f'<div class=axis aria-hidden=true><span class=name></span><span class="track">{ticks}</span></div>']
    )


def class_bars(table: Table, kind: str) -> str:
    """Returns a bar per row: the shares of its error classes, and the number of errors beside it."""
    rows = [row for row in table.rows if sum(getattr(row, kind).values())][:PLOTTED]
    if not rows:
        return "<p>None.</p>"
    legend = "".join(
        f'<span><span class="swatch {COLOURS[name]}"></span>{name}</span>' for name in getattr(rows[0], kind)
    )
    lines = []
    for row in rows:
        counts = {name: count for name, count in getattr(row, kind).items() if count}
        total = sum(counts.values())
        parts = [
            f'<i class="{COLOURS[name]}" style="width:{count / total:.2%}" '
            f'title="{name}: {number(count)} ({count / total:.0%})"></i>'
            for name, count in counts.items()
        ]
        shares = ", ".join(f"{name} {count / total:.0%}" for name, count in counts.items())
        lines.append(bar_line(full_name(row), "".join(parts), number(total), f"{full_name(row)}: {shares}"))
    return f"<div class=legend>{legend}</div>{bars(lines)}"


def bars(lines: Sequence[str]) -> str:
    return f"<div class=bars>{''.join(lines)}</div>"


def bar_line(name: str, parts: str, value: str, title: str) -> str:
    """One bar. All bars of the page start at the same place; on a narrow screen the name stands above its bar."""
    return (
        f'<div title="{escape(title)}"><span class=name>{escape(name)}</span>'
        f'<span class="track">{parts}</span><span class=n>{value}</span></div>'
    )


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    """Returns the table; cells after the `names` columns of the group and the measure are figures."""
    head = "".join(f"<th{' class=n' if at > names else ''}>{escape(cell)}" for at, cell in enumerate(header))
    lines = [
        "<tr>"
        + "".join(f"<td{' class=n' if at > names else ''}>{escape(cell)}" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    ]
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
