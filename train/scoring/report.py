"""A report of scores → one static HTML page: F1 with its interval per group, and the error classes."""

from collections.abc import Iterator, Sequence
from html import escape

from train.scoring import confusion_table
from train.scoring.aggregate import Report, Scores, Table
from train.scoring.confusions import ConfusionReport
from train.scoring.mistake_page import SCRIPT, mistake_section
from train.scoring.mistakes import payload
from train.scoring.table import (
    by_measure,
    error_cells,
    group_cells,
    group_columns,
    measure,
    number,
    rate_cells,
    score_cells,
    share,
)
from train.scoring.words import TEMPLATES, say
from transforms.pages.document import document
from transforms.pages.phrases import Phrase, element, html, visible

PLOTTED = 60
"""Maximum number of bars in a plot. The table below it has all groups."""

STYLE = (TEMPLATES / "scores.css").read_text(encoding="utf-8")
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
"""Error class → CSS class of its colour. Corresponding classes of wrong and missed items have the same colour. The
words of `meaning.<class>` say what each is.
"""


def page(report: Report, hard_negatives: str = "") -> str:
    """Returns the page, which loads no external resources. Equal predictions give equal pages. `hard_negatives`: the
    address of the page of hard negatives that confused labels link to, "" without one.
    """
    body = [element("h1", say("scores.title")), *summary(report), *links(report)]
    for table in report.tables:
        body += section(table, "scores.by")
    if report.repaired_total:
        answers = report.repaired_total.answers
        counts = {name: number(answers[name]) for name in ("repaired", "unparseable")}
        body += [element("h2", say("scores.repaired")), element("p", say("scores.repaired_about", **counts))]
        for table in report.repaired:
            body += section(table, "scores.repaired_by")
    if report.confusions:
        body += [element("h2", say("confusions.title")), *confusion_section(report.confusions)]
    script, data = "", None
    if report.mistakes:
        body += mistake_section(report.mistakes, len(report.predictions), hard_negatives)
        files = report.predictions if not any("file" in table.by for table in report.tables) else ("",)
        script, data = SCRIPT, payload(report.mistakes) | {"files": files, "colours": COLOURS}
    body += [element("h2", say("scores.classes"), "id=classes"), "<dl>"]
    body += [element("dt", say(f"kind.{name}")) + element("dd", say(f"meaning.{name}")) for name in COLOURS]
    body.append("</dl>")
    return document(say("scores.title"), body, say.words, STYLE, script, data)


def summary(report: Report) -> Iterator[str]:
    files = ", ".join(f"<code>{escape(path)}</code>" for path in report.predictions)
    runs = len(report.predictions)
    answers = report.total.answers
    yield f"<p>{files}</p><p>"
    if runs > 1:
        yield html(say("scores.runs", n=runs))
    counts = {name: number(answers[name]) for name in ("rows", "unparseable", "malformed", "not_asked")}
    match = say(f"match.{report.match}")
    yield f"{html(say('scores.match', n=report.total.texts, match=match, **counts))}</p>"
    if report.draws:
        key = "scores.run_intervals" if runs > 1 else "scores.intervals"
        yield element("p", say(key, draws=report.draws), "class=dim")
    if report.notes:
        yield "<ul>" + "".join(element("li", note) for note in report.notes) + "</ul>"


def links(report: Report) -> Iterator[str]:
    """Links to the sections below the tables."""
    pairs = bool(report.mistakes and report.mistakes.pairs)
    targets = ["confused"] * pairs + ["mistakes"] * bool(report.mistakes) + ["classes"]
    titles = {"confused": "mistakes.confused", "mistakes": "mistakes.title", "classes": "scores.classes"}
    items = (f'<li><a href="#{target}">{html(say(titles[target]))}</a></li>' for target in targets)
    yield f"<nav {say('scores.sections').label('aria-label')}><ul>{''.join(items)}</ul></nav>"


