"""The summary of a training → `training.html`: its curves, figures and lengths, in one file."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from train.scoring.report import STYLE
from train.scoring.table import number, share, shown_value
from train.scoring.words import say
from train.tuning.summary import Summary, duration
from transforms.pages.document import document
from transforms.pages.phrases import Phrase, element, html

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 640, 220, 72, 24, 22
"""Size of a plot, and of the margins for its labels, in pixels."""

TOPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
"""Where a scale may end, times a power of ten: a quarter of it has few digits."""

GRID_LINES = 4

LINE = """
svg .line { fill: none; stroke-width: 1.8; } svg .s0 { stroke: var(--k2); } svg .s1 { stroke: var(--k0); }
.facts td { white-space: normal; } .facts th { vertical-align: top; }
@media (max-width: 45rem) { svg { width: 100%; height: auto; overflow: visible; } svg text { font-size: 16px; } }
svg .p0 { fill: var(--k2); } svg .p1 { fill: var(--k0); }
"""

PLOTS = {"loss": ("loss", "validation_loss"), "f1": ("f1",), "learning_rate": ("learning_rate",)}
"""Plot → its lines, which are values of a point of the curve."""


def page(summary: Summary) -> str:
    """Returns the page. Equal summaries give equal pages."""
    body = [element("h1", say("training.title")), *facts(summary)]
    for name, lines in PLOTS.items():
        series = {say(f"line.{line}"): values(summary.curve, line) for line in lines}
        series = {legend: line for legend, line in series.items() if line}
        if series:
            title = say(f"plot.{name}")
            body.append(
                element("h2", title) + f"<div class=wide tabindex=0>{plot(title, series, summary.saved_step)}</div>"
            )
    if summary.lengths:
        body += [element("h2", say("training.lengths")), *lengths_table(summary)]
    return document(say("training.title"), body, say.words, STYLE + LINE)


def facts(summary: Summary) -> Iterator[str]:
    """The figures of the training as a table."""
    rows = {
        "model": f"<code>{escape(summary.model)}</code>",
        "method": html(shown_value("method", summary.method)),
        "weights": number(summary.trainable_parameters),
        "rows": html(say("training.row_counts", train=summary.rows.train, validation=summary.rows.validation)),
        "steps": html(
            say(
                "training.step_counts",
                steps=summary.steps,
                epochs=f"{summary.epochs:.2f}",
                saved=summary.saved_step,
            )
        ),
        "loss": _figure(summary.train_loss),
        "validation_loss": _figure(summary.validation_loss),
        "f1": "–" if summary.f1 is None else f"{100 * summary.f1:.2f} %",
        "time": html(duration(summary.seconds)),
        "speed": "–"
        if summary.tokens_per_s is None
        else html(say("training.tokens_per_s", n=number(summary.tokens_per_s))),
        "tokens": number(summary.tokens),
        "device": f"{escape(summary.device)} · {escape(summary.dtype)}",
    }
    yield "<div class=wide tabindex=0><table class=facts>"
    for name, value in rows.items():
        yield f"<tr>{element('th', say(f'training.{name}'))}<td>{value}</td></tr>"
    yield "</table></div>"


def _figure(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.4f}"


def values(curve: Sequence[Mapping[str, float]], name: str) -> list[tuple[int, float]]:
    """(step, value) of the points that have this value and are finite."""
    return [(int(p["step"]), p[name]) for p in curve if name in p and math.isfinite(p[name])]


def plot(title: Phrase, series: Mapping[Phrase, Sequence[tuple[int, float]]], saved_step: int) -> str:
    """An SVG with a line per entry of `series`, from 0 to a round value and the last step, and a vertical line at
    `saved_step`.
    """
    steps = max(step for line in series.values() for step, _ in line)
    top = scale_end(max(value for line in series.values() for _, value in line))

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / steps

    def y(value: float) -> float:
        return 10 + (HEIGHT - BOTTOM - 10) * (1 - value / top)

    label = say("plot.drawing", title=title).label("aria-label")
    height = HEIGHT + 20 * len(series)
    parts = [f'<svg width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" {label}>']
    for part in range(GRID_LINES + 1):
        value = top * part / GRID_LINES
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
        step = round(steps * part / GRID_LINES)
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 4}" text-anchor="middle">{step:,}</text>')
    parts.append(
        f'<line class="end" x1="{x(saved_step):.1f}" x2="{x(saved_step):.1f}" y1="10" y2="{HEIGHT - BOTTOM}"/>'
    )
    for at, (legend, line) in enumerate(series.items()):
        points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in line)
        parts.append(f'<polyline class="line s{at}" points="{points}"/>')
        for step, value in line:
            place = f'cx="{x(step):.1f}" cy="{y(value):.1f}"'
            shown = element("title", say("plot.point", step=step, value=f"{value:.6g}"))
            parts.append(f'<circle class="p{at}" {place} r="2.5">{shown}</circle>')
        parts.append(element("text", legend, f'class="p{at}" x="{LEFT}" y="{HEIGHT + 16 + 20 * at}"'))
    return "".join([*parts, "</svg>"])


def scale_end(largest: float) -> float:
    """The first of TOPS, times a power of ten, that is not below `largest`; 1 for 0."""
    if largest <= 0:
        return 1.0
    power = math.floor(math.log10(largest))
    return next(end for end in (float(f"{top}e{power}") for top in TOPS) if end >= largest)


def lengths_table(summary: Summary) -> Iterator[str]:
    """Rows and tokens by task and source."""
    columns = ("task", "source", "rows", "tokens p50", "p95", "max", "too long", "share", "trained on", "tokens")
    header = (element("th", name, "class=n" if at > 1 else "") for at, name in enumerate(say.columns(*columns)))
    yield f"<div class=wide tabindex=0><table><tr>{''.join(header)}</tr>"
    for each in summary.lengths:
        counts = (each.rows, each.median, each.p95, each.longest, each.too_long)
        cells = [*map(number, counts), share(each.too_long / each.rows), number(each.trained), number(each.tokens)]
        names = f"<td>{escape(each.task)}</td><td>{escape(each.source)}</td>"
        yield f"<tr>{names}{''.join(f'<td class=n>{cell}</td>' for cell in cells)}</tr>"
    yield "</table></div>"
