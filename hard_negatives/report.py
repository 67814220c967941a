"""Dictionaries and what was asked with them → one static HTML page: a heat map and a list for each label set."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour
from hard_negatives.kinds import KINDS

MAP_LABELS = 150
"""A larger map than this cannot be read."""

LISTED_LABELS = 500

SHADES = 5
"""Of a score from 0 to 1; below 0 a cell stays empty."""

STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --dim: #57606a; --kept: #c2410c; --next: #64748b; --code: #f3f4f6; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --dim: #9da7b3; --kept: #fb923c; --next: #94a3b8; --code: #24292f; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; vertical-align: bottom; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small, .dim { color: var(--dim); }
code { background: var(--code); padding: .1em .3em; border-radius: 3px; font-size: .9em; }
h2 { margin: 2.5rem 0 .3rem; overflow-wrap: anywhere; border-top: 1px solid var(--line); padding-top: 1rem; }
.wide { overflow-x: auto; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
svg .frame { fill: none; stroke: var(--line); }
.kept { fill: var(--kept); } .next { fill: var(--next); }
summary { cursor: pointer; margin: .5rem 0; }
"""

HOW_TO_READ = (
    "Row by row: <b style='color:var(--kept)'>coloured</b> cells are the neighbours that are asked beside the row's "
    "label, <span style='color:var(--next)'>grey</span> ones came next and are not; the darker, the higher the score. "
    "Rows and columns stand in the same order, like beside like: groups of labels that are confused with each other "
    "show as blocks on the diagonal. A coloured cell far from it, or a block that makes no sense, is worth a look; "
    "<code>mine.pin</code> and <code>mine.forbid</code> in a recipe add and remove pairs."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The instructions of a label set's train and validation examples.

    `all_labels`: how many there would be if every label were asked of every text. `pairs`: a positive label of a text
    and a hard negative of it, `together`: those that stand in one instruction; `by_chance`: the share that would if
    all labels were asked in batches drawn at random.
    """

    instructions: int
    all_labels: int
    pairs: int
    together: int
    by_chance: float


def page(entries: Sequence[tuple[Dictionary, Asked | None]]) -> str:
    """The page, the same for the same dictionaries. It holds no script and loads nothing from anywhere.

    Label sets of fewer than two labels have no neighbours and are left out.
    """
    entries = [(dictionary, asked) for dictionary, asked in entries if len(dictionary.labels) > 1]
    body = [
        "<h1>Hard negatives</h1>",
        "<p>For each label of each source the labels that it is confused with. They are asked in the same "
        "instructions, so that a model learns to tell them apart.</p>",
        *overview(entries),
        "<h2>How to read the maps</h2>",
        f"<p>{HOW_TO_READ}</p>",
        "<p>A score is a cosine from −1 to 1. After a neighbour stands what spoke for it, in standard deviations above "
        "the mean pair of the set, times the reliability of the kind: what comes from a few annotations counts as far "
        "as two halves of them agree.</p>",
        "<ul>" + "".join(f"<li><b>{kind}</b>: {escape(means).replace('`', '')}</li>" for kind, means in KINDS.items()),
        "</ul>",
    ]
    for dictionary, _ in entries:
        body += section(dictionary)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Hard negatives</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def overview(entries: Sequence[tuple[Dictionary, Asked | None]]) -> list[str]:
    """One row a label set, and what the dictionaries changed over all of them."""
    asked = [counts for _, counts in entries if counts]
    lines = []
    if asked:
        instructions, all_labels, pairs, together = (
            sum(getattr(counts, name) for counts in asked)
            for name in ("instructions", "all_labels", "pairs", "together")
        )
        chance = sum(counts.pairs * counts.by_chance for counts in asked)
        lines.append(
            "<p>A label of a text and one of its neighbours stand in the same instruction in "
            f"{percent(together, pairs)} of {pairs:,} cases; were all labels asked, in batches drawn at random, it "
            f"would be {percent(chance, pairs)}. {instructions:,} instructions were written for train and validation; "
            f"asking all labels of every text takes {all_labels:,}, so "
            f"{percent(all_labels - instructions, all_labels)} are saved.</p>"
        )
    header = (
        "<tr><th>Task<th>Source<th class=n>Labels<th class=n>Neighbours,<br>mean<th class=n>Together,<br>with them"
        "<th class=n>all asked,<br>by chance<th class=n>Instructions<th class=n>all asked</tr>"
    )
    rows = []
    for dictionary, counts in entries:
        total = sum(len(ranking.neighbours) for ranking in dictionary.labels.values())
        cells = [
            escape(dictionary.task),
            f'<a href="#{anchor(dictionary)}">{escape(dictionary.source)}</a> <small>{escape(dictionary.key)}</small>',
        ]
        numbers = [f"{len(dictionary.labels):,}", f"{total / len(dictionary.labels):.1f}"]
        if counts:
            numbers += [percent(counts.together, counts.pairs), percent(counts.by_chance, 1)]
            numbers += [f"{counts.instructions:,}", f"{counts.all_labels:,}"]
        else:
            numbers += ["–"] * 4
        rows.append(
            "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "".join(f"<td class=n>{n}" for n in numbers) + "</tr>"
        )
    note = "<p class=dim>–: no train or validation text of the source is in this build.</p>"
    tests_alone = [note] if any(counts is None for _, counts in entries) else []
    table = [f"<div class=wide><table><thead>{header}</thead><tbody>", *rows, "</tbody></table></div>"]
    return [*lines, *table, *tests_alone]


def percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def anchor(dictionary: Dictionary) -> str:
    return escape(f"{dictionary.task}/{dictionary.key}")


def section(dictionary: Dictionary) -> list[str]:
    """One label set: heading, map, list."""
    mined = f"mined with <code>{escape(dictionary.model)}</code>" if dictionary.model else "from a given dictionary"
    if dictionary.evidence:
        mined += " from " + ", ".join(f"{escape(kind)} {weight:g}" for kind, weight in dictionary.evidence.items())
    lines = [
        f'<h2 id="{anchor(dictionary)}">{escape(dictionary.source)} '
        f"<span class=dim>{escape(dictionary.task)}</span></h2>",
        f"<p class=dim>{len(dictionary.labels):,} labels, {mined}.</p>",
    ]
    if len(dictionary.labels) <= MAP_LABELS:
        lines.append(f"<div class=wide>{heat_map(dictionary)}</div>")
    listed = list(dictionary.labels.items())[:LISTED_LABELS]
    rest = len(dictionary.labels) - len(listed)
    lines.append("<details><summary>All neighbours, with scores and evidence</summary><div class=wide><table><tbody>")
    for label, ranking in listed:
        said = "; ".join(described(neighbour) for neighbour in ranking.neighbours)
        lines.append(f"<tr><td>{escape(short(label))}<td>{said or '<span class=dim>none</span>'}</tr>")
    lines.append("</tbody></table></div>")
    if rest:
        lines.append(f"<p class=dim>{rest:,} more labels are in the dictionary's file.</p>")
    return [*lines, "</details>"]


def described(neighbour: Neighbour) -> str:
    """`village 0.75 (wording 2.1, types 1.0)`."""
    score = "given" if neighbour.score is None else f"{neighbour.score:.2f}"
    said = ", ".join(f"{escape(kind)} {points:.1f}" for kind, points in neighbour.evidence.items())
    return f"{escape(short(neighbour.label))} <b>{score}</b>" + (f" <small>({said})</small>" if said else "")


def short(label: str) -> str:
    return label if len(label) <= 60 else label[:59] + "…"


def heat_map(dictionary: Dictionary) -> str:
    """SVG: a cell for every pair with a positive score or that a person gave, one path a shade."""
    labels, scores, kept = matrix(dictionary)
    order = seriation(scores)
    size = 16 if len(labels) <= 40 else 12
    left = 8 + int(max(width(short(label)) for label in labels))
    cells: dict[tuple[str, int], list[str]] = {}
    for y, row in enumerate(order):
        for x, column in enumerate(order):
            if row != column and (kept[row, column] or scores[row, column] > 0):
                shade = min(SHADES, 1 + int(max(0.0, scores[row, column]) * SHADES))
                cells.setdefault(("kept" if kept[row, column] else "next", shade), []).append(
                    f"M{left + x * size} {left + y * size}h{size}v{size}h-{size}z"
                )
    side = size * len(labels)
    parts = [
        f'<svg width="{left + side + 8}" height="{left + side + 8}" role="img" '
        f'aria-label="Scores between the labels of {escape(dictionary.source)}">'
    ]
    for (kind, shade), paths in sorted(cells.items()):
        opacity = shade / SHADES if kind == "kept" else 0.6 * shade / SHADES
        parts.append(f'<path class="{kind}" fill-opacity="{opacity:.2f}" d="{"".join(paths)}"/>')
    for place, row in enumerate(order):
        at, name = left + place * size + size // 2, escape(short(labels[row]))
        parts.append(f'<text x="{left - 5}" y="{at + 4}" text-anchor="end">{name}</text>')
        parts.append(f'<text transform="translate({at + 4} {left - 5}) rotate(-90)">{name}</text>')
    parts.append(f'<rect class="frame" x="{left}" y="{left}" width="{side}" height="{side}"/></svg>')
    return "".join(parts)


def width(text: str) -> float:
    """About how many pixels a text takes at 11 pixels a line; Chinese characters are twice as wide, capitals wider."""
    return sum(11 if ord(character) > 0x2E80 else 9 if character.isupper() else 6.5 for character in text)


def matrix(dictionary: Dictionary) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Labels, scores (n, n) with 0 where none is known and 1 where a person gave the pair, which pairs are kept."""
    labels = list(dictionary.labels)
    labels += sorted({n.label for of in dictionary.labels.values() for n in of.neighbours} - set(labels))
    places = {label: place for place, label in enumerate(labels)}
    scores = np.zeros((len(labels), len(labels)))
    kept = np.zeros(scores.shape, bool)
    for label, ranking in dictionary.labels.items():
        for neighbour in (*ranking.below_cut, *ranking.neighbours):
            at = places[label], places[neighbour.label]
            scores[at] = 1 if neighbour.score is None else neighbour.score
        for neighbour in ranking.neighbours:
            kept[places[label], places[neighbour.label]] = True
    return labels, scores, kept


def seriation(scores: np.ndarray) -> list[int]:
    """An order in which like stands beside like: the leaves of average linkage, the nearer ends of groups joined."""
    likeness = scores + scores.T
    groups = [[place] for place in range(len(scores))]
    sums, sizes = likeness.copy(), np.ones(len(scores))  # of the likeness between two groups; of their labels
    for _ in range(len(scores) - 1):
        means = np.round(sums / np.maximum(1, np.outer(sizes, sizes)), 9)
        means[sizes == 0] = means[:, sizes == 0] = -np.inf
        np.fill_diagonal(means, -np.inf)
        first, second = sorted(divmod(int(np.argmax(means)), len(scores)))
        groups[first] = joined(groups[first], groups[second], likeness)
        sums[first] += sums[second]
        sums[:, first] += sums[:, second]
        sizes[first], sizes[second] = sizes[first] + sizes[second], 0
    return groups[0] if groups else []


def joined(first: list[int], second: list[int], likeness: np.ndarray) -> list[int]:
    """Two groups end to end, each turned so that the most alike ends meet."""
    turns = [(f, s) for f in (first, first[::-1]) for s in (second, second[::-1])]
    f, s = max(turns, key=lambda turn: likeness[turn[0][-1], turn[1][0]])
    return f + s
