"""A filter of keys before a join: of all rows on one side, only those whose key the other side may have are
shuffled. The filter has the same size for any number of keys (a Bloom filter with one hash), so that it lets some other
keys pass, and all if there are very many; the join itself compares the keys.
"""

import zlib

import apache_beam as beam
import numpy as np
import pyarrow as pa

from pipelines.engine.keyed_tables import KeyedTable
from transforms import draw

BITS = 1 << 25
"""4 MB. With ten million keys, one in four other keys passes."""

Bits = np.ndarray
"""uint8 of the shape (BITS / 8,)."""


def bit_numbers(keys: np.ndarray) -> np.ndarray:
    return draw.key_array(keys.astype(np.uint64), np.uint64(0)) % np.uint64(BITS)


def add_keys(bits: Bits, keys: np.ndarray) -> None:
    if len(keys):
        numbers = np.sort(bit_numbers(keys))
        places, first = np.unique(numbers >> np.uint64(3), return_index=True)
        values = np.left_shift(np.uint8(1), (numbers & np.uint64(7)).astype(np.uint8))
        bits[places] |= np.bitwise_or.reduceat(values, first)


def may_have(bits: Bits, keys: np.ndarray) -> np.ndarray:
    """For each key whether it may have been added."""
    numbers = bit_numbers(keys)
    return (bits[numbers >> np.uint64(3)] >> (numbers & np.uint64(7)).astype(np.uint8)) & 1 != 0


def numbers_of(table: pa.Table, column: str) -> np.ndarray:
    """The keys in a column of numbers, or hashes of those in a column of strings."""
    if pa.types.is_string(table.schema.field(column).type):
        return np.array(
            [zlib.crc32(key.encode("utf-8", "surrogatepass")) for key in table[column].to_pylist()], np.int64
        )
    return table[column].to_numpy()


def filtered(table: pa.Table, column: str, bits: Bits) -> pa.Table:
    """The rows whose key in `column` may have been added."""
    return table.filter(pa.array(may_have(bits, numbers_of(table, column))))


class CollectKeys(beam.CombineFn):
    """KeyedTables → the Bits of the keys in `column`."""

    def __init__(self, column: str):
        self.column = column

    def create_accumulator(self) -> Bits:
        return np.zeros(BITS // 8, np.uint8)

    def add_input(self, bits: Bits, keyed: KeyedTable) -> Bits:
        add_keys(bits, numbers_of(keyed[1], self.column))
        return bits

    def merge_accumulators(self, accumulators) -> Bits:
        return np.bitwise_or.reduce(list(accumulators))

    def extract_output(self, bits: Bits) -> Bits:
        return bits
