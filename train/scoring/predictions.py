"""Files of predicted rows, in IEForge's or IEPile's format → records: a text and task with its gold and answers."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from schemas import language
from schemas.answer_form import DEFAULT
from schemas.errors import ConfigError
from train.scoring.items import label_name
from train.scoring.predicted_rows import Row, annotations, check, completed, labels, prompt, rows
from train.scoring.words import say
from transforms import user_files
from transforms.language import detect_language
from transforms.plain_schema import true_names

DESCRIPTIONS = ("none", "described", "masked")
"""How prompts show labels: by their names, with descriptions, or some of them under masks with descriptions."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer to one instruction. `labels`: the requested labels; `schema`: the plain schema of the prompt;
    `form`: the form that the prompt asks for; `description`: one of DESCRIPTIONS.
    """

    text: str
    labels: tuple[str, ...]
    schema: list
    form: str
    description: str
    place: str


@dataclass(slots=True)
class Record:
    """One text and one task, with the gold and all answers that are compared with it.

    `gold`: unified annotations, None if there are none in the file. `whole`: whether a row's gold is that of the whole
    text (test rows), with the JSON `label`, or only that of its instruction.
    """

    task: str
    source: str
    split: str
    id: str
    lang: str
    text: str
    place: str
    gold: list[dict] | None
    whole: bool
    label: str | None
    answers: list[Answer]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.task, self.source, self.split, self.id


@dataclass(frozen=True, slots=True)
class Predictions:
    """A file of predictions. `rows`: number of rows. `notes`: one-line remarks for readers of the scores. `missing`:
    the number of rows of the run of train.predict that are not in the file. `unanswerable`: reason → number of rows
    that have no answer for it.
    """

    path: str
    records: list[Record]
    rows: int
    notes: tuple[str, ...]
    missing: int
    unanswerable: dict[str, int]


class Meta(msgspec.Struct):
    """The part of predictions.meta.json that says how many rows the run has."""

    rows: int | None = None


def load(path: str, gold: str | None = None, task: str | None = None) -> Predictions:
    """Reads the records of a predictions file, in the order of their first rows.

    Rows with the same `example_id` (without it, the same `id`, as in IEPile's files), task, source and split form one
    record. `gold`: a file with the values that the predictions lack (all but `id` and `output`); the n-th row of an id
    is joined with the n-th row of that id. `task`: task of rows without one. Raises ConfigError, with file and line,
    for rows that cannot be scored.
    """
    records: dict[tuple, Record] = {}
    places: dict[str, str] = {}
    notes: dict[str, list[str]] = {kind: [] for kind in NOTES}
    unanswerable: Counter[str] = Counter()
    count = 0
    for place, row in completed(path, gold) if gold else rows(path):
        count += 1
        if row.task is None and task:
            row = msgspec.structs.replace(row, task=task)
        check(place, row)
        if row.example_id is not None:
            identity = str(row.id)
            if identity in places:
                raise ConfigError(
                    f"{place}: the id {identity!r} already occurs in {places[identity]}; keep one of them"
                )
            places[identity] = place
        _add(records, place, row, notes)
        if row.unanswerable is not None and row.output is None:
            notes["unanswerable"].append(place)
            unanswerable[row.unanswerable.partition(":")[0]] += 1
    if not records:
        raise ConfigError(f"{path}: contains no predictions")
    notes["without gold"] = [record.place for record in records.values() if record.gold is None]
    if len(notes["without gold"]) == len(records):
        place = notes["without gold"][0]
        raise ConfigError(f"{place}: no gold annotations in any row (label is null); pass them with --gold")
    for record in records.values():
        requested = {"", *(label for answer in record.answers for label in answer.labels)}
        unasked = sum(label_name(record.task, annotation) not in requested for annotation in record.gold or ())
        notes["unasked"] += [record.place] * unasked
    lines = [say(f"note.{kind}", count=len(at), first=at[0]) for kind, at in notes.items() if at]
    lines += [say("note.reason", reason=reason, count=count) for reason, count in sorted(unanswerable.items())]
    if missing := _missing(path, count):
        lines.append(say("note.missing", path=path, count=missing))
    scored = [record for record in records.values() if record.gold is not None]
    return Predictions(path, scored, count, tuple(lines), missing, dict(sorted(unanswerable.items())))


def _missing(path: str, count: int) -> int:
    """The number of rows that a file of `count` rows lacks, by the meta file of its run; 0 if there is none."""
    meta = f"{path.removesuffix('.jsonl')}.meta.json"
    if not os.path.exists(meta):
        return 0
    run = user_files.value(user_files.read_text(meta), meta, "expected the meta file of train.predict", Meta)
    return max(0, (run.rows or 0) - count)


def _add(records: dict[tuple, Record], place: str, row: Row, notes: dict[str, list[str]]) -> None:
    """Adds a row to its record, or creates the record for its first row. Raises ConfigError for a contradiction."""
    assert row.task is not None  # see `check`
    decoded = prompt(place, row.instruction)
    names = labels(place, row, decoded.schema)
    description = "none"
    if decoded.is_described:
        description = "masked" if true_names(row.task, decoded.schema, names) else "described"
    answer = Answer(row.output or "", names, decoded.schema, row.form or DEFAULT, description, place)
    key = row.task, row.source or "", row.split or "test", row.example_id or str(row.id)
    record = records.get(key)
    if record is None:
        lang = language.code(row.lang or "") or detect_language(decoded.input)
        gold, whole = annotations(place, row, decoded.schema)
        records[key] = Record(*key, lang, decoded.input, place, gold, whole, row.label, [answer])
        return
    if record.text != decoded.input:
        raise ConfigError(f"{place}: the text differs from that of {record.place}, which has the same id")
    if not record.whole or row.label != record.label:
        gold, whole = annotations(place, row, decoded.schema)
        if whole != record.whole or (gold is None) != (record.gold is None):
            raise ConfigError(f"{place}: gold in another form than in {record.place}, which has the same id")
        if not whole and gold is not None:
            record.gold = [*record.gold, *gold]
        elif gold != record.gold:
            if row.example_id is not None:
                raise ConfigError(
                    f"{place}: the label differs from that of {record.place}, which has the same example_id"
                )
            notes["differing"].append(place)
    if any(answer.labels == earlier.labels for earlier in record.answers):
        notes["repeated"].append(place)
    record.answers.append(answer)


NOTES = ("differing", "repeated", "without gold", "unanswerable", "unasked")
"""What notes count; the words of `note.<kind>` say it."""


def align(runs: Sequence[Predictions]) -> None:
    """Sorts the records of all runs, and their answers, into the order of the first run.

    Raises ConfigError if the records or the numbers of their answers differ.
    """
    align_texts(runs)
    for run in runs[1:]:
        for record, first in zip(run.records, runs[0].records, strict=True):
            if len(record.answers) != len(first.answers):
                raise ConfigError(
                    f"{record.place}: the number of rows of {_description(record)} is {len(record.answers)} in "
                    f"{run.path} and {len(first.answers)} in {runs[0].path}; all runs must have the same rows"
                )
            order = {frozenset(answer.labels): place for place, answer in enumerate(first.answers)}
            record.answers.sort(key=lambda answer: order.get(frozenset(answer.labels), len(order)))


def align_texts(runs: Sequence[Predictions]) -> None:
    """Sorts the records of all runs into the order of the first run. Raises ConfigError if the records differ."""
    places = {record.key: place for place, record in enumerate(runs[0].records)}
    for run in runs[1:]:
        for record in run.records:
            if record.key not in places:
                raise ConfigError(
                    f"{record.place}: {_description(record)} is not in {runs[0].path}; all runs must have the same rows"
                )
        if len(run.records) < len(places):
            present = {record.key for record in run.records}
            missing = next(record for record in runs[0].records if record.key not in present)
            raise ConfigError(
                f"{missing.place}: {_description(missing)} is not in {run.path}; all runs must have the same rows"
            )
        run.records.sort(key=lambda record: places[record.key])


def _description(record: Record) -> str:
    return f"{record.task} {record.source} {record.id!r}".replace("  ", " ")
