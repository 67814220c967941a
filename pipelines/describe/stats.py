"""The manifests of a build → its statistics (`schemas.build_statistics`)."""

import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hard_negatives import embed
from pipelines import build_folder, build_reports
from pipelines.build_dictionaries import dictionary_path, label_sets_to_mine, read_dictionary
from pipelines.config import SAMPLES, Config
from pipelines.describe.figures import instructions, token_totals
from schemas.build_statistics import (
    BuildFacts,
    DictionarySize,
    FamiliarityCounts,
    FamiliarityStatistics,
    HardNegatives,
    SplitStatistics,
    Statistics,
    total,
)
from schemas.example import SPLITS
from schemas.familiarity import FamiliarityReport
from schemas.manifests import (
    Cleaned,
    ExampleShard,
    Ingested,
    Instructed,
    InstructionCounts,
    InstructionShard,
    Labelled,
    LayerCounts,
    LeakCounts,
    Mined,
    SplitRead,
    Tokenized,
)
from transforms import files


def stats(output: str, config: Config) -> Statistics:
    """The statistics of the build in `output`. `config`: its settings."""
    ingested, cleaned = build_folder.read_result(output, Ingested), build_folder.read_result(output, Cleaned)
    tasks = build_folder.read_result(output, Labelled).tasks
    mined = build_folder.read_result(output, Mined)
    instructed = build_folder.read_result(output, Instructed)
    by_source = instruction_counts(instructed.shards)
    return msgspec.structs.replace(
        read_counts(ingested, cleaned.shards, config),
        labels={
            key: {
                task: tuple(label.name for label in build_folder.read_label_set(output, task, key).labels)
                for task in source_tasks
            }
            for key, source_tasks in tasks.items()
        },
        instructions=instructions(by_source.values()),
        instructions_by_source=by_source,
        hard_negatives=HardNegatives(mined.hard_negatives, mined.model, dictionary_sizes(output, tasks)),
        tokens=token_totals(build_folder.read_result(output, Tokenized).tokens),
        held_out=instructed.held_out,
        familiarity=familiarity_counts(build_reports.read_familiarity(output)),
    )


def read_counts(ingested: Ingested, cleaned: Iterable[ExampleShard], config: Config) -> Statistics:
    """The statistics of what was read and kept, as of a build without instructions. `cleaned`: shards of clean/."""
    shards: dict[tuple[str, str], list[ExampleShard]] = {}
    for shard in cleaned:
        shards.setdefault((shard.key, shard.split), []).append(shard)
    sources: dict[str, dict[str, SplitStatistics]] = {}
    leakage: dict[str, dict[str, LeakCounts]] = {}
    for read in sorted(ingested.splits, key=lambda read: (read.key, SPLITS.index(read.split))):
        group = shards.get((read.key, read.split), [])
        sources.setdefault(read.key, {})[read.split] = split_statistics(read, group)
        leaks = leaks_into(group)
        if leaks:
            leakage[f"{read.key}/{read.split}"] = leaks
    return Statistics(
        build=build_facts(config, sources),
        sources=sources,
        about={key: ingested.sources[key] for key in sources},
        labels={},
        failed=ingested.failed,
        instructions={},
        instructions_by_source={},
        leakage=dict(sorted(leakage.items())),
        hard_negatives=HardNegatives("none", None, {}),
        tokens=None,
    )


def familiarity_counts(report: FamiliarityReport) -> FamiliarityStatistics:
    """The sums of a report by source and task."""
    groups: dict[str, dict[str, list[FamiliarityCounts]]] = {}
    for label in report.labels:
        is_seen, is_near = label.familiarity == "seen", label.familiarity == "near"
        n = label.annotations
        groups.setdefault(label.key, {}).setdefault(label.task, []).append(
            FamiliarityCounts(1, int(is_seen), int(is_near), n, n * is_seen, n * is_near)
        )
    sums = {
        key: {task: total(FamiliarityCounts, parts) for task, parts in tasks.items()} for key, tasks in groups.items()
    }
    return FamiliarityStatistics(report.model, report.near, sums)


