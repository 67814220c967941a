"""A table of instruction rows of one source, task and split → its facts, where it is certain that no row has a fault.

This decides nothing but that: a table of which it is not certain is sent to `profile.instructions_profile`, which says
what is wrong with each row. The profile takes 30 µs per row, this a tenth of that or less, so that the stage that
writes the rows can look at all of them. What the wire format leaves open (blanks, escapes) is expected as
`json.dumps` writes it: a prompt is cut into what comes before, in and after its schema, each different piece is read
once, and pieces are compared end to end, by Arrow. The rules on batches and negatives are one function for both
(`validation.batches`). Tests see to it that whatever passes here passes there.
"""

from dataclasses import replace
from hashlib import sha256
from itertools import chain

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.label import LabelSet, typed_label
from schemas.manifests import Facts
from transforms.render import answer_key, encode_string, schema_item
from validation import batches, wire
from validation.facts import places

BEFORE, SCHEMA, AFTER = b'{"instruction": ', b', "schema": [', b'], "input": '


class _Fault(Exception):
    """It is not certain that no row has a fault; caught by `facts` alone."""


def facts(table: pa.Table, labels: LabelSet, size: int, negative_ratio: float) -> Facts | None:
    """The facts of `table` (schema INSTRUCTIONS), which must hold all rows of an example that it holds one of; None
    where it is not certain that no row has a fault.

    `size`: labels a batch (-1: all in one), `negative_ratio`: see `profile.instructions_profile`.
    """
    if not table.num_rows:
        return Facts(0, {})
    try:
        return _facts(table, labels, size, negative_ratio)
    except (_Fault, msgspec.DecodeError):
        return None


def _expect(holds: object) -> None:
    if not holds:
        raise _Fault


def _facts(table: pa.Table, labels: LabelSet, size: int, negative_ratio: float) -> Facts:
    column = {name: _whole(table[name]) for name in table.column_names}
    _expect(all(column[name].null_count == 0 for name in column.keys() - {"output", "label"}))
    split = column["split"][0].as_py()
    for name, value in (("task", labels.task), ("source", labels.source), ("lang", labels.lang), ("split", split)):
        _expect(pc.all(pc.equal(column[name], value)).as_py())
    starts, found = _examples(column, labels, split)
    asked, positive = _lists(column, labels)
    lengths = np.diff(asked.offsets)
    _prompts(column, asked, starts, labels)
    if split == "test":
        _expect(column["output"].null_count == len(table))
        for answer in pc.unique(column["label"]).to_pylist():
            if answer is not None:
                wire.GOLD[labels.task].decode(answer)
    else:
        _expect(column["output"].null_count == 0 and column["label"].null_count == len(table))
        _answers(column["output"], asked, positive, labels)
    batch = lengths, size, labels.task == "SPO", starts
    _expect(not batches.out_of_bounds(*batch).any() and not batches.not_full(*batch).any())
    if split == "test":
        return found
    has_positive = batches.sums(positive, asked.offsets[:-1]) > 0
    _expect(not batches.excess_negatives(has_positive, starts, negative_ratio).any())
    negatives, positives = batches.negative_counts(has_positive, starts)
    return replace(found, negatives=negatives, positives=positives)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class _Asked:
    """The labels asked by all rows, end to end: `numbers` in the label set, `offsets` of the rows among them."""

    def __init__(self, column: pa.ListArray, names: pa.Array):
        found = pc.index_in(column.flatten(), names)
        _expect(found.null_count == 0)
        self.numbers = found.to_numpy().astype(np.int64)
        self.offsets = np.r_[0, np.cumsum(pc.list_value_length(column).to_numpy(), dtype=np.int64)]
        self.rows = np.repeat(np.arange(len(column)), np.diff(self.offsets))


