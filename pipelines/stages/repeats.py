"""All texts of clean/ → the rows that the clean stage should have dropped, found over all shards together."""

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
    """Where the keys of texts that had to be read are until they have been compared."""
    return f"{output}/reports/.keys"


def text_keys(output: str, shard: int, path: str, sha256: str | None) -> str:
    """The path of the keys of a shard's texts: those that the clean stage noted, where they are the ones with this
    checksum; None says that the shard's texts are to be read.
    """
    noted = keys_path(output, shard)
    if sha256 and files.exists(noted) and files.checksum(noted) == sha256:
        return noted
    tables = read_batches(f"{output}/{path}", ROWS_PER_TABLE, ["text"])
    texts = chain.from_iterable(table["text"].to_pylist() for table in tables)
    own = f"{keys_folder(output)}/{shard:06d}.keys"
    write_keys(own, map(leakage_key, texts))
    return own


def repeats(
    written: list[tuple[int, str]],
    output: str,
    splits: dict[int, tuple[str, str]],
    paths: dict[int, str],
    same_text: SameText,
) -> Iterator[dict]:
    """What the clean stage should have dropped, by shard, of all shards (number, path of the keys of its texts); only
    rows that share their key are read whole. `splits`: number → (key, split) of the shard.
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
    """What the clean stage should have dropped of a shard: counts and up to three ids, leaks and repeats apart."""
    ids = read_shard(f"{output}/{path}")["id"].take(drops["row"]).to_pylist()
    leaked = [reason == Reason.LEAKAGE for reason in drops["reason"].to_pylist()]
    groups = {
        name: [id_ for id_, is_leak in zip(ids, leaked, strict=True) if is_leak == wanted]
        for name, wanted in (("leaked_texts", True), ("repeated_texts", False))
    }
    faults = {name: {"count": len(group), "ids": sorted(group)[:3]} for name, group in groups.items()}
    return {"facts": {"folder": path.rpartition("/")[0], "split": split, **faults}}
