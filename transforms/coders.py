"""The Beam coder for Arrow tables in a shuffle: compressed IPC.

A pickled slice contains the whole buffers of its table (10 rows of a table of 10 MB take 10 MB); IPC writes only the
slice.
Importing this module registers the coder.
"""

import apache_beam as beam
import pyarrow as pa

WRITE_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


class TableCoder(beam.coders.Coder):
    """pyarrow.Table ↔ Arrow IPC stream. Not deterministic in Beam's sense, so a table must not be a key."""

    def encode(self, table: pa.Table) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=WRITE_OPTIONS) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> pa.Table:
        return pa.ipc.open_stream(encoded).read_all()

    def is_deterministic(self) -> bool:
        return False

    def to_type_hint(self):
        return pa.Table


beam.coders.registry.register_coder(pa.Table, TableCoder)
