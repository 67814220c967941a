"""The entity types of items: from root classes down the `subclass of` relation (P279), by one step per round.

The types of a class are those of the root classes that are the fewest steps above it, at most MAX_STEPS; a root class
is 0 steps above itself. A round gives all classes their types that are one step below the classes of the last round.
A class that already has types keeps them, so a cycle ends at the class where it began.

The types of an item are those of the classes that it is an instance of (P31), of which those count that are the fewest
steps below their root class. This keeps a far-fetched type away: a city is also an instance of classes that lead to
`organization` in more steps than to `geographic_region`.

An item that is an instance of nothing, but a subclass of something, is a class. It has the types of its superclasses
only if they are types `of_classes`, and else the type CONCEPT: aspirin is a medicine, but `bridge` is no building.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import required
from schemas.knowledge import TYPES

MAX_STEPS = 10

CONCEPT = "other"
"""The entity type of classes that have no other type."""

EDGES = pa.schema([required("child", pa.int64()), required("parent", pa.int64())])
"""`child` is a subclass of `parent`."""

REACHED = pa.schema([required("class", pa.int64()), required("type", pa.int16()), required("steps", pa.int8())])
"""The entity types of classes, as indices of the sorted names of all types."""

WANTED = pa.schema([required("class", pa.int64()), required("shard", pa.int32())])
"""A class that an item of the shard has."""


def edge_table(items: pa.Table) -> pa.Table:
    """EDGES of the ITEMS that are classes."""
    column = items["superclasses"].combine_chunks()
    children = items["qid"].to_numpy().repeat(list_lengths(column))
    return pa.Table.from_arrays([pa.array(children), column.flatten()], schema=EDGES)


def root_table(type_classes: Mapping[str, Sequence[int]]) -> pa.Table:
    """REACHED of the root classes: type → its root classes."""
    names = sorted(type_classes)
    rows = sorted({(root, number) for number, name in enumerate(names) for root in type_classes[name]})
    return reached_table([root for root, _ in rows], [number for _, number in rows], 0)


def reached_table(classes: Sequence[int] | np.ndarray, types: Sequence[int] | np.ndarray, steps: int) -> pa.Table:
    columns = [np.asarray(classes, np.int64), np.asarray(types, np.int16), np.full(len(classes), steps, np.int8)]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=REACHED)


def settle(reached: pa.Table, steps: int) -> tuple[pa.Table, pa.Table]:
    """REACHED → (the rows with fewer steps, the new rows with this number of `steps`: those of classes that have no
    other rows, each once, sorted).
    """
    is_new = reached["steps"].to_numpy() == steps
    before, arriving = reached.filter(pa.array(~is_new)), reached.filter(pa.array(is_new))
    keys = arriving["class"].to_numpy()
    first = ~np.isin(keys, before["class"].to_numpy())
    pairs = np.unique(np.stack([keys[first], arriving["type"].to_numpy()[first].astype(np.int64)]), axis=1)
    return before, reached_table(pairs[0], pairs[1], steps)


def descend(edges: pa.Table, settled: pa.Table) -> pa.Table:
    """REACHED of the subclasses of the classes in `settled` (all of one round), one step below. Rows may repeat."""
    ordered = edges.sort_by("parent")
    rows, which = matches(ordered["parent"].to_numpy(), settled["class"].to_numpy())
    steps = settled["steps"][0].as_py() + 1 if settled.num_rows else 0
    return reached_table(ordered["child"].to_numpy()[rows], settled["type"].to_numpy()[which], steps)


def matches(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of equal values as (indices into `keys`, indices into `wanted`). `keys` must be sorted."""
    starts = np.searchsorted(keys, wanted, "left")
    lengths = np.searchsorted(keys, wanted, "right") - starts
    which = np.repeat(np.arange(len(wanted)), lengths)
    before = np.cumsum(lengths) - lengths
    return np.arange(len(which)) - np.repeat(before - starts, lengths), which


def wanted_table(items: pa.Table, shard: int) -> pa.Table:
    """WANTED of the shard with these ITEMS: each class once, sorted."""
    classes = np.unique(item_classes(items)[1])
    return pa.Table.from_arrays([pa.array(classes), pa.array(np.full(len(classes), shard, np.int32))], schema=WANTED)


def item_classes(items: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """(row, class) of all classes of ITEMS, in the order of rows: of a class, its superclasses."""
    instance, above = (items[name].combine_chunks() for name in ("classes", "superclasses"))
    without = list_lengths(instance) == 0
    rows = np.arange(items.num_rows)
    inherited = above.filter(pa.array(without))
    numbers = np.r_[rows.repeat(list_lengths(instance)), rows[without].repeat(list_lengths(inherited))]
    classes = np.r_[instance.flatten().to_numpy(), inherited.flatten().to_numpy()]
    order = np.argsort(numbers, kind="stable")
    return numbers[order], classes[order]


def is_class(items: pa.Table) -> np.ndarray:
    """Whether each row of ITEMS is a class: an instance of nothing, but a subclass of something."""
    instance, above = (list_lengths(items[name].combine_chunks()) for name in ("classes", "superclasses"))
    return (instance == 0) & (above > 0)


def list_lengths(column: pa.ListArray) -> np.ndarray:
    return pc.list_value_length(column).to_numpy(zero_copy_only=False)


def answer(reached: pa.Table, wanted: pa.Table) -> Iterable[tuple[int, pa.Table]]:
    """(shard, the rows of REACHED with the classes that it wants). `wanted`: WANTED of any shards."""
    ordered = reached.sort_by("class")
    rows, which = matches(ordered["class"].to_numpy(), wanted["class"].to_numpy())
    shards = wanted["shard"].to_numpy()[which]
    for shard in np.unique(shards).tolist():
        yield shard, ordered.take(pa.array(rows[shards == shard]))


def type_table(items: pa.Table, reached: pa.Table, names: Sequence[str], of_classes: Collection[str]) -> pa.Table:
    """TYPES, one row per row of ITEMS. `reached`: REACHED of their classes. `names`: of the types, sorted."""
    ordered = reached.sort_by("class")
    rows, classes = item_classes(items)
    places, which = matches(ordered["class"].to_numpy(), classes)
    rows, types, steps = rows[which], ordered["type"].to_numpy()[places], ordered["steps"].to_numpy()[places]
    least = np.full(items.num_rows, MAX_STEPS + 1)
    np.minimum.at(least, rows, steps)
    nearest = steps == least[rows]
    rows, types = rows[nearest], types[nearest].astype(np.int64)
    items_are_classes = is_class(items)
    allowed = np.array([name in of_classes for name in names], bool)
    kept = ~items_are_classes[rows] | allowed[types]
    rows, types = rows[kept], types[kept]
    if CONCEPT in names:
        concepts = np.setdiff1d(np.flatnonzero(items_are_classes), rows)
        rows, types = np.r_[rows, concepts], np.r_[types, np.full(len(concepts), names.index(CONCEPT))]
    pairs = np.unique(np.stack([rows, types]), axis=1)
    offsets = np.zeros(items.num_rows + 1, np.int32)
    offsets[1:] = np.cumsum(np.bincount(pairs[0], minlength=items.num_rows))
    values = pa.array(list(names), pa.string()).take(pa.array(pairs[1]))
    lists = pa.ListArray.from_arrays(pa.array(offsets), values, type=TYPES.field("types").type)
    return pa.Table.from_arrays([items["qid"], lists], schema=TYPES)
