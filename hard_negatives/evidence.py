"""A label set and samples of its annotations → per kind of evidence, one vector per label and a reliability.

After centring, the dot product of the vectors of two labels measures how easily they are confused by this kind of
evidence. A row of zeros means that there is no evidence for a label; it is placed at the mean of all labels. Evidence
from a few annotations is partly random, so it is weighted by the agreement of two halves of them (split-half
reliability; Spearman 1910 and Brown 1910).
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hard_negatives.embed import lexical
from hard_negatives.kinds import DEFAULT
from hard_negatives.samples import Sample
from hard_negatives.vectors import agreement, unit
from schemas.errors import SourceError
from schemas.label import Label, LabelSet

Encode = Callable[[list[str]], np.ndarray]
"""Texts → unit rows, like `hard_negatives.embed.embed` with a fixed model."""

BAG_DIMENSIONS = 1024
"""The number of dimensions to which more features than this are hashed, so that memory only grows with the labels."""

TEXTS_PER_BATCH = 10_000

MAX_DEPTH = 32
"""Only this many parts of a label's path are used."""

PATH_SEPARATOR = re.compile(r"[/.:]|(?<=\w)[-－—]")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`rows`: float32, shape (labels, dimensions), in the order of the label set; `reliability`: from 0 to 1."""

    rows: np.ndarray
    reliability: float = 1.0


def evidence(
    label_set: LabelSet,
    samples: Mapping[str, Sequence[Sample]],
    raw_labels: Mapping[str, Sequence[str]],
    encode: Encode | None,
    kinds: Iterable[str] = DEFAULT,
) -> dict[str, Evidence]:
    """Kind → evidence. Kinds without evidence for any label are left out.

    `samples`: label → some of its annotations. `raw_labels`: label → its spellings in the files (default: its name).
    `encode`: the model; None for the lexical encoder, for which `wording` is computed as `spelling` and `spelling` is
    left out. Raises SourceError for a name that is empty or occurs twice.
    """
    labels = label_set.labels
    check_names(label_set)
    encode = encode or lexical
    from_labels = {
        "wording": lambda: encode([text(label) for label in labels]),
        "spelling": lambda: None if encode is lexical else lexical([text(label) for label in labels]),
        "category": lambda: bags([category_path(raw_labels.get(label.name) or (label.name,)) for label in labels]),
        "roles": lambda: bags(idf_weighted([Counter(set(label.role_names)) for label in labels])),
        "name": lambda: encode([name(label) for label in labels]),
        "description": lambda: centroids([[label.description] for label in labels], encode),
    }
    from_samples = {
        "types": lambda by_label: bags([Counter(sample.types for sample in one if sample.types) for one in by_label]),
        "mentions": lambda by_label: mentions(by_label, encode),
        "contexts": lambda by_label: centroids([[sample.context for sample in one] for one in by_label], encode),
        "strings": lambda by_label: bags(idf_weighted([strings(one) for one in by_label])),
        "confusion": lambda by_label: confusion([[sample.context for sample in one] for one in by_label], encode),
    }
    if any(label.predicate for label in labels):  # the types are parts of a typed label
        ends = [Counter([(label.subject_type, label.object_type)]) for label in labels]
        from_labels["types"] = lambda: bags(ends)
    samples_by_label = [samples.get(label.name, ()) for label in labels]
    by_kind = {}
    for kind in kinds:
        rows = from_labels[kind]() if kind in from_labels else from_samples[kind](samples_by_label)
        if rows is not None and rows.any():
            rows = rows.astype(np.float32)  # before the two halves are computed, which need as much memory again
            reliability = 1.0 if kind in from_labels else split_half(from_samples[kind], samples_by_label)
            by_kind[kind] = Evidence(rows, reliability)
    return by_kind


def split_half(
    compute: Callable[[Sequence[Sequence[Sample]]], np.ndarray | None], samples: Sequence[Sequence[Sample]]
) -> float:
    """The agreement, from 0 to 1, of the vectors computed from the even and from the odd samples of each label."""
    first, second = (compute([one[start::2] for one in samples]) for start in (0, 1))
    return 0.0 if first is None or second is None else agreement(first, second)


def check_names(label_set: LabelSet) -> None:
    """Raises SourceError for a name that is empty (a prompt cannot ask for it) or occurs twice."""
    names = Counter(label.name for label in label_set.labels)
    for label in label_set.labels:
        if not label.name.strip():
            raise SourceError(f"{label_set.key}: a {label_set.task} label has an empty name; give it one")
        if names[label.name] > 1:
            raise SourceError(f"{label_set.key}: {label_set.task} label {label.name[:80]!r} occurs twice; keep one")


def name(label: Label) -> str:
    """The name of a label; for a typed label, its three parts joined by blanks."""
    parts = (label.subject_type, label.predicate, label.object_type)
    return " ".join(part for part in parts if part) if label.predicate else label.name


def text(label: Label) -> str:
    """`name: description (role, role)`."""
    described = f"{name(label)}: {label.description}" if label.description else name(label)
    return f"{described} ({', '.join(label.role_names)})" if label.roles else described


def category_path(raw_labels: Iterable[str]) -> Counter[str]:
    """The proper prefixes of label paths: `/people/person/children` gives people, people/person."""
    prefixes: Counter[str] = Counter()
    for raw in raw_labels:
        parts = [part for part in PATH_SEPARATOR.split(raw) if part]
        prefixes.update({"/".join(parts[:n]): 1 for n in range(1, min(len(parts), MAX_DEPTH))})
    return prefixes


def strings(samples: Sequence[Sample]) -> Counter[tuple[int, str]]:
    """(slot, string) → 1 + ln n for a string that occurs n times in the slot; case is ignored."""
    counts = Counter(
        (n, mention.casefold()) for sample in samples for n, slot in enumerate(sample.slots) for mention in slot
    )
    return Counter({feature: 1 + math.log(count) for feature, count in counts.items()})


def mentions(samples: Sequence[Sequence[Sample]], encode: Encode) -> np.ndarray | None:
    """The centroids of the mentions in each slot, side by side; one row per label. None if there is no mention."""
    slots = max((len(sample.slots) for one in samples for sample in one), default=0)
    by_slot = (
        centroids([[mention for sample in one for mention in sample.slots[n]] for one in samples], encode)
        for n in range(slots)
    )
    parts = [part for part in by_slot if part is not None]
    return (np.hstack(parts) if len(parts) > 1 else parts[0]) if parts else None


def centroids(texts: Sequence[Sequence[str]], encode: Encode) -> np.ndarray | None:
    """Per label, the mean vector of its texts as a unit row; zeros for a label without texts. None if none has any."""
    pairs = [(row, text) for row, texts_of_label in enumerate(texts) for text in texts_of_label if text.strip()]
    sums = None
    for start in range(0, len(pairs), TEXTS_PER_BATCH):
        batch = pairs[start : start + TEXTS_PER_BATCH]
        vectors = encode([text for _, text in batch])
        sums = np.zeros((len(texts), vectors.shape[1])) if sums is None else sums
        np.add.at(sums, [row for row, _ in batch], vectors)
    return None if sums is None else unit(sums, sums)


def confusion(texts: Sequence[Sequence[str]], encode: Encode) -> np.ndarray | None:
    """The confusion matrix of a nearest-centroid classifier (leave-one-out) as unit rows: row, the label of a text;
    column, the label of the nearest centroid. None if there is no text.
    """
    pairs = [(row, text) for row, texts_of_label in enumerate(texts) for text in texts_of_label if text.strip()]
    if not pairs:
        return None
    labels = np.array([row for row, _ in pairs], np.int64)
    vectors = encode([text for _, text in pairs]).astype(np.float64)
    sums = np.zeros((len(texts), vectors.shape[1]))
    np.add.at(sums, labels, vectors)
    similarity = vectors @ unit(sums).T
    without_text = unit(sums[labels] - vectors)  # the centroids of the text's label, without the text
    similarity[np.arange(len(labels)), labels] = (vectors * without_text).sum(axis=1)
    similarity[:, ~sums.any(axis=1)] = -np.inf
    nearest = np.argmax(np.round(similarity, 6), axis=1)
    matrix = np.zeros((len(texts), len(texts)))
    np.add.at(matrix, (labels, nearest), 1)
    return unit(matrix)


def idf_weighted(features: Sequence[Counter[Any]]) -> list[Counter[Any]]:
    """Weights times ln((1 + labels) / labels with the feature): frequent features distinguish labels less."""
    frequency = Counter(feature for counts in features for feature in counts)
    scale = {feature: math.log((1 + len(features)) / count) for feature, count in frequency.items()}
    return [Counter({feature: weight * scale[feature] for feature, weight in counts.items()}) for counts in features]


def bags(features: Sequence[Counter[Any]]) -> np.ndarray | None:
    """Unit rows of feature weights, one row per label and one column per feature. More than BAG_DIMENSIONS features are
    hashed with a sign (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning"). None if no label
    has a feature.
    """
    names = sorted({feature for counts in features for feature in counts})
    columns = {feature: (n, 1) for n, feature in enumerate(names)}
    if not columns:
        return None
    if len(columns) > BAG_DIMENSIONS:
        for feature in columns:
            digest = zlib.crc32(repr(feature).encode())
            columns[feature] = (digest >> 1) % BAG_DIMENSIONS, 1 if digest & 1 else -1
    rows = np.zeros((len(features), min(len(columns), BAG_DIMENSIONS)))
    for row, counts in zip(rows, features, strict=True):
        for feature, weight in counts.items():
            column, sign = columns[feature]
            row[column] += sign * weight
    return unit(rows, rows)
