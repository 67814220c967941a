"""Tables with a number as key: the elements of shuffles. A key is the number of a bucket or of a shard.

Importing this module registers the coder of tables. Beam selects it by the declared type of a collection, which tagged
outputs do not have: they pass through `Map(unchanged).with_output_types(KeyedTable)`.
"""

import pyarrow as pa

from transforms import coders  # noqa: F401  (registers the table coder)

KeyedTable = tuple[int, pa.Table]


def unchanged(element: KeyedTable) -> KeyedTable:
    return element
