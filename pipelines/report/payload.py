"""A validated build and its statistics → the content of its report, as one JSON value of bounded size."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.report import matrix, seriation
from pipelines import build_folder
from pipelines.build_dictionaries import dictionary_path, label_sets_to_mine, read_dictionary
from pipelines.build_reports import read_results
from pipelines.config import Clean
from pipelines.describe import figures
from pipelines.describe.form_examples import form_examples
from pipelines.describe.lengths import EDGES, instruction_bins, text_lengths
from pipelines.describe.token_estimate import CONTEXTS
from pipelines.report.instructions import instructions
from pipelines.report.pseudonyms import Rename, rename_files
from pipelines.report.rejects import rejects
from pipelines.report.samples import label_name, short
from pipelines.report.user_sources import user_sources
from schemas import language
from schemas.build_statistics import Statistics
from schemas.errors import Reason
from schemas.example import SPLITS
from schemas.label import LabelSet
from schemas.manifests import Cleaned, ExampleShard, HeldOut, Ingested, Instructed, InstructionShard, Labelled
from transforms import files
from validation.check import SuiteResult

LABELS_PER_SET = 300
"""Number of labels shown per label set, those with most annotations. The files below labels/ contain all labels."""


def payload(output: str, statistics: Statistics, pseudonymous: bool = False) -> dict:
    """The content of the report on the build in `output`, as JSON values. It only covers the sources in `statistics`:
    all sources of the build or some of them. `pseudonymous`: without the names of annotators.
    """
    ingested, cleaned = build_folder.read_result(output, Ingested), build_folder.read_result(output, Cleaned)
    rows, tasks = build_folder.read_result(output, Instructed).shards, build_folder.read_result(output, Labelled).tasks
    return contents(
        Parts(output, ingested, cleaned.shards, rows, tasks, read_results(output)), statistics, pseudonymous
    )


def losses(output: str, ingested: Ingested, cleaned: tuple[ExampleShard, ...], statistics: Statistics) -> dict:
    """The content of the report on a build without instructions: what was read and left out."""
    return contents(Parts(output, ingested, cleaned), statistics) | {"pages": {}}


@dataclass(frozen=True)
class Parts:
    """What a report reads besides the statistics. `clean`, `rows`: the shards of clean/ and data/. `tasks`: source
    key → tasks with a label set.
    """

    output: str
    ingested: Ingested
    clean: tuple[ExampleShard, ...]
    rows: tuple[InstructionShard, ...] = ()
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    results: Sequence[SuiteResult] = ()


def contents(parts: Parts, statistics: Statistics, pseudonymous: bool = False) -> dict:
    keys = list(statistics.sources)
    output, ingested, rows = parts.output, parts.ingested, parts.rows
    tasks = {key: names for key, names in parts.tasks.items() if key in keys}
    which = label_sets_to_mine(tasks)
    max_chars = statistics.build.settings.get("clean", {}).get("max_chars", Clean().max_chars)
    has_page = statistics.hard_negatives.hard_negatives != "none" and not pseudonymous  # no release has it
    content = {
        "build": statistics.build,
        "pages": {"card": "../README", "validation": "data_docs/index.html"}
        | ({"hard_negatives": "hard_negatives.html"} if has_page else {}),
        "sources": sources(statistics, ingested, parts.clean),
        "languages": {facts.lang: language.name(facts.lang) for _, facts in sorted(statistics.about.items())},
        "failed": statistics.failed,
        "leakage": statistics.leakage,
        "contexts": CONTEXTS,
        "edges": EDGES,
        "texts": text_lengths(parts.clean, keys),
        "instructions": instruction_bins(rows, keys),
        "tokens": statistics.tokens,
        "labels": [
            labels(build_folder.read_label_set(output, task, key)) for key, names in tasks.items() for task in names
        ],
        "neighbours": [graph(output, task, key) for task, key in which if mined(output, task, key)],
        "hard_negatives": {
            "hard_negatives": statistics.hard_negatives.hard_negatives,
            "model": statistics.hard_negatives.model,
        },
        "held_out": held_out(statistics.held_out),
        "familiarity": statistics.familiarity if figures.familiarity(statistics) else None,
        "validation": [
            [suite.suite, suite.rows, [[e.meaning, e.column, e.success, e.unexpected] for e in suite.expectations]]
            for suite in parts.results
        ],
        "user_sources": user_sources(output, ingested, keys, pseudonymous),
        "sample": instructions(output, rows, parts.clean, keys),
        "forms": form_examples(output, rows, keys),
        "rejects": rejects(output, ingested, keys, renamers(ingested) if pseudonymous else {}, max_chars),
    }
    return msgspec.to_builtins(content)


def renamers(ingested: Ingested) -> dict[str, Rename]:
    """Key of a user's source → what replaces the names of annotators in the names of files."""
    return {key: rename_files(ingested.annotators.get(key)) for key in ingested.user_sources}


