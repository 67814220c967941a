"""Files of predicted rows, in our form or IEPile's → records: one text and task with its gold and all its answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from schemas.errors import ConfigError
from train.scoring.items import asked_label
from train.scoring.predicted_rows import Row, annotations, check, completed, labels, prompt, rows
from transforms.language import detect_language


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote for one instruction. `labels`: the names asked; `schema`: as the prompt has them."""

    text: str
    labels: tuple[str, ...]
    schema: list
    place: str


@dataclass(slots=True)
class Record:
    """One text and one task: what all its answers together are compared with.

    `gold`: unified annotations, None where nothing is annotated. `whole`: the gold came as the annotations of the
    whole text (test rows) and not answer by answer; `label` is then the JSON of it.
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
    """A file. `notes`: what a reader of the scores should know, a line each."""

    path: str
    records: list[Record]
    rows: int
    notes: tuple[str, ...]


def load(path: str, gold: str | None = None, task: str | None = None) -> Predictions:
    """The records of a predictions file, in the order in which they begin.

    Rows of one `example_id` (or, without it, of one `id`, as IEPile's files have it), task, source and split are
    one record. `gold`: a file whose rows hold what the predictions lack (all but `id` and `output`), row by row: the
    n-th row of an id with the n-th of that id. `task`: of rows that name none. Raises ConfigError,
    with file and line, for what cannot be scored.
    """
    records: dict[tuple, Record] = {}
    places: dict[str, str] = {}
    notes: dict[str, list[str]] = {what: [] for what in NOTES}
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
                    f"{place}: the id {identity!r} stands in {places[identity]} already; keep one of them"
                )
            places[identity] = place
        _add(records, place, row, notes)
    if not records:
        raise ConfigError(f"{path}: no predictions in it")
    notes["without gold"] = [record.place for record in records.values() if record.gold is None]
    if len(notes["without gold"]) == len(records):
        place = notes["without gold"][0]
        raise ConfigError(f"{place}: no gold (label is null), nor in any other row; name it with --gold")
    for record in records.values():
        asked = {"", *(label for answer in record.answers for label in answer.labels)}
        unasked = sum(asked_label(record.task, annotation) not in asked for annotation in record.gold or ())
        notes["unasked"] += [record.place] * unasked
    said = (f"{NOTES[what]}: {len(found):,} (first: {found[0]})" for what, found in notes.items() if found)
    return Predictions(path, [r for r in records.values() if r.gold is not None], count, tuple(said))


def _add(records: dict[tuple, Record], place: str, row: Row, notes: dict[str, list[str]]) -> None:
    """Puts a row into its record, which is made where it is the first."""
    asked = prompt(place, row.instruction)
    answer = Answer(row.output, labels(place, row, asked.schema), asked.schema, place)
    key = row.task, row.source or "", row.split or "test", row.example_id or str(row.id)
    record = records.get(key)
    if record is None:
        lang = row.lang or detect_language(asked.input)
        gold, whole = annotations(place, row, asked.schema)
        records[key] = Record(*key, lang, asked.input, place, gold, whole, row.label, [answer])
        return
    if record.text != asked.input:
        raise ConfigError(f"{place}: another text than {record.place}, which has the same id")
    if not record.whole or row.label != record.label:
        gold, whole = annotations(place, row, asked.schema)
        if whole != record.whole or (gold is None) != (record.gold is None):
            raise ConfigError(f"{place}: gold of another form than {record.place}, which has the same id")
        if not whole and gold is not None:
            record.gold = [*record.gold, *gold]
        elif gold != record.gold:
            if row.example_id is not None:
                raise ConfigError(f"{place}: another label than {record.place}, which has the same example_id")
            notes["differing"].append(place)
    if any(answer.labels == earlier.labels for earlier in record.answers):
        notes["repeated"].append(place)
    record.answers.append(answer)


NOTES = {
    "differing": "rows with another label than an earlier row of their id, whose label counts",
    "repeated": "rows that ask the same labels of the same id once more, all of which count",
    "without gold": "texts without gold, not scored",
    "unasked": "gold annotations with a label that no row asks for, which count as missed",
}


def together(runs: Sequence[Predictions]) -> None:
    """Puts the records of all runs in the order of the first. Raises ConfigError where they are not the same."""
    places = {record.key: place for place, record in enumerate(runs[0].records)}
    for run in runs[1:]:
        for record in run.records:
            if record.key not in places:
                raise ConfigError(
                    f"{record.place}: {_named(record)} is not in {runs[0].path}; all must predict the same"
                )
        if len(run.records) < len(places):
            held = {record.key for record in run.records}
            lacking = next(record for record in runs[0].records if record.key not in held)
            raise ConfigError(f"{lacking.place}: {_named(lacking)} is not in {run.path}; all must predict the same")
        run.records.sort(key=lambda record: places[record.key])


def _named(record: Record) -> str:
    return f"{record.task} {record.source} {record.id!r}".replace("  ", " ")
