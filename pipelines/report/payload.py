"""A validated build and its statistics → everything that its report shows, as one JSON-able value of bounded size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.report import matrix, seriation
from pipelines.describe.lengths import EDGES, instruction_counts, text_lengths
from pipelines.describe.token_estimate import CONTEXTS
from pipelines.engine import gather
from pipelines.report import examples, samples
from pipelines.report.samples import short
from pipelines.stages.labels import read_label_set
from pipelines.stages.mine import dictionary_path, label_sets_to_mine, read_dictionary
from pipelines.stages.validate import read_results
from schemas.example import SPLITS
from schemas.label import LabelSet
from transforms import files

LABELS_A_SET = 300
"""Those with most annotations; of a larger set the files below labels/ have the rest."""


def payload(output: str, counts: Mapping) -> dict:
    """What the report of the build in `output` shows of the sources in `counts` (statistics as of `describe.stats`, of
    the whole build or a part). Nothing of other sources is in it.
    """
    keys = list(counts["sources"])
    texts, rows = gather.manifest(output, "clean")["shards"], gather.manifest(output, "data")["shards"]
    tasks = {key: of for key, of in gather.manifest(output, "labels")["tasks"].items() if key in keys}
    return {
        "build": counts["build"],
        "sources": sources(output, counts),
        "failed": counts["failed"],
        "leakage": counts["leakage"],
        "contexts": CONTEXTS,
        "edges": EDGES,
        "texts": text_lengths(texts, keys),
        "instructions": instruction_counts(rows, keys),
        "tokens": counts["tokens"],
        "labels": [labels(read_label_set(output, task, key)) for key, of in tasks.items() for task in of],
        "neighbours": [graph(output, task, key) for task, key in label_sets_to_mine(tasks) if mined(output, task, key)],
        "hard_negatives": {name: counts["hard_negatives"][name] for name in ("hard_negatives", "model")},
        "validation": [
            [suite.suite, suite.rows, [[e.meaning, e.column, e.success, e.unexpected] for e in suite.expectations]]
            for suite in read_results(output)
        ],
        "examples": examples.examples(output, texts, keys),
        "samples": samples.instructions(output, rows, keys),
        "rejects": samples.rejects(output, keys),
    }


def sources(output: str, counts: Mapping) -> dict[str, dict]:
    """Key → what the source is, and split → records by stage: `bad` and `dropped` are what ingest and clean lost."""
    bad, dropped = {}, {}
    for part in gather.manifest(output, "examples")["splits"]:
        bad[part["key"], part["split"]] = part["rejected"]
    for part in gather.manifest(output, "clean")["shards"]:
        dropped.setdefault((part["key"], part["split"]), Counter()).update(part["rejected"])
    found = {}
    for key, splits in counts["sources"].items():
        about = counts["about"][key]
        shown = ("name", "title", "lang", "tasks", "licence", "licence_text")
        found[key] = {
            **{name: short(about[name]) if isinstance(about[name], str) else about[name] for name in shown},
            "domain": short(about["domain"]) or "domain not told",
            "splits": {
                split: {
                    "read": splits[split]["read"]["examples"],
                    "bad": bad[key, split],
                    "windows": splits[split]["windows"],
                    "dropped": dropped.get((key, split), {}),
                    "crossing": splits[split]["crosses_window"],
                    "kept": splits[split]["kept"],
                }
                for split in SPLITS
                if split in splits
            },
            "asked": counts["instructions_by_source"].get(key, {}),
        }
    return found


def labels(of: LabelSet) -> list:
    """[task, key, labels in the set, [[label, train, validation, test], ...]], the labels with most annotations."""
    rows = [
        [short(label.name), *(of.counts.get(label.name, {}).get(split, 0) for split in SPLITS)] for label in of.labels
    ]
    rows.sort(key=lambda row: (-sum(row[1:]), row[0]))
    return [of.task, of.key, len(rows), rows[:LABELS_A_SET]]


def mined(output: str, task: str, key: str) -> bool:
    return files.exists(dictionary_path(output, task, key))


def graph(output: str, task: str, key: str) -> list:
    """[task, key, labels in the dictionary, names, neighbours]: neighbours[n] are [place, score or null] of names[n].

    Like stands beside like, so that most edges of a circle are short. Of a large set the first LABELS_A_SET labels by
    number of neighbours are shown, with the edges between them.
    """
    dictionary = read_dictionary(dictionary_path(output, task, key))
    shown = most_confused(dictionary)
    names, scores, kept = matrix(shown)
    given = {(label, n.label) for label, ranking in shown.labels.items() for n in ranking.neighbours if n.score is None}
    order = seriation(scores)
    place = {row: n for n, row in enumerate(order)}
    edges = []
    for row in order:
        near = sorted(np.flatnonzero(kept[row]).tolist(), key=lambda to: (-scores[row, to], names[to]))
        edges.append(
            [[place[to], None if (names[row], names[to]) in given else round(float(scores[row, to]), 3)] for to in near]
        )
    return [task, key, len(dictionary.labels), [short(names[row]) for row in order], edges]


def most_confused(dictionary: Dictionary) -> Dictionary:
    """The dictionary of its LABELS_A_SET labels with most neighbours, and of what they say of each other."""
    by_count = sorted(dictionary.labels, key=lambda name: (-len(dictionary.labels[name].neighbours), name))
    names = set(by_count[:LABELS_A_SET])

    def among(neighbours: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
        return tuple(neighbour for neighbour in neighbours if neighbour.label in names)

    rankings = {
        label: Ranking(among(ranking.neighbours), among(ranking.below_cut))
        for label, ranking in dictionary.labels.items()
        if label in names
    }
    return replace(dictionary, labels=rankings)
