"""Records with their answers → the values by which scores are grouped.

A factor belongs to a text (its source, its length), to an answer (how many labels its prompt asks for) or to a label
(how familiar it is from training).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from schemas.familiarity import Familiarity
from train.scoring.familiar import UNKNOWN, Familiar, familiarity
from train.scoring.predictions import Answer, Record

TEXT = ("task", "source", "split", "file", "length")
ANSWER = ("labels_asked", "form", "description")
LABEL = ("label", "familiarity")
FACTORS = (*TEXT, *ANSWER, *LABEL)
"""The factors by which scores can be grouped. The task is always one of them: tasks count different items."""

LENGTHS = (100, 200, 400, 800, 1600)
"""Upper bounds of the classes of text lengths, in code points. The last class has no upper bound."""

LENGTH_CLASSES = (
    *(f"{low + 1}–{high}" for low, high in zip((0, *LENGTHS[:-1]), LENGTHS, strict=True)),
    f"over {LENGTHS[-1]}",
)

ORDERED = (*LENGTH_CLASSES, *get_args(Familiarity), UNKNOWN)
"""Values that are shown in this order."""

NOT_ASKED = "not asked"
"""The value of a factor of answers for items whose label no prompt about the text asks for."""


@dataclass(frozen=True, slots=True)
class Factor:
    """The values of one factor for the A answers and the E entries of a tally: that of answer n is `names[answers[n]]`.

    `names`: in the order in which tables show them. `answers` (A,): for a factor of labels, which has no values for
    answers, all 0. `entries` (E,).
    """

    names: tuple[str, ...]
    answers: np.ndarray
    entries: np.ndarray


def encode(values: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The distinct values, and for each value its place among them. ORDERED values are in their order and
    numbers in ascending order, before other values in that of strings.
    """
    names = sorted(set(values), key=_rank)
    place = {name: n for n, name in enumerate(names)}
    return tuple(names), np.array([place[value] for value in values], np.int64)


def _rank(name: str) -> tuple[int, str]:
    if name in ORDERED:
        return ORDERED.index(name), name
    return (int(name), name) if name.isdecimal() and len(name) < 10 else (1 << 31, name)


def text_factors(record: Record) -> tuple[str, ...]:
    """The values of TEXT. A file is the path of the predictions."""
    length = LENGTH_CLASSES[int(np.searchsorted(LENGTHS, len(record.text)))]
    return record.task, record.source, record.split, record.place.rpartition(":")[0], length


def answer_factors(answer: Answer) -> tuple[str, ...]:
    """The values of ANSWER."""
    return str(len(answer.labels)), answer.form, answer.description


def factors(
    records: Sequence[Record], record: np.ndarray, labels: Sequence[tuple[str, str]], familiar: Familiar
) -> tuple[np.ndarray, dict[str, Factor]]:
    """The record of each answer (A,), and the factors by name.

    `record` (E,): the record of each entry. `labels` (E): its label, as prompts name it and as it is displayed.
    `familiar`: the familiarity of labels, as far as it is known.
    """
    answered = np.repeat(np.arange(len(records)), [len(record.answers) for record in records])
    result = {}
    for name, column in zip(TEXT, zip(*map(text_factors, records), strict=True), strict=True):
        names, codes = encode(column)
        result[name] = Factor(names, codes[answered], codes[record])
    of_answers = [answer_factors(answer) for record in records for answer in record.answers]
    requests = [_request(records[at], name) for at, (name, _) in zip(record.tolist(), labels, strict=True)]
    of_entries = [answer_factors(request[0]) if request else (NOT_ASKED,) * len(ANSWER) for request in requests]
    for name, column in zip(ANSWER, zip(*of_answers, *of_entries, strict=True), strict=True):
        names, codes = encode(column)
        result[name] = Factor(names, *np.split(codes, [len(of_answers)]))
    kinds = [
        familiarity(records[at], request[1], familiar) if request else UNKNOWN
        for at, request in zip(record.tolist(), requests, strict=True)
    ]
    for name, values in zip(LABEL, ([label for _, label in labels], kinds), strict=True):
        names, codes = encode(values)
        result[name] = Factor(names, np.zeros(len(answered), np.int64), codes)
    return answered, result


def _request(record: Record, label: str) -> tuple[Answer, str] | None:
    """The first answer of the record that asks for the label of an item, and the label by its name in the column
    `labels`: for an attribute of KG, an entity type that has it.
    """
    for answer in record.answers:
        if record.task == "KG":
            for name, item in zip(answer.labels, answer.schema, strict=False):
                if label in item["attributes"]:
                    return answer, name
        elif label in answer.labels:
            return answer, label
    return None
