"""Files by path or URI (`gs://`, `s3://`, `hdfs://`, local), read line by line and written atomically."""

import codecs
import hashlib
import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import TypeVar

import msgspec
from pyarrow import fs

from schemas import json_values
from schemas.errors import ConfigError, MachineError, SourceError
from transforms.local_tree import as_utf8, list_tree

Value = TypeVar("Value")

LOCAL = fs.LocalFileSystem()


def filesystem(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of `path` and the path within it; a path without a scheme is local.

    After the host or bucket of a URI, every character stands for itself, as in the names that `list_files` returns; in
    `file://` URIs, %XX is decoded. Raises ConfigError for an unknown scheme and an impossible path: Arrow's paths are
    UTF-8 in every locale.
    """
    if "://" in path:
        scheme, _, rest = path.partition("://")
        try:
            with machine_errors(path):
                if scheme == "file":
                    return fs.FileSystem.from_uri(path)
                host, _, inner = rest.partition("/")
                system, root = remote(f"{scheme}://{host}/", os.getpid())
        except ValueError as error:
            raise ConfigError(f"{path}: unknown file system ({error}); check the path") from error
        inner = inner.rstrip("/")
        return system, f"{root.rstrip('/')}/{inner}" if inner else root
    try:
        with machine_errors(path):
            inner = as_utf8(os.path.abspath(path))
    except UnicodeError as error:
        raise ConfigError(f"{path}: the path is not valid UTF-8; rename the file or folder") from error
    if "\0" in inner:
        raise ConfigError(f"{path}: a path cannot contain a null character; correct it")
    return LOCAL, inner


@cache
def remote(root: str, process: int) -> tuple[fs.FileSystem, str]:
    """The file system of a host or bucket, and the path of its root. Opening one takes three times as long as a request
    to it. A forked `process` opens its own, because connections cannot be shared.
    """
    return fs.FileSystem.from_uri(root)


def absolute(path: str) -> str:
    """The absolute path of a local path, for workers with another working folder; a URI is returned unchanged."""
    return path if "://" in path else filesystem(path)[1]


BLOCK_BYTES = 1 << 20
MIN_NULS = 8
"""The minimum number of NULs in UTF-16: other texts may contain a few."""
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class File(msgspec.Struct, frozen=True, gc=False):
    """A raw file. `name` is its path below the folder of the source, which places, errors and split names show.

    Reading raises SourceError if the operating system reports an error. Reading as text also raises it for UTF-16
    without a byte order mark.
    """

    path: str
    name: str

    def read(self) -> bytes:
        system, path = filesystem(self.path)
        with source_errors(self.name), system.open_input_stream(path, compression=None) as stream:
            return stream.read()

    def text(self) -> str:
        """The whole file, decoded like `lines`."""
        data = b"".join(self._as_utf_8([self.read()]))
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")

    def lines(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, line without its end). Only LF and CRLF end a line; a byte order mark is dropped.

        Bytes that are not UTF-8 become lone surrogates, so that only the record with these bytes is rejected as
        `not_utf8` (see `transforms.normalize`). A file with the byte order mark of UTF-16 is read as UTF-16.
        """
        before = 0
        for lines in self.line_lists():
            yield from enumerate(lines, before + 1)
            before += len(lines)

    def line_lists(self) -> Iterator[list[str]]:
        """Lists of the lines that `lines` yields, without numbers: yielding single lines takes three times as long."""
        start = "\ufeff"
        for block in self.blocks():
            text = block.decode("utf-8", "surrogateescape").removeprefix(start).removesuffix("\n")
            start = ""
            lines = text.split("\n")
            yield [line.removesuffix("\r") for line in lines] if "\r" in text else lines

    def blocks(self) -> Iterator[bytes]:
        """The file as blocks of whole lines, of about BLOCK_BYTES unless a line is longer. UTF-16 becomes UTF-8."""
        begun: list[bytes] = []
        for block in self._as_utf_8(self._stored_blocks()):
            end = block.rfind(b"\n") + 1
            if end:
                yield b"".join((*begun, block[:end]))
                begun = []
            if end < len(block):
                begun.append(block[end:])
        if begun:
            yield b"".join(begun)

    def _stored_blocks(self) -> Iterator[bytes]:
        system, path = filesystem(self.path)
        with source_errors(self.name), system.open_input_stream(path, compression=None) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block

    def _as_utf_8(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks of the file; converted to UTF-8 if the first one starts with a byte order mark of UTF-16.

        Invalid UTF-16 (an unpaired surrogate, half a unit at the end) is converted to invalid UTF-8. Raises SourceError
        if the file looks like UTF-16 without a byte order mark, since each of its lines would be a bad record.
        """
        blocks = iter(blocks)
        first = next(blocks, b"")
        if not first.startswith(UTF_16_MARKS):
            if looks_like_utf_16(first):
                raise SourceError(f"{self.name}:1: UTF-16 without a byte order mark; re-encode it as UTF-8")
            yield first
            yield from blocks
            return
        decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
        for block in chain([first], blocks):
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        if decoder.getstate()[0]:
            yield b"\xff"


def looks_like_utf_16(data: bytes) -> bool:
    """Whether every other byte is NUL for at least a tenth of the characters (and at least MIN_NULS of them), as in
    ASCII text in UTF-16, while few of the bytes between them are NUL. In UTF-8 only the character NUL has a NUL byte.
    """
    if b"\0" not in data:
        return False
    few, many = sorted((data[::2].count(0), data[1::2].count(0)))
    return many >= max(len(data) / 20, 4 * few, MIN_NULS)


@contextmanager
def machine_errors(path: str):
    """Converts an OSError into a MachineError with one line for the user."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        if "://" in path and not path.startswith("file:"):
            reason = reason.partition(" To create buckets, enable")[0].removesuffix(".")  # Arrow's option, not ours
            raise MachineError(f"{path}: {reason}; check the address, the credentials and the network") from error
        raise MachineError(f"{path}: {reason}; check the path, its permissions and the disk") from error


@contextmanager
def source_errors(name: str):
    """Converts an OSError of a raw file into a SourceError, which fails its source but not the build."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{name}: cannot be read: {error.strerror or error}; check the file") from error


def list_folders(root: str) -> list[str]:
    """Names of the folders directly below `root`, sorted; hidden ones are left out."""
    system, base = filesystem(root)
    with machine_errors(root):
        if system is LOCAL:
            return sorted(list_tree(base, recursive=False).folders)
        infos = system.get_file_info(fs.FileSelector(base))
    return sorted(i.base_name for i in infos if i.type == fs.FileType.Directory and not i.base_name.startswith("."))


def list_files(root: str, recursive: bool = True) -> list[File]:
    """All files below `root` (directly, unless `recursive`) by name; hidden ones and hidden folders are left out.

    Raises MachineError if `root` is not a folder.
    """
    return list_raw_files(root, recursive)[0]


def list_raw_files(
    root: str, recursive: bool = True, within: Sequence[str] | None = None
) -> tuple[list[File], dict[str, str]]:
    """The result of `list_files`, and name → reason for entries that are left out: names that are not UTF-8, special
    files, and links that are broken, lead to a folder that is already listed, or lead out of all folders `within`
    (None: they may lead anywhere).
    """
    system, base = filesystem(root)
    with machine_errors(root):
        if system is LOCAL:
            bounds = None if within is None else [filesystem(path)[1] for path in within]
            tree = list_tree(base, recursive, bounds)
            files = [File(f"{base}/{name}", name) for name in tree.files]
            return sorted(files, key=lambda file: file.name), dict(sorted(tree.left_out.items()))
        infos = system.get_file_info(fs.FileSelector(base, recursive=recursive))
    scheme = root[: root.index("://") + 3]
    inside = f"{base.rstrip('/')}/"
    files = [
        File(scheme + info.path, info.path.removeprefix(inside)) for info in infos if info.type == fs.FileType.File
    ]
    return sorted((file for file in files if "/." not in f"/{file.name}"), key=lambda file: file.name), {}


def exists(path: str) -> bool:
    return file_type(path) != fs.FileType.NotFound


def file_type(path: str) -> fs.FileType:
    """The type of the file at `path`; NotFound if there is none."""
    system, inner = filesystem(path)
    with machine_errors(path):
        return system.get_file_info(inner).type


def total_bytes(group: Iterable[File]) -> int:
    """The total size of the files; a missing file counts 0."""
    places = [(filesystem(file.path), file.path) for file in group]
    if not places:
        return 0
    (system, _), first = places[0]
    with machine_errors(first):
        return sum(info.size or 0 for info in system.get_file_info([inner for (_, inner), _ in places]))


def sizes(root: str, names: Iterable[str]) -> dict[str, int]:
    """Name → size in bytes of those files below `root` that exist."""
    names = list(names)
    system, base = filesystem(root)
    for name in names:
        if "\0" in name:
            raise ConfigError(f"{root}/{name}: a path cannot contain a null character; correct it")
    with machine_errors(root):
        infos = system.get_file_info([f"{base}/{name}" for name in names])
    return {name: info.size for name, info in zip(names, infos, strict=True) if info.type == fs.FileType.File}


def is_folder(path: str) -> bool:
    return file_type(path) == fs.FileType.Directory


def create_folder(path: str) -> None:
    system, inner = filesystem(path)
    with machine_errors(path):
        system.create_dir(inner, recursive=True)


def remove_file(path: str) -> None:
    """Deletes a file if it exists."""
    system, inner = filesystem(path)
    if file_type(path) == fs.FileType.File:
        with machine_errors(path):
            system.delete_file(inner)


def remove_temporaries(folder: str) -> None:
    """Deletes the temporary files of interrupted writes directly in a folder."""
    system, inner = filesystem(folder)
    with machine_errors(folder):
        for info in system.get_file_info(fs.FileSelector(inner)):
            if info.base_name.startswith(".") and info.base_name.endswith(".tmp"):
                system.delete_file(info.path)


def remove_tree(path: str) -> None:
    """Deletes a folder and its content if it exists."""
    system, inner = filesystem(path)
    if is_folder(path):
        with machine_errors(path):
            system.delete_dir(inner)


@contextmanager
def atomic_write(path: str, durable: bool = False):
    """An output stream whose file gets its name when the block ends without an error (a crash leaves a hidden `.tmp`).

    `durable`: also synchronise the file and its name to the disk, as needed for files that mark something as finished.
    Otherwise, after a power failure, the file may exist without its content.
    """
    system, inner = filesystem(path)
    folder, name = posixpath.split(inner)
    temporary = f"{folder}/.{name}.{os.getpid()}.tmp"
    with machine_errors(path):
        system.create_dir(folder, recursive=True)
        with system.open_output_stream(temporary, compression=None) as stream:
            yield stream
        if durable and system is LOCAL:
            synchronize(temporary)
        system.move(temporary, inner)
        if durable and system is LOCAL:
            synchronize(folder)


def write_text(path: str, text: str, durable: bool = False) -> None:
    """Writes a file as `atomic_write` does."""
    with atomic_write(path, durable) as stream:
        stream.write(text.encode())


def make_durable(root: str, names: Iterable[str]) -> None:
    """Synchronises the files with these names below `root`, and the names, to the disk; does nothing if `root` is not
    local. Many files are synchronised at a time, because the disk then writes its journal once for all of them.
    """
    system, base = filesystem(root)
    if system is LOCAL:
        paths = [f"{base}/{name}" for name in names]
        with machine_errors(root), ThreadPoolExecutor(SYNC_THREADS) as pool:
            list(pool.map(synchronize, paths))
            list(pool.map(synchronize, sorted({posixpath.dirname(path) for path in paths})))


SYNC_THREADS = 16


def synchronize(path: str) -> None:
    """Synchronises the content of a file, or the names in a folder, to the disk."""
    descriptor = os.open(path.encode(), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_text(path: str) -> str:
    """The text of a UTF-8 file. Raises ConfigError for other encodings."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not valid UTF-8 ({error}); create it again, or choose another file") from error


def read_json(path: str, form: type[Value], remedy: str) -> Value:
    """The value in a JSON file, decoded as the msgspec type `form`.

    Raises ConfigError with `path` and `remedy` if it is not valid JSON or does not have this type.
    """
    return json_values.parse(read_bytes(path), form, path, remedy)


def read_bytes(path: str) -> bytes:
    system, inner = filesystem(path)
    with machine_errors(path), system.open_input_stream(inner, compression=None) as stream:
        return stream.read()


def copy(source: str, path: str) -> None:
    """Copies a file."""
    system, inner = filesystem(source)
    with (
        machine_errors(source),
        system.open_input_stream(inner, compression=None) as stream,
        atomic_write(path) as sink,
    ):
        shutil.copyfileobj(stream, sink, BLOCK_BYTES)


def checksum(path: str) -> str:
    """SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    system, inner = filesystem(path)
    with machine_errors(path), system.open_input_stream(inner, compression=None) as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def checksums_below(path: str) -> dict[str, str]:
    """Name → SHA-256 of a file, or of all files of a folder."""
    if not is_folder(path):
        return {posixpath.basename(path): checksum(path)}
    return {file.name: checksum(file.path) for file in list_files(path)}
