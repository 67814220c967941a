"""Examples → their instruction rows for one task as an Arrow table.

Whole columns are built at once: the JSON of every label, prompt, text and answer is encoded once into one Arrow array
of pieces, and index arrays select the pieces of each row. `tests/specification/instructions.py` builds the rows of one
Example one by one; a test compares the two.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import INSTRUCTIONS, STRINGS, instruction_schema, strings
from schemas.example import LAYER
from schemas.label import Label
from transforms.ask import AskSpec, LabelBatches, ask
from transforms.described import MAPS, Shown, described_items, shown_keys, shown_labels
from transforms.draw import PURPOSES, key_array, seed_keys
from transforms.form_rows import row_forms, with_optional_columns
from transforms.gold import Golds, golds
from transforms.render import encode_string, gather, schema_item
from transforms.unknown_labels import Unknown, askable, known_roles, unknown_labels

BYTES_PER_TABLE = 1 << 27
"""Approximate size of the texts and labels in the prompts of a table, without its last example. The limit of an Arrow
string column is 2 GB.
"""


def bounded(tables: Iterable[pa.Table], spec: AskSpec) -> Iterator[pa.Table]:
    """The same examples in tables whose prompts take at most about BYTES_PER_TABLE."""
    strings_shown = chain.from_iterable((label.name, *label.role_names) for label in spec.labels)
    if spec.options.descriptions.share:
        strings_shown = chain(strings_shown, spec.contrasts.values(), *(label.descriptions for label in spec.labels))
    label_bytes = sum(len(string.encode()) for string in strings_shown)
    for examples in tables:
        text_bytes = pc.binary_length(examples["text"]).to_numpy().astype(np.int64) * spec.max_rows_per_example
        part = np.cumsum(text_bytes + label_bytes) // BYTES_PER_TABLE
        starts = (np.flatnonzero(part[1:] != part[:-1]) + 1).tolist()
        for start, end in pairwise([0, *starts, examples.num_rows]):
            yield examples.slice(start, end - start)


def instruction_table(examples: pa.Table, spec: AskSpec) -> tuple[pa.Table, int]:
    """The rows of `examples` in their order, and how many all-negative batches were left out. Their schema is
    INSTRUCTIONS, with the optional columns of the options.

    The examples (schema EXAMPLES) belong to one source and split. An example whose layer is not annotated has rows
    only in test, with null as `label` (for EEA, which asks only for positive labels, it has none). A label that is
    unknown for a text, or held out of training, is neither asked for nor answered. Raises ValueError as `gold.golds`
    does.
    """
    test = examples.num_rows > 0 and examples["split"][0].as_py() == "test"
    if not test and examples[LAYER[spec.task]].null_count:
        examples = examples.filter(examples[LAYER[spec.task]].is_valid())
    if not examples.num_rows:
        return instruction_schema(spec.options.optional_columns).empty_table(), 0
    unknown = unknown_labels(examples, spec.task)
    held_out = spec.options.held_out.get(LAYER[spec.task])
    if held_out and not test:
        unknown = {row: unknown.get(row, frozenset()) | held_out for row in range(examples.num_rows)}
    gold = golds(examples, spec.task, spec.labels, unknown)
    ids = examples["id"].to_pylist()
    keys = seed_keys(spec.options.seed, ids, spec.task)
    allowed = askable(spec.task, spec.labels, len(ids), unknown)
    batches = ask(gold.positive, allowed, keys, spec, test)
    return table(examples, gold, batches, keys, spec, unknown, test), batches.left_out


def table(
    examples: pa.Table,
    gold: Golds,
    batches: LabelBatches,
    keys: np.ndarray,
    spec: AskSpec,
    unknown: Unknown,
    test: bool,
) -> pa.Table:
    """The instruction rows of `batches`."""
    task, rows = spec.task, len(batches.example)
    example = pa.array(batches.example)
    names = strings([label.name for label in spec.labels])
    places = np.r_[0, np.cumsum(batches.lengths)]
    ids, texts, langs = examples["id"].combine_chunks(), examples["text"].to_pylist(), examples["lang"].combine_chunks()
    shown = shown_labels(batches, keys, texts, spec)
    items = described_items(schema_items(gold, batches, spec, unknown), gold, batches, spec, unknown, shown)

    def repeated(values: pa.Array) -> pa.Array:
        return values.take(example)

    def constant(column: str) -> pa.Array:
        return pa.repeat(examples[column][0], rows)

    def label_lists(flags: np.ndarray | None = None) -> pa.Array:
        chosen = batches.label if flags is None else batches.label[flags]
        offsets = places if flags is None else np.r_[0, np.cumsum(flags)][places]
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.take(pa.array(chosen)), type=STRINGS)

    nothing = pa.nulls(rows, pa.string())
    forms = row_forms(batches, keys, spec)
    columns = {
        "id": row_ids(ids, batches, task),
        "example_id": repeated(ids),
        "text_sha256": repeated(strings([sha256(text.encode()).hexdigest() for text in texts])),
        "task": pa.repeat(task, rows),
        "source": constant("source"),
        "lang": repeated(langs),
        "split": constant("split"),
        "instruction": prompt_column(texts, langs, batches, keys, items, shown, forms, spec),
        "output": nothing if test else answer_column(gold, batches, spec, shown),
        "label": repeated(strings(gold.annotations)) if test else nothing,
        "labels": label_lists(),
        "positives": label_lists(batches.positive),
        "hard_negatives": label_lists(batches.hard),
    }
    made = pa.Table.from_arrays([columns[name] for name in INSTRUCTIONS.names], schema=INSTRUCTIONS)
    return with_optional_columns(made, examples, batches.example, forms, spec)


def row_ids(example_ids: pa.StringArray, batches: LabelBatches, task: str) -> pa.Array:
    most = int(batches.number.max(initial=0)) + 1
    ends = strings([f"/{task}/{number}" for number in range(most)])
    numbers = np.stack([batches.example, len(example_ids) + batches.number], axis=1)
    return gather(pa.concat_arrays([example_ids, ends]), numbers.ravel(), np.full(len(numbers), 2))


def prompt_column(
    texts: Sequence[str],
    langs: pa.StringArray,
    batches: LabelBatches,
    keys: np.ndarray,
    schema: tuple[Sequence[str], np.ndarray],
    shown: Shown,
    forms: np.ndarray,
    spec: AskSpec,
) -> pa.Array:
    """`{"instruction": prompt, "schema": [items], "input": text}`, with a random prompt in the language of the text.
    In described rows of the tasks of MAPS, the items are between braces. `keys`: as for `ask.ask`. `schema`: the
    elements and the number of each label's element. `forms`: that of `row_forms`.
    """
    items, item = schema
    is_map = shown.rows & (spec.task in MAPS)
    lang = langs.dictionary_encode()
    prompts = [spec.texts(form)[name] for form in spec.forms for name in lang.dictionary.to_pylist()]
    choices = np.array(list(map(len, prompts)))
    kind = forms * len(lang.dictionary) + lang.indices.to_numpy()[batches.example]
    first = (np.cumsum(choices) - choices)[kind]
    keys = key_array(keys, np.full(len(keys), PURPOSES.index("prompts")))
    drawn = key_array(keys[batches.example], batches.number) % choices[kind].astype(np.uint64)
    brackets = ("[", "]"), ("{", "}")
    starts = [
        f'{{"instruction": {encode_string(prompt)}, "schema": {start}'
        for start, _ in brackets
        for prompt in chain.from_iterable(prompts)
    ]
    inputs = [f', "input": {encode_string(text)}}}' for text in texts]
    ends = [f"{end}{text}" for _, end in brackets[: 1 + is_map.any()] for text in inputs]
    lengths = batches.lengths
    after, row = np.cumsum(lengths), np.arange(len(lengths))  # each row has two more pieces than labels
    numbers = np.empty(len(batches.label) + 2 * len(lengths), np.int64)
    numbers[after - lengths + 2 * row] = first + drawn.astype(np.int64) + is_map * choices.sum()
    numbers[np.arange(len(batches.label)) + 2 * batches.row + 1] = len(starts) + 2 * item + not_first(batches)
    numbers[after + 2 * row + 1] = len(starts) + 2 * len(items) + batches.example + is_map * len(texts)
    return gather(strings([*starts, *with_commas(items), *ends]), numbers, lengths + 2)


def schema_items(
    gold: Golds, batches: LabelBatches, spec: AskSpec, unknown: Unknown
) -> tuple[Sequence[str], np.ndarray]:
    """Elements of `schema` as JSON, and for each label of `batches` the number of its element. For EEA the elements
    depend on the text, since they contain its triggers. For KG they depend on the text if attributes are unknown.
    """
    if spec.task == "EEA":
        pairs = zip(batches.example[batches.row].tolist(), batches.label.tolist(), strict=True)
        labels = [(spec.labels[label], gold.triggers[example]) for example, label in pairs]
        return [schema_item("EEA", label, triggers[label.name]) for label, triggers in labels], np.arange(len(labels))
    if spec.task != "KG" or not unknown:
        return spec.items, batches.label
    items, item = list(spec.items), batches.label.copy()
    numbers: dict[Label, int] = {}
    example = batches.example[batches.row]
    for n in np.flatnonzero(np.isin(example, list(unknown))).tolist():
        label = known_roles(spec.labels[item[n]], unknown[int(example[n])])
        if label not in numbers:
            numbers[label] = len(items)
            items.append(schema_item("KG", label))
        item[n] = numbers[label]
    return items, item


def answer_column(gold: Golds, batches: LabelBatches, spec: AskSpec, shown: Shown) -> pa.Array:
    """`{key: answer, …}`, with `[]` for a label without an answer; the keys are those of `described.shown_keys`."""
    names, key = shown_keys(batches, spec, shown)
    keys = [f"{encode_string(name)}: " for name in names]
    lengths = batches.lengths
    pieces = strings(["{", "}", *with_commas(keys)])
    answer = gold.answer[batches.example[batches.row], batches.label]
    after, row = np.cumsum(lengths), np.arange(len(lengths))
    numbers = np.empty(2 * len(batches.label) + 2 * len(lengths), np.int64)
    place = 2 * np.arange(len(batches.label)) + 2 * batches.row + 1
    numbers[2 * (after - lengths) + 2 * row] = 0
    numbers[place] = 2 + 2 * key + not_first(batches)
    numbers[place + 1] = len(pieces) + answer
    numbers[2 * after + 2 * row + 1] = 1
    return gather(pa.concat_arrays([pieces, gold.answers]), numbers, 2 * lengths + 2)


def with_commas(items: Sequence[str]) -> list[str]:
    """Each item twice: without a comma (for the first of a row) and with a comma before it (for the others)."""
    return list(chain.from_iterable((item, f", {item}") for item in items))


def not_first(batches: LabelBatches) -> np.ndarray:
    """1 for the labels that are not the first of their row."""
    return np.r_[False, batches.row[1:] == batches.row[:-1]][: len(batches.row)].astype(np.int64)
