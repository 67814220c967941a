"""A local folder → the files below it that may be read, and what is left out there with the reason.

Names are bytes to the kernel: they are read as UTF-8 whatever the locale is. Only regular files are ever opened; a
folder that several names lead to is listed once, so that neither a loop of links nor a cascade of them is followed.
"""

import os
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Tree:
    """Names from the folder down, sorted within each folder. `left_out`: name → why; bytes of a name that are no
    UTF-8 are lone surrogates there.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


NOT_LISTED = "a folder that may not be listed"


def list_tree(base: str, recursive: bool = True, within: Sequence[str] | None = None) -> Tree:
    """What lies below `base` (directly, unless `recursive`) and is not hidden.

    A link may lead anywhere, or where `within` is given, into one of these folders alone; a link to a folder that is
    not entered may lead anywhere. Raises OSError where `base` cannot be listed; a folder below it is left out.
    """
    tree = Tree()
    bounds = None if within is None else [real(path.encode()) for path in within]
    plain = deque([(base.encode(), "")])
    linked: deque[tuple[bytes, str]] = deque()
    entered = set()
    while plain or linked:
        path, before = plain.popleft() if plain else linked.popleft()  # links last: a loop then costs the link alone
        at = os.stat(path)
        if (at.st_dev, at.st_ino) in entered:
            tree.left_out[before.rstrip("/")] = "a link to a folder that is listed already"
            continue
        entered.add((at.st_dev, at.st_ino))
        try:
            with os.scandir(path) as entries:
                visible = sorted((entry for entry in entries if entry.name[:1] != b"."), key=lambda entry: entry.name)
        except PermissionError as error:
            if not before:
                raise
            tree.left_out[before.rstrip("/")] = f"{NOT_LISTED} ({error.strerror})"
            continue
        for entry in visible:
            name = before + entry.name.decode("utf-8", "surrogateescape")
            is_folder, problem = judge(entry, bounds, recursive)
            if problem:
                tree.left_out[name] = problem
            elif not is_folder:
                tree.files.append(name)
            else:
                tree.folders.append(name)
                if recursive:
                    (linked if entry.is_symlink() else plain).append((entry.path, f"{name}/"))
    return tree


def judge(entry: os.DirEntry[bytes], bounds: Sequence[bytes] | None, recursive: bool) -> tuple[bool, str]:
    """Whether the entry is a folder, and why it is left out (empty: it is not)."""
    try:
        entry.name.decode()
    except UnicodeDecodeError:
        return False, "its name is not valid UTF-8; rename it"
    if not entry.is_symlink():
        is_folder = entry.is_dir()
        return is_folder, "" if is_folder or entry.is_file() else "no regular file"
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return False, f"a link that cannot be followed ({error.strerror})"
    is_folder = stat.S_ISDIR(mode)
    if not is_folder and not stat.S_ISREG(mode):
        return False, "no regular file"
    if bounds is not None and (recursive or not is_folder):
        target = real(entry.path)
        if not any(target.startswith(bound) for bound in bounds):
            return is_folder, "a link that leads out of the data root; put there what it leads to"
    return is_folder, ""


def as_utf8(text: str) -> str:
    """`text` of the command line or of a file's name, in which a locale that is not UTF-8 has left bytes as lone
    surrogates. Raises UnicodeError where they are no UTF-8.
    """
    return text.encode("utf-8", "surrogateescape").decode()


def real(path: bytes) -> bytes:
    """The path without links, with a slash after it."""
    return os.path.join(os.path.realpath(path), b"")
