"""Shards of data/ → the addresses of a bounded sample of rows, with some for every label, split and form.

The labels and ids of all rows are read, and the sample only depends on ids, not on shards or their order; of a source
with more than MAX_ROWS rows in a task and split, evenly spread row groups are read, so that the time is bounded.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report.samples import in_turn
from schemas.answer_form import DEFAULT
from schemas.arrow import list_items
from schemas.example import SPLITS
from schemas.example_id import ExampleId
from schemas.id_columns import positions, source_keys
from schemas.manifests import InstructionShard
from transforms.draw import key_array, seed_key
from transforms.shards import ROW_GROUP_ROWS, read_group, read_schema

ROWS_PER_CELL = 3

MAX_ROWS = 60_000
"""Rows of a source, task and split that are read, about."""

ROLES = ("positive", "hard", "other", "without positive", "without hard")
"""What a row shows: a label with an answer, a hard negative, another label without an answer; for all labels of the row
together, that none has an answer, and that none is a hard negative.
"""

COLUMNS = ["id", "example_id", *(f"{name}.list.element" for name in ("labels", "positives", "hard_negatives"))]


class Cell(NamedTuple):
    """`label` is "" for the roles that concern all labels. `split`, `form` and `role`: numbers; the role in ROLES."""

    label: str
    split: int
    form: str
    role: int


class Address(NamedTuple):
    """A row of data/."""

    path: str
    group: int
    row: int


Rank = tuple[int, int, int]
"""What orders the rows of a cell: those without a positive label last, then those without a hard negative, then by a
hash of the example and by batch, so that cells, and the tasks of a source, share rows and texts.
"""

Cells = dict[Cell, list[tuple[Rank, Address]]]


def draw(output: str, shards: Iterable[InstructionShard], keys: Collection[str]) -> dict[tuple[str, str], Cells]:
    """(source key, task) → the first ROWS_PER_CELL rows of each cell. `shards`: the shards of data/."""
    drawn: dict[tuple[str, str], Cells] = {}
    for shard, number in chosen_groups(list(shards), keys):
        path = f"{output}/{shard.path}"
        columns = [*COLUMNS, *({"form"} & set(read_schema(path).names))]
        for key, rows, table in by_source(read_group(path, number, columns)):
            if key in keys:
                cells = drawn.setdefault((key, shard.task), {})
                for cell, ranked in first_of_cells(table, SPLITS.index(shard.split)).items():
                    new = [(rank, Address(path, number, int(rows[row]))) for rank, row in ranked]
                    cells[cell] = sorted(cells.get(cell, []) + new)[:ROWS_PER_CELL]
    return drawn


def chosen_groups(shards: Sequence[InstructionShard], keys: Collection[str]) -> Iterator[tuple[InstructionShard, int]]:
    """The shards with a source in `keys`, and the numbers of the row groups to read in them."""
    rows = Counter[tuple[str, str, str]]()
    for shard in shards:
        for key, counts in shard.sources.items():
            rows[shard.task, shard.split, key] += counts.instructions
    passed = Counter[tuple[str, str]]()
    for shard in shards:
        in_shard = [key for key, counts in shard.sources.items() if key in keys and counts.instructions]
        if in_shard:
            at = shard.task, shard.split
            step = min(-(-rows[*at, key] // MAX_ROWS) for key in in_shard)
            for number in range((shard.rows - 1) // ROW_GROUP_ROWS + 1):
                if passed[at] % step == 0:
                    yield shard, number
                passed[at] += 1


def by_source(table: pa.Table) -> Iterator[tuple[str, np.ndarray, pa.Table]]:
    """(key, numbers of its rows, these rows) of each source in a table of instructions."""
    encoded = source_keys(table["example_id"]).combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    for code, key in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero(codes == code)
        yield key, rows, table.take(pa.array(rows))


def first_of_cells(table: pa.Table, split: int) -> dict[Cell, list[tuple[Rank, int]]]:
    """The first rows of each cell, with their ranks. `table`: instructions of one source, task and split."""
    names, row_of, role = label_roles(table)
    is_without = [~np.isin(np.arange(table.num_rows), row_of[role == number]) for number in (0, 1)]
    rows_without = [np.flatnonzero(flags) for flags in is_without]
    labels = pa.concat_arrays([names, pa.array([""] * sum(map(len, rows_without)), pa.string())]).dictionary_encode()
    rows = np.concatenate([row_of, *rows_without])
    roles = np.concatenate([role, *(np.full(len(part), 3 + number) for number, part in enumerate(rows_without))])
    form = forms(table)
    codes = labels.indices.to_numpy().astype(np.int64) * len(ROLES) + roles
    codes = codes * len(form.dictionary) + form.indices.to_numpy()[rows]
    ranks = np.stack([2 * is_without[0] + is_without[1], *hashes(table)]).astype(np.uint64)
    place = np.empty(table.num_rows, np.int64)
    place[np.lexsort(ranks[::-1])] = np.arange(table.num_rows)
    places = np.argsort(codes * table.num_rows + place[rows])
    starts = np.flatnonzero(np.diff(codes[places], prepend=-1)).tolist()
    first: dict[Cell, list[tuple[Rank, int]]] = {}
    for start, end in pairwise([*starts, len(places)]):
        code, form_number = divmod(int(codes[places[start]]), len(form.dictionary))
        label, role_number = divmod(code, len(ROLES))
        cell = Cell(labels.dictionary[label].as_py(), split, form.dictionary[form_number].as_py(), role_number)
        chosen = rows[places[start : min(end, start + ROWS_PER_CELL)]].tolist()
        first[cell] = [(tuple(ranks[:, row].tolist()), row) for row in chosen]
    return first


def label_roles(table: pa.Table) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """The labels that the rows ask for, concatenated, with the row and the role of each."""
    rows = np.arange(table.num_rows)
    lists = [list_items(table[name].combine_chunks(), rows) for name in ("labels", "positives", "hard_negatives")]
    codes = pa.concat_arrays([items for items, _ in lists]).dictionary_encode().indices.to_numpy().astype(np.int64)
    pairs = codes * max(1, table.num_rows) + np.concatenate([row_of for _, row_of in lists])
    ends = np.cumsum([len(items) for items, _ in lists])
    all_pairs, positive, hard = np.split(pairs, ends[:2])
    role = np.where(np.isin(all_pairs, positive), 0, np.where(np.isin(all_pairs, hard), 1, 2))
    return lists[0][0], lists[0][1], role


def hashes(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """A hash of the example of each row, unique in its source and split, and its batch."""
    ids = table["example_id"]
    prefix = ExampleId.parse(ids[0].as_py()).prefix
    numbers, windows = positions(ids, prefix)
    keys = key_array(key_array(np.full(len(ids), seed_key(0, prefix), np.uint64), numbers), windows + 1)
    return keys, pc.replace_substring_regex(table["id"], "^(?s:.*)/", "").cast(pa.int64()).to_numpy()


def forms(table: pa.Table) -> pa.DictionaryArray:
    names = table["form"].combine_chunks() if "form" in table.column_names else pa.repeat(DEFAULT, table.num_rows)
    return names.dictionary_encode()


def ordered(cells: Cells) -> list[Address]:
    """The sampled rows of a source and task, the most needed first: a row that asks for each label, positive if there
    is one; one with it as a hard negative; then one of each cell, a second one of each, and so on.
    """
    by_label: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: (cell.label, cell.role, cell.split, cell.form)):
        by_label.setdefault(cell.label, []).append(cell)
    first = [of_label[0] for label, of_label in by_label.items() if label]
    hard = [next((cell for cell in of_label if cell.role == 1), None) for label, of_label in by_label.items() if label]
    needed = [cells[cell][0][1] for cell in [*first, *filter(None, hard)]]
    others = in_turn([address for _, address in cells[cell]] for of_label in by_label.values() for cell in of_label)
    return list(dict.fromkeys([*needed, *others]))
