"""Dictionaries and counts of the instructions that use them → one static HTML page with a heat map per label set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour
from hard_negatives.kinds import KINDS, MISTAKES
from transforms.pages.document import document
from transforms.pages.phrases import Phrase, Phrasebook, element, html, read, visible

MAP_LABELS = 150
"""Larger label sets get no heat map, because it would be illegible."""

MAX_LISTED_LABELS = 500

SHADES = 5
"""Shades of a cell for scores from 0 to 1; cells below 0 are empty."""

STYLE = """
:root { --kept: #c2410c; --next: #64748b; }
@media screen and (prefers-color-scheme: dark) { :root { --kept: #fb923c; --next: #94a3b8; } }
svg text { font: 11px system-ui, sans-serif; }
svg .frame { fill: none; stroke: var(--line); }
.kept { fill: var(--kept); background: var(--kept); } .next { fill: var(--next); background: var(--next); }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.legend { list-style: none; padding: 0; }
thead .n { min-width: 3.5rem; max-width: 9rem; white-space: normal; }
"""

say = Phrasebook(read(Path(__file__).parent / "templates"))


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
    """The HTML page; equal dictionaries give equal bytes. It loads no other resources.

    Label sets of fewer than two labels have no neighbours and are left out. `lines`: (task, source key) → label → its
    line against its neighbours (`hard_negatives.contrast`).
    """
    entries = [(dictionary, stats) for dictionary, stats in entries if len(dictionary.labels) > 1]
    mined = {kind for dictionary, _ in entries for kind in dictionary.evidence}
    kinds = [*KINDS, *({MISTAKES} & mined)]
    body = [
        f'<p><a href="report.html" data-page>{html(say("page.report"))}</a></p>',
        f"<h1>{html(say('title'))}</h1>",
        f"<p>{html(say('about'))}</p>",
    ]
    if not entries:
        body.append(f"<p>{html(say('none'))}</p>")
        return document(say("title"), body, say.words, STYLE)
    body += [
        *overview(entries),
        f"<h2>{html(say('read.title'))}</h2><ul class=legend>",
        *(f'<li><span class="swatch {kind}"></span>{html(say(f"read.{kind}"))}</li>' for kind in ("kept", "next")),
        f"</ul><p>{html(say('read.order'))}</p>",
        f"<p>{html(say('read.scores'))}</p><dl>",
        *(f"<dt><code>{kind}</code></dt>{element('dd', say(f'kind.{kind}'))}" for kind in kinds),
        "</dl>",
    ]
    for dictionary, _ in entries:
        body += section(dictionary, lines.get((dictionary.task, dictionary.key), {}))
    return document(say("title"), body, say.words, STYLE)


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
        sentences = (
            say("overview.beside", share=percent(beside, positives), positives=positives),
            say(
                "overview.pairs",
                share=percent(joint_pairs, pairs),
                pairs=pairs,
                random=percent(expected, pairs),
            ),
            say(
                "overview.saved",
                instructions=instructions,
                all=all_labels,
                saved=percent(all_labels - instructions, all_labels),
            ),
        )
        lines.append(f"<p>{' '.join(map(html, sentences))}</p>")
    names = ("labels", "mean", "beside", "pairs", "random", "instructions", "all_labels")
    task, source, *columns = map(html, say.columns("task", "source", *names))
    header = f"<tr><th>{task}<th>{source}" + "".join(f"<th class=n>{name}" for name in columns) + "</tr>"
    rows = []
    for dictionary, stats in entries:
        total = sum(len(ranking.neighbours) for ranking in dictionary.labels.values())
        cells = [
            escape(dictionary.task),
            f'<a href="#{anchor(dictionary)}">{escape(visible(dictionary.source))}</a> '
            f"<small>{escape(visible(dictionary.key))}</small>",
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
    footnote = f"<p class=dim>{html(say('overview.absent'))}</p>"
    footnotes = [footnote] if any(stats is None for _, stats in entries) else []
    table = [f"<div class=wide tabindex=0><table><thead>{header}</thead><tbody>", *rows, "</tbody></table></div>"]
    return [*lines, *table, *footnotes]


def percent(part: float, total: float) -> str:
    return f"{part / total:.1%}" if total else "–"


def anchor(dictionary: Dictionary) -> str:
    return escape(f"{dictionary.task}/{dictionary.key}")


def section(dictionary: Dictionary, contrasts: Mapping[str, str]) -> list[str]:
    """The lines of a label set: heading, heat map, list of neighbours with the contrast of each label."""
    lines = [
        f'<h2 id="{anchor(dictionary)}">{escape(visible(dictionary.source))} '
        f"<span class=dim>{escape(dictionary.task)}</span></h2>",
        f"<p class=dim>{html(origin(dictionary))}</p>",
    ]
    if len(dictionary.labels) <= MAP_LABELS:
        lines.append(f"<div class=wide tabindex=0>{heat_map(dictionary)}</div>")
    lines.append(f"<details><summary>{html(say('set.all'))}</summary><div class=wide tabindex=0><table><tbody>")
    for label, ranking in list(dictionary.labels.items())[:MAX_LISTED_LABELS]:
        neighbours = "; ".join(describe(neighbour) for neighbour in ranking.neighbours)
        contrast = f"<div class=dim>{escape(contrasts[label])}</div>" if label in contrasts else ""
        none = f"<span class=dim>{html(say('set.none'))}</span>"
        lines.append(f"<tr><td>{escape(short(label))}<td>{neighbours or none}{contrast}</tr>")
    lines.append("</tbody></table></div>")
    rest = max(0, len(dictionary.labels) - MAX_LISTED_LABELS)
    if rest:
        lines.append(f"<p class=dim>{html(say('set.rest', n=rest))}</p>")
    return [*lines, "</details>"]


def origin(dictionary: Dictionary) -> Phrase:
    """How many labels the set has, and where their neighbours come from."""
    n, model = len(dictionary.labels), dictionary.model
    if not model:
        return say("set.given", n=n)
    if not dictionary.evidence:
        return say("set.mined", n=n, model=model)
    evidence = say.joined("list.two", [f"{kind} {weight:g}" for kind, weight in dictionary.evidence.items()])
    return say("set.evidence", n=n, model=model, evidence=evidence)


def describe(neighbour: Neighbour) -> str:
    """A neighbour as HTML: `village 0.75 (wording 2.1, types 1.0)`."""
    score = html(say("neighbour.given")) if neighbour.score is None else f"{neighbour.score:.2f}"
    evidence = ", ".join(f"{escape(kind)} {points:.1f}" for kind, points in neighbour.evidence.items())
    because = f" <small>(<code>{evidence}</code>)</small>" if evidence else ""
    return f"{escape(short(neighbour.label))} <b>{score}</b>{because}"


def short(label: str) -> str:
    return visible(label if len(label) <= 60 else label[:59] + "…")


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
    whole = left + side + 8
    parts = [
        f'<svg width="{whole}" height="{whole}" viewBox="0 0 {whole} {whole}" role="img" '
        f"{say('set.map', source=visible(dictionary.source)).label('aria-label')}>"
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
