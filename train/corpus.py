"""A build directory, a Hub repository or a JSON file of instruction rows → a `datasets` table of Instruction rows."""

import difflib
import glob
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from schemas import manifest_file
from schemas.answer_form import DEFAULT, forms_of
from schemas.arrow import INSTRUCTIONS, instruction_schema
from schemas.errors import ConfigError, MachineError, quoted
from schemas.example import SPLITS, TASKS
from schemas.example_id import ExampleId
from schemas.label import typed_label
from schemas.manifests import Instructed, Result, Validated
from train import hub
from train.refusals import first_line
from transforms import files, user_files
from transforms.plain_schema import plain_schema

if TYPE_CHECKING:
    import datasets

    Rows: TypeAlias = datasets.Dataset | datasets.IterableDataset

REQUIRED = ("task", "source", "instruction")
EXPECTED = f"a row is a JSON object with {', '.join(REQUIRED)}"
ROWS_PER_BATCH = 10_000
JSON_COLUMNS = ("instruction", "output", "label")
LABEL_KEY = {"EE": "event_type", "EEA": "event_type", "KG": "entity_type"}
"""Task → the key of the label's name in an element of `schema`, for tasks whose elements are objects."""


class FileRow(msgspec.Struct):
    """A row of a JSON file, with the columns of `schemas.arrow.INSTRUCTIONS` and the form of its answer. JSON_COLUMNS
    may contain JSON values.
    """

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
    form: str | None = None


class Prompt(msgspec.Struct):
    """The required keys of an instruction's JSON. The form of `schema` depends on the task."""

    schema: list | dict
    input: str


PROMPT = msgspec.json.Decoder(Prompt)


class EmptySplit(ConfigError):
    """A split without rows, or without rows of the requested tasks and sources."""


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
    """The rows of one split, with the columns of `schemas.arrow.INSTRUCTIONS` (null where unknown). They may have the
    optional columns: see `row_form`.

    `data`: the output folder of a build, a dataset repository on the Hub (`org/name`, at `revision`), or a JSON or
    JSON Lines file of rows in IEPile's format: `task, source, instruction` and `output` or `label`. In such a file, a
    row without a split belongs to every split, a row without a source gets the file's name as its source, and a row
    without a task gets `task`. `sources` takes published names and, for builds, source keys.
    Raises ConfigError for any other data and for a build that has not passed validation, EmptySplit if no row
    matches, MachineError if the Hub does not answer.
    """
    _check_names("split", SPLITS, [split])
    _check_names("task", TASKS, [*(tasks or ()), *([task] if task else ())])
    if os.path.isdir(data):
        everything = _build_rows(data, split, streaming)
    elif os.path.isfile(data):
        everything = _file_rows(data, split, streaming, task)
    elif is_repository(data):
        everything = _repository_rows(data, split, streaming, revision)
    else:
        raise ConfigError(
            f"{data}: no such folder or file; give the folder of a build, a Hub repository or a JSON file"
        )
    wanted = everything
    if tasks or sources:
        chosen = {"tasks": sorted(tasks or TASKS), "sources": sorted(sources or ())}
        wanted = everything.filter(_is_wanted, input_columns=["task", "source", "example_id"], fn_kwargs=chosen)
    if next(iter(wanted), None) is None:
        raise EmptySplit(f"{data}: {_why_empty(everything, split, tasks, sources)}")
    return wanted


def check(data: str, split: str, task: str | None = None) -> None:
    """Checks `data` quickly, without importing `datasets`: that it exists and, for a file, that the first row is valid.

    Raises the errors of `rows`.
    """
    _check_names("split", SPLITS, [split])
    if os.path.isdir(data):
        if not _shards(data, split):
            raise EmptySplit(f"{data}: split {split} is empty; choose another split")
    elif os.path.isfile(data):
        if next(_split_rows(**_generator_arguments(data, split, task)), None) is None:
            raise EmptySplit(f"{data}: split {split} is empty; choose another split")
    elif is_repository(data):
        hub.check(data, "dataset")
    else:
        raise ConfigError(
            f"{data}: no such folder or file; give the folder of a build, a Hub repository or a JSON file"
        )


def has_split(data: str, split: str, revision: str | None = None) -> bool:
    """Whether the corpus has this split. A file has a split only if one of its rows names it."""
    if os.path.isdir(data):
        return bool(_shards(data, split))
    if os.path.isfile(data):
        return any(row.split == split for _, row in user_files.objects(data, FileRow, EXPECTED))
    import datasets

    with _hub_errors(data):
        return split in datasets.get_dataset_split_names(data, revision=revision)


