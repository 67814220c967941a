"""Records with their answers → arrays of counts: right, predicted, gold and overlapping items by text and label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from types import MappingProxyType

import numpy as np

from schemas.errors import MachineError
from train.parse import Parsed, Unparseable, parse, read
from train.scoring.factors import Factor, factors
from train.scoring.familiar import Familiar
from train.scoring.items import MEASURES, Item, comparable_items, label_name
from train.scoring.metrics import MISSED, WRONG, compare, rouge_2, tokens
from train.scoring.predictions import Answer, Record
from transforms.answer_forms import from_json

COUNTS = ("right", "predicted", "gold", "overlapping")
WIDTH = len(COUNTS) + len(WRONG) + len(MISSED)

ANSWERS = ("rows", "unparseable", "repaired", "malformed", "not_asked")
"""Counts of answers: all; those that are not JSON objects; those of these that were repaired; malformed values;
predictions for labels that the instruction does not ask for."""

REPAIR_MAX_CHARS = 100_000
"""A longer invalid answer is not repaired: a model that never stops has not answered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of R runs over N records with A answers in each run. One of the E entries is a label in a record and a
    measure of its task.

    `factors`: name → its values for the answers and the entries. `rouge` (N, 2, R): by record and measure, nan if the
    task has no second measure. `answered` (A,): the record of each answer; `answers` (A, R, 5): its counts in the order
    of `ANSWERS`. `record`, `measure` (E,): indices into the records and `MEASURES[task]`. `counts` (E, R, 4): in the
    order of `COUNTS`; `wrong` (E, R, 6) and `missed` (E, R, 5): by class.
    """

    factors: dict[str, Factor]
    rouge: np.ndarray
    answered: np.ndarray
    answers: np.ndarray
    record: np.ndarray
    measure: np.ndarray
    counts: np.ndarray
    wrong: np.ndarray
    missed: np.ndarray

    @property
    def runs(self) -> int:
        return self.counts.shape[1]


def tally(
    runs: Sequence[Sequence[Record]],
    match: str,
    repair: bool = False,
    progress: Callable[[], None] | None = None,
    familiar: Familiar = MappingProxyType({}),
) -> Tally:
    """Counts `runs`, which have the same records in the same order (see `predictions.align`).

    `repair`: try json-repair on answers that are not JSON objects. `progress` is called once per record.
    `familiar`: for the factor `familiarity`.
    """
    first = runs[0]
    ends = [0, *accumulate(len(record.answers) for record in first)]
    rouge = np.full((len(first), 2, len(runs)), np.nan)
    answers = np.zeros((ends[-1], len(runs), len(ANSWERS)), np.int32)
    entries: dict[tuple[int, int, str | tuple], np.ndarray] = {}
    for run, records in enumerate(runs):
        for at, record in enumerate(records):
            annotations, counted = predicted(record, repair)
            answers[ends[at] : ends[at + 1], run] = counted
            unread = any(unparseable > repaired for _, unparseable, repaired, *_ in counted)
            ours, gold = comparable_items(record.task, annotations, record.gold)
            order = {label: place for place, label in enumerate(chain.from_iterable(a.labels for a in record.answers))}
            for measure, name in enumerate(MEASURES[record.task]):
                outcome = compare(ours[name], gold[name], record.text, match, unread)
                if ours[name] or gold[name] or not unread:
                    sides = (in_prompt_order(side[name], order) for side in (ours, gold))
                    rouge[at, measure, run] = rouge_2(*(tokens(side, record.lang) for side in sides))
                else:  # an unparseable answer is not an empty one
                    rouge[at, measure, run] = 0
                for label in {**outcome.predicted, **outcome.gold}:
                    key = at, measure, label
                    if key not in entries:
                        entries[key] = np.zeros((len(runs), WIDTH), np.int32)
                    entries[key][run] = outcome.counts(label)
            if progress:
                progress()
    record_of, measure_of = np.array([key[:2] for key in entries], np.int64).reshape(-1, 2).T
    labels = [(prompt_name(label), display_name(label)) for *_, label in entries]
    answered, by_name = factors(first, record_of, labels, familiar)
    counts = np.array(list(entries.values()), np.int32).reshape(-1, len(runs), WIDTH)
    parts = np.split(counts, np.cumsum([len(COUNTS), len(WRONG)]), axis=2)
    return Tally(by_name, rouge, answered, answers, record_of, measure_of, *parts)


def predicted(record: Record, repair: bool) -> tuple[list[dict], list[tuple[int, ...]]]:
    """The annotations in all answers of a record, and for each answer its counts in the order of `ANSWERS`."""
    annotations: list[dict] = []
    counts: list[tuple[int, ...]] = []
    for answer in record.answers:
        parsed: Parsed | Unparseable | None = parse(
            record.task, answer.text, answer.schema, answer.form, labels=answer.labels
        )
        broken = isinstance(parsed, Unparseable)
        if isinstance(parsed, Unparseable):
            parsed = repaired_answer(record.task, answer) if repair else None
        if not isinstance(parsed, Parsed):
            counts.append((1, 1, 0, 0, 0))
            continue
        not_asked = sum(label_name(record.task, annotation) not in answer.labels for annotation in parsed.annotations)
        counts.append((1, int(broken), int(broken), parsed.malformed, not_asked))
        annotations += parsed.annotations
    return annotations, counts


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
        if not decoded:
            return None
        return read(task, from_json(answer.form, task, decoded), answer.schema, answer.labels)
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
