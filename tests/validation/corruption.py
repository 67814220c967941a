"""One fault in good output: where it is, how it is made, and the expectation that must report it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.validation import good


@dataclass(frozen=True)
class Case:
    """`corrupt` changes the good output in place; `corrupt_frame` its profile (for values that no table can have)."""

    suite: str
    name: str
    column: str | None
    ids: tuple[str, ...]
    corrupt: Callable | None = None
    corrupt_frame: Callable | None = None
    count: int = 1

    def __str__(self) -> str:
        return f"{self.suite}-{self.name.removeprefix('expect_')}-{self.column}"


def fault(suite, column, identity, corrupt, count=1):
    ids = (identity,) if isinstance(identity, str) else identity
    return Case(suite, "expect_column_values_to_be_between", column, ids, corrupt, count=count)


def put(row, **values):
    row.update(values)


def edit(row, column, change):
    """Applies `change` to the JSON value of `column`; it changes the value in place or returns a new one."""
    value = json.loads(row[column])
    changed = change(value)
    row[column] = json.dumps(value if changed is None else changed, ensure_ascii=False)


def edit_prompt(row, **values):
    edit(row, "instruction", lambda prompt: prompt.update(values))


def rename(row, old, new):
    """Renames a label wherever it occurs in a NER row."""
    for column in ("labels", "positives", "hard_negatives"):
        row[column] = [new if label == old else label for label in row[column]]
    edit_prompt(row, schema=row["labels"])
    edit(row, "output", lambda answer: {new if label == old else label: v for label, v in answer.items()})


def ask(row, labels):
    """Makes the row ask for another batch of labels, all negative."""
    put(row, labels=labels, positives=[], hard_negatives=[])
    edit_prompt(row, schema=labels)
    row["output"] = json.dumps({label: [] for label in labels})


def add_column(frame):
    return frame.assign(colour=0)


def unwritable(column, value):
    """Sets a value of the first row that no table with the right schema can contain."""

    def corrupt(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[0, column] = value
        return frame

    return corrupt


EXAMPLE_IDS = [row["id"] for row in good.examples()]
FIRST, SECOND, *_ = EXAMPLE_IDS
ROWS = good.instructions()
IDS = [row["id"] for row in ROWS]
NUMBERS = {(r["task"], r["split"], r["id"][-1]): number for number, r in reversed(list(enumerate(ROWS)))}
NER, NER_REST, NER_TEST = NUMBERS["NER", "train", "0"], NUMBERS["NER", "train", "1"], NUMBERS["NER", "test", "0"]
RE, SPO, EE, EET, EEA, KG = (NUMBERS[task, "train", "0"] for task in ("RE", "SPO", "EE", "EET", "EEA", "KG"))
SPO_TEST = NUMBERS["SPO", "test", "0"]
NER_LABELS, PERSON = f"NER/{good.KEY}/", f"NER/{good.KEY}/person"


def example_fault(column, identity, corrupt):
    return fault("examples", column, identity, corrupt)


def row_fault(column, number, corrupt, identity=None):
    return fault("instructions", column, identity or IDS[number], lambda rows: corrupt(rows[number]))


def with_optional_columns(rows):
    """Gives all rows the form of IEPile and messages."""
    for row in rows:
        turns = zip(("user", "assistant"), (row["instruction"], row["output"]), strict=True)
        messages = [{"role": role, "content": content} for role, content in turns if content is not None]
        put(row, form="iepile", messages=messages)
    return rows


def in_form(number, form, output, prompt=None):
    """A change that makes `output` the answer of the row in `form`."""

    def change(rows):
        with_optional_columns(rows)
        row = rows[number]
        if prompt:
            edit_prompt(row, instruction=prompt)
        put(row, form=form, output=output)
        row["messages"][0]["content"], row["messages"][1]["content"] = row["instruction"], output

    return change


def form_fault(column, number, form, output, prompt=None):
    return fault("instructions", column, IDS[number], in_form(number, form, output, prompt))


def more_negatives(rows):
    for batch, task in enumerate(("NER",) * 2, start=2):
        new = dict(rows[NER])
        put(new, id=f"{new['example_id']}/{task}/{batch}")
        ask(new, list(good.BATCH_0))
        rows.insert(NER + 1, new)


def second_batch_first(rows):
    """Six labels and three become five and three: only one batch may be partial."""
    smaller_batch = [label for label in good.BATCH_0 if label != "law"]
    put(rows[NER], labels=smaller_batch)
    edit_prompt(rows[NER], schema=smaller_batch)
    edit(rows[NER], "output", lambda answer: {label: answer[label] for label in smaller_batch})
