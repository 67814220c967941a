"""A model's name → its GGUF file; a GGUF file → its metadata and the shapes of its tensors, without their data.

The package `gguf` and transformers read the whole vocabulary, and take a truncated file for a damaged model. This
reader takes a second and needs neither torch nor transformers.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from schemas.errors import ConfigError
from transforms import files

MAGIC = b"GGUF"
VERSIONS = (2, 3)
NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""Type of a metadata value → its format. The others are 8, a string, and 9, an array."""

STRING, ARRAY = 8, 9
MAX_DIMENSIONS = 4
DOWNLOAD = "download it again"


@dataclass(frozen=True)
class Tensor:
    """`shape` as in torch. `start`, `end`: bytes in the file. `kind`: number of the type (0: float32)."""

    shape: tuple[int, ...]
    kind: int
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """`metadata`: key → value; an array is given as its length. `tensors`: name → Tensor."""

    metadata: dict[str, int | float | bool | str]
    tensors: dict[str, Tensor]

    @property
    def architecture(self) -> str:
        return str(self.metadata["general.architecture"])


def locate(model: str) -> str | None:
    """The GGUF file that `model` names: the file itself, or the only one in a folder without a config.json.

    None for anything else: another folder, a Hub name. Raises ConfigError for a folder with several GGUF files, and for
    a path to a GGUF file that does not exist.
    """
    if os.path.isfile(model):
        return model
    if not os.path.isdir(model):
        if model.endswith(".gguf"):
            raise ConfigError(f"{model}: no such file; give the path of a GGUF file, a model folder or a Hub name")
        return None
    names = os.listdir(model)
    candidates = sorted(name for name in names if name.endswith(".gguf"))
    if not candidates or {"config.json", "adapter_config.json"} & set(names):
        return None
    if len(candidates) > 1:
        raise ConfigError(
            f"{model}: contains {len(candidates)} GGUF files ({', '.join(candidates)}); give the path of one of them"
        )
    return os.path.join(model, candidates[0])


def read(file: str) -> Header:
    """Reads the header of a GGUF file.

    Raises ConfigError for a file that is none, is truncated, is a part of a split model, or has more tokens than rows
    of embeddings; MachineError for a file that cannot be opened.
    """
    with files.machine_errors(file):
        status = os.stat(file)
        return _read(file, status.st_size, status.st_mtime_ns)


def sha256(file: str) -> str:
    """SHA-256 of the file, hex."""
    status = os.stat(file)
    return _sha256(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _sha256(file: str, size: int, modified: int) -> str:
    return files.checksum(file)


@lru_cache(maxsize=8)
def _read(file: str, size: int, modified: int) -> Header:
    with open(file, "rb") as stream:
        if stream.read(4) != MAGIC:
            raise ConfigError(f"{file}: not a GGUF file; give a GGUF file, a model folder or a Hub name")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                header = _Reader(content).header(file)
            except struct.error as error:
                raise ConfigError(f"{file}: truncated after {size:,} bytes; {DOWNLOAD}") from error
            except (UnicodeDecodeError, ValueError, OverflowError) as error:
                raise ConfigError(f"{file}: damaged ({error}); {DOWNLOAD}") from error
    end = max((tensor.end for tensor in header.tensors.values()), default=0)
    if end > size:
        raise ConfigError(f"{file}: truncated: {size:,} bytes, but its tensors end after {end:,}; {DOWNLOAD}")
    _check(file, header)
    return header


def _check(file: str, header: Header) -> None:
    parts = header.metadata.get("split.count", 1)
    if parts != 1:
        raise ConfigError(
            f"{file}: one of {parts} parts of a model; join them first (llama-gguf-split --merge, of llama.cpp)"
        )
    tokens, embeddings = header.metadata.get("tokenizer.ggml.tokens"), header.tensors.get("token_embd.weight")
    if tokens is None or embeddings is None:
        raise ConfigError(f"{file}: without a tokenizer or embeddings, so not a language model; give another file")
    if not isinstance(tokens, int) or tokens > embeddings.shape[0]:
        raise ConfigError(
            f"{file}: its tokenizer has {tokens:,} tokens, its model {embeddings.shape[0]:,} rows of embeddings; "
            f"they do not match, {DOWNLOAD}"
        )


class _Reader:
    """Reads the values of a header one after the other."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content, self.place = content, len(MAGIC)

    def header(self, file: str) -> Header:
        version = self.number("<I")
        if version not in VERSIONS:
            raise ConfigError(f"{file}: version {version} of GGUF (or big-endian); only versions 2 and 3 can be read")
        tensor_count, value_count = self.number("<Q"), self.number("<Q")
        metadata = {}
        for _ in range(value_count):
            key = self.string()
            metadata[key] = self.value(self.number("<I"))
        if not isinstance(metadata.get("general.architecture"), str):
            raise ValueError("no general.architecture")
        entries = [self.tensor() for _ in range(tensor_count)]
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise ValueError(f"alignment {alignment}")
        data = -(-self.place // alignment) * alignment
        return Header(
            metadata,
            {
                name: Tensor(shape, kind, data + offset, data + offset + _size(shape, kind))
                for name, shape, kind, offset in entries
            },
        )

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self.content, self.place)
        self.place += struct.calcsize(form)
        return value

    def string(self) -> str:
        length = self.number("<Q")
        end = self.place + length
        if end > len(self.content):
            raise struct.error
        text = self.content[self.place : end].decode("utf-8")
        self.place = end
        return text

    def value(self, kind: int) -> int | float | bool | str:
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            if kind not in NUMBERS:
                raise ValueError(f"a value of type {kind}")
            return self.number(NUMBERS[kind])
        kind, length = self.number("<I"), self.number("<Q")
        if kind in NUMBERS:
            self.place += length * struct.calcsize(NUMBERS[kind])
        elif kind == STRING:
            for _ in range(length):
                string_bytes = self.number("<Q")
                self.place += string_bytes
        else:
            raise ValueError(f"an array of type {kind}")
        return length

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self.string(), self.number("<I")
        if dimensions > MAX_DIMENSIONS:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        shape = tuple(reversed([self.number("<Q") for _ in range(dimensions)]))  # in the file the last comes first
        return name, shape, self.number("<I"), self.number("<Q")


def _size(shape: tuple[int, ...], kind: int) -> int:
    """Bytes of a tensor. Raises ValueError for a type that the package `gguf` does not know."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    return prod(shape) // block * block_bytes
