"""The files of a release → a folder on any file system that Apache Beam reaches, checked byte by byte."""

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
FOREIGN = "name a new folder with --to"
RAW = CompressionTypes.UNCOMPRESSED


def write(listed: Sequence[ReleaseFile], target: str) -> int:
    """Brings the files below `target` and returns how many had to be written; those that are there stay.

    Each is read back and compared before it gets its name. What an earlier release put there and this one lacks is
    deleted, and so is what a write that was cut off left. Raises ConfigError where `target` holds files and no release,
    MachineError where it cannot be written.
    """
    target = check(target)
    with path_errors(target):
        everything = sizes_below(target)
        there = {name: size for name, size in everything.items() if not posixpath.basename(name).startswith(".")}
        if there and MARKER not in there:
            raise ConfigError(f"{target}: not empty and no release (no {MARKER}); name a new folder with --to")
        marker = f"{target}/{MARKER}"
        before = json_values.parse(read(marker), ReleaseRecord, marker, FOREIGN).files if there else {}
        wanted = {file.name for file in listed}
        # Until all is there the marker tells the files of the earlier release, or else of this one: a second try
        # then knows what is ours.
        (of_marker,) = (file for file in listed if file.name == MARKER)
        others = [file for file in listed if file.name != MARKER]
        delete(target, [name for name in map(temporary, {*wanted, *before}) if name in everything])
        written = bring([] if there else [of_marker], target, there) + bring(others, target, there)
        delete(target, [name for name in before if name not in wanted and name in there])
        return written + bring([of_marker] if there else [], target, there)


def check(target: str) -> str:
    """The path of the folder `target`. Raises ConfigError for a pattern, and for a scheme without a file system."""
    target = files.absolute(target.rstrip("/") or "/")
    refuse_pattern(target)
    with path_errors(target):
        FileSystems.get_filesystem(target)
    return target


def bring(listed: Iterable[ReleaseFile], target: str, there: Mapping[str, int]) -> int:
    """Sends the files that are not `there` (name → bytes) with the same bytes, and returns how many these were."""
    sent = 0
    for file in listed:
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
    """Deletes files below `target`. Beam deletes all that a path matches, so it is given patterns that match one."""
    paths = [re.sub(r"[*?\[]", r"[\g<0>]", f"{target}/{name}") for name in sorted(names)]
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of a set of [ alone
        if paths:
            FileSystems.delete(paths)


def refuse_pattern(target: str) -> None:
    """Raises ConfigError for a path that Beam, where it lists and opens, would take for many."""
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
    """Name → bytes of the files below `target`, hidden ones too."""
    (found,) = FileSystems.match([f"{target}/**"])
    return {posixpath.relpath(one.path, target): one.size_in_bytes for one in found.metadata_list}


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
    waiting = temporary(path)
    system, inner = files.filesystem(file.path)
    with (
        system.open_input_stream(inner, compression=None) as source,
        FileSystems.create(waiting, compression_type=RAW) as sink,
    ):
        while block := source.read(BLOCK_BYTES):
            sink.write(block)
    if checksum(waiting) != file.sha256:
        raise MachineError(f"{path}: other bytes arrived than were sent; run again")
    FileSystems.rename([waiting], [path])
