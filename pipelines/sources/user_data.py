"""A data root → the folders at or below it that hold a user's own data in IEPile's unified format, as Sources.

Such a folder holds schema.json and any of train, dev, validation, test as .json or .jsonl, and may hold a source.yaml
(`name`, `task`, `lang`, `license`). Its key is its path below the data root; that of the root itself is its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from pipelines.sources import Form, Source
from pipelines.sources.licences import licence_class
from pipelines.sources.reading import Unforeseen, barrier
from pipelines.sources.source_files import Found, find
from schemas.errors import ConfigError, SourceError, did_you_mean, quoted
from schemas.example import LAYER, TASKS
from schemas.label import Label
from transforms import yaml_values
from transforms.files import File, exists, filesystem, list_files, list_raw_files
from transforms.formats import json_rows, unified
from transforms.language import detect_language

DATA_FILES = tuple(
    f"{word}.{end}" for word in ("train", "dev", "val", "valid", "validation", "test") for end in ("json", "jsonl")
)
SCHEMA, SETTINGS = "schema.json", "source.yaml"
NAMES = frozenset((SCHEMA, SETTINGS, *DATA_FILES))
"""The names of all files that a folder of the format may hold."""

RECORDS = {
    "entities": '{"text": "...", "entity": [{"entity": "...", "entity_type": "..."}]}',
    "relations": '{"text": "...", "relation": [{"head": "...", "relation": "...", "tail": "..."}]}',
    "events": '{"text": "...", "event": [{"event_trigger": "...", "event_type": "...", "arguments": []}]}',
}
"""What a record looks like, by the layer that it annotates."""

LAYER_KEYS = frozenset({"entity", "relation", "event"})
FOLDER_TASKS = {task: task for task in TASKS}
FOLDER_LANGS = {"IE-en": "en", "IE-zh": "zh"}
SETTING_VALUES = {"name": None, "task": TASKS, "lang": tuple(FOLDER_LANGS.values()), "license": None}
"""The keys of source.yaml and the values that each may have (None: any text)."""

NAME_BYTES = 200
"""A file system takes 255 bytes a name; a build's files add a few to a key's."""

RECORDS_LOOKED_AT = 100
"""How many records of each file tell what it holds and in which language."""


@dataclass(frozen=True)
class Folder:
    """A folder in the unified format. `problem`: why it cannot be read (`source` then has no labels), else empty."""

    key: str
    source: Source
    found: Found
    problem: str = ""
    has_rows: bool = False  # a record has a key of the format
    settings: tuple[File, ...] = ()  # its schema.json and source.yaml, as far as they may be read
    trace: str = ""  # the traceback of a fault that nobody foresaw


def sources_below(data_root: str, listed: Sequence[File] | None = None) -> list[Folder]:
    """The unified folders at or below `data_root`, sorted by key; `listed`: those of `list_files(data_root)` that
    are called as in NAMES, at least.

    Folders of other datasets may hold files of these names: one counts where a record has a key of the format, or
    where it has a source.yaml or a schema.json in order (data to predict on has `text` alone). A broken schema.json
    or a missing task is the folder's `problem`. Raises ConfigError for a wrong source.yaml.
    """
    folders: dict[str, Folder] = {}
    for directory, files in _directories(list_files(data_root) if listed is None else listed).items():
        folder = _folder_behind_barrier(data_root, directory, files)
        if folder and folder.key in folders:
            raise ConfigError(f"{data_root}: its own files and those below {folder.key}/ share a key; move one of them")
        if folder:
            folders[folder.key] = folder
    return [folders[key] for key in sorted(folders)]


def source_at(data_root: str, key: str) -> Source:
    """The source that `sources_below` has under `key`. Raises SourceError where it has a problem or is not there."""
    folder = folder_at(data_root, key)
    if folder is None:
        raise SourceError(
            f"{data_root}/{key}: no folder in the unified format ({SCHEMA} beside {', '.join(DATA_FILES)})"
        )
    if folder.problem:
        raise SourceError(f"{key}: {folder.problem}")
    return folder.source


def folder_at(data_root: str, key: str) -> Folder | None:
    """The folder that `sources_below` has under `key`."""
    for directory, path in ((key, f"{data_root}/{key}"), ("", data_root)):
        if key == _key(data_root, directory) and exists(f"{path}/{SCHEMA}"):
            within = [data_root, f"{data_root}/{directory.partition('/')[0]}"]
            listed, _ = list_raw_files(path, recursive=False, within=within)
            named = [file for file in listed if file.name in NAMES]
            folder = _folder_behind_barrier(data_root, directory, named) if named else None
            if folder:
                return folder
    return None


def instruction_files(listed: Sequence[File]) -> list[File]:
    """The files named and placed like data whose rows are instructions already: `sources_below` leaves them out."""
    return [
        file
        for directory, files in _directories(listed).items()
        for file in (File(file.path, f"{directory}/{file.name}".lstrip("/")) for file in files)
        if file.name.rsplit("/", 1)[-1] in DATA_FILES and _holds_instructions(file)
    ]


def _holds_instructions(file: File) -> bool:
    """Whether its rows are instructions already. Those of a file that cannot be read are not: its folder is a source
    with a problem, which names the file.
    """
    try:
        with barrier():
            return _are_instructions(_records(file))
    except SourceError:
        return False


def _directories(listed: Iterable[File]) -> dict[str, list[File]]:
    """The folders that have a schema.json and a file named like data; their files are named from there."""
    directories: dict[str, list[File]] = {}
    for file in listed:
        directory, _, name = file.name.rpartition("/")
        if name in NAMES:
            directories.setdefault(directory, []).append(File(file.path, name))
    return {
        directory: files
        for directory, files in sorted(directories.items())
        if any(file.name == SCHEMA for file in files) and any(file.name in DATA_FILES for file in files)
    }


def _path(data_root: str, directory: str) -> list[str]:
    """The folder's names from the file system's root down."""
    return [name for name in f"{filesystem(data_root)[1]}/{directory}".split("/") if name]


def _key(data_root: str, directory: str) -> str:
    return directory or _path(data_root, directory)[-1]


def _folder_behind_barrier(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    """As `_folder`; a fault that nobody foresaw is the folder's problem."""
    try:
        with barrier():
            return _folder(data_root, directory, files)
    except Unforeseen as error:
        source = source_without_files(_path(data_root, directory)[-1])
        return Folder(_key(data_root, directory), source, find(source, list(files)), str(error), trace=error.trace)


