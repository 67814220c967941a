"""Where a command may write: to no input of its, and to nothing but a regular file."""

import os
import stat
from collections.abc import Iterable

from schemas.errors import ConfigError


def check(flag: str, path: str, inputs: Iterable[str]) -> None:
    """Raises ConfigError where `path` is there and no regular file (a folder, a device, a pipe: to be replaced by a
    file, or never to hold what is read back), or is one of `inputs` under whatever name.
    """
    try:
        status = os.stat(path)
    except OSError:
        return  # not there, or for opening it to complain of
    if not stat.S_ISREG(status.st_mode):
        what = "is a folder" if stat.S_ISDIR(status.st_mode) else "is no regular file"
        raise ConfigError(f"{flag} {path}: {what}; name a file")
    for name in inputs:
        if os.path.exists(name) and os.path.samestat(status, os.stat(name)):
            raise ConfigError(f"{flag} {path}: is the input {name}, which would be overwritten; name another file")