def _lists(column: dict[str, pa.Array], labels: LabelSet) -> tuple[_Asked, np.ndarray]:
    """The labels asked and which of them are positive, once `labels`, `positives`, `hard_negatives` fit together."""
    names = pa.array([label.name for label in labels.labels], pa.string())
    asked, *others = (_Asked(column[name], names) for name in ("labels", "positives", "hard_negatives"))
    _expect((np.diff(asked.offsets) > 0).all())
    keys = list(map(answer_key, labels.labels))
    number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    answered = np.zeros(len(column["id"]) * len(names), bool)
    answered[asked.rows * len(names) + np.array([number[key] for key in keys])[asked.numbers]] = True
    _expect(answered.sum() == len(asked.numbers))  # no key, so no label, twice in a batch
    flags = []
    for of in (asked, *others):
        flag = np.zeros(len(column["id"]) * len(names), bool)
        flag[of.rows * len(names) + of.numbers] = True
        flags.append(flag)
    every, positive, hard = flags
    _expect(not (positive & ~every).any() and not (hard & ~every).any() and not (positive & hard).any())
    _expect(labels.task != "EEA" or (positive == every).all())
    return asked, positive[asked.rows * len(names) + asked.numbers]


def _examples(column: dict[str, pa.Array], labels: LabelSet, split: str) -> tuple[np.ndarray, Facts]:
    """The first row of each example, and where the examples stand, once all ids are found to be in order."""
    own = column["example_id"]
    rows = np.arange(len(own))
    starts = rows[np.r_[True, pc.not_equal(own[1:], own[:-1]).to_numpy(zero_copy_only=False)]]
    found = places(own.take(pa.array(starts)))
    _expect(found is not None and found.keys() == {f"{labels.key}/{split}"})
    number = rows - np.repeat(starts, np.diff(np.r_[starts, len(own)]))
    ids = pc.binary_join_element_wise(own, labels.task, pa.array(number).cast(pa.string()), "/")
    _expect(ids.equals(column["id"]))  # hence no id twice
    return starts, Facts(len(own), found)


def _prompts(column: dict[str, pa.Array], asked: _Asked, starts: np.ndarray, labels: LabelSet) -> None:
    """That each prompt is one, of the labels asked and of the text that its example's other rows have too."""
    prompts = column["instruction"].cast(pa.binary())
    firsts, first = _firsts(prompts)
    before = pc.binary_length(firsts).to_numpy()[first]
    every = np.arange(len(prompts))
    if labels.task == "EEA":  # its schema holds triggers of the text: it is read
        after = pc.find_substring(prompts, AFTER).to_numpy()
        _expect((after >= before).all())
        schemas = _pieces(prompts, every, before, after)
        _triggers(schemas, asked, labels)
    else:
        schemas = _joined(_schema_items(labels).take(pa.array(asked.numbers)), asked.offsets)
        after = before + pc.binary_length(schemas).to_numpy()
    ends = pc.binary_length(prompts).to_numpy()
    _expect((after <= ends).all())
    lasts, hashes = _pieces(prompts, starts, after, ends), []
    for last in lasts.to_pylist():
        _expect(last.startswith(AFTER) and last.endswith(b"}"))
        hashes.append(sha256(wire.TEXT.decode(last[len(AFTER) : -1]).encode()).hexdigest())
    example = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(prompts)]))
    _expect(pa.array(hashes, pa.string()).take(pa.array(example)).equals(column["text_sha256"]))
    whole = pc.binary_join_element_wise(firsts.take(pa.array(first)), schemas, lasts.take(pa.array(example)), b"")
    _expect(whole.equals(prompts))


def _firsts(prompts: pa.BinaryArray) -> tuple[pa.BinaryArray, np.ndarray]:
    """The different strings up to where the schema begins, and which of them each prompt starts with."""
    firsts: list[bytes] = []
    which = np.full(len(prompts), -1)
    while (which < 0).any():
        prompt = prompts[int(np.argmax(which < 0))].as_py()
        first = prompt[: prompt.find(SCHEMA) + len(SCHEMA)]
        _expect(first.startswith(BEFORE) and first.endswith(SCHEMA))
        wire.TEXT.decode(first[len(BEFORE) : -len(SCHEMA)])
        which[pc.starts_with(prompts, first).to_numpy(zero_copy_only=False)] = len(firsts)
        firsts.append(first)
    return pa.array(firsts, pa.binary()), which


