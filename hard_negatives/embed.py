"""Texts → unit vectors, by a sentence-transformers model or by the built-in lexical encoder."""

import functools
import hashlib
import math
import os
import re
import threading
import urllib.error
import urllib.request
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from schemas.errors import ConfigError
from transforms import files
from transforms.normal_forms import normalize

if TYPE_CHECKING:  # takes seconds to import, and is an extra
    from sentence_transformers import SentenceTransformer

LEXICAL = "lexical"
DEFAULT_MODEL = "intfloat/multilingual-e5-small"
"""English, Chinese and some ninety other languages in 384 dimensions; MIT; 118 M parameters (0.5 GB), so that a label
set takes seconds on two CPU cores, where BAAI/bge-m3 (568 M, 2.3 GB) takes minutes and is the next step up."""

LEXICAL_DIMENSIONS = 1024
NGRAM_SIZES = (1, 2, 3, 4)
MAX_TOKENS = 512
BATCH_SIZE = 128
HUB_TIMEOUT_S = 5

SIMILAR = "Retrieve semantically similar text"
PREFIXES = (
    (r"e5-[a-z0-9-]*instruct", f"Instruct: {SIMILAR}.\nQuery: "),  # hf.co/intfloat/multilingual-e5-large-instruct
    (r"(^|[/_-])e5-", "query: "),  # hf.co/intfloat/multilingual-e5-small, FAQ 1: symmetric tasks take "query: "
    (r"qwen3-embedding", f"Instruct: {SIMILAR}\nQuery:"),  # hf.co/Qwen/Qwen3-Embedding-0.6B; task: its STS evaluation
    (r"bge-multilingual-gemma2", f"<instruct>{SIMILAR}.\n<query>"),  # hf.co/BAAI/bge-multilingual-gemma2
    (r"(^|[/_-])bge-", ""),  # hf.co/BAAI/bge-m3 and bge-*-v1.5, FAQ 3: only queries that search passages take one
)
"""What model cards say stands before each of two texts whose likeness is asked (first pattern found in a name)."""


