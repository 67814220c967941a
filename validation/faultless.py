"""A table of instruction rows of one source, task and split → its facts, if it is certain that no row has a fault.

Tables that may have a fault go to `profile.instructions_profile`, which determines the faults of each row. The profile
takes 30 µs per row and this check at most a tenth of that, so that the stage that writes the rows can check all of
them. Where the wire format allows variants (blanks, escapes), this check expects the output of `json.dumps`. A prompt
is split into the parts before, in and after its schema; each distinct part is decoded once, and Arrow compares the
parts in place. Only rows with descriptions or with an answer in another form than IEPile's are checked one by one, as
in the profile (`validation.wire`). The rules on batches and negatives are shared with the profile
(`validation.batches`).
Tests ensure that every table that passes this check also passes the profile.
"""

from dataclasses import replace
from hashlib import sha256
from itertools import chain

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.answer_form import DEFAULT
from schemas.label import LabelSet
from schemas.manifests import Facts
from transforms.messages import messages
from transforms.render import answer_key, encode_string, schema_item
from validation import batches, wire
from validation.facts import places
from validation.prompt_schemas import Entry, entries

STRING = msgspec.json.Decoder(str)
BEFORE, SCHEMA, AFTER = b'{"instruction": ', b', "schema": [', b'], "input": '


class _Fault(Exception):
    """A row may have a fault, or is not regular. Only `facts` and `_facts` catch this."""


def facts(table: pa.Table, labels: LabelSet, size: int, negative_ratio: float) -> Facts | None:
    """The facts of `table` (schema INSTRUCTIONS, perhaps with optional columns), or None if a row may have a fault.

    The table must contain all rows of each of its examples. `size`: labels per batch (-1: all in one batch).
    `negative_ratio`: see `profile.instructions_profile`.
    """
    if not table.num_rows:
        return Facts(0, {})
    try:
        return _facts(table, labels, size, negative_ratio)
    except (_Fault, msgspec.DecodeError):
        return None


def _expect(condition: object) -> None:
    if not condition:
        raise _Fault


def _facts(table: pa.Table, labels: LabelSet, size: int, negative_ratio: float) -> Facts:
    column = {name: _combine(table[name]) for name in table.column_names}
    _expect(all(column[name].null_count == 0 for name in column.keys() - {"output", "label"}))
    split = column["split"][0].as_py()
    for name, value in (("task", labels.task), ("source", labels.source), ("lang", labels.lang), ("split", split)):
        _expect(pc.all(pc.equal(column[name], value)).as_py())
    if "messages" in column:
        _expect(column["messages"].equals(messages(column["instruction"], column["output"])))
    starts, example_facts = _examples(column, labels, split)
    prompt_labels, positive = _lists(column, labels)
    lengths = np.diff(prompt_labels.offsets)
    try:
        _contents(column, prompt_labels, positive, starts, labels, split)
    except (_Fault, msgspec.DecodeError):  # to search all prompts for descriptions first would take as long as this
        _mixed_contents(table, column, labels, split)
    batch = lengths, size, labels.task == "SPO", starts
    _expect(not batches.out_of_bounds(*batch).any() and not batches.not_full(*batch).any())
    if split == "test":
        return example_facts
    has_positive = batches.sums(positive, prompt_labels.offsets[:-1]) > 0
    _expect(not batches.excess_negatives(has_positive, starts, negative_ratio).any())
    negatives, positives = batches.negative_counts(has_positive, starts)
    return replace(example_facts, negatives=negatives, positives=positives)


def _regular(column: dict[str, pa.Array]) -> np.ndarray:
    """Which rows seem to have a prompt without descriptions and an answer in IEPile's form. Quotes are escaped within
    the strings of a prompt, so these pieces stand in its schema only.
    """
    prompts = column["instruction"]
    has_list = pc.match_substring(prompts, ', "schema": [')
    has_descriptions = pc.or_(
        pc.match_substring(prompts, ', "description": "'), pc.match_substring(prompts, ', "attributes": {')
    )
    regular = pc.and_not(has_list, has_descriptions)
    if "form" in column:
        regular = pc.and_(regular, pc.equal(column["form"], DEFAULT))
    return regular.to_numpy(zero_copy_only=False)


