"""Examples → their instruction rows for one task as an Arrow table: labels asked, prompts drawn, answers rendered.

Columns are made whole: the JSON of every label, prompt, text and answer is encoded once and put into one Arrow array of
pieces, and numbers say which of them make up a row. `tests/specification/instructions.py` makes the rows of one
Example one by one; a test compares the two.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import INSTRUCTIONS, STRINGS, strings
from schemas.example import LAYER
from schemas.label import Label
from transforms.ask import Asked, Asking, ask
from transforms.draw import PURPOSES, key_array, seed_key
from transforms.gold import Golds, golds
from transforms.render import answer_key, encode_string, gathered, schema_item
from transforms.unknown_labels import Unknown, askable, known_roles, unknown_labels

BYTES_A_TABLE = 1 << 27
"""Of texts and labels in prompts, about, and one example more: a column of Arrow's strings holds 2 GB."""


def bounded(tables: Iterable[pa.Table], what: Asking) -> Iterator[pa.Table]:
    """The same examples in tables whose prompts take about BYTES_A_TABLE at most."""
    of_labels = sum(len(string.encode()) for label in what.labels for string in (label.name, *label.roles))
    for examples in tables:
        of_texts = pc.binary_length(examples["text"]).to_numpy().astype(np.int64) * what.rows_an_example()
        part = np.cumsum(of_texts + of_labels) // BYTES_A_TABLE
        starts = (np.flatnonzero(part[1:] != part[:-1]) + 1).tolist()
        for start, end in pairwise([0, *starts, examples.num_rows]):
            yield examples.slice(start, end - start)


def instruction_table(examples: pa.Table, what: Asking) -> tuple[pa.Table, int]:
    """The rows of `examples` in their order (schema INSTRUCTIONS), and how many all-negative batches were left out.

    The examples (schema EXAMPLES) are of one source and one split. A layer that is not annotated gives no rows but for
    test, where `label` is then None (EEA, which asks the positive labels only, gives none there either). A label that
    is unknown for a text is neither asked nor answered. Raises ValueError as `gold.golds` does.
    """
    test = examples.num_rows > 0 and examples["split"][0].as_py() == "test"
    if not test:
        examples = examples.filter(examples[LAYER[what.task]].is_valid())
    if not examples.num_rows:
        return INSTRUCTIONS.empty_table(), 0
    unknown = unknown_labels(examples, what.task)
    found = golds(examples, what.task, what.labels, unknown)
    ids = examples["id"].to_pylist()
    keys = np.array([seed_key(what.options.seed, id_, what.task) for id_ in ids], np.uint64)
    may = askable(what.task, what.labels, len(ids), unknown)
    asked = ask(found.positive, may, keys, what, test)
    return table(examples, found, asked, keys, what, unknown, test), asked.cut


def table(
    examples: pa.Table, found: Golds, asked: Asked, keys: np.ndarray, what: Asking, unknown: Unknown, test: bool
) -> pa.Table:
    """The columns of the rows that are asked."""
    task, rows = what.task, len(asked.example)
    of_example = pa.array(asked.example)
    names = strings([label.name for label in what.labels])
    places = np.r_[0, np.cumsum(asked.lengths)]
    ids, texts, langs = examples["id"].combine_chunks(), examples["text"].to_pylist(), examples["lang"].combine_chunks()

    def repeated(values: pa.Array) -> pa.Array:
        return values.take(of_example)

    def same(column: str) -> pa.Array:
        return pa.repeat(examples[column][0], rows)

    def listed(flags: np.ndarray | None = None) -> pa.Array:
        chosen = asked.label if flags is None else asked.label[flags]
        offsets = places if flags is None else np.r_[0, np.cumsum(flags)][places]
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.take(pa.array(chosen)), type=STRINGS)

    nothing = pa.nulls(rows, pa.string())
    columns = {
        "id": row_ids(ids, asked, task),
        "example_id": repeated(ids),
        "text_sha256": repeated(strings([sha256(text.encode()).hexdigest() for text in texts])),
        "task": pa.repeat(task, rows),
        "source": same("source"),
        "lang": repeated(langs),
        "split": same("split"),
        "instruction": prompt_column(texts, langs, asked, keys, schema_items(found, asked, what, unknown), what),
        "output": nothing if test else answer_column(found, asked, what),
        "label": repeated(strings(found.annotations)) if test else nothing,
        "labels": listed(),
        "positives": listed(asked.positive),
        "hard_negatives": listed(asked.hard),
    }
    return pa.Table.from_arrays([columns[name] for name in INSTRUCTIONS.names], schema=INSTRUCTIONS)


