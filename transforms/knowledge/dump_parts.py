"""Parts of large dump files, which workers read independently.

A part is a range of the stored bytes of a file. Its lines are those that begin behind its first byte and not behind its
end; the first part also has the line that begins at its first byte. Its pages of XML are those that begin in it. Files
that are not compressed are divided at any byte and .bz2 files between blocks. A .gz file cannot be divided: it is one
part.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.errors import BadRecord
from transforms.files import File, filesystem, source_errors
from transforms.knowledge import bz2_blocks, dump_files


@dataclass(frozen=True)
class Part:
    """The stored bytes of `file` from `start` to `end`."""

    file: File
    start: int
    end: int


def whole(file: File) -> Part:
    """The file as one part. Raises SourceError if the operating system reports an error."""
    system, path = filesystem(file.path)
    with source_errors(file.name):
        return Part(file, 0, system.get_file_info(path).size or 0)


def parts(file: File, plain_bytes: int, bz2_bytes: int) -> list[Part]:
    """The parts of a file, at least one, of at most so many stored bytes. Raises SourceError as `whole`."""
    part = whole(file)
    step = bz2_bytes if file.name.endswith(".bz2") else plain_bytes
    if file.name.endswith(".gz") or part.end <= step:
        return [part]
    return [Part(file, start, min(start + step, part.end)) for start in range(0, part.end, step)]


def lines(part: Part) -> Iterator[tuple[int, bytes] | BadRecord]:
    """(line number from 1 within the part, line without its end), as `dump_files.numbered` yields them."""
    yield from dump_files.numbered(blocks(part), part.file.name)


def blocks(part: Part) -> Iterator[bytes | BadRecord]:
    """The decompressed content of the lines of a part."""
    is_begun = part.start == 0
    for content, is_inside in pieces(part):
        if isinstance(content, BadRecord):
            if is_inside:
                yield content
        elif is_begun and is_inside:
            yield content
        elif is_inside:
            _, line_end, behind = content.partition(b"\n")
            is_begun = bool(line_end)
            yield behind
        else:
            if is_begun:
                line, line_end, _ = content.partition(b"\n")
                yield line + line_end
            if not is_begun or line_end:
                return


def pieces(part: Part) -> Iterator[tuple[bytes | BadRecord, bool]]:
    """(content, whether it is in the part) from the start of the part to the end of the file."""
    file = part.file
    if file.name.endswith(".gz"):
        return ((block, True) for block in dump_files.blocks(file))
    if file.name.endswith(".bz2"):
        return bz2_blocks.read(file, part.start, part.end)
    return stored(part)


def stored(part: Part) -> Iterator[tuple[bytes | BadRecord, bool]]:
    system, path = filesystem(part.file.path)
    with source_errors(part.file.name):
        stream = system.open_input_file(path)
    with stream:
        start = part.start
        while True:
            is_inside = start < part.end
            size = min(dump_files.BLOCK_BYTES, part.end - start) if is_inside else dump_files.BLOCK_BYTES
            with source_errors(part.file.name):
                content = stream.read_at(size, start)
            if not content:
                return
            yield content, is_inside
            start += len(content)