def embed(texts: list[str], model: str) -> np.ndarray:
    """Float32 rows of length 1, shape (len(texts), dimensions); a text without letters or digits may be all zeros.

    `model`: "lexical", a Hugging Face name, or the path of a sentence-transformers folder. A named model is taken
    from the local cache where it is there and downloaded otherwise. The same texts give the same bytes on one CPU;
    a GPU computes in half precision and differs in the third decimal. Raises ConfigError where there is no such model.
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
        raise _unusable(model, "it gives vectors that are no numbers")
    return vectors


def lexical(texts: list[str]) -> np.ndarray:
    """Character n-grams of the words and word edges, sublinear counts (1 + ln n), length 1; hashed to few dimensions
    with a sign, so that collisions cancel out in the mean (Weinberger et al. 2009, "Feature Hashing for Large Scale
    Multitask Learning").

    Case, Unicode compatibility forms and punctuation are ignored. A run of Chinese characters is one word here.
    """
    vectors = np.zeros((len(texts), LEXICAL_DIMENSIONS), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        weights: dict[int, float] = defaultdict(float)
        for gram, count in Counter(ngrams(text)).items():
            digest = zlib.crc32(gram.encode())
            weight = 1 + math.log(count)
            weights[(digest >> 1) % LEXICAL_DIMENSIONS] += weight if digest & 1 else -weight
        # fsum is exact, so the length does not depend on the order or on a BLAS
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        for dimension, weight in weights.items() if length else ():
            vector[dimension] = weight / length
    return vectors


def ngrams(text: str) -> Iterator[str]:
    """Character n-grams of each word between edge marks: `of` gives o, f, <o, of, f>, <of, of>, <of>."""
    for word in re.findall(r"[^\W_]+", normalize("NFKC", text).casefold()):
        marked = f"<{word}>"
        for size in NGRAM_SIZES:
            for start in range(len(marked) - size + 1):
                if size > 1 or 0 < start < len(marked) - 1:
                    yield marked[start : start + size]


def prefix(model: str) -> str | None:
    """What this model wants before every text; None leaves it to the model's own configuration."""
    found = (text for name in names(model) for pattern, text in PREFIXES if re.search(pattern, name.lower()))
    return next(found, None)


def names(model: str) -> Iterator[str]:
    """What a model is called: a Hub name without its owner; a folder's own name, that of the Hub model whose snapshot
    it is, and the one that its config.json was made from. The folders above it say nothing of it.
    """
    folder = Path(os.path.abspath(model))
    for path in (folder, folder.resolve()):
        yield path.name
        if path.parent.name == "snapshots":  # …/models--intfloat--multilingual-e5-small/snapshots/<revision>
            yield path.parent.parent.name.split("--")[-1]
    if (folder / "config.json").is_file():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # a broken one is refused where the model is read
            origin = msgspec.json.decode((folder / "config.json").read_bytes(), type=Origin)
            yield Path(origin.name).name


class Origin(msgspec.Struct, rename={"name": "_name_or_path"}):
    """What transformers writes into a config.json of the model that it was trained from."""

    name: str = ""


@functools.cache
def load(model: str) -> "SentenceTransformer":
    """The SentenceTransformer of a name or folder, once a process. Raises ConfigError where there is none."""
    if not model.strip():  # which sentence-transformers takes for a model without parts
        raise _unusable(repr(model), "it has no name")
    try:
        from sentence_transformers import SentenceTransformer  # isort: skip (what is missing is named first)

        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise ConfigError(
            f"embedding model {model}: {error.name or error} is not installed; "
            f"pip install 'ieforge[embed]', or take the built-in encoder: --embedding_model {LEXICAL}"
        ) from error
    transformers.utils.logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def read(local: bool) -> SentenceTransformer:
        # Without trust_remote_code=False, transformers asks on the terminal whether to run a model's own code
        return SentenceTransformer(model, device=device, local_files_only=local, trust_remote_code=False)

    refusals = (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, SafetensorError)
    try:
        encoder = read(local=True)
    except refusals as error:
        if Path(model).exists() or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model) or model.startswith("."):
            raise _unusable(model, error) from error
        if not reachable(_endpoint()):
            reason = f"it is no folder and not in the local cache, and {_endpoint()} does not answer"
            raise _unusable(model, reason) from error
        try:
            encoder = read(local=False)
        except refusals as refusal:
            raise _unusable(model, refusal) from refusal
    # Where its files are missing, transformers makes up a tokenizer that knows no word
    person, place = encoder.encode(["person", "place"], show_progress_bar=False)
    if np.allclose(person, place, atol=1e-5):  # rounding differs by row
        raise _unusable(model, "it gives every text the same vector; are its tokenizer's files there?")
    # A decoder that takes 32 k tokens would spend its memory on one over-long name
    encoder.max_seq_length = min(encoder.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    return encoder.half() if device == "cuda" else encoder.float()


@functools.cache
def revision(model: str) -> str:
    """What changes when the model's vectors do: the checksums of a folder's files, or a name with its revision."""
    if Path(model).is_dir():
        listed = sorted(path for path in Path(model).rglob("*") if path.is_file())
        return "\n".join(f"{path.relative_to(model)} {files.checksum(str(path))}" for path in listed)
    from huggingface_hub import try_to_load_from_cache

    load(model)  # downloads it where it is not there yet
    config = try_to_load_from_cache(model if "/" in model else f"sentence-transformers/{model}", "config.json")
    return f"{model} {Path(config).parent.name if isinstance(config, str) else ''}"


def called(model: str) -> str:
    """What an artefact calls a model: a folder by its last name and the beginning of its files' checksum, as in
    `bge-m3@1f0c9a2be4d7`, so that no path of this machine stands in it.
    """
    if model == LEXICAL or not Path(model).is_dir():
        return model
    return f"{Path(model).resolve().name}@{hashlib.sha256(revision(model).encode()).hexdigest()[:12]}"


def reachable(url: str) -> bool:
    """Whether a server that is up (any status below 500) answers within HUB_TIMEOUT_S.

    The hub's client tries for over a minute where there is no network; and a socket's time-out covers neither a
    name server that is silent nor a host with many addresses, hence the thread.
    """
    answers = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=HUB_TIMEOUT_S).close()
        except urllib.error.HTTPError as refusal:
            if refusal.code >= 500:
                return
        except OSError:
            return
        answers.append(url)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(HUB_TIMEOUT_S)
    return bool(answers)


def _endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT  # HF_ENDPOINT, for those who use a mirror


def _unusable(model: str, reason: object) -> ConfigError:
    line = " ".join(str(reason).split())[:200].rstrip(". ")
    return ConfigError(
        f"embedding model {model} cannot be used: {line}; give a sentence-transformers folder "
        f"(--embedding_model PATH), or take the built-in encoder (--embedding_model {LEXICAL})"
    )
