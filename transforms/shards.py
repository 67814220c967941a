"""Tables ↔ Parquet shards, written atomically, with the same bytes for the same rows."""

from collections.abc import Iterable, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import EXAMPLES
from schemas.errors import ConfigError, MachineError
from transforms.files import atomic_write, filesystem

ROW_GROUP_ROWS = 20_000
"""Rows per row group; the viewer of the Hub needs 10,000 to 50,000."""

UNIQUE = ("id", "text", "instruction", "output")
"""Columns whose values are rarely repeated: a dictionary for them would take a third of the time of writing."""


def write_shard(path: str, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Writes `tables` as one shard and returns its number of rows. Their schema must be `schema`; they are not cast.

    The row groups depend only on the rows, not on their division into tables: all have ROW_GROUP_ROWS rows except the
    last one. Raises ArrowInvalid if a column that is not nullable contains null.
    """
    rows = 0
    with (
        atomic_write(path) as sink,
        pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            write_page_index=True,
            write_page_checksum=True,
            use_content_defined_chunking=True,
            use_dictionary=[leaf for field in schema if field.name not in UNIQUE for leaf in leaves(field)],
        ) as writer,
    ):
        for group in regroup(tables, ROW_GROUP_ROWS):
            group.validate()
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
            rows += group.num_rows
    return rows


def leaves(field: pa.Field) -> Iterable[str]:
    """The paths of the field's Parquet columns."""
    if isinstance(field.type, pa.ListType | pa.FixedSizeListType):
        return [f"{field.name}.list.{leaf}" for leaf in leaves(field.type.value_field)]
    if isinstance(field.type, pa.StructType):
        return [f"{field.name}.{leaf}" for inner in field.type for leaf in leaves(inner)]
    return [field.name]


def regroup(tables: Iterable[pa.Table], rows: int) -> Iterable[pa.Table]:
    """The same rows in tables of exactly `rows` rows, except the last one, which may have fewer. Each column has one
    chunk: the writer may end a page elsewhere where a chunk ends.
    """
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        while count >= rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, rows).combine_chunks()
            waiting, count = [joined.slice(rows)], count - rows
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


@contextmanager
def read_back(path: str):
    """Converts an error while reading a shard of IEForge into a MachineError with its path."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        folder = path.rpartition("/")[0]
        reason = " ".join(str(error).split())
        raise MachineError(f"{path}: cannot be read back: {reason}; delete {folder} and run again") from error


def verifying(path: str, stream) -> pq.ParquetFile:
    """A Parquet file whose page checksums are verified on reading. Raises as `refuse_older` does."""
    file = pq.ParquetFile(stream, page_checksum_verification=True)
    refuse_older(path, file.schema_arrow)
    return file


def refuse_older(path: str, schema: pa.Schema) -> None:
    """Raises ConfigError if the examples of the shard at `path` have another version than EXAMPLES."""
    version, current = ((each.metadata or {}).get(b"ieforge", b"").decode() for each in (schema, EXAMPLES))
    if "entities" in schema.names and version and version != current:
        raise ConfigError(
            f"{path}: examples of version {version}, but this IEForge reads version {current}; build again"
        )


def read_shard(path: str) -> pa.Table:
    system, inner = filesystem(path)
    with read_back(path):
        table = pq.read_table(inner, filesystem=system, page_checksum_verification=True)
    refuse_older(path, table.schema)
    return table


def read_batches(path: str, rows: int, columns: Sequence[str] | None = None) -> Iterable[pa.Table]:
    """The shard in tables of at most `rows` rows, one in memory at a time. `columns`: the Parquet paths to read."""
    system, inner = filesystem(path)
    with read_back(path), system.open_input_file(inner) as stream:
        file = verifying(path, stream)
        missing = file.metadata.num_rows
        for batch in file.iter_batches(rows, columns=columns):
            missing -= batch.num_rows
            yield pa.Table.from_batches([batch])
        if missing:  # a page whose header is damaged can end the reading without an error
            raise OSError(f"{missing} of its rows are missing")


def read_rows(
    path: str, numbers: np.ndarray, rows: int, columns: Sequence[str] | None = None
) -> Iterable[tuple[np.ndarray, pa.Table]]:
    """(numbers, rows) of the rows with these `numbers` (ascending, from 0). `rows`: the maximum read at a time.
    `columns`: the Parquet paths to read.
    """
    first = 0
    for table in read_batches(path, rows, columns) if len(numbers) else ():
        here = numbers[(numbers >= first) & (numbers < first + table.num_rows)]
        if len(here):
            yield here, table.take(pa.array(here - first))
        first += table.num_rows


def read_group(path: str, number: int, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of one row group; `columns`: the Parquet paths to read."""
    system, inner = filesystem(path)
    with read_back(path), system.open_input_file(inner) as stream:
        return verifying(path, stream).read_row_group(number, columns)


def least_values(path: str, column: str) -> list[str]:
    """The smallest value of a column of strings in each row group, read from the footer. The strings must be at most
    4 KB long (the writer records no longer ones) and not all null.
    """
    system, inner = filesystem(path)
    with read_back(path), system.open_input_file(inner) as stream:
        about = pq.ParquetFile(stream).metadata
        place = about.schema.names.index(column)
        return [about.row_group(number).column(place).statistics.min for number in range(about.num_row_groups)]


def read_schema(path: str) -> pa.Schema:
    system, inner = filesystem(path)
    with read_back(path):
        return pq.read_schema(inner, filesystem=system)


def row_count(path: str) -> int:
    system, inner = filesystem(path)
    with read_back(path), system.open_input_file(inner) as stream:
        return pq.ParquetFile(stream).metadata.num_rows
