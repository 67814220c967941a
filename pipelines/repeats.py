"""All texts of clean/ → the rows that the clean stage should have dropped, found over all shards together.

A text's key is 16 bytes, so the keys of ten million texts are small enough to be in one place; only rows whose key some
other row has too are read whole.
"""

from collections.abc import Iterator
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa

from pipelines.clean import KeyTables, decide
from schemas.arrow import table_to_examples
from schemas.errors import Reason
from transforms.decontaminate import leakage_key
from transforms.shards import read_batches, read_shard

ROWS_A_TABLE = 20_000
KEY_BYTES = 16


def text_keys(path: str) -> bytes:
    """The leakage keys of a shard's texts, end to end."""
    texts = chain.from_iterable(table["text"].to_pylist() for table in read_batches(path, ROWS_A_TABLE, ["text"]))
    return b"".join(map(leakage_key, texts))


def repeats(
    keys: list[tuple[int, bytes]], output: str, splits: dict[int, tuple[str, str]], paths: dict[int, str]
) -> Iterator[dict]:
    """What the clean stage should have dropped, by shard; only rows that share their key are read whole."""
    tables = []
    for shard, rows in rows_with_shared_keys(keys).items():
        found, first = KeyTables(shard), 0
        for table in read_batches(f"{output}/{paths[shard]}", ROWS_A_TABLE):
            own = rows[(rows >= first) & (rows < first + table.num_rows)]
            for row, example in zip(own.tolist(), table_to_examples(table.take(pa.array(own - first))), strict=True):
                found.append(example, row, 1)
            first += table.num_rows
        tables += [of_bucket for _, of_bucket in found.tables()]
    if tables:
        for shard, drops in decide((0, tables), splits):
            yield named_repeats(output, paths[shard], drops)


def rows_with_shared_keys(keys: list[tuple[int, bytes]]) -> dict[int, np.ndarray]:
    """Shard → its rows whose key some other row has too (or, once in 2**64 pairs, half of it)."""
    keys = sorted(keys)
    half = np.frombuffer(b"".join(found for _, found in keys), np.uint64)[::2]
    order = np.argsort(half, kind="stable")
    same = half[order[1:]] == half[order[:-1]]
    shared = np.zeros(len(half), bool)
    shared[order[1:][same]] = shared[order[:-1][same]] = True
    bounds = np.cumsum([0, *(len(found) // KEY_BYTES for _, found in keys)]).tolist()
    rows = {shard: np.flatnonzero(shared[a:b]) for (shard, _), (a, b) in zip(keys, pairwise(bounds), strict=True)}
    return {shard: found for shard, found in rows.items() if len(found)}


def named_repeats(output: str, path: str, drops: pa.Table) -> dict:
    """What the clean stage should have dropped of a shard: counts and up to three ids, leaks and repeats apart."""
    ids = read_shard(f"{output}/{path}")["id"].take(drops["row"]).to_pylist()
    leaked = [reason == Reason.LEAKAGE for reason in drops["reason"].to_pylist()]
    groups = {
        name: [id_ for id_, is_leak in zip(ids, leaked, strict=True) if is_leak == wanted]
        for name, wanted in (("leaked_texts", True), ("repeated_texts", False))
    }
    faults = {name: {"count": len(group), "ids": sorted(group)[:3]} for name, group in groups.items()}
    return {"facts": {"folder": path.rpartition("/")[0], "split": ids[0].split("/")[-2], **faults}}
