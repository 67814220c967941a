"""The value of --labels (`a,b,c`, a file of names, a JSON map, a schema.json, a label set) → Labels."""

import os
import reprlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import msgspec

from schemas import key_list
from schemas.errors import ConfigError, IEForgeError
from schemas.label import Label, LabelSet, typed_label
from transforms import files, user_files
from transforms.files import File
from transforms.formats import unified

FORMS = {
    "SPO": '[["subject type", "predicate", "object type"], …]',
    "EE": '{"event type": ["role", …], …}',
    "EEA": '{"event type": ["role", …], …}',
    "KG": '{"entity type": ["attribute", …], …}',
}
"""Task → the JSON form of a label file, for tasks whose labels have more than a name."""

PLAIN = '["label", …], {"label": "description", …}, one label per line, or a,b,c'


Name = Annotated[str, msgspec.Meta(min_length=1)]


class PlainItem(msgspec.Struct):
    """A label without roles."""

    name: Name
    description: str = ""

    def label(self) -> Label:
        return Label(self.name, self.description)


class TypeItem(msgspec.Struct):
    """An event type or entity type, with its roles or attributes as in a schema.json."""

    name: Name
    description: str = ""
    roles: list[str] | dict[str, str] = []

    def label(self) -> Label:
        return Label(self.name, self.description, unified.to_roles(self.roles))


class TripleItem(msgspec.Struct):
    """A typed triple."""

    subject_type: Name
    predicate: Name
    object_type: Name
    description: str = ""

    def label(self) -> Label:
        label = typed_label(self.subject_type, self.predicate, self.object_type)
        return replace(label, description=self.description)


ITEMS = {"SPO": TripleItem, "EE": TypeItem, "EEA": TypeItem, "KG": TypeItem}


def read(value: str | Sequence[str], task: str) -> tuple[Label, ...]:
    """The labels in `value` (names, or a string: a file path or comma-separated names) for `task`, sorted by name.

    A file contains one of: JSON in the form of the task (FORMS; for the other tasks a list, or a map label →
    description), one name per line, IEPile's schema.json, or a label set of a build (`labels/<task>/<source>.json`).
    Roles may be a map role → description. Items of a list may be objects with name, description and roles (SPO:
    subject_type, predicate, object_type and description). Raises ConfigError, with the file, for any other content and
    for a repeated label.
    """
    if not isinstance(value, str):
        labels = [_label(task, name, "labels") for name in value]
    elif os.path.isfile(value):
        labels = _read_file(value, task)
    elif value.endswith((".json", ".jsonl", ".txt", ".yaml")):
        raise ConfigError(f"{value}: no such file; --labels takes a file or comma-separated names")
    else:
        labels = [_label(task, name.strip(), value) for name in key_list.split(value, "--labels")]
    if not labels:
        raise ConfigError(f"{value}: no labels; expected {FORMS.get(task, PLAIN)}")
    by_name: dict[str, Label] = {}
    for label in labels:
        if any("\ud800" <= character <= "\udfff" for character in label.name):
            raise ConfigError(f"{value}: the label {label.name!r} is not valid UTF-8; write it in UTF-8")
        if by_name.setdefault(label.name, label) is not label:
            raise ConfigError(f"{value}: the label {label.name!r} occurs twice; list it once")
    return tuple(by_name[name] for name in sorted(by_name))


def _read_file(path: str, task: str) -> list[Label]:
    expected = f"expected {FORMS.get(task, PLAIN)}"
    text = user_files.read_text(path)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == len(unified.LINES) and lines[0].startswith("[") and lines[0].endswith("]"):
        return _read_schema(path, task)
    if not path.endswith(".json") and not text.lstrip().startswith(("[", "{")):
        return [_label(task, line, path) for line in lines]
    content = user_files.value(text, path, expected)
    if isinstance(content, dict) and isinstance(content.get("labels"), list) and "task" in content:
        if content["task"] != task:
            raise ConfigError(f"{path}: a label set of task {content['task']}, not of {task}; see --task")
        return _read_label_set(path, task)
    if isinstance(content, dict):
        key = "roles" if task in ("EE", "EEA", "KG") else "description"
        if key == "description" and not all(isinstance(value, str) for value in content.values()):
            raise ConfigError(f"{path}: task {task} has no roles; expected {FORMS.get(task, PLAIN)}")
        return [_label(task, {"name": name, key: value}, path) for name, value in content.items()]
    if not isinstance(content, list):
        raise ConfigError(f"{path}: expected {FORMS.get(task, PLAIN)}")
    return [_label(task, item, path) for item in content]


def _read_label_set(path: str, task: str) -> list[Label]:
    labels = files.read_json(path, LabelSet, "run the build again").labels
    for label in labels:
        if not label.name or (task == "SPO" and label.name != label.typed_name):
            raise ConfigError(f"{path}: {reprlib.repr(label.name)} is not a label of task {task}; run the build again")
    return list(labels)


def _read_schema(path: str, task: str) -> list[Label]:
    try:
        return list(unified.read_schema(File(path, path), task))
    except IEForgeError as error:
        raise ConfigError(str(error)) from error


def _label(task: str, item: object, place: str) -> Label:
    """The label for a name or a JSON item. Raises ConfigError."""
    invalid = ConfigError(
        f"{place}: {reprlib.repr(item)} is not a label of task {task}; expected {FORMS.get(task, PLAIN)}"
    )
    if isinstance(item, str) and item and task not in FORMS:
        return Label(item)
    if task == "SPO" and isinstance(item, list) and len(item) == 3:
        item = dict(zip(("subject_type", "predicate", "object_type"), item, strict=True))
    if not isinstance(item, dict):
        raise invalid
    try:
        return msgspec.convert(item, ITEMS.get(task, PlainItem)).label()
    except msgspec.ValidationError as error:
        raise invalid from error
