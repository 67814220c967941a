"""python -m benchmarks.knowledge: compares facts of pipelines.knowledge with those that others annotated.

The pipeline runs from the dumps to the scores, with one theme: a relation for each property of the set.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks import knowledge_gold, knowledge_run, knowledge_score
from schemas import command
from transforms.knowledge import themes

SETS = ("rebel", "text2kgbench", "knowledgenet")
MIN_SCORE = 0.5

SHARES = (
    ("precision", "precision"),
    ("recall", "recall of the facts whose ends are named"),
    ("f1", "F1"),
    ("recall_of_all", "recall of all facts"),
    ("recall_ceiling", "share of facts whose ends are named"),
    ("texts_without_fact_that_get_one", "texts without a fact that get one"),
    ("linking_accuracy", "mentions linked right"),
    ("linking_accuracy_of_recognised", "mentions linked right, of those recognised"),
    ("ontology_conformance", "facts that the themes file allows"),
    ("facts_with_untyped_end", "facts with an end of unknown type, which the themes file allows"),
)
COUNTS = (
    ("texts", "texts"),
    ("texts_rejected", "texts that the pipeline rejects"),
    ("texts_without_fact", "texts without a fact"),
    ("facts", "annotated facts between items"),
    ("facts_named", "annotated facts whose ends are named"),
    ("predicted", "predicted facts between items"),
    ("hallucinated_ends", "ends that do not spell their offsets"),
    ("wrong_negatives_without_unknown", "relations stated, not predicted"),
    ("wrong_negatives", "of these, asked as negatives"),
    ("wrong_negatives_avoided", "of these, kept back as unknown"),
    ("negatives_without_unknown", "relations not predicted"),
    ("negatives", "of these, asked as negatives"),
)


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("benchmarks.knowledge", __doc__)
    parser.add_argument("--gold", required=True, choices=SETS, help="the set that --texts is from")
    parser.add_argument("--texts", required=True, metavar="FILE", help="JSON lines of the set, plain or gzip")
    parser.add_argument("--wikidata", required=True, nargs="+", metavar="FILE", help="dumps of the knowledge graph")
    parser.add_argument("--given_mentions", action="store_true", help="link only the mentions that the set annotates")
    parser.add_argument("--model", default="lexical", metavar="NAME|PATH", help="scorer of the facts")
    parser.add_argument("--min_score", type=float, default=MIN_SCORE, help="facts with a lower score are cut")
    parser.add_argument("--folder", metavar="DIR", help="keep the results of the stages, and resume from them")
    parser.add_argument("--workers", type=int, default=1, help="number of worker processes")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="show N wrong facts and N missed ones")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(argument_parser().parse_args, print_figures, flags)


def print_figures(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(options, options.folder or temporary)
    print(json.dumps(figures, ensure_ascii=False) if options.json else as_text(figures))
    return 0


def measure(options: argparse.Namespace, folder: str) -> dict:
    """All figures of a run in `folder`."""
    start = time.monotonic()
    gold = knowledge_gold.read(options.gold, options.texts)
    bundled = themes.load(None)
    result = knowledge_run.run(
        gold, bundled, options.wikidata, folder, options.given_mentions, options.model, options.workers
    )
    report = knowledge_score.score(gold, result, options.min_score)
    return {
        "gold": options.gold,
        "given_mentions": options.given_mentions,
        "min_score": options.min_score,
        "model": options.model,
        **knowledge_score.as_json(report, options.errors),
        "labels": {key: relation.label for key, relation in gold.relations.items()},
        "repaired_texts": gold.repaired,
        "seconds": round(time.monotonic() - start, 1),
    }


def as_text(figures: dict) -> str:
    """The figures as Markdown tables."""
    overall = [f"| {name} | {percent(figures[key])} |" for key, name in SHARES]
    overall += [f"| {name} | {figures[key]:,} |" for key, name in COUNTS]
    parts = [["| all texts | |", "|:--|--:|", *overall]]
    groups = {"values": figures["values"]}
    if len(figures["by_group"]) > 1:
        groups |= figures["by_group"]
    parts.append(by_key("part", groups, {"values": "facts with a date, quantity or string"}))
    parts.append(by_key("theme of the head", figures["by_theme"], {}))
    parts.append(by_key("relation", figures["by_relation"], figures["labels"]))
    for kind, counts in figures["causes"].items():
        rows = [f"| {cause} | {count:,} |" for cause, count in counts.items()]
        parts.append([f"| {kind} because | facts |", "|:--|--:|", *rows])
    for error in figures["errors"]:
        score = "" if error["score"] is None else f", score {error['score']:.2f}"
        label = figures["labels"][error["relation"]]
        parts.append(
            [
                f"{error['kind']} ({error['cause']}{score}): {error['head']} | {label} | {error['tail']}",
                f"    {' '.join(error['text'].split())}",
            ]
        )
    return "\n\n".join("\n".join(lines) for lines in parts)


def by_key(title: str, tallies: dict[str, dict], labels: dict[str, str]) -> list[str]:
    rows = [
        f"| {labels.get(key, key)} | {tally['facts']:,} | {tally['predicted']:,} | "
        f"{percent(tally['precision'])} | {percent(tally['recall'])} | {percent(tally['f1'])} |"
        for key, tally in sorted(tallies.items(), key=lambda pair: -pair[1]["facts"])
    ]
    return [f"| {title} | facts | predicted | precision | recall | F1 |", "|:--|--:|--:|--:|--:|--:|", *rows]


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
