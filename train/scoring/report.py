"""A report of scores → one static HTML page: F1 with its interval per group, and the error classes."""

from collections.abc import Iterator, Sequence
from html import escape

from train.scoring import confusion_table
from train.scoring.aggregate import Report, Scores, Table
from train.scoring.confusions import ConfusionReport
from train.scoring.table import by_measure, error_cells, group_columns, number, rate_cells, score_cells, share, width

PLOTTED = 60
"""Maximum number of bars in a plot. The table below it has all groups."""

BAR, STEP, NAME_MAX, PLOT = 14, 22, 40, 360
"""Height of a bar, distance between bars, maximum characters of a name, width of the scale; the others in pixels."""

STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --dim: #57606a; --bar: #3b6ea5; --end: #10243a; --code: #f3f4f6;
  --k0: #b3261e; --k1: #e69f00; --k2: #0072b2; --k3: #009e73; --k4: #cc79a7; --k5: #8a8f98; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --dim: #9da7b3; --bar: #5b9bd5; --end: #ffffff; --code: #24292f;
    --k0: #ff8a80; --k1: #f2bb4b; --k2: #58b4e8; --k3: #3fc79a; --k4: #e0a3c6; --k5: #9da7b3; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem; }
h2 { margin: 2.5rem 0 .3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
.dim { color: var(--dim); }
code { background: var(--code); padding: .1em .3em; border-radius: 3px; font-size: .9em; overflow-wrap: anywhere; }
summary { cursor: pointer; margin: .5rem 0; }
svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
svg .bar { fill: var(--bar); } svg .end { stroke: var(--end); stroke-width: 1.5; fill: none; }
svg .run { fill: var(--end); } svg .grid { stroke: var(--line); } svg .dim { fill: var(--dim); }
.k0 { fill: var(--k0); } .k1 { fill: var(--k1); } .k2 { fill: var(--k2); } .k3 { fill: var(--k3); }
.k4 { fill: var(--k4); } .k5 { fill: var(--k5); }
"""

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


def page(report: Report) -> str:
    """Returns the page, which has no scripts and loads no external resources. Equal scores give equal pages."""
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
            yield f"<h3>{title}F1 in %</h3><div class=wide>{f1_plot(scored[:PLOTTED])}</div>"
        if len(scored) > PLOTTED:
            yield f"<p class=dim>The {PLOTTED} best of {len(scored):,}; the table has all.</p>"
    for kind, name in (("wrong", "Wrong predictions"), ("missed", "Missed gold")):
        yield f"<h3>{name} <span class=dim>by class</span></h3>"
        yield f"<div class=wide>{class_plot(table, kind)}</div>"
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


def shortened(row: Scores) -> str:
    name = full_name(row)
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…"


def full_name(row: Scores) -> str:
    task, *others = row.group.values()
    return ", ".join([*others, f"{task} {row.measure}"])


def f1_plot(rows: Sequence[Scores]) -> str:
    """Returns an SVG with a bar per row, a whisker for its interval and, with several runs, a dot per run."""
    names = [shortened(row) for row in rows]
    left = 10 + 7 * max(map(width, names))
    parts = [svg_start(left + PLOT + 60, STEP * len(rows) + 24, f"F1 of {len(rows)} groups")]
    parts += grid(left, STEP * len(rows))
    for at, (row, name) in enumerate(zip(rows, names, strict=True)):
        y, f1 = at * STEP + 4, row.figures[2]
        shown = f"{full_name(row)}: {share(f1)}"
        shown += f" ({share(row.intervals[2][0])}–{share(row.intervals[2][1])})" if row.intervals else ""
        parts.append(f"<g><title>{escape(shown)}</title>")
        parts.append(f'<text x="{left - 6}" y="{y + 11}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{f1 * PLOT:.1f}" height="{BAR}"/>')
        if row.intervals:
            low, high = (left + end * PLOT for end in row.intervals[2])
            parts.append(
                f'<path class="end" d="M{low:.1f} {y + 3}v8M{low:.1f} {y + 7}H{high:.1f}M{high:.1f} {y + 3}v8"/>'
            )
        for run in row.runs if len(row.runs) > 1 else ():
            if run[2] is not None:
                parts.append(f'<circle class="run" cx="{left + run[2] * PLOT:.1f}" cy="{y + 7}" r="2.5"/>')
        parts.append(f'<text x="{left + PLOT + 8}" y="{y + 11}">{share(f1)}</text></g>')
    return "".join(parts) + "</svg>"


def class_plot(table: Table, kind: str) -> str:
    """Returns an SVG with a bar per row: the shares of its error classes, and the number of errors beside it."""
    rows = [row for row in table.rows if sum(getattr(row, kind).values())][:PLOTTED]
    if not rows:
        return "<p>None.</p>"
    names = [shortened(row) for row in rows]
    left = 10 + 7 * max(map(width, names))
    legend, x = [], 0
    for label in getattr(rows[0], kind):
        legend.append(f'<rect class="{COLOURS[label]}" x="{x}" y="4" width="12" height="12"/>')
        legend.append(f'<text x="{x + 16}" y="15">{label}</text>')
        x += 30 + 7 * len(label)
    parts = [svg_start(max(x, left + PLOT + 90), STEP * (len(rows) + 1) + 8, f"{kind}, by class"), *legend]
    for at, (row, name) in enumerate(zip(rows, names, strict=True), 1):
        counts, y, x = getattr(row, kind), at * STEP + 4, float(left)
        total = sum(counts.values())
        parts.append(f'<text x="{left - 6}" y="{y + 11}" text-anchor="end">{escape(name)}</text>')
        for label, count in counts.items():
            if count:
                wide = PLOT * count / total
                parts.append(
                    f'<rect class="{COLOURS[label]}" x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}">'
                    f"<title>{label}: {number(count)} ({count / total:.0%})</title></rect>"
                )
                x += wide
        parts.append(f'<text x="{left + PLOT + 8}" y="{y + 11}">{number(total)}</text>')
    return "".join(parts) + "</svg>"


def svg_start(wide: float, high: float, label: str) -> str:
    return f'<svg width="{wide:.0f}" height="{high:.0f}" role="img" aria-label="{escape(label)}">'


def grid(left: int, high: int) -> Iterator[str]:
    for percent in range(0, 101, 20):
        x = left + PLOT * percent / 100
        yield f'<path class="grid" d="M{x:.1f} 0V{high}"/>'
        yield f'<text class="dim" x="{x:.1f}" y="{high + 16}" text-anchor="middle">{percent}</text>'


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
