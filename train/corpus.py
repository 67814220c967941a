"""A build directory, a Hub repository or a JSON file of instruction rows → a `datasets` table of Instruction rows."""

import difflib
import glob
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypedDict

import msgspec
from msgspec import Meta

from schemas.arrow import INSTRUCTIONS
from schemas.errors import ConfigError, MachineError
from schemas.example import SPLITS, TASKS
from schemas.label import typed_label
from train import hub
from train.refusals import first_line
from transforms import files, user_files

if TYPE_CHECKING:
    import datasets

    Rows: TypeAlias = datasets.Dataset | datasets.IterableDataset

REQUIRED = ("task", "source", "instruction")
EXPECTED = f"a row is a JSON object with {', '.join(REQUIRED)}"
JSON_COLUMNS = ("instruction", "output", "label")
LABEL_KEY = {"EE": "event_type", "EEA": "event_type", "KG": "entity_type"}
"""Task → the key of an element of `schema` that names the label, where the element is no string."""


Inside = Annotated[str, Meta(pattern=r"(?s)^(?!/|(.*/)?\.\.(/|\Z))[^\x00]+\Z")]
"""A path below the build's folder."""


class Shard(TypedDict):
    path: Inside


class Validated(TypedDict):
    """What is read of the manifest of a build's instructions: bytes and checksums of its files, and its shards."""

    files: dict[Inside, int]
    sha256: dict[Inside, str]
    shards: list[Shard]


class FileRow(msgspec.Struct):
    """A row of a JSON file: the columns of `schemas.arrow.INSTRUCTIONS`, of which JSON_COLUMNS may be JSON values."""

    id: str | int | None = None
    example_id: str | None = None
    text_sha256: str | None = None
    task: str | None = None
    source: str | None = None
    lang: str | None = None
    split: str | None = None
    instruction: Any = None
    output: Any = None
    label: Any = None
    labels: list[str] | None = None
    positives: list[str] | None = None
    hard_negatives: list[str] | None = None


class Prompt(msgspec.Struct):
    """What an instruction must hold as JSON; its `schema` is of the task's form."""

    schema: list
    input: str


PROMPT = msgspec.json.Decoder(Prompt)


class EmptySplit(ConfigError):
    """A split that has no rows, or none of the tasks and sources asked for."""


def rows(
    data: str,
    split: str,
    *,
    tasks: Collection[str] | None = None,
    sources: Collection[str] | None = None,
    streaming: bool = False,
    revision: str | None = None,
    task: str | None = None,
) -> "Rows":
    """The rows of one split, with the columns of `schemas.arrow.INSTRUCTIONS` (null where unknown).

    `data`: the output folder of a build, a dataset repository of the Hub (`org/name`, at `revision`), or a JSON or
    JSON Lines file of rows in the form of IEPile's files: `task, source, instruction` and `output` or `label`. A row
    of such a file that names no split belongs to any, one without a source has the file's name as its source, one
    without a task has `task`. `sources` takes published names and, for builds, source keys.
    Raises ConfigError for data that is none of these and for a build that did not pass its suites, EmptySplit where
    there are no such rows, MachineError where the Hub does not answer.
    """
    for name, known, values in (
        ("split", SPLITS, (split,)),
        ("task", TASKS, [*(tasks or ()), *([task] if task else ())]),
    ):
        for value in values:
            if value not in known:
                raise ConfigError(f"{name} {value}: no such {name}; there are {', '.join(known)}")
    if os.path.isdir(data):
        everything = _rows_of_build(data, split, streaming)
    elif os.path.isfile(data):
        everything = _rows_of_file(data, split, streaming, task)
    elif is_repository(data):
        everything = _rows_of_repository(data, split, streaming, revision)
    else:
        raise ConfigError(f"{data}: no such folder or file; name a build's folder, a Hub repository or a JSON file")
    wanted = everything
    if tasks or sources:
        chosen = {"tasks": sorted(tasks or TASKS), "sources": sorted(sources or ())}
        wanted = everything.filter(_is_wanted, input_columns=["task", "source", "example_id"], fn_kwargs=chosen)
    if next(iter(wanted), None) is None:
        raise EmptySplit(f"{data}: {_why_empty(everything, split, tasks, sources)}")
    return wanted


