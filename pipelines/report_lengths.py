"""Shards of clean/ and data/, column by column → histograms of lengths and of positive labels an instruction."""

from collections import defaultdict
from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.shards import read_batches

EDGES = tuple(round(2 ** (step / 4)) for step in range(12, 59))
"""Upper ends of the bins, four to a doubling, from 8 to 23,170 characters: a bin holds lengths above the edge before it
up to its own, and a last bin has no end. The usual context sizes are among them, so that the share above each is exact.
"""

MOST_POSITIVES = 12
"""An instruction with more counts as one with so many."""

ROWS_A_TABLE = 20_000

EXAMPLE_KEY = r"/(train|validation|test)/\d+(/\d+)?$"
"""What follows the source's key in an example's id."""


def histogram(lengths: np.ndarray) -> np.ndarray:
    """How many of `lengths` fall into each bin, (len(EDGES) + 1,)."""
    return np.bincount(np.searchsorted(EDGES, lengths), minlength=len(EDGES) + 1)


def text_lengths(output: str, shards: Iterable[dict], keys: Collection[str]) -> dict[str, list[int]]:
    """Source key → histogram of its texts' lengths in characters. `shards`: those of clean/'s manifest."""
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(EDGES) + 1, np.int64))
    for shard in shards:
        if shard["key"] in keys:
            for table in read_batches(f"{output}/{shard['path']}", ROWS_A_TABLE, ["text"]):
                found[shard["key"]] += histogram(pc.utf8_length(table["text"]).to_numpy())
    return {key: counts.tolist() for key, counts in sorted(found.items())}


def instruction_counts(output: str, shards: Iterable[dict], keys: Collection[str]) -> dict[str, dict[str, dict]]:
    """Source key → task → `lengths`, the histogram of prompt and answer together in characters, and `positives`,
    split → how many instructions have 0, 1, 2 ... positive labels. `shards`: those of data/'s manifest.
    """
    found: dict[str, dict[str, dict]] = {}
    columns = ["example_id", "instruction", "output", "positives.list.element"]
    for shard in shards:
        for table in read_batches(f"{output}/{shard['path']}", ROWS_A_TABLE, columns):
            for key, rows in by_source(table):
                if key in keys:
                    of = found.setdefault(key, {}).setdefault(shard["task"], {"lengths": 0, "positives": {}})
                    answers = pc.fill_null(pc.utf8_length(rows["output"]), 0)
                    lengths = pc.add(pc.utf8_length(rows["instruction"]), answers)
                    of["lengths"] = of["lengths"] + histogram(lengths.to_numpy())
                    positives = np.minimum(pc.list_value_length(rows["positives"]).to_numpy(), MOST_POSITIVES)
                    counts = np.bincount(positives, minlength=MOST_POSITIVES + 1)
                    of["positives"][shard["split"]] = of["positives"].get(shard["split"], 0) + counts
    return {
        key: {
            task: {
                "lengths": of["lengths"].tolist(),
                "positives": {split: counts.tolist() for split, counts in of["positives"].items()},
            }
            for task, of in tasks.items()
        }
        for key, tasks in sorted(found.items())
    }


def by_source(rows: pa.Table) -> Iterable[tuple[str, pa.Table]]:
    """The rows of each source key in a table of instructions."""
    keys = pc.replace_substring_regex(rows["example_id"], EXAMPLE_KEY, "").combine_chunks().dictionary_encode()
    if len(keys.dictionary) == 1:
        yield keys.dictionary[0].as_py(), rows
        return
    for number, key in enumerate(keys.dictionary.to_pylist()):
        yield key, rows.filter(pc.equal(keys.indices, number))
