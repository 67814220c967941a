"""A file of predictions → which label a model gave for which, as evidence that the two are confused.

What a confusion is, `transforms.confused_labels` defines; its mentions are the entity, the head and tail of the
relation, or the trigger. The rows of a text are taken together, since A and B may be asked in different prompts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from hard_negatives.evidence import Evidence
from hard_negatives.vectors import agreement, unit
from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from schemas.example_id import ExampleId
from schemas.label import LabelSet
from transforms import answer_forms, confused_labels, user_files
from transforms.draw import seed_key
from transforms.plain_schema import SHOWN, plain_schema

EXPECTED = "a row of predictions has task, source, instruction, label (gold) and output; train.predict writes them"


class Row(msgspec.Struct, frozen=True):
    """The values of a row of predictions that are used."""

    task: str
    source: str
    instruction: str | dict[str, Any]
    output: str | None
    id: str | int = ""
    example_id: str | None = None
    split: str | None = None
    labels: list[str] | None = None
    label: str | list[Any] | dict[str, Any] | None = None
    form: str | None = None


@dataclass
class Mistakes:
    """`pairs`: for each half of the texts, (gold label, predicted label) → number of units; right answers are pairs of
    equal labels.
    """

    pairs: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    @property
    def total(self) -> Counter[tuple[str, str]]:
        return self.pairs[0] + self.pairs[1]


Key = tuple[str, str]
"""(task, source: key or published name). EET counts as EE."""


@dataclass(frozen=True)
class Predictions:
    """`mistakes`: (task, source) → mistakes. `unparseable`: rows without an answer, or with one that has not its form;
    `test_rows`: rows of test splits, which are left out, since labels are mined without test texts.
    """

    mistakes: dict[Key, Mistakes]
    rows: int
    unparseable: int
    test_rows: int


def read(path: str) -> Predictions:
    """The mistakes in a file of `train.predict` (one row per line).

    Raises ConfigError with file and line for a row that is not one of predictions, and for a file without rows, without
    gold, or with rows of test splits only.
    """
    gold: dict[tuple[Key, str], set[tuple[str, str]]] = defaultdict(set)
    given: dict[tuple[Key, str], set[tuple[str, str]]] = defaultdict(set)
    rows = unparseable = test_rows = without_gold = 0
    for line, row in user_files.objects(path, Row, EXPECTED):
        rows += 1
        if row.split == "test":
            test_rows += 1
        elif row.label is None:
            without_gold += 1
        elif row.task in confused_labels.TASKS:
            example = ExampleId.match(row.example_id or "")
            key = "EE" if row.task == "EET" else row.task, example.key if example else row.source
            text = key, row.example_id or str(row.id)
            names = shown_names(row, f"{path}:{line}")
            gold[text] |= set(gold_units(row, names, f"{path}:{line}"))
            if row.output is None:  # train.predict could not answer it
                unparseable += 1
                continue
            try:
                answer = answer_forms.read(row.form or DEFAULT, row.task, row.output)
            except ValueError:
                unparseable += 1
                continue
            given[text] |= set(units(row.task, answer, names))
    if not rows:
        raise ConfigError(f"{path}: contains no predictions; {EXPECTED}")
    if test_rows == rows:
        raise ConfigError(f"{path}: all rows are of test splits, from which nothing is mined; predict another split")
    if without_gold == rows - test_rows:
        raise ConfigError(f"{path}: no row has gold annotations (label is null); {EXPECTED}")
    mistakes: dict[Key, Mistakes] = defaultdict(Mistakes)
    for (key, name), right in gold.items():
        half = mistakes[key].pairs[seed_key(0, name) % 2]
        half.update((label, label) for label, *_ in right & given[key, name])
        half.update(confused_labels.confusions(sorted(right), sorted(given[key, name])))
    return Predictions(dict(mistakes), rows, unparseable, test_rows)


def decoded(value: Any) -> Any:
    """A JSON value that may be written as a string."""
    return msgspec.json.decode(value, type=dict | list) if isinstance(value, str) else value


def shown_names(row: Row, place: str) -> dict[str, str]:
    """The name that the prompt shows → the label's own name, which differs if it is masked or typed (SPO)."""
    try:
        schema = plain_schema(decoded(row.instruction)["schema"])
        key = SHOWN.get(row.task)
        shown = [element[key] if key else element for element in schema]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: the instruction has no schema in the form of task {row.task}") from error
    return dict(zip(shown, row.labels or shown, strict=False))


