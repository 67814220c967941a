"""The files below a data root, and what of them the sources read → what nobody reads, by folder and reason.

A file that nobody reads is nothing to train on, and a test file that nobody reads takes no text out of train: so each
one is named or counted. Hidden files and folders (`.git`, `.DS_Store`) are no data and left out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import sources
from pipelines.sources import user_data
from pipelines.sources.judge import folder
from pipelines.sources.registry import Listing, Located

PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tar", ".tgz", ".7z", ".rar")
DOCUMENTATION = re.compile(
    r"(?:.*/)?(?:readme|licen[cs]e|notice|changelog)[^/]*|.*\.(?:md|html?|pdf|dtd|bib)", re.IGNORECASE
)
"""Names of what comes with data for people to read."""

FOR_PEOPLE = "documentation"

NAMED = 3
"""So many files of a folder and reason are named, the others counted."""


@dataclass(frozen=True)
class Unread:
    """Files of a folder directly below the data root ("" for its own files) that no source reads, sorted by name.

    Without `files`, the folder could not be listed.
    """

    folder: str
    files: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        more = f" and {len(self.files) - NAMED:,} more" if len(self.files) > NAMED else ""
        where = f"{self.folder}/: " if self.folder else ""
        if not self.files:
            return f"{where}left out ({self.reason})"
        return f"{where}left out {', '.join(self.files[:NAMED])}{more} ({self.reason})"


def unread_files(listed: Listing, everything: Sequence[Located], chosen: Sequence[Located] | None) -> list[Unread]:
    """What is not read although it lies below the data root, or in the folders of the sources `chosen` (None: all)."""
    read, other_form, no_split = set(), set(), set()
    for located in everything:
        if located.found:
            for group in located.found.splits.values():
                read.update(file.path for file in group)
            other_form.update(file.path for file in located.found.ignored)
            no_split.update(file.path for file in located.found.unassigned)
    settings = {f"{path.rpartition('/')[0]}/{name}" for path in read for name in (user_data.SCHEMA, user_data.SETTINGS)}
    instructions = {file.path for file in user_data.instruction_files(listed.unified())}
    wanted = None if chosen is None else {folder(located.key).partition("/")[0] for located in chosen}
    costly = {folder(located.key) for located in everything if located.unreadable}  # named with their source
    result = [
        Unread(name, (), reason)
        for name, reason in sorted(listed.unreadable.items())
        if name not in costly and wanted is None
    ]
    for name, files in sorted(listed.folders.items()):
        if wanted is not None and name not in wanted:
            continue
        known = any(file.path in read for file in files)
        by_reason: dict[str, list[str]] = {}
        for path, reason in listed.left_out.items():
            top, slash, inside = path.partition("/")
            if (top if slash else "") == name:
                by_reason.setdefault(reason, []).append(inside or top)
        for file in files:
            if file.path in read or (file.path in settings and known):
                continue
            if file.path in instructions:
                reason = "its rows are instructions already"
            elif file.path in no_split:
                reason = "its name tells no split: train, dev or test"
            elif file.path in other_form:
                reason = "in another form, or of no use alone"
            elif DOCUMENTATION.fullmatch(file.name):
                reason = FOR_PEOPLE
            elif file.name.lower().endswith(PACKED):
                reason = "packed; unpack it"
            else:
                reason = "no source reads it" if known else nothing_known(name)
            by_reason.setdefault(reason, []).append(file.name)
        result += [Unread(name, tuple(names), reason) for reason, names in sorted(by_reason.items())]
    return result


def nothing_known(name: str) -> str:
    """Why no file of a folder is read."""
    here = [sources.load(key) for key in sources.keys() if name and sources.folder(key) == name]
    if here:
        return f"no file in it is one of the source's; {here[0].get}"
    return f"no source is called so, and no {user_data.SCHEMA} lies beside {user_data.DATA_FILES[0]}"
