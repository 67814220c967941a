"""Rows of one text that lie in different shards → the first of them, with what all annotate.

Only which rows these are crosses the large shuffle (`text_keys.UNIONS`). Then each shard is read once for the rows
that another takes up, and these few go to the shard of the row that does.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

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
"""An example with its place, and the place of the row or the document that takes it up."""


def read_united_rows(
    unions: Iterable[pa.Table], windows_path: str, examples_path: str
) -> Iterator[tuple[int, pa.Table]]:
    """All UNIONS of a shard with its files → (number of another shard, the examples that rows of it take up)."""
    rows = pa.concat_tables(unions).to_pylist()
    cut = {row["document"]: row for row in rows if row["document"] is not None}
    whole = {row["row"]: row for row in rows if row["document"] is None}
    found: dict[int, list[pa.Table]] = defaultdict(list)
    for path, which, change in ((windows_path, whole, None), (examples_path, cut, repair)):
        for numbers, table in read_rows(path, np.array(sorted(which), np.int64), ROWS_PER_TABLE):
            if change:
                table = examples_to_table(list(map(change, table_to_examples(table))))
            ends = [which[number] for number in numbers.tolist()]
            columns = [[end[name] for end in ends] for name in UNITED_ROWS.names[len(EXAMPLES) :]]
            arrays = [pa.array(column, pa.int32()) for column in columns]
            placed = pa.Table.from_arrays([*table.columns, *arrays], schema=UNITED_ROWS)
            to = np.array([end["to_shard"] for end in ends])
            for shard in np.unique(to).tolist():
                found[shard].append(placed.filter(pa.array(to == shard)))
    for shard, tables in sorted(found.items()):
        yield shard, pa.concat_tables(tables)


def unite_rows(
    taken: Iterable[pa.Table], windows_path: str, examples_path: str, max_chars: int
) -> tuple[dict[int, Example], Counter]:
    """What the rows of a shard that take up others become, by their number, and what of documents no window holds now.

    A document keeps its windows, so that no text is new: what it takes up is dealt out to them.
    """
    tables = list(taken)
    if not tables:
        return {}, Counter()
    rows = pa.concat_tables(tables).sort_by([("shard", "ascending"), ("row", "ascending")])
    of_rows: dict[int, list[Example]] = defaultdict(list)
    of_documents: dict[int, list[Example]] = defaultdict(list)
    places = zip(rows["to_row"].to_pylist(), rows["to_document"].to_pylist(), strict=True)
    for (row, document), example in zip(places, table_to_examples(rows.select(EXAMPLES.names)), strict=True):
        if document is None:
            of_rows[row].append(example)
        else:
            of_documents[document].append(example)
    dealt, crossing = deal_out(of_documents, examples_path, max_chars)
    become: dict[int, Example] = {}
    first = 0
    for table in read_batches(windows_path, ROWS_PER_TABLE):
        for number, id_ in enumerate(table["id"].to_pylist(), first):
            if id_ in dealt or number in of_rows:
                (example,) = [dealt[id_]] if id_ in dealt else table_to_examples(table.slice(number - first, 1))
                become[number] = united([example, *of_rows[number]]) if number in of_rows else example
        first += table.num_rows
    return become, crossing


def deal_out(
    documents: dict[int, Sequence[Example]], examples_path: str, max_chars: int
) -> tuple[dict[str, Example], Counter]:
    """The windows of documents (by their row in examples/) with what these take up, by id."""
    dealt: dict[str, Example] = {}
    crossing: Counter = Counter()
    for numbers, table in read_rows(examples_path, np.array(sorted(documents), np.int64), ROWS_PER_TABLE):
        for number, example in zip(numbers.tolist(), table_to_examples(table), strict=True):
            copies = [repair(example), *documents[number]]
            cut, lost = windows(united(copies), max_chars, cut_as=copies[0])
            dealt |= {window.id: window for window in cut}
            # What each copy lost has been counted where it lies.
            crossing += lost - sum((windows(copy, max_chars)[1] for copy in copies), Counter())
    return dealt, crossing


def replace_rows(table: pa.Table, first: int, become: dict[int, Example]) -> pa.Table:
    """The table, whose first row has the number `first`, with what some rows become in their place."""
    places = [n for n in range(table.num_rows) if first + n in become]
    if not places:
        return table
    order = np.arange(table.num_rows)
    order[places] = table.num_rows + np.arange(len(places))
    changed = examples_to_table([become[first + n] for n in places])
    return pa.concat_tables([table, changed]).combine_chunks().take(pa.array(order))
