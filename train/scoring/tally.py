"""Records with their answers → counts as arrays: right, predicted, gold and overlapping items by text and label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import MachineError
from train.parse import Parsed, Unparseable, parse, read
from train.scoring.items import MEASURES, Item, asked_label, compared
from train.scoring.metrics import MISSED, WRONG, compare, rouge_2, tokens
from train.scoring.predictions import Answer, Record

COUNTS = ("right", "predicted", "gold", "overlapping")

ANSWERS = ("rows", "unparseable", "repaired", "malformed", "not_asked")
"""What is counted of answers: all; those that are no JSON object; of these, those that repair made one; pieces of
another shape than the task's; predictions for a label that the instruction did not ask."""

REPAIR_MAX_CHARS = 100_000
"""A longer broken answer is not repaired: a model that never stops has written no answer."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of R runs over N records. An entry is one label in one record and one measure of its task.

    `record`, `measure`, `label` (E,): indices into the records, `MEASURES[task]` and `labels`; `counts` (E, R, 4) in
    the order of `COUNTS`. By record and measure: `rouge` (N, 2, R), nan where a task has no such measure; `wrong`
    (N, 2, R, 6) and `missed` (N, 2, R, 5). `answers` (N, R, 5).
    """

    task: np.ndarray
    source: np.ndarray
    split: np.ndarray
    labels: tuple[str, ...]
    record: np.ndarray
    measure: np.ndarray
    label: np.ndarray
    counts: np.ndarray
    rouge: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray
    answers: np.ndarray

    @property
    def runs(self) -> int:
        return self.counts.shape[1]


def tally(
    runs: Sequence[Sequence[Record]], match: str, repair: bool = False, progress: Callable[[], None] | None = None
) -> Tally:
    """Counts `runs`, each the same records in the same order (see `predictions.together`).

    `repair`: answers that are no JSON object get a second chance with json-repair. `progress` is called once a record.
    """
    first = runs[0]
    size = len(first), 2, len(runs)
    rouge = np.full(size, np.nan)
    wrong = np.zeros((*size, len(WRONG)), np.int32)
    missed = np.zeros((*size, len(MISSED)), np.int32)
    answers = np.zeros((len(first), len(runs), len(ANSWERS)), np.int32)
    names: dict[str, int] = {}
    entries: dict[tuple[int, int, int], list[list[int]]] = {}
    for run, records in enumerate(runs):
        for at, record in enumerate(records):
            annotations, answers[at, run] = predicted(record, repair)
            unread = bool(answers[at, run, 1] > answers[at, run, 2])
            given, gold = compared(record.task, annotations, record.gold)
            asked = (label for answer in record.answers for label in answer.labels)
            order = {label: place for place, label in enumerate(asked)}
            for measure, name in enumerate(MEASURES[record.task]):
                outcome = compare(given[name], gold[name], record.text, match, unread)
                if given[name] or gold[name] or not unread:
                    sides = (in_asked_order(side[name], order) for side in (given, gold))
                    rouge[at, measure, run] = rouge_2(*(tokens(side, record.lang) for side in sides))
                else:  # what cannot be read does not say that there is nothing
                    rouge[at, measure, run] = 0
                wrong[at, measure, run] = [outcome.wrong[kind] for kind in WRONG]
                missed[at, measure, run] = [outcome.missed[kind] for kind in MISSED]
                counters = outcome.right, outcome.predicted, outcome.gold, outcome.overlapping
                for label in {**outcome.predicted, **outcome.gold}:
                    key = at, measure, names.setdefault(label_name(label), len(names))
                    found = entries.setdefault(key, [[0] * len(COUNTS) for _ in runs])
                    found[run] = [had + counter[label] for had, counter in zip(found[run], counters, strict=True)]
            if progress:
                progress()
    keys = np.array(list(entries), np.int64).reshape(-1, 3)
    counts = np.array(list(entries.values()), np.int32).reshape(-1, len(runs), len(COUNTS))
    described = (np.array([getattr(record, name) for record in first], object) for name in ("task", "source", "split"))
    return Tally(*described, tuple(names), *keys.T, counts, rouge, wrong, missed, answers)


def predicted(record: Record, repair: bool) -> tuple[list[dict], list[int]]:
    """The annotations that all answers about a record give, and the counts `ANSWERS`."""
    annotations: list[dict] = []
    unparseable = repaired = malformed = not_asked = 0
    for answer in record.answers:
        parsed = parse(record.task, answer.text, answer.schema)
        if isinstance(parsed, Unparseable):
            unparseable += 1
            parsed = second_chance(record.task, answer) if repair else None
            if parsed is None:
                continue
            repaired += 1
        malformed += parsed.malformed
        not_asked += sum(asked_label(record.task, found) not in answer.labels for found in parsed.annotations)
        annotations += parsed.annotations
    return annotations, [len(record.answers), unparseable, repaired, malformed, not_asked]


def second_chance(task: str, answer: Answer) -> Parsed | None:
    """A broken answer as json-repair reads it, None where that is no object either."""
    try:
        import json_repair
    except ImportError as error:
        raise MachineError("--repair needs json-repair: pip install -c constraints.txt -e '.[train]'") from error
    if len(answer.text) > REPAIR_MAX_CHARS:
        return None
    try:
        decoded = json_repair.loads(answer.text)
    except (RecursionError, ValueError):
        return None
    return read(task, decoded, answer.schema) if isinstance(decoded, dict) and decoded else None


def in_asked_order(found: Sequence[Item], order: dict[str, int]) -> list[Item]:
    """The items label by label as they were asked (those not asked last), those of a label in the order of strings."""
    return sorted(found, key=lambda item: (order.get(asked_name(item[0]), len(order)), item))


def asked_name(label: str | tuple) -> str:
    """The name in the prompt: of a typed triple all of it, of an argument its event type."""
    if isinstance(label, str):
        return label
    return label[0] if len(label) == 2 else "_".join(label)


def label_name(label: str | tuple) -> str:
    """The label as it is shown: `type`, `head type_predicate_tail type`, `event type / role`."""
    if isinstance(label, str):
        return label
    return " / ".join(label) if len(label) == 2 else "_".join(label)
