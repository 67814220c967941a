"""Labels held out of training: which labels of the label sets they are, and how many annotations they hide.

A label is held out by its name in a layer, in every source that has it there. Train and validation rows then treat it
like a label that is unknown for every text (`transforms.unknown_labels`); test rows ask for it as before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import layer_items
from schemas.errors import ConfigError, names_hint
from schemas.example import LAYER
from schemas.label import LabelSet
from transforms.draw import seed_key

HeldOutNames = Mapping[str, frozenset[str]]
"""Layer → names of its labels that are held out."""


def layer_names(label_set: LabelSet) -> frozenset[str]:
    """The labels of annotations of the layer that the label set belongs to: for SPO the relations, for KG the
    attributes, for other tasks the labels themselves.
    """
    if label_set.task == "KG":
        return frozenset(role for label in label_set.labels for role in label.role_names)
    return frozenset(label.predicate or label.name for label in label_set.labels)


def held_out_names(
    label_sets: Iterable[LabelSet], labels: Sequence[str], share: float, seed: int
) -> dict[str, frozenset[str]]:
    """Layer → the names to hold out: those in `labels`, and a `share` of all names, drawn by hash.

    An item of `labels` is a name, which counts in every layer, or `layer/name`. Raises ConfigError for one that no
    label set has.
    """
    known: dict[str, set[str]] = {}
    for label_set in label_sets:
        known.setdefault(LAYER[label_set.task], set()).update(layer_names(label_set))
    chosen = {
        layer: {name for name in names if seed_key(seed, "hold_out", layer, name) < share * 2**64}
        for layer, names in known.items()
    }
    for item in labels:
        layer, slash, name = item.partition("/")
        is_qualified = bool(slash) and layer in LAYER.values()
        layers = [layer] if is_qualified else list(known)
        name = name if is_qualified else item
        matches = [layer for layer in layers if name in known.get(layer, ())]
        if not matches:
            others = {other for layer in layers for other in known.get(layer, ())}
            hint = names_hint(name, others) if others else f"no source has {layer}"
            raise ConfigError(f"hold_out.labels: {item!r} is no label of this build; {hint}")
        for layer in matches:
            chosen[layer].add(name)
    return {layer: frozenset(names) for layer, names in chosen.items() if names}


def hidden_annotations(examples: pa.Table, task: str, names: Collection[str]) -> int:
    """The number of annotations in the layer of `task` whose label is one of `names`."""
    items, _ = layer_items(examples, LAYER[task])
    return pc.sum(pc.is_in(items.field("label"), pa.array(sorted(names), pa.string()))).as_py() or 0
