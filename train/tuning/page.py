"""The summary of a training → `training.html`: its curves, figures and lengths, in one file without scripts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from train.scoring.report import STYLE
from train.scoring.table import number, share
from train.tuning.summary import Summary, duration

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 640, 220, 56, 24, 22
"""Size of a plot, and of the margins for its labels, in pixels."""

TOPS = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
"""Where a scale may end, times a power of ten: a quarter of it has few digits."""

GRID_LINES = 4

LINE = """
svg .line { fill: none; stroke-width: 1.8; } svg .s0 { stroke: var(--k2); } svg .s1 { stroke: var(--k0); }
.facts td { white-space: normal; } .facts th { vertical-align: top; }
svg .p0 { fill: var(--k2); } svg .p1 { fill: var(--k0); }
"""

PLOTS = (
    ("Loss", {"loss": "training (mean since the last point)", "validation_loss": "validation"}),
    ("F1 of the answers to validation texts", {"f1": "F1"}),
    ("Learning rate", {"learning_rate": "learning rate"}),
)
"""Title of a plot and its lines: value of a point of the curve → legend."""


def page(summary: Summary) -> str:
    """Returns the page. Equal summaries give equal pages."""
    body = ["<h1>Training</h1>", *facts(summary)]
    for title, lines in PLOTS:
        series = {legend: values(summary.curve, name) for name, legend in lines.items()}
        series = {legend: line for legend, line in series.items() if line}
        if series:
            body.append(f"<h2>{title}</h2><div class=wide>{plot(series, summary.saved_step)}</div>")
    if summary.lengths:
        body += ["<h2>Rows</h2>", *lengths_table(summary)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Training</title><style>{STYLE}{LINE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def facts(summary: Summary) -> Iterator[str]:
    """The figures of the training as a table."""
    rows = {
        "base model": f"<code>{escape(summary.model)}</code>",
        "method": escape(summary.method),
        "trainable weights": number(summary.trainable_parameters),
        "rows": f"{number(summary.rows.train)} for training, {number(summary.rows.validation)} for validation",
        "steps": f"{number(summary.steps)} ({summary.epochs:.2f} epochs); the weights of step "
        f"{number(summary.saved_step)} are saved",
        "loss": _figure(summary.train_loss),
        "validation loss": _figure(summary.validation_loss),
        "F1": "–" if summary.f1 is None else f"{100 * summary.f1:.2f} %",
        "time": duration(summary.seconds),
        "speed": "–" if summary.tokens_per_s is None else f"{number(summary.tokens_per_s)} tokens/s",
        "tokens": number(summary.tokens),
        "device": f"{escape(summary.device)}, {escape(summary.dtype)}",
    }
    yield "<div class=wide><table class=facts>"
    for name, value in rows.items():
        yield f"<tr><th>{name}</th><td>{value}</td></tr>"
    yield "</table></div>"


def _figure(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.4f}"


def values(curve: Sequence[Mapping[str, float]], name: str) -> list[tuple[int, float]]:
    """(step, value) of the points that have this value and are finite."""
    return [(int(p["step"]), p[name]) for p in curve if name in p and math.isfinite(p[name])]


def plot(series: Mapping[str, Sequence[tuple[int, float]]], saved_step: int) -> str:
    """An SVG with a line per entry of `series`, from 0 to a round value and the last step, and a vertical line at
    `saved_step`.
    """
    steps = max(step for line in series.values() for step, _ in line)
    top = scale_end(max(value for line in series.values() for _, value in line))

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / steps

    def y(value: float) -> float:
        return 10 + (HEIGHT - BOTTOM - 10) * (1 - value / top)

    parts = [f'<svg width="{WIDTH}" height="{HEIGHT + 20 * len(series)}" role="img">']
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
            place, shown = f'cx="{x(step):.1f}" cy="{y(value):.1f}"', f"step {step:,}: {value:.6g}"
            parts.append(f'<circle class="p{at}" {place} r="2.5"><title>{shown}</title></circle>')
        parts.append(f'<text class="p{at}" x="{LEFT}" y="{HEIGHT + 16 + 20 * at}">{legend}</text>')
    return "".join([*parts, "</svg>"])


def scale_end(largest: float) -> float:
    """The first of TOPS, times a power of ten, that is not below `largest`; 1 for 0."""
    if largest <= 0:
        return 1.0
    power = math.floor(math.log10(largest))
    return next(end for end in (float(f"{top}e{power}") for top in TOPS) if end >= largest)


def lengths_table(summary: Summary) -> Iterator[str]:
    """Rows and tokens by task and source."""
    header = ("task", "source", "rows", "tokens p50", "p95", "max", "too long", "share", "trained on", "tokens")
    yield "<div class=wide><table><tr>" + "".join(f"<th>{name}</th>" for name in header) + "</tr>"
    for each in summary.lengths:
        counts = (each.rows, each.median, each.p95, each.longest, each.too_long)
        cells = [*map(number, counts), share(each.too_long / each.rows), number(each.trained), number(each.tokens)]
        names = f"<td>{escape(each.task)}</td><td>{escape(each.source)}</td>"
        yield f"<tr>{names}{''.join(f'<td class=n>{cell}</td>' for cell in cells)}</tr>"
    yield "</table></div>"
