"""The facts of tables without faults, and their merge into the facts of a shard, which the corpus suite adds up."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from schemas.example_id import ExampleId
from schemas.id_columns import positions
from schemas.manifests import Facts, Names, Place


def places(ids: pa.Array | pa.ChunkedArray) -> dict[str, tuple[Place, Place]] | None:
    """`<key>/<split>` → the first and the last place, from the ids of Examples.

    None if the ids are not those of one source and split, are not in order, or contain duplicates.
    """
    first_id = ExampleId.match(ids[0].as_py() or "") if len(ids) else None
    if first_id is None:
        return None
    columns = positions(ids, first_id.prefix)
    if columns is None:
        return None
    numbers, windows = columns
    later, same = numbers[1:] > numbers[:-1], numbers[1:] == numbers[:-1]
    if not np.all(later | (same & (windows[1:] > windows[:-1]))):
        return None
    first, last = ((int(numbers[row]), int(windows[row])) for row in (0, -1))
    return {first_id.prefix: (first, last)}


def merge_facts(tables: Iterable[Facts | None]) -> Facts | None:
    """The facts of a shard from the facts of its tables, in their order. None if the facts of a table are None, or if
    two tables may contain the same example.
    """
    rows = negatives = positives = 0
    merged: dict[str, tuple[Place, Place]] = {}
    labels: set[Names] = set()
    for facts in tables:
        if facts is None:
            return None
        for prefix, (first, last) in facts.places.items():
            if prefix in merged and merged[prefix][1] >= first:
                return None
            merged[prefix] = (merged.get(prefix, (first, last))[0], last)
        rows, negatives, positives = rows + facts.rows, negatives + facts.negatives, positives + facts.positives
        labels.update(facts.labels)
    return Facts(rows, merged, negatives, positives, tuple(sorted(labels, key=lambda names: [n or "" for n in names])))
