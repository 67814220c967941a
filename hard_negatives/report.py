"""Dictionaries and counts of the instructions that use them → one static HTML page with a heat map per label set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour
from hard_negatives.kinds import FROM_PREDICTIONS, KINDS

MAP_LABELS = 150
"""Larger label sets get no heat map, because it would be illegible."""

MAX_LISTED_LABELS = 500

SHADES = 5
"""Shades of a cell for scores from 0 to 1; cells below 0 are empty."""

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
    "In each row, <b style='color:var(--kept)'>coloured</b> cells are the neighbours that are asked together with the "
    "row's label; <span style='color:var(--next)'>grey</span> cells are next in score and below the cut-off. Darker "
    "cells have higher scores. Rows and columns are in the same order, with similar labels next to each other, so "
    "groups of labels that are confused with each other appear as blocks on the diagonal. Check coloured cells far "
    "from the diagonal and blocks that make no sense; <code>mine.pin</code> and <code>mine.forbid</code> in a recipe "
    "add and remove pairs."
)


@dataclass(frozen=True, slots=True)
class InstructionStats:
    """Counts of the train and validation instructions of a label set.

    `all_labels`: instructions if every label were asked of every text. `pairs`: pairs of a positive label of a text and
    one of its hard negatives. `joint_pairs`: those of them that occur in one instruction. `random_share`: the share
    expected if all labels were asked in random batches. `positives`: positive labels of the texts that have a
    neighbour. `beside`: those of them that occur in one instruction with a neighbour.
    """

    instructions: int
    all_labels: int
    pairs: int
    joint_pairs: int
    random_share: float
    positives: int
    beside: int


def page(
    entries: Sequence[tuple[Dictionary, InstructionStats | None]],
    lines: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType({}),
) -> str:
    """The HTML page; equal dictionaries give equal bytes. It contains no scripts and loads no other resources.

    Label sets of fewer than two labels have no neighbours and are left out. `lines`: (task, source key) → label → its
    line against its neighbours (`hard_negatives.contrast`).
    """
    entries = [(dictionary, stats) for dictionary, stats in entries if len(dictionary.labels) > 1]
    mined = {kind for dictionary, _ in entries for kind in dictionary.evidence}
    kinds = KINDS | {kind: text for kind, text in FROM_PREDICTIONS.items() if kind in mined}
    body = [
        '<p><a href="report.html">Report of the build</a></p>',
        "<h1>Hard negatives</h1>",
        "<p>For each label of each source, the labels that it is confused with. Instructions ask for a label beside "
        "them as far as they hold them, so that a model learns to distinguish them.</p>",
        *overview(entries),
        "<h2>How to read the maps</h2>",
        f"<p>{HOW_TO_READ}</p>",
        "<p>A score is a cosine from −1 to 1. The evidence for a neighbour is given in parentheses, in standard "
        "deviations above the mean pair of the set, times the reliability of the kind. Evidence from annotations is "
        "weighted by the agreement of two halves of them. The grey line below the neighbours is the contrast of the "
        "label: its meaning, set against the nearest of them.</p>",
        "<ul>" + "".join(f"<li><b>{kind}</b>: {escape(text).replace('`', '')}</li>" for kind, text in kinds.items()),
        "</ul>",
    ]
    for dictionary, _ in entries:
        body += section(dictionary, lines.get((dictionary.task, dictionary.key), {}))
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


def overview(entries: Sequence[tuple[Dictionary, InstructionStats | None]]) -> list[str]:
    """The totals over all label sets as a paragraph, and a table with one row per label set."""
    all_stats = [stats for _, stats in entries if stats]
    lines = []
    if all_stats:
        instructions, all_labels, pairs, joint_pairs, positives, beside = (
            sum(getattr(stats, name) for stats in all_stats)
            for name in ("instructions", "all_labels", "pairs", "joint_pairs", "positives", "beside")
        )
        expected = sum(stats.pairs * stats.random_share for stats in all_stats)
        lines.append(
            f"<p>{percent(beside, positives)} of the {positives:,} labels of texts that have a neighbour are asked in "
            "one instruction with one of their neighbours. A label of a text and any one of its neighbours that is not "
            "a label of the text occur in the same instruction in "
            f"{percent(joint_pairs, pairs)} of {pairs:,} cases; with all labels asked in random batches it would be "
            f"{percent(expected, pairs)}. {instructions:,} instructions were written for train and validation; "
            f"asking all labels of every text takes {all_labels:,}, so "
            f"{percent(all_labels - instructions, all_labels)} are saved.</p>"
        )
    header = (
        "<tr><th>Task<th>Source<th class=n>Labels<th class=n>Neighbours,<br>mean<th class=n>Labels of texts<br>"
        "beside a neighbour<th class=n>Pairs in one<br>instruction<th class=n>all labels,<br>random<th class=n>"
        "Instructions,<br>dictionary<th class=n>all labels</tr>"
    )
    rows = []
    for dictionary, stats in entries:
        total = sum(len(ranking.neighbours) for ranking in dictionary.labels.values())
        cells = [
            escape(dictionary.task),
            f'<a href="#{anchor(dictionary)}">{escape(dictionary.source)}</a> <small>{escape(dictionary.key)}</small>',
        ]
        numbers = [f"{len(dictionary.labels):,}", f"{total / len(dictionary.labels):.1f}"]
        if stats:
            numbers += [percent(stats.beside, stats.positives), percent(stats.joint_pairs, stats.pairs)]
            numbers += [percent(stats.random_share, 1)]
            numbers += [f"{stats.instructions:,}", f"{stats.all_labels:,}"]
        else:
            numbers += ["–"] * 5
        rows.append(
            "<tr>" + "".join(f"<td>{cell}" for cell in cells) + "".join(f"<td class=n>{n}" for n in numbers) + "</tr>"
        )
    footnote = "<p class=dim>–: this build contains no train or validation text of the source.</p>"
    footnotes = [footnote] if any(stats is None for _, stats in entries) else []
    table = [f"<div class=wide><table><thead>{header}</thead><tbody>", *rows, "</tbody></table></div>"]
    return [*lines, *table, *footnotes]


def percent(part: float, total: float) -> str:
    return f"{part / total:.1%}" if total else "–"


def anchor(dictionary: Dictionary) -> str:
    return escape(f"{dictionary.task}/{dictionary.key}")


def section(dictionary: Dictionary, contrasts: Mapping[str, str]) -> list[str]:
    """The lines of a label set: heading, heat map, list of neighbours with the contrast of each label."""
    origin = f"mined with <code>{escape(dictionary.model)}</code>" if dictionary.model else "from a user's dictionary"
    if dictionary.evidence:
        origin += " from " + ", ".join(f"{escape(kind)} {weight:g}" for kind, weight in dictionary.evidence.items())
    lines = [
        f'<h2 id="{anchor(dictionary)}">{escape(dictionary.source)} '
        f"<span class=dim>{escape(dictionary.task)}</span></h2>",
        f"<p class=dim>{len(dictionary.labels):,} labels, {origin}.</p>",
    ]
    if len(dictionary.labels) <= MAP_LABELS:
        lines.append(f"<div class=wide>{heat_map(dictionary)}</div>")
    lines.append(
        "<details><summary>All neighbours, with scores, evidence and contrast</summary><div class=wide><table><tbody>"
    )
    for label, ranking in list(dictionary.labels.items())[:MAX_LISTED_LABELS]:
        neighbours = "; ".join(describe(neighbour) for neighbour in ranking.neighbours)
        contrast = f"<div class=dim>{escape(contrasts[label])}</div>" if label in contrasts else ""
        lines.append(f"<tr><td>{escape(short(label))}<td>{neighbours or '<span class=dim>none</span>'}{contrast}</tr>")
    lines.append("</tbody></table></div>")
    rest = max(0, len(dictionary.labels) - MAX_LISTED_LABELS)
    if rest:
        lines.append(f"<p class=dim>{rest:,} more labels are in the file of the dictionary.</p>")
    return [*lines, "</details>"]


def describe(neighbour: Neighbour) -> str:
    """A neighbour as HTML: `village 0.75 (wording 2.1, types 1.0)`."""
    score = "given" if neighbour.score is None else f"{neighbour.score:.2f}"
    evidence = ", ".join(f"{escape(kind)} {points:.1f}" for kind, points in neighbour.evidence.items())
    return f"{escape(short(neighbour.label))} <b>{score}</b>" + (f" <small>({evidence})</small>" if evidence else "")


def short(label: str) -> str:
    return label if len(label) <= 60 else label[:59] + "…"


def heat_map(dictionary: Dictionary) -> str:
    """The SVG of a label set, with a cell for every pair that has a positive score or comes from a user. There is one
    path per shade.
    """
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
    for position, row in enumerate(order):
        middle, name = left + position * size + size // 2, escape(short(labels[row]))
        parts.append(f'<text x="{left - 5}" y="{middle + 4}" text-anchor="end">{name}</text>')
        parts.append(f'<text transform="translate({middle + 4} {left - 5}) rotate(-90)">{name}</text>')
    parts.append(f'<rect class="frame" x="{left}" y="{left}" width="{side}" height="{side}"/></svg>')
    return "".join(parts)


def width(text: str) -> float:
    """The approximate width of a text in pixels at a font size of 11 pixels. Chinese characters are about twice as wide
    as Latin letters; capitals are wider than small letters.
    """
    return sum(11 if ord(character) > 0x2E80 else 9 if character.isupper() else 6.5 for character in text)


def matrix(dictionary: Dictionary) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The n labels, their scores of shape (n, n), and which pairs are neighbours (bool of the same shape).

    The score of a pair is 0 if it has none and 1 if it comes from a user.
    """
    labels = list(dictionary.labels)
    labels += sorted({n.label for ranking in dictionary.labels.values() for n in ranking.neighbours} - set(labels))
    positions = {label: position for position, label in enumerate(labels)}
    scores = np.zeros((len(labels), len(labels)))
    kept = np.zeros(scores.shape, bool)
    for label, ranking in dictionary.labels.items():
        for neighbour in (*ranking.below_cut, *ranking.neighbours):
            cell = positions[label], positions[neighbour.label]
            scores[cell] = 1 if neighbour.score is None else neighbour.score
        for neighbour in ranking.neighbours:
            kept[positions[label], positions[neighbour.label]] = True
    return labels, scores, kept


