"""Vectors by (model, text) on disk: what has been embedded once is read, only new texts go through the model.

One Parquet file a source and model, so that workers of a cluster never write the same file; it holds the texts of the
last run alone, so that it does not grow. Parquet, because it is written through the file system of the output
(`gs://` and the like) and, unlike pickled arrays, holds nothing that runs.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from hard_negatives import embed
from hard_negatives.evidence import Encode
from transforms import files
from transforms.shards import read_shard, write_shard


@contextmanager
def cached(model: str, folder: str, name: str) -> Iterator[Encode]:
    """An encoder that embeds each text once, and reads those that `folder` has under `name` for this model.

    The file is written at the end, and only where it would change. A text embedded in other company than the first
    time differs in the seventh decimal; what is cached stays as it was.
    """
    path = f"{folder}/{model_digest(model)}/{name}.parquet"
    known = read(path) if files.exists(path) else {}
    used: dict[str, np.ndarray] = {}

    def encode(texts: list[str]) -> np.ndarray:
        if not texts:
            return embed.embed(texts, model)
        new = sorted({text for text in texts if text not in known})
        known.update(zip(new, embed.embed(new, model), strict=True))
        used.update((text, known[text]) for text in texts)
        return np.stack([known[text] for text in texts])

    before = set(known)
    yield encode
    if used.keys() != before:
        write(path, used)


def model_digest(model: str) -> str:
    """What tells a model's vectors from another's: its files or its revision, and what stands before each text."""
    known = [embed.revision(model), embed.prefix(model) or "", str(embed.MAX_TOKENS)]
    return hashlib.sha256("\0".join(known).encode()).hexdigest()[:16]


def read(path: str) -> dict[str, np.ndarray]:
    """Text → vector."""
    table = read_shard(path)
    vectors = table["vector"].combine_chunks()
    rows = vectors.flatten().to_numpy().reshape(len(table), vectors.type.list_size)
    return dict(zip(table["text"].to_pylist(), rows, strict=True))


def write(path: str, vectors: dict[str, np.ndarray]) -> None:
    texts = sorted(vectors)
    rows = np.stack([vectors[text] for text in texts])
    column = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), rows.shape[1])
    table = pa.table({"text": pa.array(texts, pa.string()), "vector": column})
    write_shard(path, table.schema, [table])