def _schema_items(labels: LabelSet) -> pa.Array:
    """The element of a prompt's schema that asks for each label, once the labels are seen to be in order."""
    for label in labels.labels:
        typed = typed_label(label.subject_type, label.predicate, label.object_type)
        _expect(labels.task != "SPO" or label.name == typed.name)
        _expect(len(set(label.roles)) == len(label.roles))
    return pa.array([schema_item(labels.task, label).encode() for label in labels.labels], pa.binary())


def _joined(items: pa.Array, offsets: np.ndarray) -> pa.Array:
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items), b", ")


def _pieces(strings: pa.BinaryArray, rows: np.ndarray, start: np.ndarray, end: np.ndarray) -> pa.BinaryArray:
    """The bytes from `start` to `end` of the strings in these rows."""
    _, offsets, data = strings.buffers()
    own = np.frombuffer(offsets, np.int32, len(strings), strings.offset * 4)[rows]
    cuts = np.stack([own + start[rows], own + end[rows]], axis=1).ravel().astype(np.int32)
    between = pa.Array.from_buffers(pa.binary(), len(cuts) - 1, [None, pa.py_buffer(cuts), data])
    return between.take(pa.array(np.arange(0, len(cuts), 2)))


def _triggers(schemas: pa.BinaryArray, asked: _Asked, labels: LabelSet) -> None:
    """That each EEA prompt's schema names the labels asked with their roles, and a list of triggers for each."""
    entries = [entry for schema in schemas.to_pylist() for entry in wire.SCHEMAS["EEA"].decode(b"[%b]" % schema)]
    expected = [labels.labels[n] for n in asked.numbers.tolist()]
    _expect([(entry.label, tuple(entry.roles)) for entry in entries] == [(own.name, own.roles) for own in expected])
    _expect(all(len(set(label.roles)) == len(label.roles) for label in expected))


def _answers(outputs: pa.StringArray, asked: _Asked, positive: np.ndarray, labels: LabelSet) -> None:
    """That each answer is one, under the keys asked; those without a positive label are all of one form."""
    keys = list(map(answer_key, labels.labels))
    negative = batches.sums(positive, asked.offsets[:-1]) == 0
    empty = pa.array([f"{encode_string(key)}: []".encode() for key in keys], pa.binary())
    of_negative = negative[asked.rows]
    offsets = np.r_[0, np.cumsum(np.diff(asked.offsets)[negative])]
    inner = _joined(empty.take(pa.array(asked.numbers[of_negative])), offsets)
    expected = pc.binary_join_element_wise(b"{", inner, b"}", b"")
    _expect(outputs.filter(pa.array(negative)).cast(pa.binary()).equals(expected))

    rows = np.flatnonzero(~negative)
    answers = wire.ANSWERS[labels.task].decode_lines(_lines(outputs.take(pa.array(rows))))
    own = list(map(keys.__getitem__, asked.numbers[~of_negative].tolist()))
    _expect(list(map(len, answers)) == np.diff(asked.offsets)[rows].tolist())
    _expect(list(chain.from_iterable(answers)) == own)
    values = list(chain.from_iterable(map(dict.values, answers)))
    _expect(list(map(bool, values)) == positive[~of_negative].tolist())
    several = (value for value in filter(None, values) if len(value) > 1 and isinstance(value, list))
    _expect(not any(map(wire.repeats, several)))
    if labels.task in ("EE", "EEA", "KG"):
        roles = {label.name: wire.EntitySchema(label.name, list(label.roles)) for label in labels.labels}
        _expect(not any(any(wire.role_faults(labels.task, one, [roles[name] for name in one])) for one in answers))


def _lines(column: pa.StringArray) -> bytes:
    whole = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column)
    lines = pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes()
    _expect(lines.count(b"\n") == max(0, len(column) - 1))  # none within an answer, which would be two
    return lines
