"""Keys of sources → their original files below a data root.

Each file that was fetched is in the lock file of the data root with its address and SHA-256. A file that is fetched
again, for instance on another machine with the same lock file, must have the same bytes.
"""

import os
import shutil
import sys
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from pipelines import sources
from pipelines.sources import Download, Licence, Source, registry
from pipelines.sources.fetching.transfer import download
from pipelines.sources.fetching.unpack import unpack
from schemas.errors import ConfigError, IEForgeError, MachineError, SourceError, printable
from transforms.files import machine_errors

LOCK = ".downloads.json"
"""The lock file, in the data root; hidden, so that it is not taken for data."""

WORK = ".downloads"
"""The folder of incomplete downloads, in the data root."""

WEB_PAGE = (b"<!doctype html", b"<html")
"""How a web page starts, in small letters. Sign-ins and homepages that have moved send one with the status 200."""

ALL = "all"


class Locked(msgspec.Struct, frozen=True):
    """A file that was fetched."""

    url: str
    sha256: str


def fetch(keys: Sequence[str], data_root: str) -> int:
    """Fetches the files of these sources (ALL: of all that can be fetched), and prints a line for each.

    Sources that have files are left alone. Those that cannot be fetched get a line that says how to get them. A source
    that fails costs only itself. Returns the exit code: 3 if a source failed. Raises ConfigError for an unknown key.
    """
    root = Path(data_root)
    if "://" in data_root:
        raise ConfigError(f"{data_root}: files can be fetched into a local folder only")
    folders = _folders(keys)
    root.mkdir(parents=True, exist_ok=True)
    listing = registry.list_root(data_root)
    present = {
        sources.folder(one.key) for one in registry.locate_all(listing) if one.files and one.key in sources.keys()
    }
    failed = False
    for folder, source in folders.items():
        if folder in present:
            print(f"{folder}: its files are there")
        elif not source.downloads:
            reason = "agreement needed" if source.licence is Licence.GATED else "no address to download from"
            print(f"{folder}: {reason}; get: {source.get} ({source.homepage})")
        else:
            try:
                with machine_errors(data_root):
                    count = fetch_source(folder, source.downloads, root)
            except IEForgeError as error:
                print(f"{folder}: {printable(str(error))}", file=sys.stderr)
                print(f"    by hand: {source.get} ({source.homepage})", file=sys.stderr)
                failed = True
            else:
                licence = source.licence_text or "none stated"
                print(f"{folder}: {count:,} file{'s' * (count != 1)}; licence: {licence}")
    with suppress(OSError):  # not empty, or not there
        (root / WORK).rmdir()
    return SourceError.exit_code if failed else 0


def _folders(keys: Sequence[str]) -> dict[str, Source]:
    """The folders of these keys with a source of each, sorted: the sources of one folder have the same files."""
    known = {key: sources.load(key) for key in keys if key != ALL}
    if ALL in keys:
        known = {key: sources.load(key) for key in sources.keys()}
    return {sources.folder(key): known[key] for key in sorted(known)}


def fetch_source(folder: str, downloads: Sequence[Download], root: Path) -> int:
    """Fetches all files of a source, checks them and only then moves them into `folder`. Returns their number.

    Raises TransferError, ArchiveError, and SourceError for a file that differs from a known checksum or the lock file,
    is empty or is a web page.
    """
    work = root / WORK / folder
    unpacked = work / "files"
    shutil.rmtree(unpacked, ignore_errors=True)  # of a command that was interrupted
    unpacked.mkdir(parents=True)
    targets = []
    for number, one in enumerate(downloads):
        targets.append(work / f"{number}-{file_name(one)}")
        if not targets[-1].exists():
            download(one.url, targets[-1])
    lock = _read_lock(root)
    new: dict[str, Locked] = {}
    try:
        for one, target in zip(downloads, targets, strict=True):
            names = take_files(one, target, unpacked)
            new |= {f"{folder}/{name}": _locked(one, unpacked, name) for name in names}
        _refuse_changed(lock, new)
    except IEForgeError:
        shutil.rmtree(work)  # the next command downloads them again
        raise
    _write_lock(root, lock | new)
    for path in new:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(unpacked / Path(path).relative_to(folder), root / path)
    shutil.rmtree(work)
    return len(new)


def file_name(one: Download) -> str:
    return unquote(urlsplit(one.url).path).rpartition("/")[2]


def take_files(one: Download, target: Path, folder: Path) -> list[str]:
    """Puts the wanted files of a download into `folder`; returns their paths relative to it.

    Raises ArchiveError, and SourceError for a web page or nothing instead of a file.
    """
    if one.members:
        return [path.as_posix() for path in unpack(target, one.members, folder)]
    with target.open("rb") as file:
        start = file.read(100).removeprefix(BOM_UTF8).lstrip().lower()
    if not start or start.startswith(WEB_PAGE):
        kind = "a web page" if start else "empty"
        raise SourceError(f"{one.url}: the answer is {kind}, not the file; see whether the network needs a sign-in")
    shutil.copyfile(target, folder / file_name(one))
    return [file_name(one)]


def _locked(one: Download, folder: Path, name: str) -> Locked:
    """The entry of a file. Raises SourceError if its SHA-256 is known and another one."""
    with (folder / name).open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    expected = one.checksums.get(name, sha256)
    if sha256 != expected:
        raise SourceError(f"{one.url}: {name} has SHA-256 {sha256}, not {expected}: it is not the file that is known")
    return Locked(one.url, sha256)


def _refuse_changed(lock: Mapping[str, Locked], new: Mapping[str, Locked]) -> None:
    """Raises SourceError if a new file is in the lock file with another SHA-256."""
    for path, entry in new.items():
        if path in lock and lock[path].sha256 != entry.sha256:
            raise SourceError(
                f"{path}: its SHA-256 is {entry.sha256}, and {LOCK} has {lock[path].sha256}: the file has changed "
                f"since it was first fetched; remove it from {LOCK} to accept it"
            )


def _read_lock(root: Path) -> dict[str, Locked]:
    path = root / LOCK
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Locked])
    except msgspec.DecodeError as error:
        raise MachineError(f"{path}: {error}; delete it, or restore it from another copy") from None


def _write_lock(root: Path, lock: Mapping[str, Locked]) -> None:
    temporary = root / f"{LOCK}.tmp"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(lock.items()))), indent=1) + b"\n")
    os.replace(temporary, root / LOCK)
