"""Instruction rows in IEPile's form → the same rows with their optional columns, some of them in other forms of answer.

The form of a row is drawn by a hash, as its prompt is. Only rows in another form than `iepile` are made one by one.
"""

import json

import numpy as np
import pyarrow as pa

from schemas.answer_form import DEFAULT, FORMS
from schemas.arrow import instruction_schema, strings, table_to_examples
from schemas.example import Example, Mention, Span
from transforms.answer_forms import write
from transforms.ask import AskSpec, LabelBatches
from transforms.draw import PURPOSES, key_array
from transforms.messages import messages


def row_forms(batches: LabelBatches, keys: np.ndarray, spec: AskSpec) -> np.ndarray:
    """The form of each row of `batches`, as its number in `spec.forms`. `keys`: as for `ask.ask`."""
    if len(spec.forms) == 1:
        return np.zeros(len(batches.example), np.int64)
    shares = {form: spec.options.forms[form] for form in FORMS if spec.options.forms.get(form)}
    keys = key_array(keys, np.full(len(keys), PURPOSES.index("forms")))
    drawn = (key_array(keys[batches.example], batches.number) >> np.uint64(11)).astype(np.float64) / 2**53
    number = np.searchsorted(np.cumsum(list(shares.values()))[:-1], drawn, side="right")
    serving = [spec.forms.index(form if form in spec.forms else DEFAULT) for form in shares]
    return np.array(serving)[number]


def with_optional_columns(
    rows: pa.Table, examples: pa.Table, example: np.ndarray, forms: np.ndarray, spec: AskSpec
) -> pa.Table:
    """The `rows` (schema INSTRUCTIONS) with their answers in their `forms` (see `row_forms`), and with the optional
    columns of the options. `example`: the row of `examples` of each row.
    """
    if not spec.options.optional_columns:  # then there are no other forms either
        return rows
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    names = np.array(spec.forms)[forms]
    others = np.flatnonzero(names != DEFAULT)
    if len(others) and not rows["output"].null_count:
        outputs = rows["output"].to_pylist()
        located = np.unique(example[names == "spans"])
        mentions = (mention_spans(one, spec.task) for one in table_to_examples(examples.take(pa.array(located))))
        spans = dict(zip(located.tolist(), mentions, strict=True))
        for n, row in zip(others.tolist(), rows.take(pa.array(others)).to_pylist(), strict=True):
            outputs[n] = answer_in_form(row, str(names[n]), spans.get(int(example[n]), {}))
        columns["output"] = strings(outputs)
    for name in spec.options.optional_columns:
        if name == "form":
            columns[name] = strings(names.tolist())
        else:
            columns[name] = messages(columns["instruction"], columns["output"])
    return pa.Table.from_arrays(list(columns.values()), schema=instruction_schema(spec.options.optional_columns))


def answer_in_form(row: dict, form: str, spans: dict[tuple[str, str], list[Span]]) -> str:
    """The `output` of a row in `form`. `spans`: (name of a label, mention) → its places in the text."""
    answer, prompt = json.loads(row["output"]), json.loads(row["instruction"])
    shown = dict(zip(row["labels"], answer, strict=True))
    places = {(shown[label], mention): at for (label, mention), at in spans.items() if label in shown}
    return write(form, row["task"], answer, prompt["input"], prompt["instruction"], places)


def mention_spans(example: Example, task: str) -> dict[tuple[str, str], list[Span]]:
    """(Label, mention) → the places of the entities (NER) or triggers (EET) in one piece, in order."""
    if task == "NER":
        mentions = [(entity.label, entity.mention) for entity in example.entities or ()]
    else:
        mentions = [(event.label, event.trigger or Mention("")) for event in example.events or ()]
    spans: dict[tuple[str, str], set[Span]] = {}
    for label, mention in mentions:
        if len(mention.spans) == 1:
            spans.setdefault((label, mention.text), set()).add(mention.spans[0])
    return {key: sorted(places) for key, places in spans.items()}