def is_repository(name: str) -> bool:
    """Whether a name that is not a local path may be a Hub repository (`org/name` or `name`)."""
    return name.count("/") <= 1 and not name.startswith((".", "/", "~")) and not name.endswith(("/", ".json", ".jsonl"))


def row_form(row: Mapping) -> str:
    """The form of the answer that a row asks for (`transforms.answer_forms`)."""
    return row.get("form") or DEFAULT


def requested_labels(task: str, instruction: str) -> list[str]:
    """The names of the labels that an instruction shows, in order; those of the column `labels` unless it masks them.

    Raises ValueError for an instruction that is not a JSON object with a `schema` in the task's form (WIRE_FORMAT).
    """
    try:
        schema = plain_schema(json.loads(instruction)["schema"])
        if task == "SPO":
            return [typed_label(s["subject_type"], s["predicate"], s["object_type"]).name for s in schema]
        names = [item[LABEL_KEY[task]] for item in schema] if task in LABEL_KEY else list(schema)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the instruction has no schema in the form of task {task}") from error
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"the instruction has no schema in the form of task {task}")
    return names


def check_form(form: str, task: str, place: str) -> None:
    """Raises ConfigError for a form that does not serve the task."""
    forms = forms_of(task)
    if form not in forms:
        raise ConfigError(f"{place}: task {task} has no form {quoted(form)}; choose from {', '.join(forms)}")


