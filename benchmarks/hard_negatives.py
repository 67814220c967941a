"""Ablation of the kinds of evidence: alone, left out and added, scored against hand-made dictionaries.

Prints Markdown tables. Sources of the reference that have no files below the data root are mined from the words of
their labels only.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from hard_negatives import embed
from hard_negatives.cache import cached_encoder
from hard_negatives.dictionary import Dictionary, as_mapping, dump, load
from hard_negatives.evaluate import Report, evaluate
from hard_negatives.evidence import Evidence, evidence
from hard_negatives.kinds import DEFAULT, KINDS
from hard_negatives.mine import mine
from hard_negatives.samples import SamplesByLabel, merge
from pipelines import build, sources
from pipelines.build_folder import clean_shards
from pipelines.sources import registry
from pipelines.stages.labels import label_set
from pipelines.stages.mine import draw_shard, raw_labels
from schemas import command, key_list
from schemas.label import LabelSet
from transforms import files

FROM_ANNOTATIONS = {"mentions", "contexts", "strings", "confusion"}
"""The kinds of evidence that come from annotations."""

LabelSetEvidence = Mapping[tuple[str, str], tuple[LabelSet, dict[str, Evidence]]]
"""(task, published source name) → the label set, and kind → evidence."""


def tasks_by_source(references: Sequence[Dictionary]) -> dict[str, list[str]]:
    """Source key → the tasks for which the references contain the published name of the source."""
    names = {(reference.task, reference.source) for reference in references}
    by_source: dict[str, list[str]] = {}
    for key in sources.keys():
        source = sources.load(key)
        tasks = [task for task in source.tasks if (task, source.name_for(task)) in names]
        if tasks:
            by_source[key] = tasks
    return by_source


def sample_annotations(
    data_root: str, output: str, tasks: dict[str, list[str]], annotations: int
) -> dict[str, SamplesByLabel]:
    """Builds the sources up to clean/. Returns source key → annotations sampled from its train and validation files."""
    located = registry.locate_all(registry.list_root(data_root))
    keys = [source.key for source in located if source.key in tasks and source.files and source.files.splits]
    flags = ["--data_root", data_root, "--output", output, "--sources", key_list.join(keys), "--only", "clean"]
    code = build.main([*flags, "--hard_negatives", "none"])
    if code not in (0, 3):
        sys.exit(code)
    parts: dict[str, list[SamplesByLabel]] = {}
    for shard, _ in clean_shards(output):
        if shard.split != "test":
            key, drawn = draw_shard(shard, output, tasks, annotations)
            parts.setdefault(key, []).append(drawn)
    return {key: merge(samples, annotations) for key, samples in parts.items()}


def gather(
    tasks: dict[str, list[str]], drawn: Mapping[str, SamplesByLabel], model: str, cache_folder: str
) -> LabelSetEvidence:
    """The evidence of every kind for all label sets."""
    gathered = {}
    for key, source_tasks in tasks.items():
        source = sources.load(key)
        for task in source_tasks:
            labels = label_set(key, source, task, [], False)
            samples = {
                label: [s for _, s in kept] for (kind, label), kept in drawn.get(key, {}).items() if kind == task
            }
            inputs = labels, samples, raw_labels(source, task)
            if model == embed.LEXICAL:
                by_kind = evidence(*inputs, None, KINDS)
            else:
                with cached_encoder(model, cache_folder, f"{key}/{task}") as encode:
                    by_kind = evidence(*inputs, encode, KINDS)
            gathered[task, labels.source] = labels, by_kind
    return gathered


class Scores:
    """Scores by kinds of evidence. Each combination of kinds is mined once."""

    def __init__(self, label_sets: LabelSetEvidence, references: tuple[Dictionary, ...], model: str):
        self.label_sets, self.references, self.model = label_sets, references, model
        self.report = cache(self.compute)

    def dictionaries(self, kinds: Sequence[str], among: Sequence[str] = ()) -> tuple[Dictionary, ...]:
        """The dictionaries mined from `kinds`, for label sets that have evidence of all kinds in `among`."""
        return tuple(
            mine(labels, {kind: by_kind[kind] for kind in kinds if kind in by_kind}, self.model)
            for labels, by_kind in self.label_sets.values()
            if all(kind in by_kind for kind in among)
        )

    def compute(self, kinds: tuple[str, ...], among: tuple[str, ...] = ()) -> Report:
        return evaluate(self.dictionaries(kinds, among), self.references)

    def by_source(self, kinds: tuple[str, ...]) -> np.ndarray:
        return np.array([source.scores.p_at_r for source in self.report(kinds).sources])

    def leave_one_out(
        self, first: tuple[str, ...], steps: Callable[[tuple[str, ...]], list[tuple[str, ...]]]
    ) -> float | None:
        """The mean P@|R| over sources, with the kinds for each source selected on all other sources: starting from
        `first`, the step with the best mean is taken as long as it improves the mean. None with a single source.
        """
        count = len(self.report(DEFAULT).sources)
        if count < 2:
            return None
        results = []
        for left in range(count):
            others, kinds, reached = np.arange(count) != left, first, -1.0
            while True:
                means = {more: self.by_source(more)[others].mean() for more in steps(kinds)}
                best = max(means, key=means.__getitem__, default=kinds)
                if means.get(best, -1.0) <= reached:
                    break
                kinds, reached = best, means[best]
            results.append(self.by_source(kinds)[left])
        return float(np.mean(results))


def one_more(kinds: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(kind for kind in KINDS if kind in (*kinds, new)) for new in KINDS if new not in kinds]


def one_less(kinds: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(kind for kind in kinds if kind != removed) for removed in kinds if len(kinds) > 1]


def ablation(scores: Scores) -> str:
    """The table of the kinds of evidence, and the figures for combinations of them."""
    default = scores.report(DEFAULT).mean
    lines = ["| evidence | sources | alone | chance | without it | with it |", "|:--|--:|--:|--:|--:|--:|"]
    for kind in KINDS:
        if not any(kind in by_kind for _, by_kind in scores.label_sets.values()):
            continue
        mean = scores.report((kind,), (kind,)).mean
        cells = [f"{len(scores.report((kind,), (kind,)).sources)}", f"{mean.p_at_r:.3f}", f"{mean.chance:.3f}"]
        if kind in DEFAULT:
            cells += [
                f"{scores.report(tuple(k for k in DEFAULT if k != kind)).mean.p_at_r:.3f}",
                f"{default.p_at_r:.3f}",
            ]
        else:
            cells += [f"{default.p_at_r:.3f}", f"{scores.report((*DEFAULT, kind)).mean.p_at_r:.3f}"]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    everything = scores.report(tuple(KINDS)).mean
    added, removed = scores.leave_one_out((), one_more), scores.leave_one_out(tuple(KINDS), one_less)
    chosen = (
        f"added one by one {added:.3f}, removed one by one {removed:.3f}"
        if added is not None and removed is not None
        else "needs at least two sources"
    )
    lines += [
        "",
        f"default ({', '.join(DEFAULT)}): {default.p_at_r:.3f}; AP {default.average_precision:.3f}, "
        f"Jaccard {default.jaccard:.3f}, chance {default.chance:.3f}",
        f"all {len(KINDS)} kinds: {everything.p_at_r:.3f}",
        f"kinds chosen for each source on the others: {chosen}",
    ]
    return "\n".join(lines)


def by_source(scores: Scores) -> str:
    """The table of the default kinds by source. Its column `from` says whether annotations were sampled."""
    report = scores.report(DEFAULT)
    lines = ["| source | from | labels | P@\\|R\\| | AP | Jaccard | chance |", "|:--|:--|--:|--:|--:|--:|--:|"]
    for source in report.sources:
        _, by_kind = scores.label_sets[source.task, source.source]
        drawn = "annotations" if FROM_ANNOTATIONS & by_kind.keys() else "labels only"
        figures = (f"{getattr(source.scores, name):.3f}" for name in source.scores.__slots__)
        lines.append(f"| {source.task} {source.source} | {drawn} | {source.labels} | {' | '.join(figures)} |")
    lines += [f"| {task} {source} | excluded: {why} | | | | | |" for task, source, why in report.left_out]
    return "\n".join(lines)


def worst_pairs(scores: Scores, count: int) -> str:
    """The pairs of each source that differ most from the reference: pairs ranked among the first |R| that are not in R,
    by score, and pairs in R, by their distance behind rank |R|.
    """
    ranked = {
        (dictionary.task, dictionary.source): {
            label: (*ranking.neighbours, *ranking.below_cut) for label, ranking in dictionary.labels.items()
        }
        for dictionary in scores.dictionaries(DEFAULT)
    }
    lines = ["| source | wrong neighbours (score) | missed neighbours (rank, \\|R\\|) |", "|:--|:--|:--|"]
    for source in scores.report(DEFAULT).sources:
        (reference,) = (r for r in scores.references if (r.task, r.source) == (source.task, source.source))
        wrong, missed = [], []
        for label, truth in as_mapping(reference).items():
            order = ranked[source.task, source.source].get(label, ())
            size = len(set(truth) - {label})
            wrong += [(-(near.score or 0.0), label, near.label) for near in order[:size] if near.label not in truth]
            behind = enumerate(order[size:], size + 1)
            missed += [(size - rank, label, near.label, rank, size) for rank, near in behind if near.label in truth]
        cells = ["; ".join(f"{label} → {near} ({-score:.2f})" for score, label, near in sorted(wrong)[:count])]
        cells += ["; ".join(f"{a} → {b} ({rank}, {size})" for _, a, b, rank, size in sorted(missed)[:count])]
        lines.append(f"| {source.source} | {cells[0] or 'none'} | {cells[1] or 'none'} |")
    return "\n".join(lines)


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("benchmarks.hard_negatives", __doc__)
    parser.add_argument(
        "--data_root", metavar="DIR", help="original files; default: none, only the words of the labels"
    )
    parser.add_argument("--reference", required=True, metavar="FILE", help="{task: {source: {label: [labels]}}}")
    parser.add_argument("--embedding_model", required=True, metavar="NAME|PATH|lexical")
    parser.add_argument("--pairs", type=int, default=6, help="number of worst pairs to show per source")
    parser.add_argument("--annotations", type=int, default=40, help="annotations per label, sampled as evidence")
    parser.add_argument(
        "--output", metavar="DIR", help="keep the build and embedded texts in this folder; default: a temporary folder"
    )
    parser.add_argument("--write", metavar="DIR", help="also write the dictionaries of the default kinds")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_scores, flags)


def print_scores(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        output = options.output or f"{temporary}/build"
        references = load(options.reference)
        tasks = tasks_by_source(references)
        drawn = sample_annotations(options.data_root, output, tasks, options.annotations) if options.data_root else {}
        label_sets = gather(tasks, drawn, options.embedding_model, f"{output}/embeddings")
        scores = Scores(label_sets, references, options.embedding_model)
        for dictionary in scores.dictionaries(DEFAULT) if options.write else ():
            files.write_text(f"{options.write}/{dictionary.task}/{dictionary.key}.json", dump(dictionary))
        print(ablation(scores), by_source(scores), worst_pairs(scores, options.pairs), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
