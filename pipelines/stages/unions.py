"""Rows with the same text in different shards → the first of them, with the annotations of all.

Only the positions of these rows are in the large shuffle (`text_keys.UNIONS`). Then each shard is read once for the few
rows that are united into another row, and they are sent to the shard of that row.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from schemas.arrow import EXAMPLES, examples_to_table, required, table_to_examples
from schemas.example import Example
from transforms.clean import repair
from transforms.deduplicate import united
from transforms.shards import read_batches, read_rows
from transforms.windows import windows

ROWS_PER_TABLE = 5_000

UNITED_ROWS = pa.schema(
    [
        *EXAMPLES,
        required("shard", pa.int32()),
        required("row", pa.int32()),
        required("to_row", pa.int32()),
        pa.field("to_document", pa.int32()),
    ]
)
"""An example with its position, and the position of the row or document that it is united into."""


def read_united_rows(
    unions: Iterable[pa.Table], windows_path: str, examples_path: str
) -> Iterator[tuple[int, pa.Table]]:
    """(number of another shard, UNITED_ROWS for its rows), from all UNIONS of a shard and its files."""
    rows = pa.concat_tables(unions).to_pylist()
    cut = {row["document"]: row for row in rows if row["document"] is not None}
    whole = {row["row"]: row for row in rows if row["document"] is None}
    by_shard: dict[int, list[pa.Table]] = defaultdict(list)
    for path, selected, change in ((windows_path, whole, None), (examples_path, cut, repair)):
        for numbers, table in read_rows(path, np.array(sorted(selected), np.int64), ROWS_PER_TABLE):
            if change:
                table = examples_to_table(list(map(change, table_to_examples(table))))
            ends = [selected[number] for number in numbers.tolist()]
            columns = [[end[name] for end in ends] for name in UNITED_ROWS.names[len(EXAMPLES) :]]
            arrays = [pa.array(column, pa.int32()) for column in columns]
            placed = pa.Table.from_arrays([*table.columns, *arrays], schema=UNITED_ROWS)
            to = np.array([end["to_shard"] for end in ends])
            for shard in np.unique(to).tolist():
                by_shard[shard].append(placed.filter(pa.array(to == shard)))
    for shard, tables in sorted(by_shard.items()):
        yield shard, pa.concat_tables(tables)


def unite_rows(
    united_rows: Iterable[pa.Table], windows_path: str, examples_path: str, max_chars: int
) -> tuple[dict[int, Example], Counter]:
    """Row number → the united example, for the rows of a shard that others are united into (UNITED_ROWS); and layer →
    number of annotations of united documents that no window contains.

    A document keeps its windows, so that no new text appears; the additional annotations are distributed over them.
    """
    tables = list(united_rows)
    if not tables:
        return {}, Counter()
    rows = pa.concat_tables(tables).sort_by([("shard", "ascending"), ("row", "ascending")])
    row_copies: dict[int, list[Example]] = defaultdict(list)
    document_copies: dict[int, list[Example]] = defaultdict(list)
    places = zip(rows["to_row"].to_pylist(), rows["to_document"].to_pylist(), strict=True)
    for (row, document), example in zip(places, table_to_examples(rows.select(EXAMPLES.names)), strict=True):
        if document is None:
            row_copies[row].append(example)
        else:
            document_copies[document].append(example)
    new_windows, crossing = unite_documents(document_copies, examples_path, max_chars)
    replacements: dict[int, Example] = {}
    first = 0
    for table in read_batches(windows_path, ROWS_PER_TABLE):
        for number, id_ in enumerate(table["id"].to_pylist(), first):
            if id_ in new_windows or number in row_copies:
                if id_ in new_windows:
                    example = new_windows[id_]
                else:
                    (example,) = table_to_examples(table.slice(number - first, 1))
                replacements[number] = united([example, *row_copies[number]]) if number in row_copies else example
        first += table.num_rows
    return replacements, crossing


def unite_documents(
    documents: Mapping[int, Sequence[Example]], examples_path: str, max_chars: int
) -> tuple[dict[str, Example], Counter]:
    """Id → window, for the windows of documents united with their copies; and layer → annotations lost.

    `documents`: row of a document in the shard of examples/ → its copies.
    """
    new_windows: dict[str, Example] = {}
    crossing: Counter = Counter()
    for numbers, table in read_rows(examples_path, np.array(sorted(documents), np.int64), ROWS_PER_TABLE):
        for number, example in zip(numbers.tolist(), table_to_examples(table), strict=True):
            copies = [repair(example), *documents[number]]
            cut, lost = windows(united(copies), max_chars, cut_as=copies[0])
            new_windows |= {window.id: window for window in cut}
            # The losses of each copy have been counted with its own shard.
            crossing += lost - sum((windows(copy, max_chars)[1] for copy in copies), Counter())
    return new_windows, crossing


def replace_rows(table: pa.Table, first: int, replacements: Mapping[int, Example]) -> pa.Table:
    """The table with some rows replaced. `first`: number of its first row; `replacements`: row number → example."""
    places = [n for n in range(table.num_rows) if first + n in replacements]
    if not places:
        return table
    order = np.arange(table.num_rows)
    order[places] = table.num_rows + np.arange(len(places))
    changed = examples_to_table([replacements[first + n] for n in places])
    return pa.concat_tables([table, changed]).combine_chunks().take(pa.array(order))