def build_facts(config: Config, keys: Iterable[str]) -> BuildFacts:
    """The facts about a build of the sources `keys`, without anything specific to this machine."""
    samples = config.data_root == str(SAMPLES)
    return BuildFacts(importlib.metadata.version("ieforge"), samples, recipe(config), tuple(keys))


def recipe(config: Config) -> dict[str, Any]:
    """The settings that differ from the defaults and affect rows, as a recipe for another machine: paths are replaced
    by the names of their files or folders.
    """
    content = config.model_dump(
        mode="json",
        exclude_defaults=True,
        exclude={
            **dict.fromkeys(("data_root", "sources", "familiarity", "tokens", "card"), True),
            "mine": {"cache", "accelerator"},
        },
    )
    mine, instruct = content.get("mine", {}), content.get("instruct", {})
    if mine.get("embedding_model"):
        mine["embedding_model"] = embed.display_name(mine["embedding_model"])
    for section, key in ((mine, "hard_negatives"), (mine, "contrasts"), (mine, "confusions"), (instruct, "prompts")):
        if section.get(key):
            section[key] = section[key].rstrip("/").rpartition("/")[2]
    return {section: value for section, value in content.items() if value != {}}


def split_statistics(read: SplitRead, shards: Sequence[ExampleShard]) -> SplitStatistics:
    """The statistics of a split from the counts of ingest and its shards of clean/."""
    return SplitStatistics(
        read=read.read,
        windows=sum(shard.windows for shard in shards),
        kept=total(LayerCounts, (shard.kept for shard in shards)),
        rejected=summed([read.rejected, *(shard.rejected for shard in shards)]),
        lost=read.lost,
        crosses_window=summed(shard.crosses_window for shard in shards),
        same_text=sum(shard.same_text for shard in shards),
    )


def leaks_into(shards: Iterable[ExampleShard]) -> dict[str, LeakCounts]:
    """Key of a source → counts of the texts of the shards that leak into its test split."""
    parts: dict[str, list[LeakCounts]] = {}
    for shard in shards:
        for key, counts in shard.leaks_into.items():
            parts.setdefault(key, []).append(counts)
    return {key: total(LeakCounts, parts[key]) for key in sorted(parts)}


def summed(counts: Iterable[Mapping[Any, int]]) -> dict[Any, int]:
    """Key → sum of its counts."""
    sums: Counter = Counter()
    for part in counts:
        sums.update(part)
    return dict(sums)


def instruction_counts(shards: Iterable[InstructionShard]) -> dict[str, dict[str, dict[str, InstructionCounts]]]:
    """Source key → task → split → counts."""
    groups: dict[str, dict[str, dict[str, list[InstructionCounts]]]] = {}
    for shard in shards:
        for key, counts in shard.sources.items():
            groups.setdefault(key, {}).setdefault(shard.task, {}).setdefault(shard.split, []).append(counts)
    return {
        key: {
            task: {split: total(InstructionCounts, parts) for split, parts in splits.items()}
            for task, splits in tasks.items()
        }
        for key, tasks in groups.items()
    }


def dictionary_sizes(output: str, tasks: Mapping[str, Sequence[str]]) -> dict[str, dict[str, DictionarySize]]:
    """Source key → task → size of its dictionary, if the build has one. `tasks`: source key → its tasks."""
    sizes: dict[str, dict[str, DictionarySize]] = {}
    for task, key in label_sets_to_mine(tasks):
        path = dictionary_path(output, task, key)
        if files.exists(path):
            neighbours = [len(ranking.neighbours) for ranking in read_dictionary(path).labels.values()]
            labels = len(build_folder.read_label_set(output, task, key).labels)
            sizes.setdefault(key, {})[task] = DictionarySize(labels, sum(map(bool, neighbours)), sum(neighbours))
    return sizes