def check(data: str, split: str, task: str | None = None) -> None:
    """What can be told of `data` at once, without `datasets`: that it is there and, of a file, that its first row is
    one. Raises as `rows` does.
    """
    if os.path.isdir(data):
        if not _shards(data, split):
            raise EmptySplit(f"{data}: split {split} is empty; name another split")
    elif os.path.isfile(data):
        if next(_of_split(**_version(data, split, task)), None) is None:
            raise EmptySplit(f"{data}: split {split} is empty; name another split")
    elif is_repository(data):
        hub.check(data, "dataset")
    else:
        raise ConfigError(f"{data}: no such folder or file; name a build's folder, a Hub repository or a JSON file")


def has_split(data: str, split: str, revision: str | None = None) -> bool:
    """Whether the corpus itself names this split; a file whose rows name none has no split of its own."""
    if os.path.isdir(data):
        return bool(_shards(data, split))
    if os.path.isfile(data):
        return any(row.split == split for _, row in user_files.objects(data, FileRow, EXPECTED))
    import datasets

    with _hub_errors(data):
        return split in datasets.get_dataset_split_names(data, revision=revision)


def is_repository(name: str) -> bool:
    """Whether a name that is no local path can be one of a Hub repository (`org/name` or `name`)."""
    return name.count("/") <= 1 and not name.startswith((".", "/", "~")) and not name.endswith(("/", ".json", ".jsonl"))


def asked(task: str, instruction: str) -> list[str]:
    """The names of the labels that an instruction asks for, in order, as the column `labels` has them.

    Raises ValueError for an instruction that is no JSON object with a `schema` of the task's form (WIRE_FORMAT).
    """
    try:
        schema = json.loads(instruction)["schema"]
        if task == "SPO":
            return [typed_label(s["subject_type"], s["predicate"], s["object_type"]).name for s in schema]
        names = [item[LABEL_KEY[task]] for item in schema] if task in LABEL_KEY else list(schema)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the instruction holds no schema of the form of task {task}") from error
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"the instruction holds no schema of the form of task {task}")
    return names


def _is_wanted(task: str, source: str, example_id: str | None, tasks: list[str], sources: list[str]) -> bool:
    folders = tuple(f"{key}/" for key in sources)
    return task in tasks and (not sources or source in sources or (example_id or "").startswith(folders))


def _why_empty(everything: "Rows", split: str, tasks: Collection[str] | None, sources: Collection[str] | None) -> str:
    held = everything.select_columns(["task", "source"])
    there = {(row["task"], row["source"]) for row in held}
    if not there:
        return f"split {split} is empty; name another split"
    if tasks and not any(task in tasks for task, _ in there):
        return f"split {split} has no {', '.join(tasks)}; it has {', '.join(t for t in TASKS if t in dict(there))}"
    names = sorted({source for task, source in there if not tasks or task in tasks})
    near = [name for source in sources or () for name in difflib.get_close_matches(source, names, 3, 0.4)]
    return f"split {split} has no rows of {', '.join(sources or ())}; did you mean {', '.join(near or names[:10])}?"


def _shards(output: str, split: str) -> dict[str, str | None]:
    """Path → SHA-256 of the shards that a build's manifests name. Raises ConfigError where they did not pass their
    suites.
    """
    advice = f"finish it with python -m pipelines.build --output {output}"
    if not os.path.exists(f"{output}/build.json"):
        raise ConfigError(f"{output}: not made by a build (no build.json); name a build's folder or a JSON file")
    for folder in ("reports", "data"):  # the reports' manifest is the mark of shards that passed their suites
        path = f"{output}/{folder}/manifest.json"
        if not os.path.exists(path):
            raise ConfigError(f"{output}: not validated (no {folder}/manifest.json); {advice}")
        try:
            manifest = files.read_json(path, Validated if folder == "data" else dict)
        except ConfigError as error:
            raise ConfigError(f"{error}, so the build is not validated; {advice}") from error
    for name, size in manifest["files"].items():
        if not os.path.exists(f"{output}/{name}") or os.path.getsize(f"{output}/{name}") != size:
            raise ConfigError(f"{output}/{name}: not the file that was validated; {advice}")
    paths = [shard["path"] for shard in manifest["shards"]]
    checksums = manifest["sha256"]
    return {f"{output}/{path}": checksums.get(path) for path in paths if os.path.basename(path).startswith(f"{split}-")}


