"""A data root → the folders at or below it that contain a user's data in IEPile's unified format with a schema.json, as
Sources. Without a schema.json, it is one of the formats of `tool_folders`.

Such a folder contains schema.json, any of train, dev, validation and test as .json or .jsonl, and optionally a
source.yaml (`name`, `task`, `lang`, `license`). Its key is its path below the data root; the key of the root is its
name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from pipelines.sources import Form, Source, source_yaml
from pipelines.sources.licences import NONE_STATED, licence_class
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.source_files import SourceFiles, find
from schemas import language
from schemas.errors import ConfigError, SourceError, did_you_mean, quoted
from schemas.example import LAYER, TASKS
from schemas.label import Label
from transforms import yaml_values
from transforms.files import File, exists, filesystem, list_files, list_raw_files
from transforms.formats import json_rows, unified
from transforms.language import guess

DATA_FILES = tuple(
    f"{word}.{end}" for word in ("train", "dev", "val", "valid", "validation", "test") for end in ("json", "jsonl")
)
SCHEMA, SETTINGS = "schema.json", "source.yaml"
NAMES = frozenset((SCHEMA, SETTINGS, *DATA_FILES))
"""The names of all files of the format."""

RECORDS = {
    "entities": '{"text": "...", "entity": [{"entity": "...", "entity_type": "..."}]}',
    "relations": '{"text": "...", "relation": [{"head": "...", "relation": "...", "tail": "..."}]}',
    "events": '{"text": "...", "event": [{"event_trigger": "...", "event_type": "...", "arguments": []}]}',
}
"""Layer → an example of a record that annotates it."""

LAYER_KEYS = frozenset({"entity", "relation", "event"})
FOLDER_TASKS: dict[str, str] = {task: task for task in TASKS}
LANG_FOLDER = "IE-"
"""The start of the name of a folder with data in one language, such as IE-en."""

SETTING_VALUES = {"name": None, "task": TASKS, "lang": None, "license": None}
"""Keys of source.yaml → allowed values (None: any text)."""

NAME_BYTES = 200
"""A file name may have 255 bytes; the files of a build add a few bytes to a key."""

RECORDS_PER_FILE = 100
"""Records read per file to detect its content and language."""


@dataclass(frozen=True)
class Folder:
    """A folder in the unified format. `problem`: why it cannot be read (then `source` has no labels), else empty."""

    key: str
    source: Source
    files: SourceFiles
    problem: str = ""
    has_rows: bool = False  # a record has a key of the unified format
    settings: tuple[File, ...] = ()  # schema.json and source.yaml, as far as they exist
    trace: str = ""  # the traceback of an unexpected exception


def sources_below(data_root: str, listed_files: Sequence[File] | None = None) -> list[Folder]:
    """The unified folders at or below `data_root`, sorted by key. `listed_files`: the files of `list_files(data_root)`,
    at least those with a name in NAMES.

    Folders of other datasets may contain files with these names. A folder counts as unified if a record has a key of
    the format, or if it has a source.yaml or a valid schema.json (data to predict on has only `text`). A broken
    schema.json, a wrong source.yaml or a missing task is the folder's `problem`. Raises ConfigError if two folders
    have the same key.
    """
    folders: dict[str, Folder] = {}
    for directory, files in _directories(list_files(data_root) if listed_files is None else listed_files).items():
        folder = _folder_behind_barrier(data_root, directory, files)
        if folder and folder.key in folders:
            raise ConfigError(
                f"{data_root}: its files and those below {folder.key}/ have the same key; move one of them"
            )
        if folder:
            folders[folder.key] = folder
    return [folders[key] for key in sorted(folders)]


def source_at(data_root: str, key: str) -> Source | None:
    """The source that `sources_below` returns for `key`; None if there is none. Raises SourceError if it has a
    problem.
    """
    folder = folder_at(data_root, key)
    if folder and folder.problem:
        raise SourceError(f"{key}: {folder.problem}")
    return folder.source if folder else None


def folder_at(data_root: str, key: str) -> Folder | None:
    """The folder that `sources_below` returns for `key`; None if there is none."""
    for directory, path in ((key, f"{data_root}/{key}"), ("", data_root)):
        if key == folder_key(data_root, directory) and exists(f"{path}/{SCHEMA}"):
            within = [data_root, f"{data_root}/{directory.partition('/')[0]}"]
            raw_files, _ = list_raw_files(path, recursive=False, within=within)
            folder_files = [file for file in raw_files if file.name in NAMES]
            folder = _folder_behind_barrier(data_root, directory, folder_files) if folder_files else None
            if folder:
                return folder
    return None


def instruction_files(listed_files: Sequence[File]) -> list[File]:
    """The files that look like data by name and place but whose rows already are instructions; `sources_below` skips
    them.
    """
    return [
        file
        for directory, files in _directories(listed_files).items()
        for file in (File(file.path, f"{directory}/{file.name}".lstrip("/")) for file in files)
        if file.name.rsplit("/", 1)[-1] in DATA_FILES and _contains_instructions(file)
    ]


def _contains_instructions(file: File) -> bool:
    """Whether the rows already are instructions. False for a file that cannot be read: its folder becomes a source with
    a problem that names the file.
    """
    try:
        with barrier():
            return _are_instructions(_records(file))
    except SourceError:
        return False


def _directories(listed_files: Iterable[File]) -> dict[str, list[File]]:
    """The folders with a schema.json and a data file → their files, with names relative to the folder."""
    directories: dict[str, list[File]] = {}
    for file in listed_files:
        directory, _, name = file.name.rpartition("/")
        if name in NAMES:
            directories.setdefault(directory, []).append(File(file.path, name))
    return {
        directory: files
        for directory, files in sorted(directories.items())
        if any(file.name == SCHEMA for file in files) and any(file.name in DATA_FILES for file in files)
    }


def path_names(data_root: str, directory: str) -> list[str]:
    """The components of the folder's path, from the root of the file system."""
    return [name for name in f"{filesystem(data_root)[1]}/{directory}".split("/") if name]


