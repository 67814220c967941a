"""A label set and samples of its annotations → for each kind of evidence a vector for each label, and its reliability.

The dot product of two labels' vectors, once centred, says how much that kind speaks for the two being confused. A row
of zeros says nothing: such a label stands at the mean of all. What comes from a few annotations is partly chance, so
it counts as far as two halves of them agree (split-half reliability; Spearman 1910 and Brown 1910).
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
"""Texts → unit rows, as `hard_negatives.embed.embed` with a model."""

BAG_DIMENSIONS = 1024
"""More different features than this are hashed to as many dimensions, so that memory grows with the labels alone."""

TEXTS_AT_ONCE = 10_000

MAX_DEPTH = 32
"""Parts of a label's path that count."""

PATH_SEPARATOR = re.compile(r"[/.:]|(?<=\w)[-－—]")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`rows`: float32 (labels, dimensions), in the order of the set's labels; `reliability`: from 0 to 1."""

    rows: np.ndarray
    reliability: float = 1.0


def evidence(
    label_set: LabelSet,
    samples: Mapping[str, Sequence[Sample]],
    raw_labels: Mapping[str, Sequence[str]],
    encode: Encode | None,
    kinds: Iterable[str] = DEFAULT,
) -> dict[str, Evidence]:
    """Kind → what it says; a kind that says nothing of any label is left out.

    `samples`: label → some of its annotations; `raw_labels`: label → how the files write it, itself where it is not
    there; `encode`: the model, None for the lexical encoder (then `wording` is what `spelling` is otherwise). Raises
    SourceError where a name is empty or stands twice.
    """
    labels = label_set.labels
    check_names(label_set)
    encode = encode or lexical
    from_labels = {
        "wording": lambda: encode([text(label) for label in labels]),
        "spelling": lambda: None if encode is lexical else lexical([text(label) for label in labels]),
        "category": lambda: bags([category_path(raw_labels.get(label.name) or (label.name,)) for label in labels]),
        "roles": lambda: bags(weighted([Counter(set(label.roles)) for label in labels])),
        "name": lambda: encode([name(label) for label in labels]),
        "description": lambda: centroids([[label.description] for label in labels], encode),
    }
    from_use = {
        "types": lambda of: bags([Counter(sample.types for sample in some if sample.types) for some in of]),
        "mentions": lambda of: mentions(of, encode),
        "contexts": lambda of: centroids([[sample.context for sample in some] for some in of], encode),
        "strings": lambda of: bags(weighted([strings(some) for some in of])),
        "confusion": lambda of: confusion([[sample.context for sample in some] for some in of], encode),
    }
    if any(label.predicate for label in labels):  # a typed label says its types itself
        ends = [Counter([(label.subject_type, label.object_type)]) for label in labels]
        from_labels["types"] = lambda: bags(ends)
    drawn = [samples.get(label.name, ()) for label in labels]
    found = {}
    for kind in kinds:
        rows = from_labels[kind]() if kind in from_labels else from_use[kind](drawn)
        if rows is not None and rows.any():
            rows = rows.astype(np.float32)  # before its halves, which take as much memory again
            reliability = 1.0 if kind in from_labels else split_half(from_use[kind], drawn)
            found[kind] = Evidence(rows, reliability)
    return found


def split_half(
    make: Callable[[Sequence[Sequence[Sample]]], np.ndarray | None], drawn: Sequence[Sequence[Sample]]
) -> float:
    """How far what `make` makes of every other annotation agrees with what it makes of the rest."""
    first, second = (make([some[start::2] for some in drawn]) for start in (0, 1))
    return 0.0 if first is None or second is None else agreement(first, second)


def check_names(label_set: LabelSet) -> None:
    """Raises SourceError where a name is empty (no prompt could ask for it) or stands twice."""
    names = Counter(label.name for label in label_set.labels)
    for label in label_set.labels:
        if not label.name.strip():
            raise SourceError(f"{label_set.key}: a {label_set.task} label has an empty name; give it one")
        if names[label.name] > 1:
            raise SourceError(f"{label_set.key}: {label_set.task} label {label.name[:80]!r} stands twice; keep one")


def name(label: Label) -> str:
    """The name; that of a typed label is its three parts."""
    parts = (label.subject_type, label.predicate, label.object_type)
    return " ".join(part for part in parts if part) if label.predicate else label.name


def text(label: Label) -> str:
    """`name: description (role, role)`."""
    described = f"{name(label)}: {label.description}" if label.description else name(label)
    return f"{described} ({', '.join(label.roles)})" if label.roles else described


