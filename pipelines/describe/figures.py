"""The statistics of a build → the statistics of some of its sources, and the sums shown on a card."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from pipelines.describe import losses, token_estimate
from schemas.build_statistics import DictionarySize, SplitStatistics, Statistics, TokenStatistics, total
from schemas.errors import Reason
from schemas.example import SPLITS, TASKS
from schemas.manifests import InstructionCounts, TokenCounts, TokenStratum
from transforms.ask import AskOptions

Value = TypeVar("Value")


def subset(statistics: Statistics, keys: Collection[str]) -> Statistics:
    """The statistics restricted to the sources in `keys`.

    `build` and `failed` are unchanged. Leaks into the test split of a source left out are kept, since these texts were
    dropped.
    """
    by_source = selected(statistics.instructions_by_source, keys)
    hard_negatives, tokens = statistics.hard_negatives, statistics.tokens
    return msgspec.structs.replace(
        statistics,
        sources=selected(statistics.sources, keys),
        about=selected(statistics.about, keys),
        labels=selected(statistics.labels, keys),
        instructions=instructions(by_source.values()),
        instructions_by_source=by_source,
        leakage={pair: into for pair, into in statistics.leakage.items() if pair.rpartition("/")[0] in keys},
        hard_negatives=msgspec.structs.replace(hard_negatives, by_source=selected(hard_negatives.by_source, keys)),
        tokens=tokens
        and token_totals(
            TokenCounts(tokens.tokenizer, tokens.contexts, tokens.edges, selected(tokens.by_source, keys))
        ),
    )


def optional_columns(statistics: Statistics) -> tuple[str, ...]:
    """The columns of the rows besides those of `schemas.arrow.INSTRUCTIONS`."""
    instruct = statistics.build.settings.get("instruct", {})
    return AskOptions(**{name: instruct[name] for name in ("forms", "messages") if name in instruct}).optional_columns


def selected(by_source: Mapping[str, Value], keys: Collection[str]) -> dict[str, Value]:
    return {key: value for key, value in by_source.items() if key in keys}


def instructions(by_source: Iterable[Mapping[str, Mapping[str, InstructionCounts]]]) -> dict[str, dict[str, int]]:
    """Task → split → rows, in the usual order and without zeros. `by_source`: task → split → counts, of each source."""
    rows: Counter[tuple[str, str]] = Counter()
    for tasks in by_source:
        rows.update(
            {(task, split): counts.instructions for task, splits in tasks.items() for split, counts in splits.items()}
        )
    return {
        task: {split: rows[task, split] for split in SPLITS if rows[task, split]}
        for task in TASKS
        if any(rows[task, split] for split in SPLITS)
    }


def token_totals(tokens: TokenCounts | None) -> TokenStatistics | None:
    """Token counts by source, with the sums by task and split and over all rows; None if no tokens were counted."""
    if not tokens or not tokens.by_source:
        return None
    strata: dict[tuple[str, str], list[TokenStratum]] = {}
    for tasks in tokens.by_source.values():
        for task, splits in tasks.items():
            for split, stratum in splits.items():
                strata.setdefault((task, split), []).append(stratum)
    sums = {at: token_estimate.joined(group) for at, group in strata.items()}
    summary = token_estimate.summary(token_estimate.joined(sums.values()))
    return TokenStatistics(
        tokens.tokenizer,
        tokens.contexts,
        tokens.edges,
        tokens.by_source,
        in_full=summary.counted == summary.rows,
        tasks={
            task: {split: token_estimate.summary(sums[task, split]) for split in SPLITS if (task, split) in sums}
            for task in TASKS
            if any((task, split) in sums for split in SPLITS)
        },
        total=summary,
    )


def row_count(rows: Mapping[str, Mapping[str, int]], split: str | None = None) -> int:
    """The sum of task → split → rows, over one split or all."""
    return sum(n for splits in rows.values() for name, n in splits.items() if split in (None, name))


def rows_by(statistics: Statistics, fact: str) -> dict[str, int]:
    """Value of a fact about sources (`domain`, `lang`) → rows of the sources with it, the largest number first."""
    rows: Counter[str] = Counter()
    for key, tasks in statistics.instructions_by_source.items():
        rows[getattr(statistics.about[key], fact)] += row_count(instructions([tasks]))
    return dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))


def all_splits(statistics: Statistics) -> Iterator[SplitStatistics]:
    return (split for splits in statistics.sources.values() for split in splits.values())


def by_frequency(losses: Iterable[Mapping[Reason, int]]) -> dict[Reason, int]:
    """Reason → sum of its counts, the most frequent first."""
    reasons: Counter[Reason] = Counter()
    for counts in losses:
        reasons.update(counts)
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def leaked(statistics: Statistics) -> int:
    """Train and validation texts that were dropped because they occur in a test split."""
    return sum(split.rejected.get(Reason.LEAKAGE, 0) for split in all_splits(statistics))


def lost_most(statistics: Statistics) -> dict[str, tuple[int, int]]:
    """KEY/SPLIT → (rows before cleaning, rows kept), for splits that lost most of their rows."""
    return {
        f"{key}/{name}": (split.windows, split.kept.examples)
        for key, splits in statistics.sources.items()
        for name, split in splits.items()
        if losses.lost_most(split.windows, split.kept.examples)
    }


@dataclass(frozen=True)
class HardNegativeFigures:
    """The figures of a task over its sources: the number of label sets with a dictionary, the total size of these
    dictionaries (None if the task uses that of a related task, as EET, EEA and SPO usually do), and the train and
    validation instructions.
    """

    label_sets: int
    dictionaries: DictionarySize | None
    instructions: InstructionCounts


def hard_negatives(statistics: Statistics) -> dict[str, HardNegativeFigures]:
    """Task → figures, for tasks with a dictionary or with train and validation instructions."""
    sizes: dict[str, list[DictionarySize]] = {}
    for dictionaries in statistics.hard_negatives.by_source.values():
        for task, size in dictionaries.items():
            sizes.setdefault(task, []).append(size)
    counts: dict[str, list[InstructionCounts]] = {}
    for tasks in statistics.instructions_by_source.values():
        for task, splits in tasks.items():
            counts.setdefault(task, []).extend(count for split, count in splits.items() if split != "test")
    return {
        task: HardNegativeFigures(
            len(sizes.get(task, ())),
            total(DictionarySize, sizes[task]) if task in sizes else None,
            total(InstructionCounts, counts.get(task, ())),
        )
        for task in TASKS
        if sizes.get(task) or counts.get(task)
    }