def sources(statistics: Statistics, ingested: Ingested, clean: Iterable[ExampleShard]) -> dict[str, dict]:
    """Key → facts about the source, and its counts by split. `bad` and `dropped`: records lost in ingest and clean.
    `rejected`: all that ingest left out and lists in rejects/: records, parts of them, and annotations of people who
    were not chosen.
    """
    reads = {(read.key, read.split): read for read in ingested.splits}
    dropped: dict[tuple[str, str], Counter] = {}
    for shard in clean:
        dropped.setdefault((shard.key, shard.split), Counter()).update(shard.rejected)
    shown = {}
    for key, splits in statistics.sources.items():
        about = statistics.about[key]
        shown[key] = {
            "name": short(about.name),
            "title": short(about.title),
            "lang": short(about.lang),
            "tasks": about.tasks,
            "licence": short(about.licence),
            "licence_text": short(about.licence_text),
            "domain": short(about.domain),
            "splits": {
                split: {
                    "read": splits[split].read.examples,
                    "bad": {
                        reason: n for reason, n in reads[key, split].rejected.items() if reason != Reason.NOT_CHOSEN
                    },
                    "rejected": {
                        reason: n
                        for reason, n in (Counter(reads[key, split].rejected) + Counter(reads[key, split].lost)).items()
                        if reason != Reason.ONE_PAIR_UNITED
                    },
                    "windows": splits[split].windows,
                    "dropped": dropped.get((key, split), {}),
                    "crossing": splits[split].crosses_window,
                    "kept": splits[split].kept,
                }
                for split in SPLITS
                if split in splits
            },
            "asked": statistics.instructions_by_source.get(key, {}),
        }
    return shown


def labels(label_set: LabelSet) -> list:
    """[task, key, size of the set, [[label, train, validation, test], ...]] of the labels with most annotations."""
    rows = [
        [label_name(label.name), *(label_set.counts.get(label.name, {}).get(split, 0) for split in SPLITS)]
        for label in label_set.labels
    ]
    rows.sort(key=lambda row: (-sum(row[1:]), row[0]))
    return [label_set.task, label_set.key, len(rows), rows[:LABELS_PER_SET]]


def held_out(parts: HeldOut) -> dict:
    """What is held out of training, with at most LABELS_PER_SET labels per source and layer."""
    return {
        "labels": {
            key: {layer: list(map(label_name, names[:LABELS_PER_SET])) for layer, names in layers.items()}
            for key, layers in parts.labels.items()
        },
        "themes": {key: short(theme) for key, theme in parts.themes.items()},
        "texts": parts.texts,
    }


def mined(output: str, task: str, key: str) -> bool:
    return files.exists(dictionary_path(output, task, key))


def graph(output: str, task: str, key: str) -> list:
    """[task, key, size of the dictionary, names, neighbours]. The items of neighbours[n] are [index, score or null].

    Similar labels are adjacent, so that most edges in the circle are short. Of a large label set, only the
    LABELS_PER_SET labels with most neighbours are shown, with the edges between them.
    """
    dictionary = read_dictionary(dictionary_path(output, task, key))
    shown = most_confused(dictionary)
    names, scores, kept = matrix(shown)
    unscored = {
        (label, n.label) for label, ranking in shown.labels.items() for n in ranking.neighbours if n.score is None
    }
    order = seriation(scores)
    place = {row: n for n, row in enumerate(order)}
    edges = []
    for row in order:
        near = sorted(np.flatnonzero(kept[row]).tolist(), key=lambda to: (-scores[row, to], names[to]))
        edges.append(
            [
                [place[to], None if (names[row], names[to]) in unscored else round(float(scores[row, to]), 3)]
                for to in near
            ]
        )
    return [task, key, len(dictionary.labels), [label_name(names[row]) for row in order], edges]


def most_confused(dictionary: Dictionary) -> Dictionary:
    """The dictionary restricted to the LABELS_PER_SET labels with most neighbours."""
    by_count = sorted(dictionary.labels, key=lambda name: (-len(dictionary.labels[name].neighbours), name))
    names = set(by_count[:LABELS_PER_SET])

    def among(neighbours: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
        return tuple(neighbour for neighbour in neighbours if neighbour.label in names)

    rankings = {
        label: Ranking(among(ranking.neighbours), among(ranking.below_cut))
        for label, ranking in dictionary.labels.items()
        if label in names
    }
    return replace(dictionary, labels=rankings)
