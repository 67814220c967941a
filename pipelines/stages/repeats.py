"""All texts of clean/ → the rows that the clean stage should have dropped, compared over all shards."""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.build_folder import keys_path
from pipelines.stages.text_keys import ROWS_PER_TABLE, decide, read_row_keys, shared_rows, write_keys
from schemas.errors import Reason
from transforms import files
from transforms.decontaminate import leakage_key
from transforms.deduplicate import SameText
from transforms.shards import read_batches, read_shard


def keys_folder(output: str) -> str:
    """The temporary folder for keys that had to be computed from the texts again."""
    return f"{output}/reports/.keys"


def text_keys(output: str, shard: int, path: str, sha256: str | None) -> str:
    """The path of the keys of the texts of a shard.

    This is the file written by the clean stage if it has the checksum `sha256`. Otherwise, and for None, the keys are
    computed from the texts and written to a temporary file.
    """
    recorded = keys_path(output, shard)
    if sha256 and files.exists(recorded) and files.checksum(recorded) == sha256:
        return recorded
    tables = read_batches(f"{output}/{path}", ROWS_PER_TABLE, ["text"])
    texts = chain.from_iterable(table["text"].to_pylist() for table in tables)
    computed = f"{keys_folder(output)}/{shard:06d}.keys"
    write_keys(computed, map(leakage_key, texts))
    return computed


def repeats(
    written: list[tuple[int, str]],
    output: str,
    splits: dict[int, tuple[str, str]],
    paths: dict[int, str],
    same_text: SameText,
) -> Iterator[dict]:
    """The facts of each shard with rows that the clean stage should have dropped.

    `written`: (number, path of the keys) of all shards. `splits` and `paths`: number → (key, split) and path of the
    shard. Only rows whose key occurs more than once are read.
    """
    tables = [
        table
        for shard, rows in shared_rows(written)
        for _, table in read_row_keys(f"{output}/{paths[shard]}", shard, rows)
    ]
    if tables:
        for shard, decisions, _ in decide(tables, splits, same_text):
            drops = decisions.filter(pc.invert(decisions["stays"]))
            yield shard_repeats(output, paths[shard], splits[shard][1], drops)


def shard_repeats(output: str, path: str, split: str, drops: pa.Table) -> dict:
    """The facts of a shard on rows that the clean stage should have dropped: counts and up to three ids of leaked
    and of repeated texts.
    """
    ids = read_shard(f"{output}/{path}")["id"].take(drops["row"]).to_pylist()
    leaked = [reason == Reason.LEAKAGE for reason in drops["reason"].to_pylist()]
    groups = {
        name: [id_ for id_, is_leak in zip(ids, leaked, strict=True) if is_leak == wanted]
        for name, wanted in (("leaked_texts", True), ("repeated_texts", False))
    }
    return split_faults(path, split, **groups)


def split_faults(path: str, split: str, **groups: list[str]) -> dict:
    """The facts of a shard with the ids of the records that have each fault."""
    faults = {name: {"count": len(ids), "ids": sorted(ids)[:3]} for name, ids in groups.items()}
    return {"facts": {"folder": path.rpartition("/")[0], "split": split, **faults}}
