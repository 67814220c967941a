"""Checks of output paths before any work: commands write only to regular files and folders, and not over inputs."""

import os
import stat
from collections.abc import Iterable

from schemas.errors import ConfigError, MachineError


def check(flag: str, path: str, inputs: Iterable[str]) -> None:
    """Raises ConfigError if `path` is a folder, a device, a pipe or one of the files `inputs` under any name.

    Raises the errors of `check_parent` too.
    """
    try:
        status = os.stat(path)
    except OSError:
        check_parent(flag, path, os.path.dirname(path))
        return
    if not stat.S_ISREG(status.st_mode):
        kind = "is a folder" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
        raise ConfigError(f"{flag} {path}: {kind}; choose a file")
    for name in inputs:
        if os.path.exists(name) and os.path.samestat(status, os.stat(name)):
            raise ConfigError(f"{flag} {path}: is the input {name}, which would be overwritten; choose another file")


def check_folder(flag: str, path: str) -> None:
    """Raises ConfigError if `path` is not a folder and cannot become one. Raises the errors of `check_parent` too."""
    if os.path.exists(path) and not os.path.isdir(path):
        raise ConfigError(f"{flag} {path}: is not a folder; choose a new one")
    check_parent(flag, path, path)


def check_parent(flag: str, path: str, folder: str) -> None:
    """Checks the innermost existing part of the path to `folder`.

    Raises ConfigError if it is a file, MachineError if this user may not write in it.
    """
    parent = os.path.abspath(folder)
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        raise ConfigError(f"{flag} {path}: {parent} is not a folder; choose another path")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise MachineError(f"{flag} {path}: no permission to write in {parent}; choose another path")
