"""An archive → those of its files that are wanted, below a folder. Nothing in an archive is trusted."""

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from schemas.errors import MachineError, printable

MAX_FILES = 100_000
MAX_BYTES = 8 << 30
CHUNK_BYTES = 1 << 20


DAMAGES = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError),  # a compression that zipfile does not know; a file with a password
)

Member = tuple[str, Callable[[], IO[bytes]]]
"""The path of a file in an archive, and a function that opens it."""


class ArchiveError(MachineError):
    """An archive that cannot be unpacked: damaged, too large, without the files that are wanted, or unsafe."""


def unpack(archive: Path, members: Sequence[str], folder: Path) -> list[Path]:
    """Writes the files that match the globs `members` below `folder`, and returns their paths relative to it.

    A glob is matched without case against the path in the archive and against the bare name. The topmost folder of the
    paths is left out if it is the same for all. Links, devices and hidden files are not unpacked. Raises ArchiveError
    for a path that leads out of the folder, for more than MAX_FILES files or MAX_BYTES bytes, for a damaged archive,
    and if no file matches.
    """
    try:
        with _open(archive) as files:
            wanted = [member for member in files if _matches(member[0], members)]
            if not wanted:
                raise ArchiveError(f"{archive.name}: no file in it matches {', '.join(members)}")
            if len(wanted) > MAX_FILES:
                raise ArchiveError(f"{archive.name}: more than {MAX_FILES:,} files")
            return _write_all(archive.name, wanted, folder)
    except DAMAGES as error:
        reason = str(error).partition(":\n")[0]  # tarfile adds a line for each compression that it tries
        raise ArchiveError(f"{archive.name}: cannot be unpacked: {reason}") from None


@contextmanager
def _open(archive: Path) -> Iterator[Iterator[Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            yield _zip_members(files)
    else:
        with tarfile.open(archive) as files:
            yield _tar_members(files)
            while files.fileobj.read(CHUNK_BYTES):  # the checksum of a compressed archive is at its end
                pass


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not info.is_dir() and kind in (0, stat.S_IFREG):
            yield info.filename, partial(archive.open, info)


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for info in archive:
        if info.isreg():
            yield info.name, partial(archive.extractfile, info)


def _matches(name: str, members: Sequence[str]) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    if any(part.startswith(".") and part not in (".", "..") for part in path.parts) or "__MACOSX" in path.parts:
        return False
    names = str(path).lower(), path.name.lower()
    return any(fnmatch(each, glob.lower()) for glob in members for each in names)


def _write_all(archive: str, wanted: Sequence[Member], folder: Path) -> list[Path]:
    paths = [PurePosixPath(name.replace("\\", "/")) for name, _ in wanted]
    for path in paths:
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise ArchiveError(f"{archive}: {printable(str(path))} would be written outside the folder of the source")
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    skipped = 1 if len(tops) == 1 and all(len(path.parts) > 1 for path in paths) else 0
    written, left = [], MAX_BYTES
    for path, (_, read) in zip(paths, wanted, strict=True):
        relative = Path(*path.parts[skipped:])
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        with read() as source, target.open("wb") as file:
            while chunk := source.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise ArchiveError(f"{archive}: more than {MAX_BYTES / 1e9:.0f} GB unpacked")
                file.write(chunk)
        written.append(relative)
    return written