def folder_key(data_root: str, directory: str) -> str:
    return directory or path_names(data_root, directory)[-1]


def _folder_behind_barrier(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    """Like `_folder`; an unexpected exception becomes the folder's problem."""
    try:
        with barrier():
            return _folder(data_root, directory, files)
    except Unforeseen as error:
        source = source_without_files(path_names(data_root, directory)[-1])
        return Folder(
            folder_key(data_root, directory), source, find(source, list(files)), str(error), trace=error.trace
        )


def _folder(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    by_name = {file.name: file for file in files}
    try:
        first_records = {name: _records(by_name[name]) for name in DATA_FILES if name in by_name}
    except SourceError as error:
        source = source_without_files(path_names(data_root, directory)[-1])
        return Folder(folder_key(data_root, directory), source, find(source, list(files)), str(error))
    names = [name for name, records in first_records.items() if not _are_instructions(records)]
    records = [record for name in names for record in first_records[name]]
    if not names:
        return None
    path = path_names(data_root, directory)
    settings, settings_problem = {}, ""
    if SETTINGS in by_name:
        try:
            settings = _settings(by_name[SETTINGS])
        except (ConfigError, SourceError) as error:
            settings_problem = str(error)
    task = settings.get("task") or _nearest(path, FOLDER_TASKS)
    labels: tuple[Label, ...] = ()
    problem = f"no task: write task (one of {', '.join(TASKS)}) into {SETTINGS}, or name a parent folder after the task"
    if task:
        try:
            labels, problem = unified.read_schema(by_name[SCHEMA], task), ""
        except SourceError as error:
            problem = str(error)
    problem = settings_problem or problem
    has_rows = any(record.keys() & LAYER_KEYS for record in records)
    if problem and not settings and not settings_problem and not has_rows:
        return None
    lang = settings.get("lang") or _nearest(path, {name: code for name in path if (code := _folder_lang(name))})
    sample = "\n".join(str(record.get("text", "")) for record in records)
    lang, is_sure = (lang, True) if lang else guess(sample)
    source = _source(settings.get("name", path[-1]), task, lang, settings.get("license"), labels)
    source = replace(source, lang_is_guess=not is_sure)
    key = folder_key(data_root, directory)
    problem = key_problem(key) or problem
    settings_files = tuple(by_name[name] for name in (SCHEMA, SETTINGS) if name in by_name)
    return Folder(key, source, find(source, [by_name[name] for name in names]), problem, has_rows, settings_files)


def key_problem(key: str) -> str:
    """Why the key cannot be used in file names; empty if it can."""
    for name in key.split("/"):
        if not name.isprintable():
            return f"the folder's name {name!r} contains a character that is not allowed in files of a build; rename it"
        if len(name.encode()) > NAME_BYTES:
            return f"the folder's name is longer than {NAME_BYTES} bytes; shorten it"
        if name in ("manifest", "manifest.json") or name.endswith(".parquet"):
            return f"the folder's name {name!r} is the name of a file of a build; rename it"
    return ""


def _records(file: File) -> list[dict]:
    """The JSON objects among the first records of a file (lines or an array). Other values are left to the reader."""
    rows = json_rows.read([file], lambda place, row: row, dict)
    return [row for row in islice(rows, RECORDS_PER_FILE) if isinstance(row, dict)]


def _are_instructions(records: Sequence[dict]) -> bool:
    return bool(records) and all("instruction" in record and "text" not in record for record in records)


def _nearest(path: Sequence[str], meanings: Mapping[str, str]) -> str | None:
    """The meaning of the innermost folder name that has one, else None."""
    return next((meanings[name] for name in reversed(path) if name in meanings), None)


def _folder_lang(name: str) -> str | None:
    """The language in the name of a folder; None if there is none."""
    return language.code(name.removeprefix(LANG_FOLDER)) if name.startswith(LANG_FOLDER) else None


def _settings(file: File) -> dict[str, str]:
    """The content of a source.yaml, with `lang` as a code. Raises ConfigError for an unknown key or value."""
    document = yaml_values.document(file.read(), file.path)
    content = {} if document.value is None else document.value  # empty, or comments only
    if not isinstance(content, dict):
        raise ConfigError(f"{document.place()}: expected the keys {', '.join(SETTING_VALUES)}")
    for key, value in content.items():
        if key in source_yaml.KEYS and key not in SETTING_VALUES:
            raise ConfigError(
                f"{document.place([key])}: {key} does not go with a {SCHEMA} beside it; remove {key}, "
                f"or remove {SCHEMA}: then all labels that occur are taken"
            )
        if key not in SETTING_VALUES:
            hint = did_you_mean(str(key), SETTING_VALUES) or f"known keys: {', '.join(SETTING_VALUES)}"
            raise ConfigError(f"{document.place([key])}: unknown key {quoted(key)}; {hint}")
        allowed = SETTING_VALUES[key]
        if not isinstance(value, str) or not value or (allowed and value not in allowed):
            expected = f"one of {', '.join(allowed)}" if allowed else "a text (put a number in quotes)"
            raise ConfigError(f"{document.place([key])}: {key} is {quoted(value)}; it must be {expected}")
        if key == "lang":
            content[key] = language.code(value)
            if content[key] is None:
                raise ConfigError(f"{document.place([key])}: {language.problem(key, value)}")
    return content


def source_without_files(key: str) -> Source:
    """The Source of a user's folder that cannot be read."""
    return _source(key.rpartition("/")[2], None, "en", None, ())


def _source(name: str, task: str | None, lang: str, license_text: str | None, labels: Sequence[Label]) -> Source:
    """The Source of a user's folder. `license_text`: see `licence_class`."""
    tasks = () if task is None else ("EE", "EET", "EEA") if task == "EE" else (task,)
    source = Source(
        name=name,
        title=name,
        tasks=tasks,
        lang=lang,
        domain="",
        licence=licence_class(license_text or ""),
        licence_text=license_text or NONE_STATED,
        homepage="",
        get=f"one JSON object per line: {RECORDS[LAYER[task]]}" if task else "files of the user",
        citation="",
        forms=(Form(partial(unified.read, task=task, labels=tuple(labels)), include=DATA_FILES, exclude=("*/*",)),),
    )
    by_name = {label.name: label for label in labels}
    match task:
        case "NER":
            return replace(source, entity_labels=by_name)
        case "RE":
            return replace(source, relation_labels=by_name)
        case "SPO":
            types = _labels(end for label in labels for end in (label.subject_type, label.object_type))
            predicates = _labels(label.predicate for label in labels)
            return replace(source, entity_labels=types, relation_labels=predicates, typed_labels=tuple(labels))
        case "KG":
            attributes = _labels(role for label in labels for role in label.role_names)
            return replace(source, entity_labels=by_name, relation_labels=attributes)
        case "EE" | "EET" | "EEA":
            return replace(source, event_labels=by_name)
    return source


def _labels(names: Iterable[str | None]) -> dict[str, Label]:
    """Name → its Label, sorted."""
    return {name: Label(name) for name in sorted({name for name in names if name is not None})}
