"""What a stage could not read → rejects/<stage>/rejects.parquet (REJECTS), in the order of the files.

A worker reads a part of a file and knows only its lines. So it writes its rejects beside the table, and when the number
of lines of all parts is known, the driver joins them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from schemas.arrow import REJECTS, rejects_to_table
from schemas.errors import BadRecord, Reason, Reject
from transforms import files
from transforms.shards import read_shard, write_shard

KEPT = 10_000
"""Number of rejects per file that are listed. Others are only counted, as a whole file may be rejected."""

DETAIL_CHARS = 300
FIRST = 3


def folder(stage: str) -> str:
    return f"rejects/{stage}"


def part_path(output: str, stage: str, part: int) -> str:
    return f"{output}/{folder(stage)}/.scratch/{part:06d}.parquet"


class PartRejects:
    """The rejects of one part of the file called `name`; `counts` are by reason."""

    def __init__(self, stage: str, name: str):
        self.stage, self.name = stage, name
        self.counts: Counter[Reason] = Counter()
        self.kept: list[Reject] = []

    def add(self, record: BadRecord) -> None:
        self.counts[record.reason] += 1
        if len(self.kept) < KEPT:
            detail = record.detail[:DETAIL_CHARS]
            self.kept.append(Reject(self.stage, self.name, "", "", record.place, record.reason, detail))

    def write(self, output: str, part: int) -> dict[Reason, int]:
        """Writes them as those of the part with this number, and returns the counts."""
        if self.kept:
            write_shard(part_path(output, self.stage, part), REJECTS, [rejects_to_table(self.kept)])
        return dict(sorted(self.counts.items()))


@dataclass(frozen=True)
class PartLines:
    """A part of a file: its number, that of the lines before it in the file, and whether it has rejects."""

    number: int
    before: int
    has_rejects: bool


def of_file(output: str, stage: str, parts: Iterable[PartLines]) -> list[Reject]:
    """The rejects of a file from those of its parts, which are in order."""
    joined: list[Reject] = []
    for part in parts:
        if part.has_rejects and len(joined) < KEPT:
            for row in read_shard(part_path(output, stage, part.number)).to_pylist():
                name, _, line = row["place"].rpartition(":")
                reject = Reject(**row | {"reason": Reason(row["reason"])})
                joined.append(replace(reject, place=f"{name}:{int(line) + part.before}"))
    return joined[:KEPT]


def first(rejects: Sequence[Reject]) -> tuple[str, ...]:
    """Messages of the first ones: `place: reason: detail`."""
    return tuple(f"{reject.place}: {reject.reason}: {reject.detail}" for reject in rejects[:FIRST])


def write(output: str, stage: str, tables: Sequence[pa.Table]) -> None:
    """Writes the table of a stage from those of its files, unless there are none, and removes those of the parts."""
    if tables:
        write_shard(f"{output}/{folder(stage)}/rejects.parquet", REJECTS, tables)
    files.remove_tree(f"{output}/{folder(stage)}/.scratch")
