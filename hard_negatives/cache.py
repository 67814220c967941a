"""A cache of text embeddings on disk, by model and text: only new texts go through the model.

There is one Parquet file per source and model, so workers of a cluster never write the same file. It contains only the
texts of the last run, so it does not grow. Parquet can be written to any output file system (`gs://` and the like) and,
unlike pickled arrays, contains no executable code.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from hard_negatives import embed
from hard_negatives.evidence import Encode
from transforms import files
from transforms.shards import read_shard, write_shard


@contextmanager
def cached_encoder(model: str, folder: str, name: str) -> Iterator[Encode]:
    """An encoder that embeds each text once. It reads the vectors that `folder` has under `name` for this model.

    The file is written on exit, and only if its set of texts has changed. The vector of a text differs in the seventh
    decimal if it is embedded in another batch; cached vectors are not changed.
    """
    path = cache_path(model, folder, name)
    stored = read(path) if files.exists(path) else {}
    used: dict[str, np.ndarray] = {}

    def encode(texts: list[str]) -> np.ndarray:
        if not texts:
            return embed.embed(texts, model)
        new = sorted({text for text in texts if text not in stored})
        stored.update(zip(new, embed.embed(new, model), strict=True))
        used.update((text, stored[text]) for text in texts)
        return np.stack([stored[text] for text in texts])

    before = set(stored)
    yield encode
    if used.keys() != before:
        write(path, used)


def stored_vectors(texts: Iterable[str], model: str, folder: str, name: str) -> dict[str, np.ndarray]:
    """The vectors of those of `texts` that `folder` has under `name` for this model."""
    path = cache_path(model, folder, name)
    stored = read(path) if files.exists(path) else {}
    return {text: stored[text] for text in texts if text in stored}


def cache_path(model: str, folder: str, name: str) -> str:
    return f"{folder}/{model_digest(model)}/{name}.parquet"


def model_digest(model: str) -> str:
    """A hash of everything that decides a model's vectors: files or revision, prefix and maximum length of a text."""
    parts = [embed.revision(model), embed.prefix(model) or "", str(embed.MAX_TOKENS)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def read(path: str) -> dict[str, np.ndarray]:
    """The cached vectors by text."""
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
