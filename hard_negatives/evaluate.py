"""Scores how well a hard-negative dictionary ranks and cuts, source by source, by a reference.

For a label with reference neighbours R: the share of our |R| best-scored neighbours that are in R (P@|R|), average
precision over our ranking (labels that it does not hold count as never found), and the Jaccard index of our cut
with R; then the mean over a source's labels and the mean over sources. Chance is the P@|R| of a random order.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate

from hard_negatives.dictionary import Dictionary, Ranking, as_mapping, load
from schemas import command
from schemas.errors import ConfigError, printable
from transforms import files


@dataclass(frozen=True, slots=True)
class Scores:
    p_at_r: float
    average_precision: float
    jaccard: float
    chance: float


@dataclass(frozen=True, slots=True)
class SourceScores:
    """`missing`: labels of the reference that the dictionary does not hold; they are never found, and score 0."""

    task: str
    source: str
    labels: int
    scores: Scores
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`left_out`: (task, source, why) of what the reference has and the mean does not."""

    mean: Scores
    sources: tuple[SourceScores, ...]
    left_out: tuple[tuple[str, str, str], ...]


def evaluate(dictionaries: tuple[Dictionary, ...], references: tuple[Dictionary, ...]) -> Report:
    """Compares what both have, by task and published source name; a dictionary or a reference that names no task is
    held against those that share a label with it. Raises ConfigError where that is nothing.
    """
    sources, left_out = [], []
    for reference in references:
        task, source = reference.task, reference.source
        truth = {label: set(others) - {label} for label, others in as_mapping(reference).items()}
        ours = [d for d in dictionaries if (d.task, d.source) == (task, source)]
        if not task or not ours:
            ours = [d for d in dictionaries if not (d.task and task) and not truth.keys().isdisjoint(d.labels)]
        if not any(truth.values()) or is_complete(truth):
            left_out.append((task, source, "complete graph" if any(truth.values()) else "no neighbours"))
        elif not ours:
            left_out.append((task, source, "not in the dictionary"))
        elif len(ours) > 1:
            which = f"{task} {source}" if task else "the reference names no task"
            raise ConfigError(f"{which}: {len(ours)} dictionaries for one reference; give one of them")
        else:
            sources.append(score_source(ours[0], task, source, truth))
    if not sources:
        why = "; ".join(f"{' '.join(names).strip() or 'all'}: {reason}" for *names, reason in left_out)
        why = why or "the reference is empty"
        raise ConfigError(f"nothing to compare ({why}); both files must name the same tasks and sources")
    return Report(mean([source.scores for source in sources]), tuple(sources), tuple(left_out))


def is_complete(truth: dict[str, set[str]]) -> bool:
    """Whether every label has every other as its neighbour (then any order is right)."""
    labels = set(truth).union(*truth.values())
    return all(truth.get(label, set()) >= labels - {label} for label in labels)


def score_source(ours: Dictionary, task: str, source: str, truth: dict[str, set[str]]) -> SourceScores:
    """Mean scores over the labels that have neighbours in the reference."""
    others = len(set(ours.labels) | set(truth)) - 1
    held = set(ours.labels).union(*as_mapping(ours).values())
    scores: list[Scores] = []
    missing: dict[str, None] = {}
    for label, neighbours in truth.items():
        if not neighbours:
            continue
        ranking = ours.labels.get(label, Ranking(()))
        kept = [name for name in dict.fromkeys(n.label for n in ranking.neighbours) if name != label]
        below = [n.label for n in ranking.below_cut if n.label != label]
        scores.append(score_label(kept, list(dict.fromkeys(kept + below)), neighbours, others))
        missing |= dict.fromkeys([] if label in ours.labels else [label]) | dict.fromkeys(sorted(neighbours - held))
    return SourceScores(task, source, len(scores), mean(scores), tuple(missing))


def score_label(kept: list[str], ranked: list[str], truth: set[str], others: int) -> Scores:
    """One label's scores; `others` is the number of labels that could be its neighbours."""
    hits = [label in truth for label in ranked]
    precisions = [found / n for n, (hit, found) in enumerate(zip(hits, accumulate(hits), strict=True), 1) if hit]
    return Scores(
        p_at_r=sum(hits[: len(truth)]) / len(truth),
        average_precision=sum(precisions) / len(truth),
        jaccard=len(truth.intersection(kept)) / len(truth.union(kept)),
        chance=len(truth) / max(len(truth), others),
    )


def mean(scores: list[Scores]) -> Scores:
    return Scores(*(sum(getattr(s, name) for s in scores) / len(scores) for name in Scores.__slots__))


def as_table(report: Report) -> str:
    """The report for a person, one source a line."""
    rows: list[tuple[str, ...]] = [("task", "source", "labels", "P@|R|", "AP", "Jaccard", "chance")]
    for source in report.sources:
        rows.append((source.task, source.source, str(source.labels), *_figures(source.scores)))
    rows.append(("", "mean over sources", str(len(report.sources)), *_figures(report.mean)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        names = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join(names + numbers))
    lines += [f"left out: {task} {source} ({why})" for task, source, why in report.left_out]
    lines += [
        f"not in the dictionary: {s.task} {s.source}: {', '.join(s.missing)}" for s in report.sources if s.missing
    ]
    return "\n".join(lines)


def _figures(scores: Scores) -> list[str]:
    return [f"{getattr(scores, name):.3f}" for name in Scores.__slots__]


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("hard_negatives.evaluate", __doc__)
    parser.add_argument(
        "--dictionary", required=True, metavar="DIR|FILE", help="a dictionary, a folder of them, a build"
    )
    parser.add_argument("--reference", required=True, metavar="FILE", help="{task: {source: {label: [labels]}}}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_report, flags)


def print_report(arguments: argparse.Namespace) -> int:
    report = evaluate(load(below_build(arguments.dictionary)), load(arguments.reference))
    shown = json.dumps(asdict(report), indent=1) if arguments.json else as_table(report)
    print("\n".join(map(printable, shown.split("\n"))))
    return 0


def below_build(path: str) -> str:
    """The dictionaries of a build's folder; any other path as it is."""
    return f"{path}/hard_negatives" if files.exists(f"{path}/hard_negatives") else path


if __name__ == "__main__":
    sys.exit(main())