def _folder(data_root: str, directory: str, files: Sequence[File]) -> Folder | None:
    by_name = {file.name: file for file in files}
    try:
        looked_at = {name: _records(by_name[name]) for name in DATA_FILES if name in by_name}
    except SourceError as error:
        source = source_without_files(_path(data_root, directory)[-1])
        return Folder(_key(data_root, directory), source, find(source, list(files)), str(error))
    names = [name for name, records in looked_at.items() if not _are_instructions(records)]
    records = [record for name in names for record in looked_at[name]]
    if not names:
        return None
    path = _path(data_root, directory)
    settings, wrong = {}, ""
    if SETTINGS in by_name:
        try:
            settings = _settings(by_name[SETTINGS])
        except (ConfigError, SourceError) as error:
            wrong = str(error)
    task = settings.get("task") or _nearest(path, FOLDER_TASKS)
    labels: tuple[Label, ...] = ()
    problem = f"no task: write task (one of {', '.join(TASKS)}) into {SETTINGS}, or name a folder above it so"
    if task:
        try:
            labels, problem = unified.read_schema(by_name[SCHEMA], task), ""
        except SourceError as error:
            problem = str(error)
    problem = wrong or problem
    has_rows = any(record.keys() & LAYER_KEYS for record in records)
    if problem and not settings and not wrong and not has_rows:
        return None
    lang = settings.get("lang") or _nearest(path, FOLDER_LANGS)
    lang = lang or detect_language("\n".join(str(record.get("text", "")) for record in records))
    source = _source(settings.get("name", path[-1]), task, lang, settings.get("license"), labels)
    key = _key(data_root, directory)
    problem = _key_problem(key) or problem
    settings_files = tuple(by_name[name] for name in (SCHEMA, SETTINGS) if name in by_name)
    return Folder(key, source, find(source, [by_name[name] for name in names]), problem, has_rows, settings_files)


