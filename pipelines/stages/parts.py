"""Splits that several workers read: the files are cut into parts, each is read by itself, and the parts are joined.

The examples of a part are kept in a file, numbered from 0. When all parts are read, the number of examples in each is
known, so the shards can be written, with the same ids, borders and bytes as if one worker had read the split.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from pipelines.sources import Source
from pipelines.stages.split_writer import SplitWriter
from schemas.arrow import EXAMPLES, strings
from schemas.errors import Reject
from schemas.example_id import format_id
from schemas.manifests import REJECTS_KEPT, LayerCounts, Losses, RawShard, SplitRead, Stored
from transforms import files
from transforms.file_ranges import cut
from transforms.files import File
from transforms.shards import read_back, write_shard

PART_BYTES = 4 << 20

COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")
"""As shards are: all parts are on disk until the last shard is written."""


def parts_folder(output: str) -> str:
    return f"{output}/examples/.parts"


class Part(Stored, frozen=True):
    """What a part of a split of the files contains for the split `split` of a build.

    `path`: the file with its `rows` examples. `read` to `lost`: as in SplitRead. `triples`: as in SplitOutcome.
    `rejects`, `lost_parts`: the first ones, as in SplitWriter.
    """

    split: str
    path: str
    rows: int
    read: LayerCounts
    annotated: int
    rejected: Losses
    lost: Losses
    rejects: tuple[Reject, ...]
    lost_parts: tuple[Reject, ...]
    triples: tuple[tuple[str, str, str], ...]


class PartOutcome(Stored, frozen=True):
    """The outcome of reading the part `number` of the split `split` of the files of a source. `failed`: the reason why
    it cannot be read; `trace`: the traceback if the reason is a bug.
    """

    key: str
    split: str
    number: int
    parts: tuple[Part, ...] = ()
    failed: str = ""
    trace: str = ""


class PartWriter(SplitWriter):
    """Writes the examples of a part of a split into one file, which is in memory until then."""

    def __init__(self, output: str, source: Source, key: str, split: str):
        super().__init__(output, source, key, split, sys.maxsize)

    def close_part(self, name: str) -> Part:
        """`name`: of the part, unique among those of the source."""
        if self.waiting:
            self.tables.append(self.waiting_table())
        path = f"{parts_folder(self.output)}/{self.key}/{name}-{self.split}.arrow"
        with files.atomic_write(path) as sink, pa.ipc.new_file(sink, EXAMPLES, options=COMPRESSED) as writer:
            for table in self.tables:
                writer.write_table(table)
        return Part(
            self.split,
            path,
            self.written,
            LayerCounts(**self.read),
            self.annotated,
            dict(self.rejected),
            dict(self.lost_parts),
            tuple(self.rejects),
            tuple(self.lost),
            tuple(sorted(self.triples)),
        )


def cut_group(group: Iterable[File], size: int) -> list[tuple[File, ...]]:
    """The files of a split in parts of about `size` bytes, in order. Raises SourceError if one cannot be read."""
    parts: list[tuple[File, ...]] = []
    begun: list[File] = []
    bytes_begun = 0
    for file in group:
        ranges = cut(file, size)
        if len(ranges) > 1:
            parts += [tuple(begun)] if begun else []
            parts += [(each,) for each in ranges]
            begun, bytes_begun = [], 0
            continue
        begun.append(file)
        bytes_begun += files.total_bytes([file])
        if bytes_begun >= size:
            parts.append(tuple(begun))
            begun, bytes_begun = [], 0
    return [*parts, tuple(begun)] if begun else parts


@dataclass(frozen=True)
class Shard:
    """A shard to write: `name` below the output, and the examples from the number `first` on, which are `rows` of the
    file `path` from the row `start` on, for each of `slices` (path, start, rows).
    """

    key: str
    split: str
    name: str
    first: int
    slices: tuple[tuple[str, int, int], ...]


class JoinedSplit(SplitWriter):
    """The parts of one split, as the counts of the whole split and its shards."""

    def __init__(self, output: str, source: Source, key: str, split: str, examples_per_shard: int):
        super().__init__(output, source, key, split, examples_per_shard)
        self.slices: list[tuple[str, int, int]] = []
        self.plans: list[Shard] = []

    def take(self, part: Part) -> None:
        """Adds the next part."""
        for name in self.read:
            self.read[name] += getattr(part.read, name)
        self.rejected.update(part.rejected)
        self.lost_parts.update(part.lost)
        self.rejects += part.rejects[: REJECTS_KEPT - len(self.rejects)]
        self.lost += part.lost_parts[: REJECTS_KEPT - len(self.lost)]
        self.triples.update(part.triples)
        self.annotated += part.annotated
        start = 0
        while start < part.rows:
            rows = min(part.rows - start, self.examples_per_shard - self.written % self.examples_per_shard)
            self.slices.append((part.path, start, rows))
            self.written += rows
            start += rows
            if self.written % self.examples_per_shard == 0:
                self.write_shard()

    def write_shard(self) -> None:
        """Plans the next shard instead of writing it."""
        rows = sum(rows for *_, rows in self.slices)
        self.plans.append(Shard(self.key, self.split, self.shard_name(), self.written - rows, tuple(self.slices)))
        self.shards.append(RawShard(self.plans[-1].name, rows))
        self.slices = []

    def close(self, files: Iterable[File]) -> SplitRead:
        if self.slices or not self.shards:
            self.write_shard()
        return self.conclude(files)


class WriteShards(beam.PTransform):
    """Shards to write → their files below `output`."""

    def __init__(self, output: str):
        super().__init__()
        self.output = output

    def expand(self, pcoll):
        return pcoll | "Write" >> beam.Map(write_numbered, self.output)


def write_numbered(shard: Shard, output: str) -> None:
    write_shard(f"{output}/{shard.name}", EXAMPLES, numbered_tables(shard))


def numbered_tables(shard: Shard) -> Iterator[pa.Table]:
    """The examples of the shard with their ids."""
    number = shard.first
    for path, start, rows in shard.slices:
        system, inner = files.filesystem(path)
        with read_back(path), system.open_input_file(inner) as stream:
            table = pa.ipc.open_file(stream).read_all().slice(start, rows)
        ids = strings([format_id(shard.key, shard.split, at) for at in range(number, number + rows)])
        yield table.set_column(0, EXAMPLES.field("id"), ids)
        number += rows
