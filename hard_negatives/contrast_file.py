"""The file of contrasts: for each label the line that sets it against its neighbours, to be read and edited by people.

JSON, `{task: {source: {label: {contrast, description, neighbours, model, checksum}}}}`, sorted. Only `contrast` is
needed. `description` and `neighbours` (label → description in short) are what the line was made from, `model` is its
author. `checksum` is that of the entry as it was written by a command: an entry with another one, or without one, was
written or edited by a person, and no command changes it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import json_values
from schemas.errors import ConfigError, names_hint, quoted
from schemas.example import TASKS
from transforms import files, user_files

LONGEST_LINE = 800
EXPECTED = "expected {task: {source: {label: {contrast: text}}}}"


class Contrast(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of the file, see the module."""

    contrast: str
    description: str = ""
    neighbours: dict[str, str] = {}
    model: str = ""
    checksum: str = ""

    @property
    def is_edited(self) -> bool:
        """Whether a person wrote or changed the entry."""
        return self.checksum != checksum(self)


Key = tuple[str, str, str]
"""(task, source key, label)."""

Contrasts = Mapping[Key, Contrast]


def checksum(entry: Contrast) -> str:
    content = msgspec.structs.replace(entry, checksum="")
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]


def signed(entry: Contrast) -> Contrast:
    """The entry as a command writes it, with its checksum."""
    return msgspec.structs.replace(entry, checksum=checksum(entry))


def read(path: str) -> dict[Key, Contrast]:
    """The entries of a local file. Raises ConfigError with the place of the first that is wrong."""
    entries: dict[Key, Contrast] = {}
    for task, by_source in mapping(user_files.value(user_files.read_text(path), path, EXPECTED), path).items():
        if task not in TASKS:
            raise ConfigError(f"{path}: no task is called {quoted(task)}; {names_hint(task, TASKS)}; {EXPECTED}")
        for source, by_label in mapping(by_source, f"{path}: {task}").items():
            place = f"{path}: {task}, {quoted(source)}"
            for label, value in mapping(by_label, place).items():
                entries[task, source, label] = parse(value, f"{place}, {quoted(label)}")
    return entries


def mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: not a JSON object; {EXPECTED}")
    return value


def parse(value: Any, place: str) -> Contrast:
    """The entry with this JSON value. Raises ConfigError with `place`."""
    try:
        entry = msgspec.convert(value, Contrast)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}; {EXPECTED}") from error
    if reason := problem(entry.contrast):
        raise ConfigError(f"{place}: {reason}; correct the contrast, or delete the entry for the line of the template")
    return entry


def problem(line: str) -> str:
    """Why a text cannot be a line; empty if it can."""
    if not line.strip():
        return "the line is empty"
    if len(line.splitlines()) > 1:
        return "more than one line"
    if any("\ud800" <= character <= "\udfff" for character in line):
        return "an unpaired surrogate"
    if len(line) > LONGEST_LINE:
        return f"{len(line):,} characters, at most {LONGEST_LINE} are allowed"
    return ""


def update(path: str, written: Contrasts) -> None:
    """Writes entries into the file, among the others that it has by now. Those that a person edited are not changed."""
    entries = read(path) if files.exists(path) else {}
    entries |= {key: entry for key, entry in written.items() if key not in entries or not entries[key].is_edited}
    files.write_text(path, render(entries))


def render(entries: Contrasts) -> str:
    """The text of the file."""
    tree: dict[str, dict[str, dict[str, Contrast]]] = {}
    for (task, source, label), entry in sorted(entries.items()):
        tree.setdefault(task, {}).setdefault(source, {})[label] = entry
    return json_values.render(tree)