def gold_units(row: Row, names: Mapping[str, str], place: str) -> Iterator[tuple[str, str]]:
    """(label, unit) of the gold: the annotations of the whole text, or an answer as the prompt asks for it."""
    try:
        label = decoded(row.label)
        if isinstance(label, dict):
            yield from units(row.task, label, names)
            return
        for annotation in label:
            yield from annotated(row.task, annotation)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{place}: label is not the JSON of gold annotations of task {row.task}") from error


def annotated(task: str, annotation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, unit) of a unified annotation."""
    match task:
        case "NER":
            yield annotation["entity_type"], annotation["entity"]
        case "RE" | "SPO":
            parts = (annotation.get("head_type"), annotation["relation"], annotation.get("tail_type"))
            label = "_".join(part or "" for part in parts) if task == "SPO" else annotation["relation"]
            yield label, pair(annotation["head"], annotation["tail"])
        case _:
            if annotation.get("event_trigger"):
                yield annotation["event_type"], annotation["event_trigger"]


def pair(head: str, tail: str) -> str:
    return f"{head}\0{tail}"


def units(task: str, answer: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(label, unit) of an answer object; values that do not have the form of the task are left out."""
    for shown, items in answer.items():
        label = names.get(shown, shown)
        for item in items if isinstance(items, list) else ():
            match item:
                case str() if task in ("NER", "EET") and item:
                    yield label, item
                case {"subject": str(head), "object": str(tail)} if task in ("RE", "SPO"):
                    yield label, pair(head, tail)
                case {"trigger": str(trigger)} if task == "EE" and trigger != "NAN":
                    yield label, trigger


def mistakes_for(mistakes: Mapping[Key, Mistakes], label_set: LabelSet) -> Mistakes | None:
    """The mistakes that concern a label set; None if there are none, or if they name none of its labels."""
    task = "EE" if label_set.task in ("EET", "EEA") else label_set.task
    one = mistakes.get((task, label_set.key)) or mistakes.get((task, label_set.source))
    names = {label.name for label in label_set.labels}
    return one if one and any(names.issuperset(labels) for labels in one.total) else None


def evidence(mistakes: Mistakes, label_set: LabelSet) -> Evidence:
    """The confusion matrix as unit rows: row, the gold label; column, the predicted one. Its reliability is the
    agreement of the two halves of the texts.

    Every label counts as right once more, so that one that is only given wrongly has a row.
    """
    rows = {label.name: row for row, label in enumerate(label_set.labels)}
    first, second = (matrix(half, rows) for half in mistakes.pairs)
    reliability = agreement(unit(first), unit(second))
    return Evidence(unit(matrix(mistakes.total, rows)).astype(np.float32), reliability)


def matrix(pairs: Mapping[tuple[str, str], int], rows: Mapping[str, int]) -> np.ndarray:
    counts = np.eye(len(rows))
    for (gold, given), number in pairs.items():
        if gold in rows and given in rows:
            counts[rows[gold], rows[given]] += number
    return counts


def check(predictions: Predictions, path: str, label_sets: Sequence[LabelSet]) -> None:
    """Raises ConfigError if the predictions name no label of these label sets, or have no mention of the gold."""
    if not any(mistakes.total for mistakes in predictions.mistakes.values()):
        raise ConfigError(
            f"mine.confusions: {path}: no answer has a mention of the gold, with the right label or another, so it "
            f"shows no confusion ({predictions.unparseable:,} of {predictions.rows:,} answers cannot be read); predict "
            "with a model that is trained for longer"
        )
    if not any(mistakes_for(predictions.mistakes, label_set) for label_set in label_sets):
        named = ", ".join(f"{task} {source}" for task, source in sorted(predictions.mistakes)[:5])
        raise ConfigError(
            f"mine.confusions: {path}: its rows name no label of a source of this build (they are of "
            f"{named or 'tasks whose labels are not confused'}); predict rows of this build"
        )