def _mixed_contents(table: pa.Table, column: dict[str, pa.Array], labels: LabelSet, split: str) -> None:
    """Checks the prompts and answers of rows of which some are not regular."""
    regular = _regular(column)
    _expect(not regular.all())
    vocabulary = wire.Vocabulary.from_label_set(labels)
    others = table.filter(pa.array(~regular)).to_pylist()
    _expect(not any(wire.faults(row, vocabulary)[0] for row in others))
    column = {name: values.filter(pa.array(regular)) for name, values in column.items()}
    if regular.any():
        _contents(column, *_lists(column, labels), _starts(column["example_id"]), labels, split)


def _contents(
    column: dict[str, pa.Array],
    prompt_labels: "_LabelLists",
    positive: np.ndarray,
    starts: np.ndarray,
    labels: LabelSet,
    split: str,
) -> None:
    """Checks the prompts and answers of rows that must all be regular. `starts`: the first row of each example."""
    _expect("form" not in column or pc.all(pc.equal(column["form"], DEFAULT)).as_py())
    _prompts(column, prompt_labels, starts, labels)
    rows = len(column["id"])
    if split == "test":
        _expect(column["output"].null_count == rows)
        for answer in pc.unique(column["label"]).to_pylist():
            if answer is not None:
                wire.GOLD[labels.task].decode(answer)
    else:
        _expect(column["output"].null_count == 0 and column["label"].null_count == rows)
        _answers(column["output"], prompt_labels, positive, labels)


