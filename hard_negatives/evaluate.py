"""Scores the ranking and the cut-off of a hard-negative dictionary against a reference, per source.

For a label with reference neighbours R: P@|R|, the share of its |R| best-ranked neighbours that are in R; the average
precision of its ranking (labels missing from the ranking count as never retrieved); and the Jaccard index of its
neighbours and R. Scores are averaged over the labels of a source, then over sources. Chance is the P@|R| of a random
order.
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
    """Scores from 0 to 1: see the module's docstring."""

    p_at_r: float
    average_precision: float
    jaccard: float
    chance: float


@dataclass(frozen=True, slots=True)
class SourceScores:
    """Mean scores over the `labels` of a source. `missing`: labels of the reference that the dictionary lacks; they
    score 0.
    """

    task: str
    source: str
    labels: int
    scores: Scores
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`left_out`: (task, source, reason) of the parts of the reference that the mean leaves out."""

    mean: Scores
    sources: tuple[SourceScores, ...]
    left_out: tuple[tuple[str, str, str], ...]


def evaluate(dictionaries: tuple[Dictionary, ...], references: tuple[Dictionary, ...]) -> Report:
    """Compares dictionaries with references of the same task and published source name. One without a task is compared
    with those that share a label with it. Raises ConfigError if nothing can be compared, or if several dictionaries
    match one reference.
    """
    sources, left_out = [], []
    for reference in references:
        task, source = reference.task, reference.source
        truth = {label: set(others) - {label} for label, others in as_mapping(reference).items()}
        matches = [d for d in dictionaries if (d.task, d.source) == (task, source)]
        if not task or not matches:
            matches = [d for d in dictionaries if not (d.task and task) and not truth.keys().isdisjoint(d.labels)]
        if not any(truth.values()) or is_complete(truth):
            left_out.append((task, source, "complete graph" if any(truth.values()) else "no neighbours"))
        elif not matches:
            left_out.append((task, source, "not in the dictionary"))
        elif len(matches) > 1:
            name = f"{task} {source}" if task else "the reference names no task"
            raise ConfigError(f"{name}: {len(matches)} dictionaries match one reference; give one of them")
        else:
            sources.append(score_source(matches[0], task, source, truth))
    if not sources:
        reasons = "; ".join(f"{' '.join(names).strip() or 'all'}: {reason}" for *names, reason in left_out)
        reasons = reasons or "the reference is empty"
        raise ConfigError(f"nothing to compare ({reasons}); both files must name the same tasks and sources")
    return Report(mean([source.scores for source in sources]), tuple(sources), tuple(left_out))


def is_complete(truth: dict[str, set[str]]) -> bool:
    """Whether all other labels are neighbours of every label, so that any ranking is correct."""
    labels = set(truth).union(*truth.values())
    return all(truth.get(label, set()) >= labels - {label} for label in labels)


def score_source(dictionary: Dictionary, task: str, source: str, truth: dict[str, set[str]]) -> SourceScores:
    """Mean scores over the labels that have neighbours in the reference."""
    others = len(set(dictionary.labels) | set(truth)) - 1
    present = set(dictionary.labels).union(*as_mapping(dictionary).values())
    scores: list[Scores] = []
    missing: dict[str, None] = {}
    for label, neighbours in truth.items():
        if not neighbours:
            continue
        ranking = dictionary.labels.get(label, Ranking(()))
        kept = [name for name in dict.fromkeys(n.label for n in ranking.neighbours) if name != label]
        below = [n.label for n in ranking.below_cut if n.label != label]
        scores.append(score_label(kept, list(dict.fromkeys(kept + below)), neighbours, others))
        absent = [] if label in dictionary.labels else [label]
        missing |= dict.fromkeys((*absent, *sorted(neighbours - present)))
    return SourceScores(task, source, len(scores), mean(scores), tuple(missing))


def score_label(kept: list[str], ranked: list[str], truth: set[str], others: int) -> Scores:
    """The scores of a label; `others`: the number of labels that could be its neighbours."""
    hits = [label in truth for label in ranked]
    precisions = [total / n for n, (hit, total) in enumerate(zip(hits, accumulate(hits), strict=True), 1) if hit]
    return Scores(
        p_at_r=sum(hits[: len(truth)]) / len(truth),
        average_precision=sum(precisions) / len(truth),
        jaccard=len(truth.intersection(kept)) / len(truth.union(kept)),
        chance=len(truth) / max(len(truth), others),
    )


def mean(scores: list[Scores]) -> Scores:
    return Scores(*(sum(getattr(s, name) for s in scores) / len(scores) for name in Scores.__slots__))


def as_table(report: Report) -> str:
    """The report as an aligned text table, one source per line."""
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
    lines += [f"left out: {task} {source} ({reason})" for task, source, reason in report.left_out]
    lines += [
        f"not in the dictionary: {s.task} {s.source}: {', '.join(s.missing)}" for s in report.sources if s.missing
    ]
    return "\n".join(lines)


def _figures(scores: Scores) -> list[str]:
    return [f"{getattr(scores, name):.3f}" for name in Scores.__slots__]


EPILOG = """\
example:
  %(prog)s --dictionary build --reference reference.json

Exit codes: 1 the machine, 2 configuration.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("hard_negatives.evaluate", __doc__, EPILOG, "hard_negatives_evaluation.md")
    parser.add_argument(
        "--dictionary",
        required=True,
        metavar="DIR|FILE",
        help="a dictionary file, a folder of them, or a build",
    )
    parser.add_argument("--reference", required=True, metavar="FILE", help="{task: {source: {label: [labels]}}}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_report, flags)


def print_report(arguments: argparse.Namespace) -> int:
    report = evaluate(load(dictionary_folder(arguments.dictionary)), load(arguments.reference))
    text = json.dumps(asdict(report), indent=1) if arguments.json else as_table(report)
    print("\n".join(map(printable, text.split("\n"))))
    return 0


def dictionary_folder(path: str) -> str:
    """The folder of dictionaries if `path` is a build, else `path`."""
    return f"{path}/hard_negatives" if files.exists(f"{path}/hard_negatives") else path


if __name__ == "__main__":
    sys.exit(main())
