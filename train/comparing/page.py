"""A result → one static HTML page: each difference with its interval, by source, and all figures."""

from collections.abc import Iterator, Sequence
from html import escape

from train.comparing import table
from train.scoring.report import STYLE, html_table
from train.scoring.table import width
from train.scoring.words import say
from transforms import yaml_values
from transforms.pages.document import document
from transforms.pages.phrases import Phrase, element

BAR, STEP, PLOT = 14, 22, 360
"""Height of a bar, distance between bars and width of the scale, in pixels."""

MORE_STYLE = """
svg .zero { stroke: var(--end); } svg .point { fill: var(--bar); }
svg .run { fill: var(--k1); } svg .whole { font-weight: 600; }
"""


def page(result: dict) -> str:
    """Returns the page, which loads no external resources. Equal results give equal pages."""
    body = [element("h1", say("comparison.heading", arms=" · ".join(result["arms"])))]
    body += [element("p", line) for line in table.headline(result)]
    body.append(element("p", table.intervals_note(result), "class=dim"))
    body += [element("h2", say("comparison.arms")), html_table(*table.arm_cells(result), names=0)]
    for arm, figures in result["arms"].items():
        settings = yaml_values.render(figures["settings"])
        summary = element("summary", say("comparison.settings", arm=arm))
        body.append(f"<details>{summary}<pre>{escape(settings)}</pre></details>")
    body.append(element("h2", say("comparison.f1")))
    body += plots(result, result["rows"], "measure", say("comparison.points"))
    body.append(html_table(*table.score_cells(result), names=3))
    if result["confusions"]:
        body += [element("h2", say("confusions.title")), element("p", table.confusion_title(result))]
        body += plots(result, result["confusions"], "kind", say("comparison.per_100"))
        body.append(html_table(*table.confusion_cells(result), names=3))
    return document(say("comparison.title"), body, say.words, STYLE + MORE_STYLE)


def plots(result: dict, rows: Sequence[dict], kind: str, unit: Phrase) -> Iterator[str]:
    """A plot for each arm but the first. `kind`: the key of a row that says what is counted."""
    for arm in result["arms"]:
        chosen = [row for row in rows if row["arm"] == arm]
        if chosen:
            title = element("span", say("comparison.difference", arm=arm, baseline=result["baseline"]))
            yield f"<h3>{title} {element('span', unit, 'class=dim')}</h3>"
            yield f"<div class=wide tabindex=0>{difference_plot(chosen, kind)}</div>"
    key = "comparison.seed_plot" if any("f1" in row for row in rows) else "comparison.plot"
    yield element("p", say(key), "class=dim")


def difference_plot(rows: Sequence[dict], kind: str) -> str:
    """Returns an SVG with a point per row, a whisker for its interval and, for scores, a dot per seed."""
    names = [
        say("comparison.row", task=row["task"], source=table.source(row), kind=table.kind(row, kind)) for row in rows
    ]
    by_seed = [[b - a for a, b in zip(*row["f1"], strict=True)] if "f1" in row else [] for row in rows]
    left = 10 + 7 * max(map(width, names))
    ends = (100 * abs(end) for row, seeds in zip(rows, by_seed, strict=True) for end in (*row["interval"], *seeds))
    most = max(1.0, *ends)
    place = {at: left + PLOT / 2 * (1 + at / 4) for at in range(-4, 5)}
    parts = [svg_start(left + PLOT + 190, STEP * len(rows) + 24, say("comparison.drawing", n=len(rows)))]
    for at in range(-4, 5, 2):
        parts.append(f'<path class="{"grid" if at else "zero"}" d="M{place[at]:.1f} 0V{STEP * len(rows)}"/>')
        label = f'<text class="dim" x="{place[at]:.1f}" y="{STEP * len(rows) + 16}" text-anchor="middle">'
        parts.append(f"{label}{most * at / 4:+.1f}</text>")
    for at, (row, name, seeds) in enumerate(zip(rows, names, by_seed, strict=True)):
        y = at * STEP + 4
        middle, low, high, *dots = (
            left + PLOT / 2 * (1 + 100 * figure / most) for figure in (row["difference"], *row["interval"], *seeds)
        )
        difference, interval = table.difference_cells(row)
        bold = "" if row["source"] else ' class="whole"'
        place_of_name = f'x="{left - 6}" y="{y + 11}" text-anchor="end"{bold}'
        figures = say("comparison.figures", difference=difference, interval=interval)
        parts.append(f"<g>{element('title', say('bar.f1', name=name, f1=figures))}")
        parts.append(element("text", name, place_of_name))
        parts.append(f'<path class="end" d="M{low:.1f} {y + 3}v8M{low:.1f} {y + 7}H{high:.1f}M{high:.1f} {y + 3}v8"/>')
        parts += [f'<circle class="run" cx="{dot:.1f}" cy="{y + 7}" r="2.5"/>' for dot in dots]
        parts.append(f'<circle class="point" cx="{middle:.1f}" cy="{y + BAR / 2}" r="4"/>')
        parts.append(element("text", figures, f'x="{left + PLOT + 8}" y="{y + 11}"') + "</g>")
    return "".join(parts) + "</svg>"


def svg_start(wide: float, high: float, label: Phrase) -> str:
    box = f"0 0 {wide:.0f} {high:.0f}"
    return f'<svg width="{wide:.0f}" height="{high:.0f}" viewBox="{box}" role="img" {label.label("aria-label")}>'
