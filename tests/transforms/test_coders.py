"""Tables are encoded completely and compactly for a shuffle: a slice without its parent table."""

import pickle
import random

import apache_beam as beam
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES
from transforms.coders import TableCoder

CODER = TableCoder()


def test_a_slice_is_encoded_without_its_parent():
    draw = random.Random(0)
    rows = [draw.randbytes(500).hex() for _ in range(10_000)]  # 1,000 characters each, which compress to half of that
    table = pa.table({"text": rows})
    assert table.nbytes > 10_000_000
    cut = table.slice(5_000, 10)
    encoded = CODER.encode(cut)
    assert 5_000 < len(encoded) < 10_000
    assert len(encoded) < len(pickle.dumps(cut)) / 100  # Beam's fallback for a type without a coder
    assert CODER.decode(encoded).to_pydict() == {"text": rows[5_000:5_010]}


@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.integers(0, 2**31 - 1), "text": st.none() | st.text(), "keys": st.lists(st.binary(max_size=8))}
        )
    ),
    st.integers(0, 5),
)
def test_round_trip(rows, start):
    schema = pa.schema(
        [pa.field("id", pa.int32(), nullable=False), ("text", pa.string()), ("keys", pa.list_(pa.binary()))]
    )
    table = pa.Table.from_pylist(rows, schema).slice(start)
    decoded = CODER.decode(CODER.encode(table))
    assert decoded.schema.equals(table.schema, check_metadata=True)
    assert decoded.to_pylist() == rows[start:]


def test_an_empty_table_keeps_its_schema_and_version():
    decoded = CODER.decode(CODER.encode(EXAMPLES.empty_table()))
    assert decoded.num_rows == 0
    assert decoded.schema.equals(EXAMPLES, check_metadata=True)


def test_tables_use_this_coder_and_are_refused_as_keys():
    assert isinstance(beam.coders.registry.get_coder(pa.Table), TableCoder)
    with pytest.raises(ValueError, match="deterministic"):
        CODER.as_deterministic_coder("Meet")
