"""A JSON Lines file of predicted rows, in IEForge's or IEPile's format → its validated rows with decoded gold."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from schemas import answer_form
from schemas.errors import ConfigError, quoted
from schemas.example import TASKS
from train.parse import read
from transforms import answer_forms, user_files
from transforms.plain_schema import plain_schema


class Row(msgspec.Struct, frozen=True):
    """One line. Other keys are ignored. `output`: the raw answer; in a gold file, the correct answer.
    `unanswerable`: why there can be no answer.

    `instruction` and `label` are JSON strings. `rows` converts JSON values to strings.
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
    form: str | None = None
    unanswerable: str | None = None


class Prompt(msgspec.Struct, frozen=True):
    """`schema`: the plain schema. `is_described`: whether the prompt describes a label."""

    schema: list
    input: str
    is_described: bool


class WrittenPrompt(msgspec.Struct, frozen=True):
    """The JSON of a prompt, whose schema may describe labels."""

    schema: list | dict
    input: str


PROMPT = msgspec.json.Decoder(WrittenPrompt)
ANNOTATIONS = msgspec.json.Decoder(list[dict] | dict)


def rows(path: str) -> Iterator[tuple[str, Row]]:
    """Yields (file:line, row) for every row. The file has one row per line or one array of rows."""
    for line, row in user_files.objects(path, Row, "not a row of predictions"):
        yield f"{path}:{line}", _with_strings(row)


def _with_strings(row: Row) -> Row:
    values = {name: getattr(row, name) for name in ("instruction", "label")}
    decoded_values = {name: value for name, value in values.items() if isinstance(value, list | dict)}
    if not decoded_values:
        return row
    return msgspec.structs.replace(
        row, **{name: msgspec.json.encode(value).decode() for name, value in decoded_values.items()}
    )


def completed(path: str, gold: str) -> Iterator[tuple[str, Row]]:
    """Yields (file:line, row) for the rows of `path`, completed from `gold`: the n-th row of an id with the n-th there.

    Raises ConfigError for ids that occur in one file only.
    """
    waiting: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for place, row in rows(gold):
        if row.id is None:
            raise ConfigError(f"{place}: no id; predictions and gold are joined by id")
        waiting[str(row.id)].append((place, row))
    for entries in waiting.values():
        entries.reverse()
    for place, row in rows(path):
        if not waiting.get(str(row.id)):
            problem = "no more rows" if str(row.id) in waiting else "no row"
            raise ConfigError(f"{place}: {gold} has {problem} with the id {str(row.id)!r}")
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
                unanswerable=row.unanswerable,
                instruction=row.instruction or right.instruction,
                labels=row.labels or (None if row.instruction else right.labels),
                form=row.form or right.form,
                label=right.label if right.label is not None else _gold(gold_place, right),
            ),
        )
    left = [place for entries in waiting.values() for place, _ in entries]
    if left:
        more = f" (and {len(left) - 1:,} more)" if len(left) > 1 else ""
        raise ConfigError(f"{left[0]}: this row has no prediction in {path}{more}; predict it or remove it")


def _gold(place: str, row: Row) -> str | None:
    """The answer of a row of a gold file in IEPile's form. Raises ConfigError if it does not have its form."""
    if row.output is None or row.form in (None, answer_form.DEFAULT):
        return row.output
    try:
        return answer_forms.as_object(row.form, row.task or "", row.output)
    except ValueError as error:
        raise ConfigError(f"{place}: output is no answer in the form {row.form} ({error})") from error


def check(place: str, row: Row) -> None:
    """Raises ConfigError for a row without a required value, with an unknown task or a form that does not serve it."""
    if row.output is None and row.unanswerable is None:
        raise ConfigError(f"{place}: no output; add the model's answer as a string, or predict the row again")
    for name in ("id", "task", "instruction"):
        if getattr(row, name) is None:
            advice = "pass --task" if name == "task" else "add it to the row, or pass a file that has it with --gold"
            raise ConfigError(f"{place}: no {name}; {advice}")
    if row.task not in TASKS:
        raise ConfigError(f"{place}: unknown task {row.task!r}; the tasks are {', '.join(TASKS)}")
    forms = answer_form.forms_of(row.task)
    if row.form is not None and row.form not in forms:
        raise ConfigError(f"{place}: task {row.task} has no form {quoted(row.form)}; its forms are {', '.join(forms)}")


def prompt(place: str, instruction: str) -> Prompt:
    """Decodes the instruction of the row at `place`. Raises ConfigError."""
    try:
        decoded = PROMPT.decode(instruction)
        schema = plain_schema(decoded.schema)
        return Prompt(schema, decoded.input, schema != decoded.schema)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ConfigError(f"{place}: instruction is not the JSON of instruction, schema, input ({error})") from error


SCHEMA_KEYS = {
    "SPO": ("subject_type", "predicate", "object_type"),
    "EE": ("event_type",),
    "EEA": ("event_type",),
    "KG": ("entity_type",),
}


def labels(place: str, row: Row, schema: list) -> tuple[str, ...]:
    """The names of the requested labels: the row's `labels`, else those of the schema. For SPO and KG the schema is
    always checked, since its types and attributes are used. Raises ConfigError for an invalid schema.
    """
    if row.labels is not None and row.task not in ("SPO", "KG"):
        return tuple(row.labels)
    keys = SCHEMA_KEYS.get(row.task)
    try:
        names = ["_".join(entry[key] for key in keys) for entry in schema] if keys else schema
        is_complete = row.task != "KG" or all(isinstance(entry["attributes"], list) for entry in schema)
        if is_complete and all(isinstance(name, str) for name in names):
            return tuple(row.labels if row.labels is not None else names)
    except (KeyError, TypeError):
        pass
    raise ConfigError(f"{place}: the schema of the instruction does not have the form of task {row.task}")


def annotations(place: str, row: Row, schema: list) -> tuple[list[dict] | None, bool]:
    """The gold annotations of a row (None: no gold), and whether they are those of the whole text.

    Raises ConfigError for a `label` that does not have the form of the task.
    """
    if row.label is None:
        return None, False
    try:
        decoded = ANNOTATIONS.decode(row.label)
        if isinstance(decoded, dict):
            answer = read(row.task, decoded, schema, row.labels or ())
            if answer.malformed:
                raise ConfigError(
                    f"{place}: label is an answer with values that do not have the form of task {row.task}"
                )
            return answer.annotations, False
        for annotation in decoded:
            _check_gold(row.task, annotation)
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError) as error:
        raise ConfigError(f"{place}: label is not the JSON of a list of annotations of task {row.task}") from error
    return decoded, True


REQUIRED = {"NER": ("entity", "entity_type"), "EE": ("event_type",), "EET": ("event_type",), "EEA": ("event_type",)}


def _check_gold(task: str, annotation: dict) -> None:
    """Raises KeyError or TypeError for an annotation that does not have the unified form of its task."""
    strings = [annotation[key] for key in REQUIRED.get(task, ("head", "relation", "tail"))]
    strings += [annotation.get(key) or "" for key in ("head_type", "tail_type", "event_trigger")]
    for argument in annotation.get("arguments") or ():
        strings += [argument["argument"], argument["role"]]
    if not all(isinstance(string, str) for string in strings):
        raise TypeError(task)
