"""What the checks of a shard's tables found of rows that break no rule → what the corpus suite adds up."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from schemas.example_id import ExampleId
from schemas.id_columns import positions
from schemas.manifests import Facts, Names, Place


def places(ids: pa.Array | pa.ChunkedArray) -> dict[str, tuple[Place, Place]] | None:
    """The places of Examples of one source and split; None where they are not, or not in order, or one comes twice."""
    first = ExampleId.match(ids[0].as_py() or "") if len(ids) else None
    found = positions(ids, first.prefix) if first else None
    if found is None:
        return None
    numbers, windows = found
    later, same = numbers[1:] > numbers[:-1], numbers[1:] == numbers[:-1]
    if not np.all(later | (same & (windows[1:] > windows[:-1]))):
        return None
    return {first.prefix: tuple((int(numbers[row]), int(windows[row])) for row in (0, -1))}


def joined(tables: Iterable[Facts | None]) -> Facts | None:
    """The facts of a shard from those of its tables, in their order; None where a table's are, or where two tables
    might hold the same example.
    """
    rows = negatives = positives = 0
    together: dict[str, tuple[Place, Place]] = {}
    labels: set[Names] = set()
    for facts in tables:
        if facts is None:
            return None
        for prefix, (first, last) in facts.places.items():
            if prefix in together and together[prefix][1] >= first:
                return None
            together[prefix] = (together.get(prefix, (first, last))[0], last)
        rows, negatives, positives = rows + facts.rows, negatives + facts.negatives, positives + facts.positives
        labels.update(facts.labels)
    return Facts(
        rows, together, negatives, positives, tuple(sorted(labels, key=lambda names: [n or "" for n in names]))
    )
