"""A build → a bounded sample of its instructions and rejects, in the compact form of the report.

The sample only depends on texts and ids, not on shards or their order.
"""

import heapq
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.report.pseudonyms import Rename
from schemas.errors import Reason
from schemas.example_id import InstructionId
from schemas.id_columns import source_keys
from schemas.manifests import InstructionShard
from transforms import files
from transforms.draw import seed_key
from transforms.shards import least_values, read_batches, read_group

INSTRUCTIONS_PER_TASK = 3
"""Number of instructions per source and task."""

REJECTS_PER_REASON = 8
"""Number of rejects per source, stage and reason."""

INSTRUCTION_BYTES, REJECT_BYTES = 800_000, 800_000
"""Limits of the size as JSON, over all sources."""

TEXT_CHARS = 4_000
NAME_CHARS = 120
DETAIL_CHARS = 300
ROWS_PER_TABLE = 20_000


def short(text: str, most: int = NAME_CHARS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def size(value) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def in_turn(groups: Iterable[Sequence]) -> Iterator:
    """The first of each group, then the second of each, and so on."""
    for rank in zip_longest(*groups):
        yield from (item for item in rank if item is not None)


def within(rows: Iterable, most: int) -> list:
    """The first rows whose JSON takes at most `most` bytes in total; a row that does not fit is skipped."""
    kept = []
    for row in rows:
        cost = size(row) + 1
        if cost <= most:
            kept.append(row)
            most -= cost
    return kept


def instructions(output: str, shards: Iterable[InstructionShard], keys: Collection[str]) -> list[list]:
    """[key, task, id, instruction, output or label] of some rows per source and task, with different texts: those with
    the smallest `text_sha256`. `shards`: the shards of data/.

    The footer of a shard has the minimum of each row group, so only the few groups that may contain a sampled row are
    read.
    """
    keys_by_shard = {
        (f"{output}/{shard.path}", shard.task): [
            key for key, counts in shard.sources.items() if key in keys and counts.instructions
        ]
        for shard in shards
    }
    groups = sorted(
        (least, number, path, task)
        for (path, task), shard_keys in keys_by_shard.items()
        if shard_keys
        for number, least in enumerate(least_values(path, "text_sha256"))
    )
    drawn: dict[tuple[str, str], dict[str, tuple]] = {}
    for least, number, path, task in groups:
        wanting = [key for key in keys_by_shard[path, task] if wants(drawn.get((key, task), {}), least)]
        if wanting:
            columns = ["id", "example_id", "text_sha256", "instruction", "output", "label", "positives.list.element"]
            for key, rows in by_source(read_group(path, number, columns)):
                if key in wanting:
                    drawn[key, task] = least_texts(drawn.get((key, task), {}), rows)
    shown = [
        [
            [
                key,
                task,
                row["id"],
                short(row["instruction"], TEXT_CHARS),
                short(row["output"] or row["label"] or "", TEXT_CHARS),
            ]
            for _, row in by_text.values()
        ]
        for (key, task), by_text in sorted(drawn.items())
    ]
    return within(in_turn(shown), INSTRUCTION_BYTES)


def wants(drawn: Mapping[str, tuple], least: str) -> bool:
    """Whether rows whose text has the hash `least` or a greater one may replace any of `drawn` (see below)."""
    return len(drawn) < INSTRUCTIONS_PER_TASK or least <= max(drawn)


def least_texts(drawn: Mapping[str, tuple], rows: pa.Table) -> dict[str, tuple]:
    """`text_sha256` → (rank, row), for the INSTRUCTIONS_PER_TASK smallest hashes in `drawn` and `rows`, ascending. The
    row of a text is the first with a positive label, else the first.
    """
    hashes = rows["text_sha256"]
    least = heapq.nsmallest(INSTRUCTIONS_PER_TASK, pc.unique(hashes).to_pylist())
    chosen = dict(drawn)
    for row in rows.filter(pc.is_in(hashes, pa.array(least))).to_pylist():
        rank = not row["positives"], row["example_id"], InstructionId.parse(row["id"]).batch
        if row["text_sha256"] not in chosen or rank < chosen[row["text_sha256"]][0]:
            chosen[row["text_sha256"]] = rank, row
    return {sha256: chosen[sha256] for sha256 in sorted(chosen)[:INSTRUCTIONS_PER_TASK]}


def by_source(rows: pa.Table) -> Iterable[tuple[str, pa.Table]]:
    """The rows of each source key in a table of instructions."""
    keys = source_keys(rows["example_id"])
    for key in pc.unique(keys).to_pylist():
        yield key, rows.filter(pc.equal(keys, key))


def rejects(output: str, keys: Collection[str], renamers: Mapping[str, Rename]) -> list[list[str]]:
    """[stage, source, split, reason, place, id, detail] of some rejects per stage, source and reason.

    `renamers`: key → what replaces the names of annotators in the names of files. Of these sources, the annotations
    that were not chosen are left out, for what is wrong with them is only the annotator.
    """
    drawn: dict[tuple[str, str, str], list[tuple]] = {}
    reject_files = files.list_files(f"{output}/rejects") if files.exists(f"{output}/rejects") else []
    for file in reject_files:
        if not file.name.endswith(".parquet"):
            continue
        for table in read_batches(file.path, ROWS_PER_TABLE):
            groups: dict[tuple[str, str, str], list[tuple]] = {}
            for row in table.to_pylist():
                rename = renamers.get(row["source"])
                if rename and row["reason"] == Reason.NOT_CHOSEN:
                    continue
                if rename:
                    row |= {name: rename(row[name]) for name in ("place", "detail")}
                if row["source"] in keys:
                    at = row["stage"], row["source"], row["reason"]
                    names = ("split", "reason", "place", "id", "detail")
                    shown = [row["stage"], row["source"], *(short(row[name], DETAIL_CHARS) for name in names)]
                    groups.setdefault(at, []).append((seed_key(0, row["place"], row["id"], row["detail"]), shown))
            for at, rows in groups.items():
                drawn[at] = heapq.nsmallest(REJECTS_PER_REASON, drawn.get(at, []) + rows)
    kept = within(in_turn([[shown for _, shown in drawn[at]] for at in sorted(drawn)]), REJECT_BYTES)
    return sorted(kept, key=lambda row: (row[1], row[0], row[3], row[2], row[4], row[5]))
