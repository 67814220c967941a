"""A JSON Lines file of predicted rows, in our form or IEPile's → its rows, checked, with their gold decoded."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from schemas.errors import ConfigError
from schemas.example import TASKS
from train.parse import read
from transforms import user_files


class Row(msgspec.Struct, frozen=True):
    """One line. Other keys are ignored. `output`: the raw answer; in a gold file the answer that is right.

    `instruction` and `label` are JSON strings; where a file has them as JSON values, `rows` makes them strings.
    """

    id: str | int | None = None
    example_id: str | None = None
    task: str | None = None
    source: str | None = None
    lang: str | None = None
    split: str | None = None
    instruction: str | dict | None = None
    labels: list[str] | None = None
    label: str | list | dict | None = None
    output: str | None = None


class Prompt(msgspec.Struct, frozen=True):
    schema: list
    input: str


PROMPT = msgspec.json.Decoder(Prompt)
ANNOTATIONS = msgspec.json.Decoder(list[dict] | dict)


def rows(path: str) -> Iterator[tuple[str, Row]]:
    """(file:line, row) of every row, one a line or in one array."""
    for line, row in user_files.objects(path, Row, "not a row of predictions"):
        yield f"{path}:{line}", _with_strings(row)


def _with_strings(row: Row) -> Row:
    values = {name: getattr(row, name) for name in ("instruction", "label")}
    given = {name: value for name, value in values.items() if isinstance(value, list | dict)}
    if not given:
        return row
    return msgspec.structs.replace(row, **{name: msgspec.json.encode(value).decode() for name, value in given.items()})


def completed(path: str, gold: str) -> Iterator[tuple[str, Row]]:
    """The rows of `path` with what they lack from `gold`: the n-th row of an id with the n-th of that id.

    Raises ConfigError for ids that one file has and the other has not.
    """
    waiting: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for place, row in rows(gold):
        if row.id is None:
            raise ConfigError(f"{place}: no id, by which predictions are joined with their gold")
        waiting[str(row.id)].append((place, row))
    for same in waiting.values():
        same.reverse()
    for place, row in rows(path):
        if not waiting.get(str(row.id)):
            what = "no more rows" if str(row.id) in waiting else "no row"
            raise ConfigError(f"{place}: {gold} has {what} with the id {str(row.id)!r}")
        gold_place, right = waiting[str(row.id)].pop()
        for name in ("task", "source"):
            ours, theirs = getattr(row, name), getattr(right, name)
            if None not in (ours, theirs) and ours != theirs:
                raise ConfigError(f"{place}: {name} {ours!r}, but {theirs!r} in {gold_place}, which has the same id")
        yield (
            place,
            msgspec.structs.replace(
                right,
                output=row.output,
                instruction=row.instruction or right.instruction,
                labels=row.labels or (None if row.instruction else right.labels),
                label=right.label if right.label is not None else right.output,
            ),
        )
    left = [place for same in waiting.values() for place, _ in same]
    if left:
        more = f" (nor have {len(left) - 1:,} others)" if len(left) > 1 else ""
        raise ConfigError(f"{left[0]}: this row has no prediction in {path}{more}; predict it or leave it out")


def check(place: str, row: Row) -> None:
    """Raises ConfigError for a row that cannot be scored."""
    if row.output is None:
        raise ConfigError(f"{place}: no output; give the model's answer as a string, or predict the row again")
    for name in ("id", "task", "instruction"):
        if getattr(row, name) is None:
            way = "give --task" if name == "task" else "add it to the row, or name a file that has it with --gold"
            raise ConfigError(f"{place}: no {name}; {way}")
    if row.task not in TASKS:
        raise ConfigError(f"{place}: unknown task {row.task!r}; the tasks are {', '.join(TASKS)}")


def prompt(place: str, instruction: str) -> Prompt:
    try:
        return PROMPT.decode(instruction)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"{place}: instruction is not the JSON of instruction, schema, input ({error})") from error


SCHEMA_KEYS = {
    "SPO": ("subject_type", "predicate", "object_type"),
    "EE": ("event_type",),
    "EEA": ("event_type",),
    "KG": ("entity_type",),
}


def labels(place: str, row: Row, schema: list) -> tuple[str, ...]:
    """The names asked, as the row says or else the schema of its prompt. SPO takes the types from the schema too."""
    if row.labels is not None and row.task != "SPO":
        return tuple(row.labels)
    keys = SCHEMA_KEYS.get(row.task)
    try:
        names = ["_".join(entry[key] for key in keys) for entry in schema] if keys else schema
        if all(isinstance(name, str) for name in names):
            return tuple(row.labels if row.labels is not None else names)
    except (KeyError, TypeError):
        pass
    raise ConfigError(f"{place}: the schema of the instruction has not the form of task {row.task}")


def annotations(place: str, row: Row, schema: list) -> tuple[list[dict] | None, bool]:
    """The annotations of a row's gold and whether they are those of the whole text."""
    if row.label is None:
        return None, False
    try:
        decoded = ANNOTATIONS.decode(row.label)
        if isinstance(decoded, dict):
            found = read(row.task, decoded, schema)
            if found.malformed:
                raise ConfigError(f"{place}: label is an answer with pieces that are none of task {row.task}")
            return found.annotations, False
        for annotation in decoded:
            _check_gold(row.task, annotation)
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError) as error:
        raise ConfigError(f"{place}: label is not the JSON of a list of annotations of task {row.task}") from error
    return decoded, True


REQUIRED = {"NER": ("entity", "entity_type"), "EE": ("event_type",), "EET": ("event_type",), "EEA": ("event_type",)}


def _check_gold(task: str, annotation: dict) -> None:
    """Raises KeyError or TypeError for an annotation that has not the unified form of its task."""
    strings = [annotation[key] for key in REQUIRED.get(task, ("head", "relation", "tail"))]
    strings += [annotation.get(key) or "" for key in ("head_type", "tail_type", "event_trigger")]
    for argument in annotation.get("arguments") or ():
        strings += [argument["argument"], argument["role"]]
    if not all(isinstance(string, str) for string in strings):
        raise TypeError(task)
