"""labels/, hard_negatives/ and the counts of data/ → reports/hard_negatives.html."""

from collections.abc import Mapping, Sequence

from hard_negatives import contrast_file
from hard_negatives.contrast import contrasts
from hard_negatives.report import InstructionStats, page
from pipelines import build_folder
from pipelines.build_dictionaries import dictionary_path, label_sets_to_mine, read_dictionary
from schemas.build_statistics import total
from schemas.label import Label
from schemas.manifests import Instructed, InstructionCounts, Labelled
from transforms import files
from transforms.batches import SPLIT_NUM, cut


def together_by_chance(labels: Sequence[Label], split_num: int) -> float:
    """The share of pairs of labels that are in the same batch if all labels are asked in random batches."""
    sizes = [len(batch) for batch in cut(labels, split_num)]
    pairs = len(labels) * (len(labels) - 1)
    return sum(size * (size - 1) for size in sizes) / pairs if pairs else 0.0


def report(output: str, split_num: Mapping[str, int], contrast_path: str | None = None) -> str:
    """The page on all dictionaries of a build. `split_num`: task → labels per batch, if not the default.
    `contrast_path`: the file of contrasts, None for lines of the template.
    """
    written = contrast_file.read(contrast_path) if contrast_path else {}
    counts: dict[tuple[str, str], list[InstructionCounts]] = {}
    for shard in build_folder.read_result(output, Instructed).shards:
        if shard.split != "test":
            for key, source_counts in shard.sources.items():
                counts.setdefault((shard.task, key), []).append(source_counts)
    entries, lines = [], {}
    for task, key in label_sets_to_mine(build_folder.read_result(output, Labelled).tasks):
        path = dictionary_path(output, task, key)
        if files.exists(path):
            labels, dictionary = build_folder.read_label_set(output, task, key), read_dictionary(path)
            size = (SPLIT_NUM | split_num)[task]
            entries.append((dictionary, usage(counts.get((task, key)), labels.labels, size)))
            lines[dictionary.task, key] = contrasts(labels, dictionary, written)
    return page(entries, lines)


def usage(
    parts: Sequence[InstructionCounts] | None, labels: Sequence[Label], split_num: int
) -> InstructionStats | None:
    """How often the labels are asked in train and validation; None if these splits have no instruction with them."""
    if not parts:
        return None
    counts = total(InstructionCounts, parts)
    return InstructionStats(
        counts.instructions,
        counts.examples * len(cut(labels, split_num)),
        counts.neighbour_pairs,
        counts.neighbours_together,
        together_by_chance(labels, split_num),
    )
