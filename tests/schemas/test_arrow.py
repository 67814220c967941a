"""Examples survive the conversion to Arrow tables and back, in types that `datasets` reads."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS, REJECTS, examples_to_table, table_to_examples
from tests.strategies import examples


@given(st.lists(examples(), max_size=5))
def test_examples_survive_the_conversion_to_arrow_and_back(rows):
    table = examples_to_table(rows)
    assert table.schema.equals(EXAMPLES, check_metadata=True)
    assert table_to_examples(table) == rows


@pytest.mark.parametrize("schema", [EXAMPLES, INSTRUCTIONS, REJECTS])
def test_datasets_can_read_all_types(schema):
    def nested_types(kind: pa.DataType):
        yield kind
        for n in range(kind.num_fields):
            yield from nested_types(kind.field(n).type)

    for field in schema:
        for kind in nested_types(field.type):
            assert not pa.types.is_map(kind) and not pa.types.is_dictionary(kind)
            assert not pa.types.is_large_string(kind) and not pa.types.is_large_list(kind)
