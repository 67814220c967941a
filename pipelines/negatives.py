"""labels/, hard_negatives/ and the counts of data/ → reports/hard_negatives.html."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from hard_negatives.report import Asked, page
from pipelines import summary
from pipelines.labels import read_label_set
from pipelines.mine import dictionary_path, label_sets_to_mine, read_dictionary
from schemas.label import Label
from transforms import files
from transforms.ask import SPLIT_NUM, cut


def neighbour_counts(rows: pa.Table, dictionary: Mapping[str, Sequence[str]] | None) -> Counter:
    """How many pairs of a positive label and a hard negative of it the rows' examples have, and how many of them stand
    in one row. `rows`: all rows of some examples of one split (schema INSTRUCTIONS); a test split asks everything and
    counts nothing.
    """
    counts = Counter()
    if dictionary is None or not rows.num_rows or rows["split"][0].as_py() == "test":
        return counts
    found: dict[str, set[str]] = {}
    columns = [rows[name].to_pylist() for name in ("example_id", "positives", "hard_negatives")]
    for example_id, positives, hard_negatives in zip(*columns, strict=True):
        if positives:
            found.setdefault(example_id, set()).update(positives)
            hard = set(hard_negatives)
            counts["neighbours_together"] += sum(len(hard.intersection(dictionary.get(p, ()))) for p in positives)
    for positive in found.values():
        counts["neighbour_pairs"] += sum(len(set(dictionary.get(label, ())) - positive) for label in positive)
    return counts


def together_by_chance(labels: Sequence[Label], split_num: int) -> float:
    """The share of pairs of labels that stand in one batch where all are asked, in batches drawn at random."""
    sizes = [len(batch) for batch in cut(labels, split_num)]
    pairs = len(labels) * (len(labels) - 1)
    return sum(size * (size - 1) for size in sizes) / pairs if pairs else 0.0


def report(output: str, split_num: Mapping[str, int]) -> str:
    """The page over all dictionaries of a build. `split_num`: labels a batch by task, where it is not the default."""
    counts: dict[tuple[str, str], Counter] = {}
    for part in summary.manifest(output, "data")["shards"]:
        if part["split"] != "test":
            for key, of in part["sources"].items():
                counts.setdefault((part["task"], key), Counter()).update(of)
    entries = []
    for task, key in label_sets_to_mine(summary.manifest(output, "labels")["tasks"]):
        path = dictionary_path(output, task, key)
        if files.exists(path):
            labels = read_label_set(output, task, key).labels
            size = (SPLIT_NUM | split_num)[task]
            entries.append((read_dictionary(path), asked(counts.get((task, key)), labels, size)))
    return page(entries)


def asked(counts: Counter | None, labels: Sequence[Label], split_num: int) -> Asked | None:
    """None where no train or validation text was asked for these labels."""
    if not counts:
        return None
    return Asked(
        counts["instructions"],
        counts["examples"] * len(cut(labels, split_num)),
        counts["neighbour_pairs"],
        counts["neighbours_together"],
        together_by_chance(labels, split_num),
    )
