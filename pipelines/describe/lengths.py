"""Tables of clean/ and data/ → histograms of lengths and of positive labels per instruction, and their sums by source.

The histograms of a shard are computed when it is written, while its rows are in memory. The report adds up those in the
manifests.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.manifests import ExampleShard, InstructionHistograms, InstructionShard

EDGES = tuple(round(2 ** (step / 4)) for step in range(12, 59))
"""Upper ends of the bins in characters, from 8 to 23,170, four per doubling. A bin includes its upper end; the last bin
has none. The usual context sizes are among the edges, so that the share above each is exact.
"""

LENGTHS = len(EDGES) + 1
"""Number of bins, including the last one without an upper end."""

MOST_POSITIVES = 12
"""Number of the last bin of positive labels, which also counts instructions with more."""

Histograms = Mapping[str, Mapping[str, int]]
"""Name of a histogram → number of a bin (a string, as in JSON) → count; empty bins are left out."""


def histogram(lengths: np.ndarray) -> np.ndarray:
    """The number of `lengths` in each bin, (LENGTHS,)."""
    return np.bincount(np.searchsorted(EDGES, lengths), minlength=LENGTHS)


def text_histograms(rows: pa.Table) -> Histograms:
    """The histogram `lengths` of the texts of examples (schema EXAMPLES), in characters."""
    return {"lengths": filled(histogram(characters(rows["text"])))}


def instruction_histograms(rows: pa.Table) -> Histograms:
    """The histograms of instructions (schema INSTRUCTIONS): `lengths` of prompt and answer together, in characters, and
    `positives`, with bins for 0, 1, 2 ... positive labels.
    """
    lengths = characters(rows["instruction"]) + characters(pc.fill_null(rows["output"], ""))
    positives = np.minimum(pc.list_value_length(rows["positives"]).to_numpy(), MOST_POSITIVES)
    return {"lengths": filled(histogram(lengths)), "positives": filled(np.bincount(positives))}


def characters(strings: pa.ChunkedArray) -> np.ndarray:
    """The length of each string. Checking for ASCII takes a tenth of the time of counting characters."""
    ascii_only = pc.all(pc.string_is_ascii(strings)).as_py()
    return (pc.binary_length(strings) if ascii_only else pc.utf8_length(strings)).to_numpy()


def filled(bins: np.ndarray) -> Counter:
    return Counter({str(number): n for number, n in enumerate(bins.tolist()) if n})


def sums(parts: Iterable[Histograms]) -> dict[str, Counter]:
    """The sums of histograms, by name."""
    added: dict[str, Counter] = {}
    for part in parts:
        for name, bins in part.items():
            added.setdefault(name, Counter()).update(bins)
    return added


def filled_bins(parts: Iterable[Mapping[str, int]], number: int) -> list[int]:
    """The sums of the first `number` bins of all parts, including empty bins."""
    sums: Counter[str] = Counter()
    for bins in parts:
        sums.update(bins)
    return [sums[str(place)] for place in range(number)]


def text_lengths(shards: Iterable[ExampleShard], keys: Collection[str]) -> dict[str, dict[str, list[int]]]:
    """Source key → split → histogram of the lengths of its texts, in characters. `shards`: the shards of clean/."""
    groups: dict[str, dict[str, list[Mapping[str, int]]]] = {}
    for shard in shards:
        if shard.key in keys and shard.rows:
            groups.setdefault(shard.key, {}).setdefault(shard.split, []).append(shard.histograms.lengths)
    return {
        key: {split: filled_bins(parts, LENGTHS) for split, parts in splits.items()}
        for key, splits in sorted(groups.items())
    }


@dataclass(frozen=True)
class InstructionBins:
    """By split. `lengths`: histogram of the lengths of prompt and answer together, in characters. `positives`: numbers
    of instructions with 0, 1, 2 ... positive labels.
    """

    lengths: dict[str, list[int]]
    positives: dict[str, list[int]]


def instruction_bins(
    shards: Iterable[InstructionShard], keys: Collection[str]
) -> dict[str, dict[str, InstructionBins]]:
    """Source key → task → its histograms. `shards`: the shards of data/."""
    groups: dict[str, dict[str, dict[str, list[InstructionHistograms]]]] = {}
    for shard in shards:
        for key, counts in shard.sources.items():
            if key in keys and counts.instructions:
                splits = groups.setdefault(key, {}).setdefault(shard.task, {})
                splits.setdefault(shard.split, []).append(shard.histograms[key])
    return {
        key: {
            task: InstructionBins(
                {split: filled_bins((part.lengths for part in parts), LENGTHS) for split, parts in splits.items()},
                {
                    split: filled_bins((part.positives for part in parts), MOST_POSITIVES + 1)
                    for split, parts in splits.items()
                },
            )
            for task, splits in tasks.items()
        }
        for key, tasks in sorted(groups.items())
    }
