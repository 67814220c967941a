"""Files by path or URI (`gs://`, `s3://`, `hdfs://`, local), read line by line and written all or nothing."""

import codecs
import errno
import hashlib
import json
import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import msgspec
from pyarrow import fs

from schemas.errors import ConfigError, MachineError, SourceError

LOCAL = fs.LocalFileSystem()


def filesystem(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of `path` and the path within it; a path without a scheme is local."""
    if "://" in path:
        try:
            with machine_errors(path):
                return fs.FileSystem.from_uri(path)
        except ValueError as error:
            raise ConfigError(f"{path}: no file system that is known ({error}); check the path") from error
    return LOCAL, os.path.abspath(path)


def absolute(path: str) -> str:
    """A local path from the root on, for a worker that has another working folder; a URI as it is."""
    return path if "://" in path else os.path.abspath(path)


BLOCK_BYTES = 1 << 20
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class File(msgspec.Struct, frozen=True, gc=False):
    """A raw file. `name` is its path below the source's folder: what places, errors and split names show.

    Reading raises SourceError where the operating system refuses.
    """

    path: str
    name: str

    def read(self) -> bytes:
        system, path = filesystem(self.path)
        with source_errors(self.name), system.open_input_stream(path, compression=None) as stream:
            return stream.read()

    def text(self) -> str:
        """The whole file, decoded as by `lines`."""
        data = b"".join(_as_utf_8([self.read()]))
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")

    def lines(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, line without its end). Only LF and CRLF end a line; a byte order mark is dropped.

        Bytes that are no UTF-8 become lone surrogates: the record that holds them is rejected as `not_utf8`
        (see `transforms.normalize`), its neighbours are not. A file that opens with the byte order mark of UTF-16
        is read as such.
        """
        before = 0
        for lines in self.line_lists():
            yield from enumerate(lines, before + 1)
            before += len(lines)

    def line_lists(self) -> Iterator[list[str]]:
        """What `lines` yields, many lines at once and without their numbers: a line by itself takes thrice as long."""
        start = "\ufeff"
        for block in self.blocks():
            text = block.decode("utf-8", "surrogateescape").removeprefix(start).removesuffix("\n")
            start = ""
            lines = text.split("\n")
            yield [line.removesuffix("\r") for line in lines] if "\r" in text else lines

    def blocks(self) -> Iterator[bytes]:
        """The file, in UTF-8 where it is in UTF-16, in pieces that end where a line ends, of about BLOCK_BYTES where
        lines are shorter than that.
        """
        begun: list[bytes] = []
        for block in _as_utf_8(self._stored_blocks()):
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


def _as_utf_8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks of a file as they are or, where they open with the mark of UTF-16, in UTF-8.

    What is no UTF-16 either (half a pair, half a unit at the end) comes out as what is no UTF-8.
    """
    blocks = iter(blocks)
    first = next(blocks, b"")
    if not first.startswith(UTF_16_MARKS):
        yield first
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for block in chain([first], blocks):
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


@contextmanager
def machine_errors(path: str):
    """Turns what the operating system refuses into one line for the user."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise MachineError(f"{path}: {reason}; check the path, its permissions and the disk") from error


@contextmanager
def source_errors(name: str):
    """As `machine_errors`, for a raw file: it costs its source, not the build."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{name}: cannot be read: {error.strerror or error}; check the file") from error


def list_folders(root: str) -> list[str]:
    """Names of the folders directly below `root`, sorted; hidden ones are left out."""
    system, base = filesystem(root)
    with machine_errors(root):
        infos = system.get_file_info(fs.FileSelector(base))
    return sorted(i.base_name for i in infos if i.type == fs.FileType.Directory and not i.base_name.startswith("."))


def list_files(root: str, recursive: bool = True) -> list[File]:
    """All files below `root` (directly, unless `recursive`) by name; hidden ones and hidden folders are left out.

    Raises MachineError where `root` is no folder, and where a link in it leads to a folder that holds the link.
    """
    system, base = filesystem(root)
    with machine_errors(root):
        if recursive and system is LOCAL:
            refuse_loops(base)
        infos = system.get_file_info(fs.FileSelector(base, recursive=recursive))
    scheme = root[: root.index("://") + 3] if "://" in root else ""
    inside = f"{base.rstrip('/')}/"
    files = [
        File(scheme + info.path, info.path.removeprefix(inside)) for info in infos if info.type == fs.FileType.File
    ]
    return sorted((file for file in files if "/." not in f"/{file.name}"), key=lambda file: file.name)


def refuse_loops(base: str) -> None:
    """Raises OSError where a link below `base` leads upwards: Arrow's listing, which follows links, would not end."""
    for folder, inside, _ in os.walk(base):
        for link in filter(os.path.islink, (os.path.join(folder, name) for name in inside)):
            if f"{os.path.realpath(folder)}/".startswith(f"{os.path.realpath(link).rstrip('/')}/"):
                raise OSError(errno.ELOOP, f"{link} is a link to a folder that holds it")


def exists(path: str) -> bool:
    system, inner = filesystem(path)
    return system.get_file_info(inner).type != fs.FileType.NotFound


def total_bytes(group: Iterable[File]) -> int:
    """The sum of the files' sizes; a file that is not there has none."""
    places = [filesystem(file.path) for file in group]
    return sum(info.size or 0 for info in places[0][0].get_file_info([path for _, path in places])) if places else 0


def sizes(root: str, names: Iterable[str]) -> dict[str, int]:
    """Name → bytes of the files below `root` that are there."""
    system, base = filesystem(root)
    infos = system.get_file_info([f"{base}/{name}" for name in names])
    return {name: info.size for name, info in zip(names, infos, strict=True) if info.type == fs.FileType.File}


def is_folder(path: str) -> bool:
    system, inner = filesystem(path)
    return system.get_file_info(inner).type == fs.FileType.Directory


def create_folder(path: str) -> None:
    system, inner = filesystem(path)
    with machine_errors(path):
        system.create_dir(inner, recursive=True)


def remove_file(path: str) -> None:
    """Deletes a file; nothing where there is none."""
    system, inner = filesystem(path)
    if system.get_file_info(inner).type == fs.FileType.File:
        with machine_errors(path):
            system.delete_file(inner)


def remove_temporaries(folder: str) -> None:
    """Deletes what writes that were cut off left directly in a folder."""
    system, inner = filesystem(folder)
    for info in system.get_file_info(fs.FileSelector(inner)):
        if info.base_name.startswith(".") and info.base_name.endswith(".tmp"):
            system.delete_file(info.path)


def remove_tree(path: str) -> None:
    """Deletes a folder and all below it; nothing where there is none."""
    system, inner = filesystem(path)
    if system.get_file_info(inner).type == fs.FileType.Directory:
        with machine_errors(path):
            system.delete_dir(inner)


@contextmanager
def atomic_write(path: str):
    """An output stream whose file has its name only when the block has ended well (a crash leaves a hidden `.tmp`)."""
    system, inner = filesystem(path)
    folder, name = posixpath.split(inner)
    temporary = f"{folder}/.{name}.{os.getpid()}.tmp"
    with machine_errors(path):
        system.create_dir(folder, recursive=True)
        with system.open_output_stream(temporary, compression=None) as stream:
            yield stream
        system.move(temporary, inner)


def write_text(path: str, text: str) -> None:
    with atomic_write(path) as stream:
        stream.write(text.encode())


def read_text(path: str) -> str:
    return read_bytes(path).decode()


def read_json(path: str):
    """The value in a JSON file. Raises ConfigError where it holds something else."""
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise ConfigError(f"{path}: no JSON ({error}); make it anew, or name another folder") from error


def read_bytes(path: str) -> bytes:
    system, inner = filesystem(path)
    with machine_errors(path), system.open_input_stream(inner, compression=None) as stream:
        return stream.read()


def copy(source: str, path: str) -> None:
    """Writes the bytes of one file to another."""
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
