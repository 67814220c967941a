"""labels/ and the labels that the rows of data/ ask for → reports/familiarity.json."""

from collections.abc import Sequence

import numpy as np

from hard_negatives import embed
from hard_negatives.cache import stored_vectors
from hard_negatives.evidence import text
from hard_negatives.familiarity import AskedLabels, familiarity
from pipelines.build_folder import read_label_set, read_result
from pipelines.build_reports import FAMILIARITY
from pipelines.config import Config
from schemas import json_values
from schemas.example import LAYER
from schemas.familiarity import FamiliarityReport
from schemas.manifests import Instructed
from transforms import files
from transforms.unknown_labels import is_known


def write_familiarity(output: str, config: Config) -> None:
    """Writes the report on the build in `output`. The encoder is that of the hard negatives; if none were mined, the
    lexical one.
    """
    label_sets = asked_labels(read_result(output, Instructed), output)
    model = config.mine.embedding_model or embed.LEXICAL
    vectors = label_vectors(label_sets, model, config.mine.cache or f"{output}/embeddings")
    labels = familiarity(label_sets, vectors, config.familiarity.near)
    report = FamiliarityReport(embed.display_name(model), config.familiarity.near, tuple(labels))
    files.write_text(f"{output}/{FAMILIARITY}", json_values.render(report))


def asked_labels(instructed: Instructed, output: str) -> list[AskedLabels]:
    """The label sets with the labels that the rows of the build ask for, sorted by task and source."""
    names_by_split: dict[tuple[str, str], dict[str, set[str]]] = {}
    for shard in instructed.shards:
        for key, names in shard.labels.items():
            splits = names_by_split.setdefault((shard.task, key), {"train": set(), "validation": set(), "test": set()})
            splits[shard.split].update(names)
    label_sets = []
    for (task, key), splits in sorted(names_by_split.items()):
        label_set = read_label_set(output, task, key)
        held_out = frozenset(instructed.held_out.labels.get(key, {}).get(LAYER[task], ()))
        hidden = frozenset(label.name for label in label_set.labels if not is_known(task, label, held_out))
        label_sets.append(AskedLabels(label_set, frozenset(splits["train"]), frozenset(splits["test"]), hidden))
    return label_sets


def label_vectors(label_sets: Sequence[AskedLabels], model: str, cache: str) -> dict[str, np.ndarray]:
    """The text of each label → its vector, from the cache of the mine stage as far as it has them."""
    vectors: dict[str, np.ndarray] = {}
    if model != embed.LEXICAL:  # faster than reading a cache
        for entry in label_sets:
            texts = [text(label) for label in entry.label_set.labels]
            vectors |= stored_vectors(texts, model, cache, entry.label_set.key)
    others = sorted({text(label) for entry in label_sets for label in entry.label_set.labels} - vectors.keys())
    vectors.update(zip(others, embed.embed(others, model), strict=True))
    return vectors
