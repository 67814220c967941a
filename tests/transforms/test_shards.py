"""Shards have the same bytes for the same rows, however the rows are divided into tables."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS, required
from schemas.errors import ConfigError, MachineError
from transforms.shards import (
    ROW_GROUP_ROWS,
    least_values,
    leaves,
    read_batches,
    read_group,
    read_schema,
    read_shard,
    regroup,
    row_count,
    write_shard,
)

SCHEMA = pa.schema([required("n", pa.int64())])


def tables(*lengths: int) -> list[pa.Table]:
    start, made = 0, []
    for length in lengths:
        made.append(pa.table({"n": range(start, start + length)}, schema=SCHEMA))
        start += length
    return made


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(1, 12))
def test_regroup_keeps_the_rows_and_fills_every_table_but_the_last(lengths, rows):
    groups = list(regroup(tables(*lengths), rows))
    assert [n for group in groups for n in group["n"].to_pylist()] == list(range(sum(lengths)))
    assert all(group.num_rows == rows for group in groups[:-1])
    assert all(0 < group.num_rows <= rows for group in groups)


def test_bytes_depend_only_on_the_rows(tmp_path):
    write_shard(str(tmp_path / "a"), SCHEMA, tables(70_000))
    write_shard(str(tmp_path / "b"), SCHEMA, tables(1, 30_000, 0, 39_999))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [pq.ParquetFile(tmp_path / "a").metadata.row_group(n).num_rows for n in range(4)] == [20_000] * 3 + [10_000]


def test_an_empty_shard_has_its_schema(tmp_path):
    path = str(tmp_path / "empty")
    assert write_shard(path, SCHEMA, []) == row_count(path) == read_shard(path).num_rows == 0
    assert read_schema(path).equals(SCHEMA)


def test_a_null_in_a_required_column_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1, None])], schema=SCHEMA)
    with pytest.raises((pa.ArrowInvalid, OSError, ValueError)):
        write_shard(str(tmp_path / "f"), SCHEMA, [table])
    assert not (tmp_path / "f").exists()


def test_read_batches(tmp_path):
    path = str(tmp_path / "f")
    write_shard(path, SCHEMA, tables(2_500))
    assert [table.num_rows for table in read_batches(path, 1_000)] == [1_000, 1_000, 500]


def test_row_groups_are_read_with_their_minimum(tmp_path):
    schema = pa.schema([required("labels", pa.list_(required("element", pa.string()))), required("name", pa.string())])
    names = [f"{n:05d}" for n in range(ROW_GROUP_ROWS + 3)][::-1]
    table = pa.table({"labels": [["a", "b"]] * len(names), "name": names}, schema=schema)
    path = str(tmp_path / "f")
    write_shard(path, schema, [table])
    assert least_values(path, "name") == ["00003", "00000"]
    assert read_group(path, 1, ["name"]).to_pydict() == {"name": ["00002", "00001", "00000"]}
    assert read_group(path, 0, ["labels.list.element"]).column_names == ["labels"]
    write_shard(path, schema, [])
    assert least_values(path, "name") == []


def test_leaves_equal_the_parquet_column_paths(tmp_path):
    for schema in (EXAMPLES, INSTRUCTIONS):
        path = str(tmp_path / "shard.parquet")
        write_shard(path, schema, [schema.empty_table()])
        columns = pq.ParquetFile(path).schema
        assert [leaf for field in schema for leaf in leaves(field)] == [column.path for column in columns]


@given(st.data())
@settings(max_examples=60)
def test_a_changed_byte_in_any_page_is_detected(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    schema = pa.schema([required("id", pa.string()), required("labels", pa.list_(required("element", pa.string())))])
    rows = pa.table({"id": [f"row {n}" for n in range(50)], "labels": [["a", "b"][: n % 3] for n in range(50)]}, schema)
    path = folder / "shard.parquet"
    write_shard(str(path), schema, [rows])
    content = bytearray(path.read_bytes())
    columns = map(pq.ParquetFile(path).metadata.row_group(0).column, range(2))
    at = data.draw(st.integers(4, 3 + sum(column.total_compressed_size for column in columns)))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    for read in (
        read_shard,
        lambda path: pa.concat_tables([*read_batches(path, 50), schema.empty_table()]),
        lambda path: read_group(path, 0),
    ):
        try:
            assert read(str(path)).equals(rows)  # the changed byte may be part of a checksum or a statistic
        except MachineError as error:
            assert "cannot be read back" in str(error)


@pytest.mark.parametrize(
    "read", [read_shard, lambda path: next(iter(read_batches(path, 5))), lambda path: read_group(path, 0)]
)
def test_examples_with_an_older_version_are_refused(tmp_path, read):
    path = str(tmp_path / "f")
    older = pa.schema(list(EXAMPLES)[:-1], metadata={b"ieforge": b"1"})
    write_shard(path, older, [older.empty_table()])
    with pytest.raises(ConfigError) as error:
        read(path)
    assert str(error.value) == f"{path}: examples of version 1, but this IEForge reads version 3; build again"


def test_current_instructions_are_read(tmp_path):
    path = str(tmp_path / "f")
    write_shard(path, INSTRUCTIONS, [INSTRUCTIONS.empty_table()])
    assert read_shard(path).num_rows == 0