def row_ids(example_ids: pa.StringArray, asked: Asked, task: str) -> pa.Array:
    most = int(asked.number.max(initial=0)) + 1
    ends = strings([f"/{task}/{number}" for number in range(most)])
    numbers = np.stack([asked.example, len(example_ids) + asked.number], axis=1)
    return gathered(pa.concat_arrays([example_ids, ends]), numbers.ravel(), np.full(len(numbers), 2))


def prompt_column(
    texts: Sequence[str],
    langs: pa.StringArray,
    asked: Asked,
    keys: np.ndarray,
    schema: tuple[Sequence[str], np.ndarray],
    what: Asking,
) -> pa.Array:
    """`{"instruction": prompt, "schema": [items], "input": text}`: prompts are drawn from those of the text's language.
    `keys`: as for `ask.ask`; `schema`: see `schema_items`.
    """
    items, item = schema
    lang = langs.dictionary_encode()
    prompts = [what.prompts[what.task][name] for name in lang.dictionary.to_pylist()]
    choices = np.array(list(map(len, prompts)))
    first, of_example = np.cumsum(choices) - choices, lang.indices.to_numpy()[asked.example]
    keys = key_array(keys, np.full(len(keys), PURPOSES.index("prompts")))
    drawn = key_array(keys[asked.example], asked.number) % choices[of_example].astype(np.uint64)
    starts = [f'{{"instruction": {encode_string(prompt)}, "schema": [' for prompt in chain.from_iterable(prompts)]
    ends = [f'], "input": {encode_string(text)}}}' for text in texts]
    lengths = asked.lengths
    after, row = np.cumsum(lengths), np.arange(len(lengths))  # each row has two pieces more than labels
    numbers = np.empty(len(asked.label) + 2 * len(lengths), np.int64)
    numbers[after - lengths + 2 * row] = first[of_example] + drawn.astype(np.int64)
    numbers[np.arange(len(asked.label)) + 2 * asked.row + 1] = len(starts) + 2 * item + not_first(asked)
    numbers[after + 2 * row + 1] = len(starts) + 2 * len(items) + asked.example
    return gathered(strings([*starts, *with_commas(items), *ends]), numbers, lengths + 2)


def schema_items(found: Golds, asked: Asked, what: Asking, unknown: Unknown) -> tuple[Sequence[str], np.ndarray]:
    """Elements of `schema` as JSON, and which of them each asked label is. Those of EEA differ by text, as they name
    its triggers, and so do those of KG where attributes are unknown.
    """
    if what.task == "EEA":
        pairs = zip(asked.example[asked.row].tolist(), asked.label.tolist(), strict=True)
        labels = [(what.labels[label], found.triggers[example]) for example, label in pairs]
        return [schema_item("EEA", label, triggers[label.name]) for label, triggers in labels], np.arange(len(labels))
    if what.task != "KG" or not unknown:
        return what.items, asked.label
    items, item = list(what.items), asked.label.copy()
    numbers: dict[Label, int] = {}
    example = asked.example[asked.row]
    for n in np.flatnonzero(np.isin(example, list(unknown))).tolist():
        label = known_roles(what.labels[item[n]], unknown[int(example[n])])
        if label not in numbers:
            numbers[label] = len(items)
            items.append(schema_item("KG", label))
        item[n] = numbers[label]
    return items, item


def answer_column(found: Golds, asked: Asked, what: Asking) -> pa.Array:
    """`{key: answer, …}`, `[]` where a label has no answer; the keys are those of `render.answer_key`."""
    keys = [f"{encode_string(answer_key(label))}: " for label in what.labels]
    lengths = asked.lengths
    pieces = strings(["{", "}", *with_commas(keys)])
    answer = found.answer[asked.example[asked.row], asked.label]
    after, row = np.cumsum(lengths), np.arange(len(lengths))
    numbers = np.empty(2 * len(asked.label) + 2 * len(lengths), np.int64)
    place = 2 * np.arange(len(asked.label)) + 2 * asked.row + 1
    numbers[2 * (after - lengths) + 2 * row] = 0
    numbers[place] = 2 + 2 * asked.label + not_first(asked)
    numbers[place + 1] = len(pieces) + answer
    numbers[2 * after + 2 * row + 1] = 1
    return gathered(pa.concat_arrays([pieces, found.answers]), numbers, 2 * lengths + 2)


def with_commas(items: Sequence[str]) -> list[str]:
    """Each item as the first of a row, then as a later one."""
    return list(chain.from_iterable((item, f", {item}") for item in items))


def not_first(asked: Asked) -> np.ndarray:
    """1 for the labels that are not the first of their row."""
    return np.r_[False, asked.row[1:] == asked.row[:-1]][: len(asked.row)].astype(np.int64)
