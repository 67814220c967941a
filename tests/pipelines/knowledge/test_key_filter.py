"""The filter of keys lets all keys pass that were added, however they were divided, and few others."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.knowledge.key_filter import CollectKeys, filtered

INT64 = st.integers(-(2**63), 2**63 - 1)


def collected(parts: list[list]) -> np.ndarray:
    collect = CollectKeys("key")
    tables = [
        pa.table({"key": pa.array(part, pa.string() if part and isinstance(part[0], str) else pa.int64())})
        for part in parts
    ]
    single = [collect.add_input(collect.create_accumulator(), (0, table)) for table in tables]
    return collect.extract_output(collect.merge_accumulators([collect.create_accumulator(), *single]))


@given(
    st.lists(st.lists(INT64, max_size=20), min_size=1, max_size=3)
    | st.lists(st.lists(st.text(), max_size=5), max_size=3)
)
def test_every_key_that_was_added_passes(parts):
    keys = [key for part in parts for key in part]
    table = pa.table({"key": pa.array(keys, None if keys else pa.int64())})
    assert filtered(table, "key", collected(parts)).equals(table)


def test_few_other_keys_pass_and_rows_keep_their_order():
    bits = collected([list(range(0, 100_000))])
    table = pa.table({"key": np.arange(0, 1_000_000)[::-1], "row": np.arange(1_000_000)})
    passed = filtered(table, "key", bits)
    assert 100_000 <= passed.num_rows < 110_000
    assert passed["row"].to_pylist() == sorted(passed["row"].to_pylist())
    assert passed.slice(passed.num_rows - 100_000)["key"].to_pylist() == list(range(100_000))[::-1]