def section(table: Table, by: str) -> Iterator[str]:
    """The plots of each task and measure, then the tables. `by`: the key of the heading."""
    columns = say.columns(*group_columns(table))
    yield element("h2", say(by, columns=say.joined("list.two", columns)))
    if len(columns) == 1:
        plots = {say("scores.f1"): table.rows}
    else:
        plots = {
            say("scores.f1_of", task=task, measure=measure(rows[0])): rows
            for (task, _), rows in by_measure(table.rows).items()
        }
    for title, rows in plots.items():
        scored = [row for row in rows if row.figures[2] is not None]
        if len(columns) > 1:
            scored.sort(key=lambda row: -row.figures[2])
        if scored:
            yield element("h3", title) + f1_bars(scored[:PLOTTED])
        if len(scored) > PLOTTED:
            yield element("p", say("scores.best", shown=PLOTTED, n=len(scored)), "class=dim")
    for kind in ("wrong", "missed"):
        yield element("h3", say(f"scores.{kind}"))
        yield class_bars(table, kind)
    yield f"<details{' open' if len(table.rows) <= PLOTTED else ''}>{element('summary', say('scores.figures'))}"
    errors = error_cells(table, "wrong"), error_cells(table, "missed")
    for header, cells in (score_cells(table), rate_cells(table), *errors):
        yield html_table(header, cells, len(columns))
    yield "</details>"


def confusion_section(report: ConfusionReport) -> Iterator[str]:
    yield element("p", confusion_table.TITLE)
    yield html_table(*confusion_table.share_cells(report), names=3)
    yield element("p", say("confusions.pairs"))
    yield html_table(*confusion_table.pair_cells(report), names=3)
    yield from (element("p", note, "class=dim") for note in confusion_table.notes(report))


def full_name(row: Scores) -> Phrase:
    task, *others = map(visible, group_cells(row, list(row.group)))
    if not others:
        return say("bar.task", task=task, measure=measure(row))
    return say("bar.name", group=say.joined("list.two", others), task=task, measure=measure(row))


def f1_bars(rows: Sequence[Scores]) -> str:
    """Returns a bar per row, a whisker for its interval and, with several runs, a dot per run."""
    lines = []
    for row in rows:
        name, f1 = full_name(row), row.figures[2]
        title = say("bar.f1", name=name, f1=share(f1))
        parts = [f'<i class="bar" style="width:{f1:.2%}"></i>']
        if row.intervals:
            low, high = row.intervals[2]
            title = say("bar.interval", name=name, f1=share(f1), low=share(low), high=share(high))
            parts.append(f'<i class="whisker" style="left:{low:.2%};width:{high - low:.2%}"></i>')
        for run in row.runs if len(row.runs) > 1 else ():
            if run[2] is not None:
                parts.append(f'<i class="run" style="left:{run[2]:.2%}"></i>')
        lines.append(bar_line(name, "".join(parts), share(f1), title))
    ticks = "".join(f'<span style="left:{percent}%">{percent}</span>' for percent in range(0, 101, 20))
    return bars(
        [*lines, f'<div class=axis aria-hidden=true><span class=name></span><span class="track">{ticks}</span></div>']
    )


def class_bars(table: Table, kind: str) -> str:
    """Returns a bar per row: the shares of its error classes, and the number of errors beside it."""
    rows = [row for row in table.rows if sum(getattr(row, kind).values())][:PLOTTED]
    if not rows:
        return element("p", say("scores.none"))
    legend = "".join(
        f'<span><span class="swatch {COLOURS[name]}"></span>{html(say(f"kind.{name}"))}</span>'
        for name in getattr(rows[0], kind)
    )
    lines = []
    for row in rows:
        counts = {name: count for name, count in getattr(row, kind).items() if count}
        total = sum(counts.values())
        parts = [
            f'<i class="{COLOURS[name]}" style="width:{count / total:.2%}" {class_title(name, count, total)}></i>'
            for name, count in counts.items()
        ]
        lines.append(bar_line(full_name(row), "".join(parts), number(total)))
    return f"<div class=legend>{legend}</div>{bars(lines)}"


def class_title(name: str, count: float, total: float) -> str:
    part = say("bar.class", kind=say(f"kind.{name}"), count=number(count), share=f"{count / total:.0%}")
    return part.label("title")


def bars(lines: Sequence[str]) -> str:
    return f"<div class=bars>{''.join(lines)}</div>"


def bar_line(name: Phrase, parts: str, value: str, title: Phrase | None = None) -> str:
    """One bar. All bars of the page start at the same place; on a narrow screen the name stands above its bar."""
    attributes = f" {title.label('title')}" if title else ""
    return (
        f"<div{attributes}>{element('span', name, 'class=name')}"
        f'<span class="track">{parts}</span><span class=n>{value}</span></div>'
    )


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    """Returns the table; cells after the `names` columns of the group and the measure are figures."""

    def line(tag: str, cells: Sequence[str]) -> str:
        parts = (element(tag, visible(cell), "class=n" if at > names else "") for at, cell in enumerate(cells))
        return f"<tr>{''.join(parts)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<div class=wide tabindex=0><table><thead>{line('th', header)}</thead><tbody>{body}</tbody></table></div>"