def _combine(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class _LabelLists:
    """A column of lists of labels, flattened. `numbers`: positions in the label set; `rows`: the row of each label;
    `offsets`: where the labels of each row start.
    """

    def __init__(self, column: pa.ListArray, names: pa.Array) -> None:
        numbers = pc.index_in(column.flatten(), names)
        _expect(numbers.null_count == 0)
        self.numbers = numbers.to_numpy().astype(np.int64)
        self.offsets = np.r_[0, np.cumsum(pc.list_value_length(column).to_numpy(), dtype=np.int64)]
        self.rows = np.repeat(np.arange(len(column)), np.diff(self.offsets))


def _lists(column: dict[str, pa.Array], labels: LabelSet) -> tuple[_LabelLists, np.ndarray]:
    """Checks `labels`, `positives` and `hard_negatives`; returns the labels asked and which of them are positive."""
    names = pa.array([label.name for label in labels.labels], pa.string())
    prompt_labels, *others = (_LabelLists(column[name], names) for name in ("labels", "positives", "hard_negatives"))
    _expect((np.diff(prompt_labels.offsets) > 0).all())
    keys = list(map(answer_key, labels.labels))
    number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    answered = np.zeros(len(column["id"]) * len(names), bool)
    answered[prompt_labels.rows * len(names) + np.array([number[key] for key in keys])[prompt_labels.numbers]] = True
    _expect(answered.sum() == len(prompt_labels.numbers))  # no duplicate key, hence no duplicate label, in a batch
    flags = []
    for lists in (prompt_labels, *others):
        flag = np.zeros(len(column["id"]) * len(names), bool)
        flag[lists.rows * len(names) + lists.numbers] = True
        flags.append(flag)
    every, positive, hard = flags
    _expect(not (positive & ~every).any() and not (hard & ~every).any() and not (positive & hard).any())
    _expect(labels.task != "EEA" or (positive == every).all())
    return prompt_labels, positive[prompt_labels.rows * len(names) + prompt_labels.numbers]


def _examples(column: dict[str, pa.Array], labels: LabelSet, split: str) -> tuple[np.ndarray, Facts]:
    """Checks that all ids are in order; returns the first row of each example, and the facts about their places."""
    example_ids = column["example_id"]
    starts = _starts(example_ids)
    by_prefix = places(example_ids.take(pa.array(starts)))
    if by_prefix is None or by_prefix.keys() != {f"{labels.key}/{split}"}:
        raise _Fault
    number = np.arange(len(example_ids)) - np.repeat(starts, np.diff(np.r_[starts, len(example_ids)]))
    ids = pc.binary_join_element_wise(example_ids, labels.task, pa.array(number).cast(pa.string()), "/")
    _expect(ids.equals(column["id"]))  # hence no duplicate id
    return starts, Facts(len(example_ids), by_prefix)


def _starts(example_ids: pa.StringArray) -> np.ndarray:
    """The first row of each example."""
    is_first = pc.not_equal(example_ids[1:], example_ids[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.r_[True, is_first])


def _prompts(column: dict[str, pa.Array], prompt_labels: _LabelLists, starts: np.ndarray, labels: LabelSet) -> None:
    """Checks that each prompt is well-formed, asks for the labels of its row, and has the text of its example."""
    prompts = column["instruction"].cast(pa.binary())
    firsts, first = _firsts(prompts)
    before = pc.binary_length(firsts).to_numpy()[first]
    every = np.arange(len(prompts))
    if labels.task == "EEA":  # its schema contains triggers of the text and must be decoded
        after = pc.find_substring(prompts, AFTER).to_numpy()
        _expect((after >= before).all())
        schemas = _pieces(prompts, every, before, after)
        _triggers(schemas, prompt_labels, labels)
    else:
        schemas = _joined(_schema_items(labels).take(pa.array(prompt_labels.numbers)), prompt_labels.offsets)
        after = before + pc.binary_length(schemas).to_numpy()
    ends = pc.binary_length(prompts).to_numpy()
    _expect((after <= ends).all())
    example = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(prompts)]))
    _expect(_pieces(prompts, every, before, after).equals(schemas.cast(pa.binary_view())))
    _expect(_pieces(prompts, every, after, ends).equals(_pieces(prompts, starts[example], after, ends)))
    lasts = _pieces(prompts, starts, after, ends).cast(pa.binary())
    _expect(pc.all(pc.and_(pc.starts_with(lasts, AFTER), pc.ends_with(lasts, b"}"))).as_py())
    texts = STRING.decode_lines(_lines(pc.binary_slice(lasts, len(AFTER), -1)))
    _expect(all(map(str.strip, texts)))
    hashes = [sha256(text.encode()).hexdigest() for text in texts]
    _expect(pa.array(hashes, pa.string()).take(pa.array(example)).equals(column["text_sha256"]))


def _firsts(prompts: pa.BinaryArray) -> tuple[pa.BinaryArray, np.ndarray]:
    """The distinct parts before the schema, and the number of the part with which each prompt starts."""
    firsts: list[bytes] = []
    number = np.full(len(prompts), -1)
    while (number < 0).any():
        prompt = prompts[int(np.argmax(number < 0))].as_py()
        first = prompt[: prompt.find(SCHEMA) + len(SCHEMA)]
        _expect(first.startswith(BEFORE) and first.endswith(SCHEMA))
        wire.TEXT.decode(first[len(BEFORE) : -len(SCHEMA)])
        number[pc.starts_with(prompts, first).to_numpy(zero_copy_only=False)] = len(firsts)
        firsts.append(first)
    return pa.array(firsts, pa.binary()), number


def _schema_items(labels: LabelSet) -> pa.Array:
    """Checks the labels; returns the element of a schema that asks for each of them, as JSON."""
    for label in labels.labels:
        _expect(labels.task != "SPO" or label.name == label.typed_name)
        _expect(len(set(label.role_names)) == len(label.roles))
    return pa.array([schema_item(labels.task, label).encode() for label in labels.labels], pa.binary())


def _joined(items: pa.Array, offsets: np.ndarray) -> pa.Array:
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items), b", ")