def _rows_of_build(output: str, split: str, streaming: bool) -> "Rows":
    import datasets

    shards = _shards(output, split)
    if not shards:
        raise EmptySplit(f"{output}: split {split} is empty; name another split")
    for path, checksum in shards.items():  # a byte that changed may still decode, to another text
        if files.checksum(path) != checksum:
            raise ConfigError(f"{path}: damaged, it is not the file that was validated; build it anew or copy it again")
    names = [glob.escape(os.path.realpath(path)) for path in shards]  # `datasets` looks for patterns, not behind links
    return datasets.load_dataset("parquet", data_files=names, split="train", streaming=streaming)


def _rows_of_repository(data: str, split: str, streaming: bool, revision: str | None) -> "Rows":
    import datasets

    hub.check(data, "dataset")
    with _hub_errors(data):
        found = datasets.load_dataset(data, split=split, streaming=streaming, revision=revision)
    missing = sorted(set(INSTRUCTIONS.names) - set(found.column_names or INSTRUCTIONS.names))
    if missing:
        raise ConfigError(f"{data}: no corpus of IEForge (no column {', '.join(missing)}); name another repository")
    return found


@contextmanager
def _hub_errors(data: str):
    """What the Hub refuses, in one line."""
    import datasets

    try:
        yield
    except datasets.exceptions.DatasetNotFoundError as error:
        raise ConfigError(f"{data}: neither a local path nor a dataset of the Hub that you may read") from error
    except datasets.exceptions.DatasetGenerationError as error:
        raise ConfigError(f"{data}: a file of it cannot be read: {first_line(error.__cause__ or error)}") from error
    except ValueError as error:  # an unknown split or revision
        raise ConfigError(f"{data}: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise MachineError(f"{data}: no such local path, and the Hub does not answer; check both") from error


def _rows_of_file(path: str, split: str, streaming: bool, task: str | None) -> "Rows":
    import datasets

    version = _version(path, split, task)
    if next(_of_split(**version), None) is None:
        raise EmptySplit(f"{path}: split {split} is empty; name another split")
    features = datasets.Features.from_arrow_schema(INSTRUCTIONS)
    if streaming:
        return datasets.IterableDataset.from_generator(_of_split, features=features, gen_kwargs=version)
    try:
        return datasets.Dataset.from_generator(_of_split, features=features, gen_kwargs=version)
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        raise


def _version(path: str, split: str, task: str | None) -> dict:
    """Arguments of the generator: `datasets` keeps its rows under their hash, so a changed file needs others."""
    stat = os.stat(path)
    version = f"{stat.st_size}-{stat.st_mtime_ns}"
    return {"path": os.path.abspath(path), "split": split, "task": task, "version": version}


def _of_split(path: str, split: str, task: str | None, version: str) -> Iterator[dict]:
    given = {"task": task, "source": os.path.splitext(os.path.basename(path))[0]}
    for line, row in user_files.objects(path, FileRow, EXPECTED):
        if row.split in (None, split):
            missing = {name: value for name, value in given.items() if not getattr(row, name)}
            yield _filled(msgspec.structs.asdict(row) | missing, split, f"{path}:{line}")


def _filled(row: dict, split: str, place: str) -> dict:
    """The row with all our columns: JSON columns as strings, text_sha256 and labels from the instruction."""
    missing = [name for name in REQUIRED if not row[name]]
    if missing:
        raise ConfigError(f"{place}: no {', '.join(missing)}; a row has {', '.join(REQUIRED)}, and output or label")
    if row["task"] not in TASKS:
        raise ConfigError(f"{place}: task {row['task']}: no such task; there are {', '.join(TASKS)}")
    filled = {**row, "split": split, "id": None if row["id"] is None else str(row["id"])}
    for name in JSON_COLUMNS:
        if filled[name] is not None and not isinstance(filled[name], str):
            filled[name] = json.dumps(filled[name], ensure_ascii=False)
    prompt = filled["instruction"].encode()
    try:
        text = PROMPT.decode(prompt).input
        filled["labels"] = filled["labels"] or asked(filled["task"], filled["instruction"])
    except (*user_files.UNREADABLE, ValueError) as error:
        why = user_files.reason(error, prompt)
        raise ConfigError(
            f"{place}: the instruction is no JSON object with instruction, schema and input ({why})"
        ) from error
    filled["text_sha256"] = filled["text_sha256"] or hashlib.sha256(text.encode()).hexdigest()
    return filled
