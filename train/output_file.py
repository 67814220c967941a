"""Where a command may write: not over its inputs, and only to regular files and folders. Checked before any work."""

import os
import stat
from collections.abc import Iterable

from schemas.errors import ConfigError, MachineError


def check(flag: str, path: str, inputs: Iterable[str]) -> None:
    """Raises ConfigError where a file cannot be written to `path`: it is a folder, a device or a pipe, or one of the
    files `inputs` under any name. MachineError as `check_parent` does.
    """
    try:
        status = os.stat(path)
    except OSError:
        check_parent(flag, path, os.path.dirname(path))
        return
    if not stat.S_ISREG(status.st_mode):
        kind = "is a folder" if stat.S_ISDIR(status.st_mode) else "is no regular file"
        raise ConfigError(f"{flag} {path}: {kind}; name a file")
    for name in inputs:
        if os.path.exists(name) and os.path.samestat(status, os.stat(name)):
            raise ConfigError(f"{flag} {path}: is the input {name}, which would be overwritten; name another file")


def check_folder(flag: str, path: str) -> None:
    """Raises ConfigError where files cannot be written below the folder `path`: it is a file. MachineError as
    `check_parent` does.
    """
    if os.path.exists(path) and not os.path.isdir(path):
        raise ConfigError(f"{flag} {path}: is no folder; name a new one")
    check_parent(flag, path, path)


def check_parent(flag: str, path: str, folder: str) -> None:
    """Raises ConfigError where the innermost part that exists of the path to a folder is a file, MachineError where
    this user may not write in it.
    """
    parent = os.path.abspath(folder)
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        raise ConfigError(f"{flag} {path}: {parent} is no folder; name another path")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise MachineError(f"{flag} {path}: no permission to write in {parent}; name another path")
