"""The unknown labels of a table of Examples → annotations that are left out and labels that are not asked.

Nearly all tables have no unknown labels; the functions then return their arguments unchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import layer_items
from schemas.example import LAYER
from schemas.label import Label

Unknown = Mapping[int, frozenset[str]]
"""Row → its unknown labels of one layer. For KG they are attributes, for SPO relations of any types."""


def unknown_labels(examples: pa.Table, task: str) -> Unknown:
    """The unknown labels of the layer that `task` asks about."""
    items, rows = layer_items(examples, "unknown_labels")
    if not len(items):
        return {}
    in_layer = pc.equal(items.field("layer"), LAYER[task])
    by_row: dict[int, set[str]] = {}
    for row, label in zip(
        rows[in_layer.to_numpy(zero_copy_only=False)].tolist(),
        items.field("label").filter(in_layer).to_pylist(),
        strict=True,
    ):
        by_row.setdefault(row, set()).add(label)
    return {row: frozenset(labels) for row, labels in by_row.items()}


def known_items(items: pa.StructArray, rows: np.ndarray, unknown: Unknown) -> tuple[pa.StructArray, np.ndarray]:
    """The entities, relations or events whose label is known in their row, and their rows."""
    if not unknown:
        return items, rows
    labels = items.field("label").to_pylist()
    known = np.array(
        [label not in unknown.get(row, ()) for row, label in zip(rows.tolist(), labels, strict=True)], bool
    )
    return items.filter(pa.array(known)), rows[known]


def askable(task: str, labels: Sequence[Label], rows: int, unknown: Unknown) -> np.ndarray | None:
    """Shape (rows, labels): whether each label may be asked in each row; None if all may. A KG entity type may be asked
    if at least one of its attributes is known.
    """
    if not unknown:
        return None
    may = np.ones((rows, len(labels)), bool)
    known = {names: [is_known(task, label, names) for label in labels] for names in set(unknown.values())}
    for row, names in unknown.items():
        may[row] = known[names]
    return may


def is_known(task: str, label: Label, unknown: frozenset[str]) -> bool:
    """Whether a label of a label set may be asked where these labels of its layer are unknown."""
    if task == "KG":
        return not label.roles or bool(known_roles(label, unknown).roles)
    return (label.predicate if task == "SPO" else label.name) not in unknown


def known_roles(label: Label, unknown: frozenset[str]) -> Label:
    """A KG entity type with only its known attributes."""
    return replace(label, roles=tuple(role for role in label.roles if role.name not in unknown))
