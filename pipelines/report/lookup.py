"""Ids of Examples → the Examples, from the shards of a build. Of other rows, only the ids are read."""

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import table_to_examples
from schemas.example import Example
from schemas.example_id import ExampleId
from transforms.shards import ROW_GROUP_ROWS, read_batches, read_group

ID_ROWS = 100_000
"""Number of ids that are in memory at a time."""


def examples_by_id(shards: Iterable[tuple[str, str, str]], ids: Collection[str]) -> dict[str, Example]:
    """Id → Example, for those of `ids` that the shards contain. `shards`: (source key, split, path)."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for id_ in ids:
        at = ExampleId.parse(id_)
        wanted.setdefault((at.key, at.split), []).append(id_)
    examples: dict[str, Example] = {}
    for key, split, path in shards:
        if (key, split) in wanted:
            for number, rows in rows_by_group(path, pa.array(wanted[key, split])).items():
                taken = read_group(path, number).take(pa.array(rows))
                examples |= {example.id: example for example in table_to_examples(taken)}
    return examples


def rows_by_group(path: str, ids: pa.Array) -> dict[int, list[int]]:
    """Number of a row group of the shard → the rows in it with one of the `ids`."""
    groups: dict[int, list[int]] = {}
    first = 0
    for table in read_batches(path, ID_ROWS, ["id"]):
        for row in (first + np.flatnonzero(pc.is_in(table["id"], ids).to_numpy())).tolist():
            groups.setdefault(row // ROW_GROUP_ROWS, []).append(row % ROW_GROUP_ROWS)
        first += table.num_rows
    return groups
