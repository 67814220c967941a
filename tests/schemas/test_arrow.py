"""Tables and dataclasses are two forms of the same values."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS, REJECTS, examples_to_table, table_to_examples
from tests.strategies import examples


@given(st.lists(examples(), max_size=5))
def test_examples_survive_the_way_through_arrow(rows):
    table = examples_to_table(rows)
    assert table.schema.equals(EXAMPLES, check_metadata=True)
    assert table_to_examples(table) == rows


@pytest.mark.parametrize("schema", [EXAMPLES, INSTRUCTIONS, REJECTS])
def test_published_types_are_those_that_datasets_reads(schema):
    def kinds(kind: pa.DataType):
        yield kind
        for n in range(kind.num_fields):
            yield from kinds(kind.field(n).type)

    for field in schema:
        for kind in kinds(field.type):
            assert not pa.types.is_map(kind) and not pa.types.is_dictionary(kind)
            assert not pa.types.is_large_string(kind) and not pa.types.is_large_list(kind)