def _check_names(kind: str, known: Collection[str], names: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{kind} {name}: no such {kind}; choose from {', '.join(known)}")


def _is_wanted(task: str, source: str, example_id: str | None, tasks: list[str], sources: list[str]) -> bool:
    if task not in tasks:
        return False
    if not sources or source in sources:
        return True
    example = ExampleId.match(example_id or "")
    return example is not None and example.key in sources


def refuse_absent(rows: "Rows", data: str, split: str, sources: Collection[str] | None) -> None:
    """Raises ConfigError if one of the `sources` has no row in `rows`, which are those of `data` that were chosen by
    them: a misspelt name would leave its rows out unnoticed.
    """
    absent = set(sources or ())
    present: set[str] = set()
    for batch in rows.select_columns(["source", "example_id"]).iter(ROWS_PER_BATCH):
        if not absent - present:
            return
        present.update(batch["source"])
        if absent - present:
            examples = filter(None, (ExampleId.match(id_ or "") for id_ in batch["example_id"]))
            present.update(example.key for example in examples)
    if missing := sorted(absent - present):
        raise ConfigError(
            f"{data}: split {split} has no rows of {', '.join(missing)} for these tasks; check it, or leave it out"
        )


def _why_empty(everything: "Rows", split: str, tasks: Collection[str] | None, sources: Collection[str] | None) -> str:
    pairs = {(row["task"], row["source"]) for row in everything.select_columns(["task", "source"])}
    if not pairs:
        return f"split {split} is empty; choose another split"
    if tasks and not any(task in tasks for task, _ in pairs):
        return f"split {split} has no {', '.join(tasks)}; it has {', '.join(t for t in TASKS if t in dict(pairs))}"
    names = sorted({source for task, source in pairs if not tasks or task in tasks})
    near = [name for source in sources or () for name in difflib.get_close_matches(source, names, 3, 0.4)]
    return f"split {split} has no rows of {', '.join(sources or ())}; did you mean {', '.join(near or names[:10])}?"


def _shards(output: str, split: str) -> dict[str, str]:
    """Path → SHA-256 of the shards of a split, as listed in the manifests of a build.

    Raises ConfigError if the build has not passed validation.
    """
    advice = f"finish it with python -m pipelines.build --output {output}"
    if not os.path.exists(f"{output}/build.json"):
        raise ConfigError(f"{output}: not made by a build (no build.json); give the folder of a build or a JSON file")
    _read_manifest(output, Validated, advice)  # exists only after the shards have passed validation
    instructed = _read_manifest(output, Instructed, advice)
    for name, size in instructed.completion.files.items():
        if not os.path.exists(f"{output}/{name}") or os.path.getsize(f"{output}/{name}") != size:
            raise ConfigError(f"{output}/{name}: not the file that was validated; {advice}")
    return {f"{output}/{shard.path}": shard.sha256 for shard in instructed.result.shards if shard.split == split}


def _read_manifest(output: str, form: type[Result], advice: str) -> manifest_file.Manifest[Result]:
    path = manifest_file.path(output, form)
    if not os.path.exists(path):
        raise ConfigError(f"{output}: not validated (no {form.folder}/manifest.json); {advice}")
    remedy = f"run the build again: python -m pipelines.build --output {output}"
    return manifest_file.parse(files.read_bytes(path), form, path, remedy)


def _build_rows(output: str, split: str, streaming: bool) -> "Rows":
    import datasets

    shards = _shards(output, split)
    if not shards:
        raise EmptySplit(f"{output}: split {split} is empty; choose another split")
    for path, checksum in shards.items():  # a changed byte may still decode, to a different text
        if files.checksum(path) != checksum:
            raise ConfigError(f"{path}: damaged, it is not the file that was validated; build it or copy it again")
    names = [
        glob.escape(os.path.realpath(path)) for path in shards
    ]  # `datasets` expands patterns and does not follow links
    return datasets.load_dataset("parquet", data_files=names, split="train", streaming=streaming)


def _repository_rows(data: str, split: str, streaming: bool, revision: str | None) -> "Rows":
    import datasets

    hub.check(data, "dataset")
    with _hub_errors(data):
        table = datasets.load_dataset(data, split=split, streaming=streaming, revision=revision)
    missing = sorted(set(INSTRUCTIONS.names) - set(table.column_names or INSTRUCTIONS.names))
    if missing:
        raise ConfigError(
            f"{data}: not a corpus of IEForge (no column {', '.join(missing)}); choose another repository"
        )
    return table


@contextmanager
def _hub_errors(data: str):
    """Turns the errors of `datasets` about the Hub into one-line errors."""
    import datasets

    try:
        yield
    except datasets.exceptions.DatasetNotFoundError as error:
        raise ConfigError(f"{data}: neither a local path nor a dataset on the Hub that you can read") from error
    except datasets.exceptions.DatasetGenerationError as error:
        raise ConfigError(f"{data}: one of its files cannot be read: {first_line(error.__cause__ or error)}") from error
    except ValueError as error:  # an unknown split or revision
        raise ConfigError(f"{data}: {str(error).splitlines()[0]}") from error
    except OSError as error:
        raise MachineError(f"{data}: no such local path, and the Hub does not answer; check both") from error


def _file_rows(path: str, split: str, streaming: bool, task: str | None) -> "Rows":
    import datasets

    arguments = _generator_arguments(path, split, task)
    if next(_split_rows(**arguments), None) is None:
        raise EmptySplit(f"{path}: split {split} is empty; choose another split")
    features = datasets.Features.from_arrow_schema(instruction_schema(["form"]))
    if streaming:
        return datasets.IterableDataset.from_generator(_split_rows, features=features, gen_kwargs=arguments)
    try:
        return datasets.Dataset.from_generator(_split_rows, features=features, gen_kwargs=arguments)
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        raise


def _generator_arguments(path: str, split: str, task: str | None) -> dict:
    """The arguments of `_split_rows`. `datasets` caches its rows by their hash, so they change with the file."""
    stat = os.stat(path)
    version = f"{stat.st_size}-{stat.st_mtime_ns}"
    return {"path": os.path.abspath(path), "split": split, "task": task, "version": version}


def _split_rows(path: str, split: str, task: str | None, version: str) -> Iterator[dict]:
    defaults = {"task": task, "source": os.path.splitext(os.path.basename(path))[0]}
    for line, row in user_files.objects(path, FileRow, EXPECTED):
        if row.split in (None, split):
            missing = {name: value for name, value in defaults.items() if not getattr(row, name)}
            yield _complete(msgspec.structs.asdict(row) | missing, split, f"{path}:{line}")


def _complete(row: dict, split: str, place: str) -> dict:
    """The row with all columns: JSON columns as strings, `text_sha256` and `labels` computed from the instruction."""
    missing = [name for name in REQUIRED if not row[name]]
    if missing:
        raise ConfigError(f"{place}: no {', '.join(missing)}; a row has {', '.join(REQUIRED)}, and output or label")
    if row["task"] not in TASKS:
        raise ConfigError(f"{place}: task {row['task']}: no such task; choose from {', '.join(TASKS)}")
    complete = {**row, "split": split, "id": None if row["id"] is None else str(row["id"]), "form": row_form(row)}
    check_form(complete["form"], row["task"], place)
    for name in JSON_COLUMNS:
        if complete[name] is not None and not isinstance(complete[name], str):
            complete[name] = json.dumps(complete[name], ensure_ascii=False)
    prompt = complete["instruction"].encode()
    try:
        decoded = PROMPT.decode(prompt)
        plain_schema(decoded.schema)
        text = decoded.input
        complete["labels"] = complete["labels"] or requested_labels(complete["task"], complete["instruction"])
    except (*user_files.UNREADABLE, ValueError) as error:
        why = user_files.reason(error, prompt)
        raise ConfigError(
            f"{place}: the instruction is not a JSON object with instruction, schema and input ({why})"
        ) from error
    complete["text_sha256"] = complete["text_sha256"] or hashlib.sha256(text.encode()).hexdigest()
    return complete