def _key_problem(key: str) -> str:
    """Why no files can be named by this key, empty where they can."""
    for name in key.split("/"):
        if not name.isprintable():
            return f"the folder's name {name!r} holds a character that no file of a build may have; rename it"
        if len(name.encode()) > NAME_BYTES:
            return f"the folder's name has more than {NAME_BYTES} bytes; shorten it"
        if name in ("manifest", "manifest.json") or name.endswith(".parquet"):
            return f"the folder's name {name!r} is that of a file of a build; rename it"
    return ""


def _records(file: File) -> list[dict]:
    """The objects among the first records of a file, in lines or an array; what is none is left to the reader."""
    rows = json_rows.read([file], lambda place, row: row, dict)
    return [row for row in islice(rows, RECORDS_LOOKED_AT) if isinstance(row, dict)]


def _are_instructions(records: Sequence[dict]) -> bool:
    return bool(records) and all("instruction" in record and "text" not in record for record in records)


def _nearest(path: Sequence[str], meanings: Mapping[str, str]) -> str | None:
    """What the innermost folder that has a meaning means."""
    return next((meanings[name] for name in reversed(path) if name in meanings), None)


def _settings(file: File) -> dict[str, str]:
    """The user's source.yaml. Raises ConfigError where a key or value is not one of those known."""
    document = yaml_values.document(file.read(), file.path)
    content = document.value
    if not isinstance(content, dict):
        raise ConfigError(f"{document.place()}: expected the keys {', '.join(SETTING_VALUES)}")
    for key, value in content.items():
        if key not in SETTING_VALUES:
            hint = did_you_mean(str(key), SETTING_VALUES) or f"known are {', '.join(SETTING_VALUES)}"
            raise ConfigError(f"{document.place([key])}: unknown key {quoted(key)}; {hint}")
        allowed = SETTING_VALUES[key]
        if not isinstance(value, str) or not value or (allowed and value not in allowed):
            expected = f"one of {', '.join(allowed)}" if allowed else "a text (a number in quotes is one)"
            raise ConfigError(f"{document.place([key])}: {key} is {quoted(value)}; it must be {expected}")
    return content


def source_without_files(key: str) -> Source:
    """What stands for a user's own folder that cannot be read."""
    return _source(key.rpartition("/")[2], None, "en", None, ())


def _source(name: str, task: str | None, lang: str, license_text: str | None, labels: Sequence[Label]) -> Source:
    """`license_text`: see `licence_class`."""
    tasks = {None: (), "EE": ("EE", "EET", "EEA")}.get(task, (task,))
    maps: dict[str, Mapping[str, Label] | tuple[Label, ...]] = {}
    own = {label.name: label for label in labels}
    match task:
        case "NER":
            maps = {"entity_labels": own}
        case "RE":
            maps = {"relation_labels": own}
        case "SPO":
            types = sorted({end for label in labels for end in (label.subject_type, label.object_type)})
            predicates = sorted({label.predicate for label in labels})
            maps = {
                "entity_labels": {end: Label(end) for end in types},
                "relation_labels": {predicate: Label(predicate) for predicate in predicates},
                "typed_labels": tuple(labels),
            }
        case "KG":
            attributes = sorted({role for label in labels for role in label.roles})
            maps = {"entity_labels": own, "relation_labels": {role: Label(role) for role in attributes}}
        case "EE" | "EET" | "EEA":
            maps = {"event_labels": own}
    return Source(
        name=name,
        title=name,
        tasks=tasks,
        lang=lang,
        domain="",
        licence=licence_class(license_text or ""),
        licence_text=license_text or "none stated",
        homepage="",
        get=f"one JSON object a line, as {RECORDS[LAYER[task]]}" if task else "the user's own files",
        citation="",
        forms=(Form(partial(unified.read, task=task, labels=tuple(labels)), include=DATA_FILES, exclude=("*/*",)),),
        **maps,
    )