def _pieces(strings: pa.BinaryArray, rows: np.ndarray, start: np.ndarray, end: np.ndarray) -> pa.BinaryViewArray:
    """The bytes from `start` to `end` of the strings in these rows, which may repeat; they are not copied."""
    _, offsets, data = strings.buffers()
    first_bytes = np.frombuffer(offsets, np.int32, len(strings), strings.offset * 4)
    cuts = np.stack([first_bytes + start, first_bytes + end], axis=1).ravel().astype(np.int32)
    between = pa.Array.from_buffers(pa.binary(), len(cuts) - 1, [None, pa.py_buffer(cuts), data])
    _, views, *texts = between.cast(pa.binary_view()).buffers()
    chosen = np.frombuffer(views, np.int64).reshape(-1, 2)[2 * rows]  # a view takes 16 bytes
    return pa.Array.from_buffers(pa.binary_view(), len(rows), [None, pa.py_buffer(chosen), *texts])


def _triggers(schemas: pa.BinaryArray, prompt_labels: _LabelLists, labels: LabelSet) -> None:
    """Checks that each schema of an EEA prompt lists the labels asked, each with its roles and a list of triggers."""
    shown = [entry for schema in schemas.to_pylist() for entry in entries("EEA", b"[%b]" % schema)]
    expected = [labels.labels[n] for n in prompt_labels.numbers.tolist()]
    _expect([(entry.name, entry.roles) for entry in shown] == [(one.name, one.role_names) for one in expected])
    _expect(all(len(set(label.role_names)) == len(label.roles) for label in expected))


def _answers(outputs: pa.StringArray, prompt_labels: _LabelLists, positive: np.ndarray, labels: LabelSet) -> None:
    """Checks that each answer is well-formed and has the keys asked. All-negative answers are compared as strings."""
    keys = list(map(answer_key, labels.labels))
    negative = batches.sums(positive, prompt_labels.offsets[:-1]) == 0
    empty = pa.array([f"{encode_string(key)}: []".encode() for key in keys], pa.binary())
    in_negative_row = negative[prompt_labels.rows]
    offsets = np.r_[0, np.cumsum(np.diff(prompt_labels.offsets)[negative])]
    inner = _joined(empty.take(pa.array(prompt_labels.numbers[in_negative_row])), offsets)
    expected = pc.binary_join_element_wise(b"{", inner, b"}", b"")
    _expect(outputs.filter(pa.array(negative)).cast(pa.binary()).equals(expected))

    rows = np.flatnonzero(~negative)
    answers = wire.ANSWERS[labels.task].decode_lines(_lines(outputs.take(pa.array(rows))))
    expected_keys = list(map(keys.__getitem__, prompt_labels.numbers[~in_negative_row].tolist()))
    _expect(list(map(len, answers)) == np.diff(prompt_labels.offsets)[rows].tolist())
    _expect(list(chain.from_iterable(answers)) == expected_keys)
    values = list(chain.from_iterable(map(dict.values, answers)))
    sizes = np.fromiter(map(len, values), np.int64, len(values))
    _expect(((sizes > 0) == positive[~in_negative_row]).all())
    several = (values[n] for n in np.flatnonzero(sizes > 1).tolist())
    _expect(not any(wire.repeats(value) for value in several if isinstance(value, list)))
    if labels.task in ("EE", "EEA"):
        roles = {label.name: set(label.role_names) for label in labels.labels}
        events = ((event, name) for value, name in zip(values, expected_keys, strict=True) for event in value)
        _expect(all(not event.arguments or event.arguments.keys() == roles[name] for event, name in events))
    elif labels.task == "KG":
        attributes = {label.name: Entry(label.name, label.role_names) for label in labels.labels}
        _expect(not any(any(wire.role_faults("KG", one, [attributes[name] for name in one])) for one in answers))


def _lines(column: pa.BinaryArray | pa.StringArray) -> bytes:
    all_rows = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column.cast(pa.binary()))
    lines = pc.binary_join(all_rows, b"\n")[0].as_buffer().to_pybytes()
    _expect(lines.count(b"\n") == max(0, len(column) - 1))  # a line break within a string would split it
    return lines
