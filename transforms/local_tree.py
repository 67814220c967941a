"""A local folder → the files below it that may be read, and the entries that are left out, with the reasons.

Names are bytes for the kernel; they are decoded as UTF-8 in every locale. Only regular files are opened. A folder that
can be reached under several names is listed once, so loops and cascades of links are not followed.
"""

import os
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Tree:
    """Names relative to the folder, sorted within each folder. `left_out`: name → reason; bytes of a name that are not
    UTF-8 are lone surrogates in it.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


NOT_LISTED = "a folder that may not be listed"


def list_tree(base: str, recursive: bool = True, within: Sequence[str] | None = None) -> Tree:
    """The files and folders below `base` (directly, unless `recursive`) that are not hidden.

    Links may lead anywhere or, if `within` is given, only into these folders; links to folders that are not entered may
    always lead anywhere. Raises OSError if `base` cannot be listed. Folders below it that cannot be listed are left
    out.
    """
    tree = Tree()
    bounds = None if within is None else [real(path.encode()) for path in within]
    plain = deque([(base.encode(), "")])
    linked: deque[tuple[bytes, str]] = deque()
    entered = set()
    while plain or linked:
        # Links come last, so that only the link is left out of a loop.
        path, before = plain.popleft() if plain else linked.popleft()
        at = os.stat(path)
        if (at.st_dev, at.st_ino) in entered:
            tree.left_out[before.rstrip("/")] = "a link to a folder that is already listed"
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
    """Whether the entry is a folder, and the reason why it is left out (empty if it is kept)."""
    try:
        entry.name.decode()
    except UnicodeDecodeError:
        return False, "its name is not valid UTF-8; rename it"
    if not entry.is_symlink():
        is_folder = entry.is_dir()
        return is_folder, "" if is_folder or entry.is_file() else "not a regular file"
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return False, f"a link that cannot be followed ({error.strerror})"
    is_folder = stat.S_ISDIR(mode)
    if not is_folder and not stat.S_ISREG(mode):
        return False, "not a regular file"
    if bounds is not None and (recursive or not is_folder):
        target = real(entry.path)
        if not any(target.startswith(bound) for bound in bounds):
            return is_folder, "a link that leads out of the data root; copy its target there"
    return is_folder, ""


def as_utf8(text: str) -> str:
    """`text` decoded as UTF-8, for a flag or a file name that another locale has decoded with lone surrogates for its
    bytes. Raises UnicodeError if it is not valid UTF-8.
    """
    return text.encode("utf-8", "surrogateescape").decode()


def real(path: bytes) -> bytes:
    """The path with all links resolved and a slash at its end."""
    return os.path.join(os.path.realpath(path), b"")
