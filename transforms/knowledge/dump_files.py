"""Dump files, plain or compressed (.gz, .bz2): where they are, what identifies them, and their lines."""

import bz2
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from schemas.errors import BadRecord, ConfigError, Reason, quoted
from transforms import files
from transforms.files import File, filesystem, source_errors

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 28
"""A longer line is a bad record. The longest entities of Wikidata have a few megabytes."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

EXCERPT_BYTES = 60

GLOB = frozenset("*?[")
HASHED_BLOCKS = 64


def find(patterns: Sequence[str], flag: str) -> list[File]:
    """The files that `patterns` (files, folders or globs, local or remote) match, each once, sorted by name and path.

    In a glob, only the part behind the last slash has wildcards. The name of a file is its path below the folder.
    Raises ConfigError, which names `flag`, for a pattern that matches no file.
    """
    matches: dict[str, File] = {}
    for pattern in patterns:
        some = list(matching(pattern.rstrip("/")))
        if not some:
            what = "the folder has no file" if files.is_folder(pattern) else "no such file"
            raise ConfigError(f"{flag} {pattern}: {what}; give files, folders or globs")
        for file in some:
            matches.setdefault(file.path, file)
    return sorted(matches.values(), key=lambda file: (file.name, file.path))


def matching(pattern: str) -> Iterable[File]:
    if files.is_folder(pattern):
        return files.list_files(pattern)
    path = files.absolute(pattern)
    folder, _, name = path.rpartition("/")
    if files.exists(pattern):
        return [File(path, name)]
    if GLOB.isdisjoint(name) or not files.is_folder(folder):
        return []
    return [file for file in files.list_files(folder, recursive=False) if fnmatchcase(file.name, name)]


def identity(file: File) -> tuple[str, int, str]:
    """(name, size in bytes, SHA-256 of the size and of 64 blocks of 1 MiB, evenly spaced).

    The blocks are the whole file up to 64 MiB. Hashing a whole dump of Wikidata would take an hour on a slow disk.
    """
    system, path = filesystem(file.path)
    with source_errors(file.name), system.open_input_file(path) as stream:
        size = stream.size()
        digest = hashlib.sha256(str(size).encode())
        last = max(size - BLOCK_BYTES, 0)
        step = max(last // (HASHED_BLOCKS - 1), BLOCK_BYTES)
        for start in sorted({*range(0, last, step), last}):
            digest.update(stream.read_at(BLOCK_BYTES, start))
    return file.name, size, digest.hexdigest()


def lines(file: File) -> Iterator[tuple[int, bytes] | BadRecord]:
    """(line number from 1, line without its end) of all lines that are not blank; a byte order mark is dropped.

    If compressed data is cut off or damaged, the lines before this place come first, the last of them perhaps cut, and
    then a BadRecord of the reason `broken_record`. A line of more than MAX_LINE_BYTES is a BadRecord too.
    Raises SourceError if the operating system reports an error.
    """
    for line in numbered(blocks(file), file.name):
        if isinstance(line, BadRecord) or line[1].strip():
            yield line


def numbered(blocks: Iterable[bytes | BadRecord], name: str) -> Iterator[tuple[int, bytes] | BadRecord]:
    """(line number from 1, line without its end) of the lines in these blocks of a file, also of blank ones.

    The BadRecords among the blocks get the line at which they are. Raises what reading the blocks raises.
    """
    number = length = 0
    begun: list[bytes] = []
    for block in blocks:
        if isinstance(block, BadRecord):
            if begun:
                number += 1
                yield number, b"".join(begun)
            begun, length = [], 0
            yield BadRecord(f"{name}:{max(number, 1)}", block.reason, block.detail)
            continue
        *whole, rest = block.split(b"\n")
        for part in whole:
            number += 1
            if length + len(part) > MAX_LINE_BYTES:
                yield BadRecord(f"{name}:{number}", Reason.BROKEN_RECORD, "the line is too long")
            else:
                line = b"".join((*begun, part)) if begun else part
                yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
            begun, length = [], 0
        length += len(rest)
        if length > MAX_LINE_BYTES:
            begun = []  # only the length still counts
        elif rest:
            begun.append(rest)
    if length > MAX_LINE_BYTES:
        yield BadRecord(f"{name}:{number + 1}", Reason.BROKEN_RECORD, "the line is too long")
    elif begun:
        line = b"".join(begun)
        yield number + 1, line if number else line.removeprefix(BYTE_ORDER_MARK)


def excerpt(line: bytes) -> str:
    """The first EXCERPT_BYTES of a line that cannot be read, for its BadRecord."""
    return quoted(line[:EXCERPT_BYTES].decode("utf-8", "replace")) + "..." * (len(line) > EXCERPT_BYTES)


def blocks(file: File) -> Iterator[bytes | BadRecord]:
    """The decompressed content of the file in blocks of at most BLOCK_BYTES. Its name tells the compression.

    If compressed data is cut off or damaged, a BadRecord comes last. A file may consist of several compressed streams.
    Raises SourceError if the operating system reports an error.
    """
    system, path = filesystem(file.path)
    with source_errors(file.name):
        stream = system.open_input_stream(path, compression=None)
    with stream:
        stored = stored_blocks(file.name, stream)
        if file.name.endswith(".gz"):
            yield from decompressed(stored, file.name, Gzip)
        elif file.name.endswith(".bz2"):
            yield from decompressed(stored, file.name, bz2.BZ2Decompressor)
        else:
            yield from stored


def stored_blocks(name: str, stream) -> Iterator[bytes]:
    while True:
        with source_errors(name):
            block = stream.read(BLOCK_BYTES)
        if not block:
            return
        yield block


class Gzip:
    """A decompressor of one gzip stream with the interface of `bz2.BZ2Decompressor`."""

    def __init__(self) -> None:
        self.inner = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self.inner.decompress(self.inner.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def needs_input(self) -> bool:
        return not self.inner.eof and not self.inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self.inner.unused_data


def decompressed(stored: Iterable[bytes], name: str, new_stream: type) -> Iterator[bytes | BadRecord]:
    """The content of concatenated compressed streams. Zero bytes between and behind them are ignored."""
    stream = new_stream()
    inside = False  # a stream has begun and not ended
    try:
        for block in stored:
            while block or not stream.needs_input:
                if not inside:
                    block = block.lstrip(b"\0")
                    if not block:
                        break
                    inside = True
                content = stream.decompress(block, BLOCK_BYTES)
                if content:
                    yield content
                block = b""
                if stream.eof:
                    block, stream, inside = stream.unused_data, new_stream(), False
    except (OSError, zlib.error) as error:
        yield BadRecord(name, Reason.BROKEN_RECORD, f"the compressed data is damaged ({error}); the rest is lost")
        return
    if inside:
        yield BadRecord(name, Reason.BROKEN_RECORD, "the compressed data is cut off; the rest is lost")
