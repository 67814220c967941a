"""The files of a release → a folder on any file system that Apache Beam supports, verified byte by byte."""

import hashlib
import posixpath
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipelines.release.contents import ReleaseFile
from schemas import json_values
from schemas.errors import ConfigError, MachineError
from schemas.releases import MARKER, ReleaseRecord
from transforms import files

BLOCK_BYTES = 1 << 20
FOREIGN = "choose a new folder with --to"
RAW = CompressionTypes.UNCOMPRESSED


def write(release_files: Sequence[ReleaseFile], target: str) -> int:
    """Copies the files below `target` and returns how many had to be written; identical files are kept.

    Each file is read back and compared before it gets its final name. Files of an earlier release that this one lacks
    are deleted, and so are the remains of an interrupted write. Raises ConfigError if `target` contains files but no
    release, MachineError if it cannot be written.
    """
    target = check(target)
    with path_errors(target):
        everything = sizes_below(target)
        there = {name: size for name, size in everything.items() if not posixpath.basename(name).startswith(".")}
        if there and MARKER not in there:
            raise ConfigError(f"{target}: not empty and not a release (no {MARKER}); choose a new folder with --to")
        marker = f"{target}/{MARKER}"
        before = json_values.parse(read(marker), ReleaseRecord, marker, FOREIGN).files if there else {}
        wanted = {file.name for file in release_files}
        # Until all files are written the marker lists the files of the earlier release, or else those of this one, so
        # that a second run knows which files belong to a release.
        (marker_file,) = (file for file in release_files if file.name == MARKER)
        others = [file for file in release_files if file.name != MARKER]
        delete(target, [name for name in map(temporary, {*wanted, *before}) if name in everything])
        written = copy_missing([] if there else [marker_file], target, there) + copy_missing(others, target, there)
        delete(target, [name for name in before if name not in wanted and name in there])
        return written + copy_missing([marker_file] if there else [], target, there)


def check(target: str) -> str:
    """The path of the folder `target`. Raises ConfigError for a pattern, and for a scheme without a file system."""
    target = files.absolute(target.rstrip("/") or "/")
    refuse_pattern(target)
    with path_errors(target):
        FileSystems.get_filesystem(target)
    return target


def copy_missing(release_files: Iterable[ReleaseFile], target: str, there: Mapping[str, int]) -> int:
    """Copies the files that are missing or differ, and returns their number. `there`: name → size, in bytes."""
    sent = 0
    for file in release_files:
        path = f"{target}/{file.name}"
        if there.get(file.name) != file.size or checksum(path) != file.sha256:
            send(file, path)
            sent += 1
    return sent


def temporary(name: str) -> str:
    """The hidden name under which a file is written."""
    folder, base = posixpath.split(name)
    return posixpath.join(folder, f".{base}.tmp")


def delete(target: str, names: Iterable[str]) -> None:
    """Deletes files below `target`. Beam treats paths as patterns, so each is escaped to match one file only."""
    paths = [re.sub(r"[*?\[]", r"[\g<0>]", f"{target}/{name}") for name in sorted(names)]
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # for the set [[]
        if paths:
            FileSystems.delete(paths)


def refuse_pattern(target: str) -> None:
    """Raises ConfigError for a path that Beam would treat as a pattern when it lists or opens files."""
    if re.search(r"[*?\[]", target):
        raise ConfigError(f"{target}: Apache Beam reads *, ? and [ as patterns; choose a folder without them")


@contextmanager
def path_errors(target: str):
    """Turns errors of a file system into one line."""
    try:
        yield
    except (OSError, BeamIOError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise MachineError(f"{target}: {reason}; check the path and its permissions, then run again") from error
    except ValueError as error:
        raise ConfigError(f"{target}: {' '.join(str(error).split())}") from error


def sizes_below(target: str) -> dict[str, int]:
    """Name → bytes of the files below `target`, hidden ones too."""
    (result,) = FileSystems.match([f"{target}/**"])
    return {posixpath.relpath(entry.path, target): entry.size_in_bytes for entry in result.metadata_list}


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
    """Copies a file under a hidden name, compares it, and renames it. Raises MachineError if the copy differs."""
    hidden = temporary(path)
    system, inner = files.filesystem(file.path)
    with (
        system.open_input_stream(inner, compression=None) as source,
        FileSystems.create(hidden, compression_type=RAW) as sink,
    ):
        while block := source.read(BLOCK_BYTES):
            sink.write(block)
    if checksum(hidden) != file.sha256:
        raise MachineError(f"{path}: was not written correctly; run again")
    FileSystems.rename([hidden], [path])
