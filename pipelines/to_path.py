"""The files of a release → a folder on any file system that Apache Beam reaches, checked byte by byte."""

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from contextlib import contextmanager

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipelines.release import MARKER, ReleaseFile
from schemas.errors import ConfigError, MachineError
from transforms import files

BLOCK_BYTES = 1 << 20
RAW = CompressionTypes.UNCOMPRESSED


def write(listed: Sequence[ReleaseFile], target: str) -> int:
    """Brings the files below `target` and returns how many had to be written; those that are there stay.

    Each is read back and compared before it gets its name. What an earlier release put there and this one lacks is
    deleted. Raises ConfigError where `target` holds files and no release, MachineError where it cannot be written.
    """
    target = files.absolute(target.rstrip("/") or "/")
    refuse_pattern(target)
    with path_errors(target):
        there = sizes_below(target)
        if there and MARKER not in there:
            raise ConfigError(f"{target}: not empty and no release (no {MARKER}); name a new folder with --to")
        before = json.loads(read(f"{target}/{MARKER}"))["files"] if there else {}
        wanted = {file.name for file in listed}
        # Until all is there the marker tells the files of the earlier release, or else of this one: a second try
        # then knows what is ours.
        ordered = sorted(listed, key=lambda file: (file.name == MARKER) == bool(there))
        written = 0
        for file in ordered:
            path = f"{target}/{file.name}"
            if there.get(file.name) != file.size or checksum(path) != file.sha256:
                send(file, path)
                written += 1
        gone = [f"{target}/{name}" for name in sorted(before) if name not in wanted and name in there]
        if gone:
            FileSystems.delete(gone)
    return written


def refuse_pattern(target: str) -> None:
    """Raises ConfigError for a path that Beam, which has no way to quote, would take for many."""
    if re.search(r"[*?\[]", target):
        raise ConfigError(f"{target}: Apache Beam reads *, ? and [ as patterns; name a folder without them")


@contextmanager
def path_errors(target: str):
    """Turns what a file system refuses into one line."""
    try:
        yield
    except (OSError, BeamIOError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise MachineError(f"{target}: {reason}; check the path and its permissions, then run again") from error
    except ValueError as error:
        raise ConfigError(f"{target}: {' '.join(str(error).split())}") from error


def sizes_below(target: str) -> dict[str, int]:
    """Name → bytes of the files below `target`; what a write that was cut off left is not counted."""
    (found,) = FileSystems.match([f"{target}/**"])
    sizes = {posixpath.relpath(one.path, target): one.size_in_bytes for one in found.metadata_list}
    return {name: size for name, size in sizes.items() if not posixpath.basename(name).startswith(".")}


def blocks(path: str) -> Iterable[bytes]:
    with FileSystems.open(path, compression_type=RAW) as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block


def read(path: str) -> bytes:
    return b"".join(blocks(path))


def checksum(path: str) -> str:
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return digest.hexdigest()


def send(file: ReleaseFile, path: str) -> None:
    """Copies under a hidden name, compares, renames. Raises MachineError where other bytes arrived."""
    folder, name = posixpath.split(path)
    temporary = f"{folder}/.{name}.tmp"
    system, inner = files.filesystem(file.path)
    with (
        system.open_input_stream(inner, compression=None) as source,
        FileSystems.create(temporary, compression_type=RAW) as sink,
    ):
        while block := source.read(BLOCK_BYTES):
            sink.write(block)
    if checksum(temporary) != file.sha256:
        raise MachineError(f"{path}: other bytes arrived than were sent; run again")
    FileSystems.rename([temporary], [path])
