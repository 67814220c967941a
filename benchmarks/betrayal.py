"""How far the labels of a prompt alone show whether one of them is positive, in shuffled and in grouped batches.

`python -m benchmarks.betrayal --build build` reads the texts, label sets and dictionaries of a build, makes the train
and validation rows of each source and task anew, and prints a Markdown table. `beside`: positive labels with a
neighbour in their row, of those that have one in the dictionary. A random forest that sees the labels of a
row, their number and the pairs of neighbours among them is trained on half of the texts. `AUC` is that of its guesses
for the other half: 0.5 if the labels show nothing. `frequency` is the same with the positive labels of another text,
drawn at random: what the frequencies of labels show by themselves, since the rows do not depend on that text.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from pipelines.build_folder import clean_shards, read_label_set, read_result
from pipelines.stages.instruct import INSTRUCTIONS_PER_TABLE, hard_negatives
from pipelines.stages.neighbour_counts import labels_by_row, neighbour_counts
from schemas import command
from schemas.manifests import Labelled
from transforms import prompts
from transforms.ask import AskOptions, ask_spec
from transforms.grouping import neighbours
from transforms.instruct import bounded, instruction_table
from transforms.shards import read_batches

ORDERS = ("shuffled", "grouped")


@dataclass(frozen=True)
class LabelRows:
    """Rows by the labels that they ask for (`labels`) and those that are positive, of shape (rows, labels); the number
    of the text of each row; which pairs of labels are neighbours, in either direction.
    """

    labels: np.ndarray
    positive: np.ndarray
    text: np.ndarray
    near: np.ndarray

    def auc(self, positive: np.ndarray) -> float:
        """The AUC of guesses which rows ask for a label that is `positive`; NaN if all rows of a half are alike."""
        has_positive = (self.labels & positive).any(axis=1)
        pairs = (self.labels.astype(np.float32) @ self.near * self.labels).sum(axis=1)
        features = np.c_[self.labels, pairs, self.labels.sum(axis=1)].astype(np.float32)
        is_train = np.random.default_rng(0).random(self.text.max() + 1)[self.text] < 0.5
        if any(len(np.unique(has_positive[half])) < 2 for half in (is_train, ~is_train)):
            return np.nan
        forest = RandomForestClassifier(min_samples_leaf=10, random_state=0, n_jobs=-1)
        forest.fit(features[is_train], has_positive[is_train])
        return float(roc_auc_score(has_positive[~is_train], forest.predict_proba(features[~is_train])[:, 1]))

    def frequency_auc(self) -> float:
        """The AUC with the positive labels of another text."""
        by_text = np.zeros((self.text.max() + 1, self.labels.shape[1]), bool)
        np.logical_or.at(by_text, self.text, self.positive)
        return self.auc(np.random.default_rng(1).permutation(by_text)[self.text])


def label_rows(output: str, task: str, key: str, order: str) -> tuple[LabelRows, Counter] | None:
    """The train and validation rows of a source and task in this order, with their `neighbour_counts`; None if it has
    no rows or no dictionary.
    """
    label_set, dictionary = read_label_set(output, task, key), hard_negatives(output, task, key)
    spec = ask_spec(task, label_set.labels, dictionary, prompts.load(), AskOptions(order=order))
    if spec.hard is None:  # no dictionary
        return None
    tables: list[pa.Table] = []
    counts: Counter = Counter()
    for shard, _ in clean_shards(output):
        if shard.key == key and shard.split != "test":
            examples_per_table = max(1, INSTRUCTIONS_PER_TABLE // spec.max_rows_per_example)
            for examples in bounded(read_batches(f"{output}/{shard.path}", examples_per_table), spec):
                table, _ = instruction_table(examples, spec)
                counts += neighbour_counts(table, dictionary)
                tables.append(table.select(["example_id", "labels", "positives"]))
    rows = pa.concat_tables(tables) if tables else None
    if not rows:
        return None
    names = [label.name for label in spec.labels]
    labels, positive = np.zeros((2, rows.num_rows, len(names)), bool)
    labels[labels_by_row(rows["labels"], names)] = True
    positive[labels_by_row(rows["positives"], names)] = True
    near = np.zeros((len(names), len(names)), np.float32)
    lengths, others = neighbours(spec.hard).take(np.arange(len(names)))
    near[np.repeat(np.arange(len(names)), lengths), others] = 1
    text = rows["example_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return LabelRows(labels, positive, text, near), counts


def main(flags: Sequence[str] | None = None) -> int:
    parser = command.parser("benchmarks.betrayal", __doc__)
    parser.add_argument("--build", default="build", metavar="DIR", help="a build of pipelines.build")
    return command.run(parser.parse_args, print_table, flags)


def print_table(options: argparse.Namespace) -> int:
    output = options.build
    print("| task | source | labels | " + " | ".join(f"{order}: beside | AUC | frequency" for order in ORDERS) + " |")
    print("|:--|:--|" + "--:|" * (1 + 3 * len(ORDERS)))
    for key, tasks in read_result(output, Labelled).tasks.items():
        for task in tasks:
            cells = []
            for order in ORDERS:
                made = label_rows(output, task, key, order)
                if made and made[1]["positives_with_neighbour"]:
                    rows, counts = made
                    share = counts["positives_beside_neighbour"] / counts["positives_with_neighbour"]
                    cells += [f"{share:.1%}", f"{rows.auc(rows.positive):.3f}", f"{rows.frequency_auc():.3f}"]
            if cells:
                print(f"| {task} | {key} | {rows.labels.shape[1]} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