def category_path(raw_labels: Iterable[str]) -> Counter[str]:
    """The beginnings of a label's path, the whole left out: `/people/person/children` gives people, people/person."""
    beginnings: Counter[str] = Counter()
    for raw in raw_labels:
        parts = [part for part in PATH_SEPARATOR.split(raw) if part]
        beginnings.update({"/".join(parts[:n]): 1 for n in range(1, min(len(parts), MAX_DEPTH))})
    return beginnings


def strings(samples: Sequence[Sample]) -> Counter[tuple[int, str]]:
    """How often which string stands in which slot, case ignored; 1 + ln n for n times."""
    found = Counter(
        (n, mention.casefold()) for sample in samples for n, slot in enumerate(sample.slots) for mention in slot
    )
    return Counter({feature: 1 + math.log(count) for feature, count in found.items()})


def mentions(drawn: Sequence[Sequence[Sample]], encode: Encode) -> np.ndarray | None:
    """The centroids of each slot, side by side."""
    slots = max((len(sample.slots) for of in drawn for sample in of), default=0)
    by_slot = (
        centroids([[mention for sample in of for mention in sample.slots[n]] for of in drawn], encode)
        for n in range(slots)
    )
    sides = [side for side in by_slot if side is not None]
    return (np.hstack(sides) if len(sides) > 1 else sides[0]) if sides else None


def centroids(texts: Sequence[Sequence[str]], encode: Encode) -> np.ndarray | None:
    """The mean of the vectors of each label's texts, of length 1; zeros where it has none. None where none has any."""
    written = [(row, one) for row, of in enumerate(texts) for one in of if one.strip()]
    sums = None
    for start in range(0, len(written), TEXTS_AT_ONCE):
        part = written[start : start + TEXTS_AT_ONCE]
        vectors = encode([one for _, one in part])
        sums = np.zeros((len(texts), vectors.shape[1])) if sums is None else sums
        np.add.at(sums, [row for row, _ in part], vectors)
    return None if sums is None else unit(sums, sums)


def confusion(texts: Sequence[Sequence[str]], encode: Encode) -> np.ndarray | None:
    """Row: a label; column: the share of its texts that lie nearest the centroid of that label (leave-one-out)."""
    owners = np.array([row for row, of in enumerate(texts) for written in of if written.strip()], np.int64)
    if not len(owners):
        return None
    vectors = encode([written for of in texts for written in of if written.strip()]).astype(np.float64)
    sums = np.zeros((len(texts), vectors.shape[1]))
    np.add.at(sums, owners, vectors)
    likeness = vectors @ unit(sums).T
    rest = unit(sums[owners] - vectors)  # a text is not part of the centroid that it is held against
    likeness[np.arange(len(owners)), owners] = (vectors * rest).sum(axis=1)
    likeness[:, ~sums.any(axis=1)] = -np.inf
    taken_for = np.argmax(np.round(likeness, 6), axis=1)
    found = np.zeros((len(texts), len(texts)))
    np.add.at(found, (owners, taken_for), 1)
    return unit(found)


def weighted(features: Sequence[Counter[Any]]) -> list[Counter[Any]]:
    """Each feature times ln((1 + labels) / labels that have it): what many labels have tells them apart less."""
    among = Counter(feature for of in features for feature in of)
    scale = {feature: math.log((1 + len(features)) / count) for feature, count in among.items()}
    return [Counter({feature: weight * scale[feature] for feature, weight in of.items()}) for of in features]


def bags(features: Sequence[Counter[Any]]) -> np.ndarray | None:
    """Rows of length 1, a column a feature; above BAG_DIMENSIONS features, hashed with a sign (Weinberger et al. 2009,
    "Feature Hashing for Large Scale Multitask Learning"). None where no label has any.
    """
    columns = {feature: (n, 1) for n, feature in enumerate(sorted({feature for of in features for feature in of}))}
    if not columns:
        return None
    if len(columns) > BAG_DIMENSIONS:
        for feature in columns:
            digest = zlib.crc32(repr(feature).encode())
            columns[feature] = (digest >> 1) % BAG_DIMENSIONS, 1 if digest & 1 else -1
    rows = np.zeros((len(features), min(len(columns), BAG_DIMENSIONS)))
    for row, of in zip(rows, features, strict=True):
        for feature, weight in of.items():
            column, sign = columns[feature]
            row[column] += sign * weight
    return unit(rows, rows)
