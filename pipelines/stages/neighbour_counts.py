"""Instruction rows and a dictionary of hard negatives → how many confusable labels are in the same row."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NumberedLabels = tuple[np.ndarray, np.ndarray]
"""Numbers of rows or examples, ascending, and for each the number of one of its labels."""


def neighbour_counts(rows: pa.Table, dictionary: Mapping[str, Sequence[str]] | None) -> Counter:
    """Counts the pairs of a positive label and one of its hard negatives in the examples of `rows` (`neighbour_pairs`),
    and those that are in the same row (`neighbours_together`); the positive labels of the examples that the dictionary
    gives a neighbour (`positives_with_neighbour`), and those of them with a neighbour in their row, positive or not
    (`positives_beside_neighbour`).

    `rows`: all rows of some examples of one split and task (schema INSTRUCTIONS). Test rows are not counted, because a
    test split asks for every label, and rows of EEA are not, because they ask for positive labels only.
    """
    if dictionary is None or not rows.num_rows:
        return Counter()
    if rows["split"][0].as_py() == "test" or rows["task"][0].as_py() == "EEA":
        return Counter()
    positives = pc.unique(rows["positives"].combine_chunks().flatten()).to_pylist()
    dictionary = {label: dictionary[label] for label in positives if label in dictionary}  # a few of possibly thousands
    names = sorted({*dictionary, *(neighbour for neighbours in dictionary.values() for neighbour in neighbours)})
    numbers = {name: number for number, name in enumerate(names)}
    known = {
        (numbers[label], numbers[near])
        for label, neighbours in dictionary.items()
        for near in neighbours
        if near != label
    }
    pairs = np.array(sorted(label * len(names) + near for label, near in known), np.int64)
    pairs_per_label = np.bincount(pairs // max(1, len(names)), minlength=len(names))

    def count_pairs(positives: NumberedLabels, others: NumberedLabels) -> np.ndarray:
        """For each of `positives`, its pairs of the dictionary with one of `others` under the same number."""
        first, second = (np.searchsorted(others[0], positives[0], side) for side in ("left", "right"))
        sizes = second - first
        at = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes - first, sizes)
        is_pair = np.isin(np.repeat(positives[1], sizes) * len(names) + others[1][at], pairs)
        return np.bincount(np.repeat(np.arange(len(sizes)), sizes)[is_pair], minlength=len(sizes))

    row, label = labels_by_row(rows["positives"], names)
    hard = labels_by_row(rows["hard_negatives"], names)
    example = rows["example_id"].combine_chunks().dictionary_encode().indices.to_numpy()[row]
    positive = np.divmod(np.unique(example.astype(np.int64) * len(names) + label), max(1, len(names)))
    counts = {
        "neighbour_pairs": pairs_per_label[positive[1]].sum() - count_pairs(positive, positive).sum(),
        "neighbours_together": count_pairs((row, label), hard).sum(),
        "positives_with_neighbour": np.count_nonzero(pairs_per_label[label]),
        "positives_beside_neighbour": np.count_nonzero(count_pairs((row, label), labels_by_row(rows["labels"], names))),
    }
    return +Counter({name: int(count) for name, count in counts.items()})


def labels_by_row(column: pa.ChunkedArray, names: Sequence[str]) -> NumberedLabels:
    """The labels of a column list<string>, without those that are not in `names`."""
    column = column.combine_chunks()
    numbers = pc.index_in(column.flatten(), pa.array(names, pa.string())).fill_null(-1).to_numpy().astype(np.int64)
    row = pc.list_parent_indices(column).to_numpy()
    return row[numbers >= 0], numbers[numbers >= 0]
