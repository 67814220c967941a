"""labels/, hard_negatives/ and the counts of data/ → reports/hard_negatives.html."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hard_negatives.report import Asked, page
from pipelines.engine import gather
from pipelines.stages.labels import read_label_set
from pipelines.stages.mine import dictionary_path, label_sets_to_mine, read_dictionary
from schemas.label import Label
from transforms import files
from transforms.ask import SPLIT_NUM, cut


def together_by_chance(labels: Sequence[Label], split_num: int) -> float:
    """The share of pairs of labels that stand in one batch where all are asked, in batches drawn at random."""
    sizes = [len(batch) for batch in cut(labels, split_num)]
    pairs = len(labels) * (len(labels) - 1)
    return sum(size * (size - 1) for size in sizes) / pairs if pairs else 0.0


def report(output: str, split_num: Mapping[str, int]) -> str:
    """The page over all dictionaries of a build. `split_num`: labels a batch by task, where it is not the default."""
    counts: dict[tuple[str, str], Counter] = {}
    for part in gather.manifest(output, "data")["shards"]:
        if part["split"] != "test":
            for key, of in part["sources"].items():
                counts.setdefault((part["task"], key), Counter()).update(of)
    entries = []
    for task, key in label_sets_to_mine(gather.manifest(output, "labels")["tasks"]):
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