def seriation(scores: np.ndarray) -> list[int]:
    """An order with similar labels next to each other: the leaves of average-linkage clustering, where merged groups
    are oriented so that their most similar ends meet.
    """
    similarity = scores + scores.T
    groups = [[row] for row in range(len(scores))]
    sums, sizes = similarity.copy(), np.ones(len(scores))  # summed similarity of two groups; labels per group
    for _ in range(len(scores) - 1):
        means = np.round(sums / np.maximum(1, np.outer(sizes, sizes)), 9)
        means[sizes == 0] = means[:, sizes == 0] = -np.inf
        np.fill_diagonal(means, -np.inf)
        first, second = sorted(divmod(int(np.argmax(means)), len(scores)))
        groups[first] = join_ends(groups[first], groups[second], similarity)
        sums[first] += sums[second]
        sums[:, first] += sums[:, second]
        sizes[first], sizes[second] = sizes[first] + sizes[second], 0
    return groups[0] if groups else []


def join_ends(first: list[int], second: list[int], similarity: np.ndarray) -> list[int]:
    """Concatenates two groups, each reversed if needed so that the most similar ends meet."""
    orientations = [(f, s) for f in (first, first[::-1]) for s in (second, second[::-1])]
    f, s = max(orientations, key=lambda pair: similarity[pair[0][-1], pair[1][0]])
    return f + s
