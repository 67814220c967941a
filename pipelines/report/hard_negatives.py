"""labels/, hard_negatives/ and the counts of data/ → reports/hard_negatives.html."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hard_negatives.report import Asked, page
from pipelines import build_folder
from schemas.build_statistics import total
from schemas.label import Label
from schemas.manifests import Instructed, InstructionCounts, Labelled
from transforms import files
from transforms.ask import SPLIT_NUM, cut


def neighbour_counts(rows: pa.Table, dictionary: Mapping[str, Sequence[str]] | None) -> Counter:
    """How many pairs of a positive label and a hard negative of it the rows' examples have, and how many of them stand
    in one row. `rows`: all rows of some examples of one split (schema INSTRUCTIONS); a test split asks everything and
    counts nothing.
    """
    if dictionary is None or not rows.num_rows or rows["split"][0].as_py() == "test":
        return Counter()
    positives = pc.unique(rows["positives"].combine_chunks().flatten()).to_pylist()
    dictionary = {label: dictionary[label] for label in positives if label in dictionary}  # a few of maybe thousands
    names = sorted({*dictionary, *(near for of in dictionary.values() for near in of)})
    numbers = {name: number for number, name in enumerate(names)}
    known = {(numbers[label], numbers[near]) for label, of in dictionary.items() for near in of}
    pairs = np.array(sorted(label * len(names) + near for label, near in known), np.int64)
    per_label = np.bincount(pairs // max(1, len(names)), minlength=len(names))

    def together(positives: Listed, others: Listed) -> int:
        """Pairs of the dictionary with both labels under the same number."""
        first, second = (np.searchsorted(others[0], positives[0], side) for side in ("left", "right"))
        sizes = second - first
        at = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes - first, sizes)
        return int(np.isin(np.repeat(positives[1], sizes) * len(names) + others[1][at], pairs).sum())

    row, label = labels_by_row(rows["positives"], names)
    hard = labels_by_row(rows["hard_negatives"], names)
    example = rows["example_id"].combine_chunks().dictionary_encode().indices.to_numpy()[row]
    positive = np.divmod(np.unique(example.astype(np.int64) * len(names) + label), max(1, len(names)))
    found = Counter(neighbour_pairs=int(per_label[positive[1]].sum()) - together(positive, positive))
    found["neighbours_together"] = together((row, label), hard)
    return +found


Listed = tuple[np.ndarray, np.ndarray]
"""Numbers of rows or examples, rising, and for each the number of one of its labels."""


def labels_by_row(column: pa.ChunkedArray, names: Sequence[str]) -> Listed:
    """Of a column list<string>, without what is not in `names`."""
    column = column.combine_chunks()
    numbers = pc.index_in(column.flatten(), pa.array(names, pa.string())).fill_null(-1).to_numpy().astype(np.int64)
    row = pc.list_parent_indices(column).to_numpy()
    return row[numbers >= 0], numbers[numbers >= 0]


def together_by_chance(labels: Sequence[Label], split_num: int) -> float:
    """The share of pairs of labels that stand in one batch where all are asked, in batches drawn at random."""
    sizes = [len(batch) for batch in cut(labels, split_num)]
    pairs = len(labels) * (len(labels) - 1)
    return sum(size * (size - 1) for size in sizes) / pairs if pairs else 0.0


def report(output: str, split_num: Mapping[str, int]) -> str:
    """The page over all dictionaries of a build. `split_num`: labels per batch by task, where it is not the default."""
    counts: dict[tuple[str, str], list[InstructionCounts]] = {}
    for shard in build_folder.read_result(output, Instructed).shards:
        if shard.split != "test":
            for key, counts_of_source in shard.sources.items():
                counts.setdefault((shard.task, key), []).append(counts_of_source)
    entries = []
    for task, key in build_folder.label_sets_to_mine(build_folder.read_result(output, Labelled).tasks):
        path = build_folder.dictionary_path(output, task, key)
        if files.exists(path):
            labels = build_folder.read_label_set(output, task, key).labels
            size = (SPLIT_NUM | split_num)[task]
            entries.append((build_folder.read_dictionary(path), asked(counts.get((task, key)), labels, size)))
    return page(entries)


def asked(parts: Sequence[InstructionCounts] | None, labels: Sequence[Label], split_num: int) -> Asked | None:
    """None where no train or validation text was asked for these labels."""
    if not parts:
        return None
    counts = total(InstructionCounts, parts)
    return Asked(
        counts.instructions,
        counts.examples * len(cut(labels, split_num)),
        counts.neighbour_pairs,
        counts.neighbours_together,
        together_by_chance(labels, split_num),
    )
