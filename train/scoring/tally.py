"""Records with their answers → arrays of counts: right, predicted, gold and overlapping items by text and label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.errors import MachineError
from train.parse import Parsed, Unparseable, parse, read
from train.scoring.items import MEASURES, Item, comparable_items, label_name
from train.scoring.metrics import MISSED, WRONG, compare, rouge_2, tokens
from train.scoring.predictions import Answer, Record
from transforms.answer_forms import from_json

COUNTS = ("right", "predicted", "gold", "overlapping")

ANSWERS = ("rows", "unparseable", "repaired", "malformed", "not_asked")
"""Counts of answers: all; those that are not JSON objects; those of these that were repaired; malformed values;
predictions for labels that the instruction does not ask for."""

REPAIR_MAX_CHARS = 100_000
"""A longer invalid answer is not repaired: a model that never stops has not answered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of R runs over N records. One of the E entries is a label in a record and a measure of its task.

    `task`, `source`, `split` (N,): strings. `record`, `measure`, `label` (E,): indices into the records,
    `MEASURES[task]` and `labels`. `counts` (E, R, 4): in the order of `COUNTS`. By record and measure: `rouge`
    (N, 2, R), nan if the task has no second measure; `wrong` (N, 2, R, 6) and `missed` (N, 2, R, 5). `answers`
    (N, R, 5): in the order of `ANSWERS`.
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
    """Counts `runs`, which have the same records in the same order (see `predictions.align`).

    `repair`: try json-repair on answers that are not JSON objects. `progress` is called once per record.
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
            answered, gold = comparable_items(record.task, annotations, record.gold)
            requested = (label for answer in record.answers for label in answer.labels)
            order = {label: place for place, label in enumerate(requested)}
            for measure, name in enumerate(MEASURES[record.task]):
                outcome = compare(answered[name], gold[name], record.text, match, unread)
                if answered[name] or gold[name] or not unread:
                    sides = (in_prompt_order(side[name], order) for side in (answered, gold))
                    rouge[at, measure, run] = rouge_2(*(tokens(side, record.lang) for side in sides))
                else:  # an unparseable answer is not an empty one
                    rouge[at, measure, run] = 0
                wrong[at, measure, run] = [outcome.wrong[kind] for kind in WRONG]
                missed[at, measure, run] = [outcome.missed[kind] for kind in MISSED]
                counters = outcome.right, outcome.predicted, outcome.gold, outcome.overlapping
                for label in {**outcome.predicted, **outcome.gold}:
                    key = at, measure, names.setdefault(display_name(label), len(names))
                    sums = entries.setdefault(key, [[0] * len(COUNTS) for _ in runs])
                    sums[run] = [count + counter[label] for count, counter in zip(sums[run], counters, strict=True)]
            if progress:
                progress()
    keys = np.array(list(entries), np.int64).reshape(-1, 3)
    counts = np.array(list(entries.values()), np.int32).reshape(-1, len(runs), len(COUNTS))
    described = (np.array([getattr(record, name) for record in first], object) for name in ("task", "source", "split"))
    return Tally(*described, tuple(names), *keys.T, counts, rouge, wrong, missed, answers)


def predicted(record: Record, repair: bool) -> tuple[list[dict], list[int]]:
    """The annotations in all answers of a record, and the counts in the order of `ANSWERS`."""
    annotations: list[dict] = []
    unparseable = repaired = malformed = not_asked = 0
    for answer in record.answers:
        parsed = parse(record.task, answer.text, answer.schema, answer.form)
        if isinstance(parsed, Unparseable):
            unparseable += 1
            parsed = repaired_answer(record.task, answer) if repair else None
            if parsed is None:
                continue
            repaired += 1
        malformed += parsed.malformed
        not_asked += sum(label_name(record.task, annotation) not in answer.labels for annotation in parsed.annotations)
        annotations += parsed.annotations
    return annotations, [len(record.answers), unparseable, repaired, malformed, not_asked]


def repaired_answer(task: str, answer: Answer) -> Parsed | None:
    """Parses an invalid answer with json-repair; None if the result does not have its form either. Raises MachineError
    if json-repair is not installed.
    """
    try:
        import json_repair
    except ImportError as error:
        raise MachineError("--repair needs json-repair: pip install -c constraints.txt -e '.[train]'") from error
    if len(answer.text) > REPAIR_MAX_CHARS or answer.form == "sentences":
        return None
    try:
        decoded = json_repair.loads(answer.text)
        return read(task, from_json(answer.form, task, decoded), answer.schema) if decoded else None
    except (RecursionError, ValueError):
        return None


def in_prompt_order(items: Sequence[Item], order: dict[str, int]) -> list[Item]:
    """The items in the order of their labels in the prompts (other labels last), and sorted within a label."""
    return sorted(items, key=lambda item: (order.get(prompt_name(item[0]), len(order)), item))


def prompt_name(label: str | tuple) -> str:
    """The name of the label in the prompt: for an argument, that of its event type."""
    if isinstance(label, str):
        return label
    return label[0] if len(label) == 2 else "_".join(label)


def display_name(label: str | tuple) -> str:
    """The label as it is displayed: `type`, `head type_predicate_tail type`, `event type / role`."""
    if isinstance(label, str):
        return label
    return " / ".join(label) if len(label) == 2 else "_".join(label)
