"""A table of Examples → the gold answers of all of them: those of `render.gold`, for NER, RE and SPO column by column.

Beside `render.gold` for speed: to make an object of every mention and to sort them text by text takes 25 µs a text.
Here the items of all texts are sorted at once, and their JSON is gathered from pieces, each different string encoded
once. Gold of other tasks, and of test rows, whose annotations are wanted too, comes from `render.gold`. A test compares
the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrow import layer_items, strings, table_to_examples
from schemas.example import LAYER
from schemas.label import Label, typed_label
from transforms.ask import refuse_strange
from transforms.render import encode, encode_string, gold

EMPTY = 0
"""The number of the answer `[]`."""

ITEM = {"NER": ("", ""), "RE": ('{"subject": ', ', "object": ', "}"), "SPO": ('{"subject": ', ', "object": ', "}")}
"""What stands before, between and after the strings of one item of an answer."""


@dataclass(frozen=True)
class Golds:
    """The gold of many examples. `answer`: (examples, labels), the number in `answers` of each label's answer.

    `annotations` (each the JSON of its example's list, None where it is unknown) are given for test rows alone,
    `triggers` (event type → its triggers) where an EEA prompt names them.
    """

    answer: np.ndarray
    answers: pa.StringArray
    annotations: list[str | None]
    triggers: list[dict[str, list[str]]]

    @property
    def positive(self) -> np.ndarray:
        return self.answer > EMPTY


def golds(examples: pa.Table, task: str, labels: Sequence[Label]) -> Golds:
    """The gold of `examples` (schema EXAMPLES, of one split, `labels` numbered in their order).

    Raises ValueError as `render.gold` and `ask.refuse_strange` do.
    """
    test = examples["split"][0].as_py() == "test"
    if task in ITEM and not test:
        rows, columns, answers = _flat_answers(examples, task, labels)
        return Golds(_matrix(examples, labels, rows, columns), answers, [], [])
    found = [gold(example, task, labels) for example in table_to_examples(examples)]
    pairs = [(row, *item) for row, of in enumerate(found) if of for item in of.answers.items()]
    rows, names, answers = zip(*pairs, strict=True) if pairs else ((), (), ())
    columns = _numbers(examples, task, np.array(rows, np.int64), strings(names), labels)
    return Golds(
        _matrix(examples, labels, np.array(rows, np.int64), columns),
        strings(["[]", *answers]),
        [of and encode(of.annotations) for of in found] if test else [],
        [of.triggers if of else {} for of in found],
    )


def _matrix(examples: pa.Table, labels: Sequence[Label], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    answer = np.zeros((examples.num_rows, len(labels)), np.int64)
    answer[rows, columns] = np.arange(1, len(rows) + 1)
    return answer


def _numbers(
    examples: pa.Table, task: str, rows: np.ndarray, names: pa.StringArray, labels: Sequence[Label]
) -> np.ndarray:
    """The number of each of `names`, which answer in `rows`."""
    known = strings([label.name for label in labels])
    numbers = pc.index_in(names, known)
    if numbers.null_count:
        row = rows[pc.index(numbers.is_null(), True).as_py()]
        of_row = names.filter(pa.array(rows == row)).to_pylist()
        refuse_strange(examples["id"][row].as_py(), task, of_row, known.to_pylist())
    return numbers.to_numpy().astype(np.int64)


def _flat_answers(
    examples: pa.Table, task: str, labels: Sequence[Label]
) -> tuple[np.ndarray, np.ndarray, pa.StringArray]:
    """Row and label of each answer, and the answers with `[]` before them."""
    items, row = layer_items(examples, LAYER[task])
    names = items.field("label")
    if task == "SPO":
        typed = pc.and_(items.field("head_label").is_valid(), items.field("tail_label").is_valid())
        items, row = items.filter(typed), row[typed.to_numpy(zero_copy_only=False)]
        ends = (items.field(name).to_pylist() for name in ("head_label", "label", "tail_label"))
        names = strings([typed_label(*triple).name for triple in zip(*ends, strict=True)])
    label = _numbers(examples, task, row, names, labels)
    mentions = [items.field(name) for name in (("mention",) if task == "NER" else ("head", "tail"))]

    texts = examples["text"].to_pylist()
    places = [place for mention in mentions for place in _position(texts, row, mention)]
    different = pa.chunked_array([mention.field("text") for mention in mentions]).combine_chunks().dictionary_encode()
    spelling = different.indices.to_numpy().astype(np.int64).reshape(len(mentions), -1)
    kept = np.lexsort((*reversed(places), row))  # in text order
    kept = kept[_first_of_each(row[kept], label[kept], *spelling[:, kept])]
    cell = row[kept] * len(labels) + label[kept]
    order = np.argsort(cell, kind="stable")
    kept, cell = kept[order], cell[order]
    starts = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]][: len(cell)])
    items_each = np.diff(np.r_[starts, len(cell)])

    before, *after = ITEM[task]
    pieces = ["[" + before, ", " + before, *after, after[-1] + "]"]
    first, last = np.zeros(len(cell), bool), np.zeros(len(cell), bool)
    first[starts], last[starts + items_each - 1] = True, True
    numbers = np.empty((len(cell), 2 * len(mentions) + 1), np.int64)
    numbers[:, 0] = ~first
    for n, of_mention in enumerate(spelling):
        numbers[:, 2 * n + 1] = len(pieces) + of_mention[kept]
        numbers[:, 2 * n + 2] = 2 + n
    numbers[:, -1] += last
    encoded = map(encode_string, different.dictionary.to_pylist())
    answers = gathered(strings([*pieces, *encoded]), numbers.ravel(), items_each * numbers.shape[1])
    return row[kept][starts], label[kept][starts], pa.concat_arrays([strings(["[]"]), answers])


def _position(texts: Sequence[str], row: np.ndarray, mentions: pa.StructArray) -> tuple[np.ndarray, np.ndarray]:
    """`render.position` of mentions, each in the text of its `row`."""
    spans = mentions.field("spans")
    after = np.cumsum(pc.list_value_length(spans).to_numpy())
    before = np.r_[0, after[:-1]][: len(after)]
    bare = after == before
    bounds = np.r_[spans.flatten().flatten().to_numpy(), 0, 0].reshape(-1, 2)  # a span more, which bare ones point to
    start, end = bounds[before, 0].astype(np.int64), bounds[after - 1, 1].astype(np.int64)
    if bare.any():
        said = mentions.field("text").filter(pa.array(bare)).to_pylist()
        own = list(map(texts.__getitem__, row[bare].tolist()))
        found, past, lengths = (
            np.array(list(of), np.int64) for of in (map(str.find, own, said), map(len, own), map(len, said))
        )
        start[bare] = np.where(found < 0, past, found)
        end[bare] = np.where(found < 0, past, found + lengths)
    return start, end


def _first_of_each(*columns: np.ndarray) -> np.ndarray:
    """Which rows of the columns are the first of those that are alike."""
    order = np.lexsort(columns)
    differs = np.ones(len(order), bool)
    differs[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in columns], axis=0)
    first = np.empty(len(order), bool)
    first[order] = differs
    return first


def gathered(pieces: pa.StringArray, numbers: np.ndarray, lengths: np.ndarray) -> pa.StringArray:
    """A string for each of `lengths`: so many pieces, by `numbers`, one after the other.

    Arrow's `take` lays the pieces end to end; the strings are that buffer with fewer offsets.
    """
    taken = pieces.take(pa.array(numbers))
    offsets = np.frombuffer(taken.buffers()[1], np.int32, len(taken) + 1)
    starts = np.ascontiguousarray(offsets[np.r_[0, np.cumsum(lengths)]])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(starts), taken.buffers()[2])
