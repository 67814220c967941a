"""Tables of clean/ and data/ → histograms of lengths and of positive labels an instruction, and their sums by source.

Each shard is counted where it is written, with its rows in memory; the report adds up what the manifests say.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.manifests import ExampleShard, InstructionHistograms, InstructionShard

EDGES = tuple(round(2 ** (step / 4)) for step in range(12, 59))
"""Upper ends of the bins, four to a doubling, from 8 to 23,170 characters: a bin holds lengths above the edge before it
up to its own, and a last bin has no end. The usual context sizes are among them, so that the share above each is exact.
"""

LENGTHS = len(EDGES) + 1
"""Bins, the one without an end among them."""

MOST_POSITIVES = 12
"""An instruction with more counts as one with so many."""

Histograms = Mapping[str, Mapping[str, int]]
"""What is counted → number of a bin, in decimals as JSON wants it → how many are in it; empty bins are left out."""


def histogram(lengths: np.ndarray) -> np.ndarray:
    """How many of `lengths` fall into each bin, (LENGTHS,)."""
    return np.bincount(np.searchsorted(EDGES, lengths), minlength=LENGTHS)


def of_examples(rows: pa.Table) -> Histograms:
    """Of rows of schema EXAMPLES: `lengths`, of their texts in characters."""
    return {"lengths": filled(histogram(characters(rows["text"])))}


def of_instructions(rows: pa.Table) -> Histograms:
    """Of rows of schema INSTRUCTIONS: `lengths`, of prompt and answer together in characters, and `positives`, whose
    bins are 0, 1, 2 ... positive labels.
    """
    lengths = characters(rows["instruction"]) + characters(pc.fill_null(rows["output"], ""))
    positives = np.minimum(pc.list_value_length(rows["positives"]).to_numpy(), MOST_POSITIVES)
    return {"lengths": filled(histogram(lengths)), "positives": filled(np.bincount(positives))}


def characters(strings: pa.ChunkedArray) -> np.ndarray:
    """The length of each; to see that all are ASCII takes a tenth of the time to count their characters."""
    ascii_only = pc.all(pc.string_is_ascii(strings)).as_py()
    return (pc.binary_length(strings) if ascii_only else pc.utf8_length(strings)).to_numpy()


def filled(bins: np.ndarray) -> Counter:
    return Counter({str(number): n for number, n in enumerate(bins.tolist()) if n})


def sums(parts: Iterable[Histograms]) -> dict[str, Counter]:
    """The histograms of all parts' rows."""
    added: dict[str, Counter] = {}
    for part in parts:
        for name, bins in part.items():
            added.setdefault(name, Counter()).update(bins)
    return added


def filled_bins(parts: Iterable[Mapping[str, int]], number: int) -> list[int]:
    """How many are in each of the first `number` bins of all parts, empty ones too."""
    sums: Counter[str] = Counter()
    for bins in parts:
        sums.update(bins)
    return [sums[str(place)] for place in range(number)]


def text_lengths(shards: Iterable[ExampleShard], keys: Collection[str]) -> dict[str, list[int]]:
    """Source key → histogram of its texts' lengths in characters. `shards`: those of clean/."""
    by_key: dict[str, list[Mapping[str, int]]] = {}
    for shard in shards:
        if shard.key in keys and shard.rows:
            by_key.setdefault(shard.key, []).append(shard.histograms.lengths)
    return {key: filled_bins(parts, LENGTHS) for key, parts in sorted(by_key.items())}


@dataclass(frozen=True)
class InstructionBins:
    """`lengths`: histogram of prompt and answer together, in characters; `positives`: split → how many instructions
    have 0, 1, 2 ... positive labels.
    """

    lengths: list[int]
    positives: dict[str, list[int]]


def instruction_bins(
    shards: Iterable[InstructionShard], keys: Collection[str]
) -> dict[str, dict[str, InstructionBins]]:
    """Source key → task → its histograms. `shards`: those of data/."""
    groups: dict[str, dict[str, dict[str, list[InstructionHistograms]]]] = {}
    for shard in shards:
        for key, counts in shard.sources.items():
            if key in keys and counts.instructions:
                splits = groups.setdefault(key, {}).setdefault(shard.task, {})
                splits.setdefault(shard.split, []).append(shard.histograms[key])
    return {
        key: {
            task: InstructionBins(
                filled_bins((part.lengths for parts in splits.values() for part in parts), LENGTHS),
                {
                    split: filled_bins((part.positives for part in parts), MOST_POSITIVES + 1)
                    for split, parts in splits.items()
                },
            )
            for task, splits in tasks.items()
        }
        for key, tasks in sorted(groups.items())
    }
