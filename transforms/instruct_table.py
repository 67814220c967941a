"""Examples → their instruction rows as one Arrow table: the rows of `transforms.instruct`, made column by column.

Beside the plain form for speed: row by row, Python spends 50 µs on a row, most of it on draws, slices of label lists
and copies of the same text and labels. Here the draws of all examples are one matrix (examples x labels), and a
string column is one gather: the JSON of every label, prompt, text and answer is encoded once, stands in one Arrow
array of pieces, and numbers say which of them make up a row. A test compares the two forms row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

import numpy as np
import pyarrow as pa

from schemas.arrow import INSTRUCTIONS, STRINGS, strings
from schemas.example import LAYER
from schemas.label import Label
from transforms.ask import SPLIT_NUM, AskOptions, cut
from transforms.draw import PURPOSES, key_array, seed_key
from transforms.gold_table import Golds, gathered, golds
from transforms.prompts import Prompts
from transforms.render import encode_string, schema_item

LAST = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Lists:
    """Lists of numbers, end to end: label sets are large and these lists short. `starts` has one more than lists."""

    starts: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Lists":
        starts = np.cumsum([0, *map(len, lists)])
        return cls(starts, np.fromiter(chain.from_iterable(lists), np.int64, starts[-1]))

    def taken(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The length of each list of `which`, and their numbers end to end."""
        lengths = self.starts[which + 1] - self.starts[which]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return lengths, self.numbers[np.repeat(self.starts[which], lengths) + within]


@dataclass(frozen=True)
class Asking:
    """What is asked of every example of a source for a task; labels are numbered in the order of their names."""

    task: str
    labels: tuple[Label, ...]
    hard: Lists | None  # the hard negatives of each label; None: no dictionary
    prompts: Prompts
    options: AskOptions

    @property
    def size(self) -> int:
        """Labels a batch, -1: all in one."""
        return self.options.split_num.get(self.task, SPLIT_NUM[self.task])

    def shared_keys(self) -> bool:
        """Whether two labels answer under one key, so that no batch may hold both."""
        return len({label.predicate or label.name for label in self.labels}) < len(self.labels)

    def rows_an_example(self) -> int:
        """The most rows that an example becomes."""
        return max(1, len(cut(self.labels, self.size)))


def asking(
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
) -> Asking:
    """The arguments of `instruct.instructions`, in the form in which they serve all examples of a source."""
    ordered = tuple(sorted({label.name: label for label in labels}.values(), key=lambda label: label.name))
    number = {label.name: n for n, label in enumerate(ordered)}
    hard = None
    if dictionary is not None:
        listed = ([number[other] for other in dictionary.get(name, ()) if other in number] for name in number)
        hard = Lists.of(list(listed))
    return Asking(task, ordered, hard, prompts, options)


@dataclass(frozen=True)
class Asked:
    """Rows and the labels they ask, flat: `label[n]` is asked in row `row[n]` (ascending) of example `example[row]`.

    `number` counts the rows of each example, `cut` is how many all-negative ones are left out in all.
    """

    example: np.ndarray
    number: np.ndarray
    row: np.ndarray
    label: np.ndarray
    positive: np.ndarray
    hard: np.ndarray
    cut: int

    @property
    def lengths(self) -> np.ndarray:
        return np.bincount(self.row, minlength=len(self.example))


def instruction_table(examples: pa.Table, what: Asking) -> tuple[pa.Table, int]:
    """The rows of `examples` in their order (schema INSTRUCTIONS), and how many all-negative batches were cut.

    The examples (schema EXAMPLES) are of one source and one split. Errors as in `instruct.instructions`.
    """
    test = examples.num_rows > 0 and examples["split"][0].as_py() == "test"
    if not test:
        examples = examples.filter(examples[LAYER[what.task]].is_valid())
    if not examples.num_rows:
        return INSTRUCTIONS.empty_table(), 0
    found = golds(examples, what.task, what.labels)
    ids = examples["id"].to_pylist()
    keys = np.array([seed_key(what.options.seed, id_, what.task) for id_ in ids], np.uint64)
    asked = ask_all(found.positive, keys, what, test)
    return table(examples, found, asked, keys, what, test), asked.cut


def ask_all(positive: np.ndarray, keys: np.ndarray, what: Asking, test: bool) -> Asked:
    """`transforms.ask.ask` for all examples at once; `positive`: (examples, labels), `keys` are their `seed_key`s."""
    key = {purpose: key_array(keys, np.full(len(keys), n)) for n, purpose in enumerate(PURPOSES)}
    hard = np.zeros_like(positive)
    if what.hard is not None:
        row, label = np.nonzero(positive)
        lengths, others = what.hard.taken(label)
        hard[np.repeat(row, lengths), others] = True
        hard &= ~positive
    if what.task == "EEA":
        asked = positive
    elif test:
        asked = np.ones_like(positive)
    else:
        asked = positive | hard | first_drawn(*more_labels(positive, hard, what), key["labels"])
    shuffled = not test and what.options.order == "shuffled"
    order = draw_order(asked, key["order"]) if shuffled else np.argsort(~asked, axis=1, kind="stable")

    counts = asked.sum(axis=1)
    label = order[np.arange(asked.shape[1]) < counts[:, None]]
    label, batch, batches = batched(label, counts, what)
    example = np.repeat(np.arange(len(counts)), batches)
    of_label = example[batch]
    is_positive, is_hard = positive[of_label, label], hard[of_label, label]
    kept = np.ones(len(example), bool)
    if not test:
        has_positive, has_hard = (
            np.bincount(batch[flags], minlength=len(example)) > 0 for flags in (is_positive, is_hard)
        )
        kept = kept_batches(example, has_positive, has_hard, len(counts), key["batches"], what.options.negative_ratio)
    in_kept = kept[batch]
    return Asked(
        example[kept],
        rank_in_group(example[kept]),
        (np.cumsum(kept) - 1)[batch[in_kept]],
        label[in_kept],
        is_positive[in_kept],
        is_hard[in_kept],
        int(len(kept) - kept.sum()),
    )


def more_labels(positive: np.ndarray, hard: np.ndarray, what: Asking) -> tuple[np.ndarray, np.ndarray]:
    """Of which labels some are drawn beside the positive ones and their hard negatives, and how many of each row."""
    total, options = positive.shape[1], what.options
    alone = ~positive.any(axis=1)
    candidates = ~positive & ~hard
    if what.hard is None:
        wanted = np.rint(options.negative_share * candidates.sum(axis=1)).astype(np.int64)
    else:
        wanted = np.full(len(positive), total if what.size == -1 else what.size)
    without_positive = options.labels_without_positive or what.size
    wanted[alone] = total if without_positive == -1 else without_positive
    return candidates, wanted


def draw_order(candidates: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """`draw.drawn` of each row's candidates, by column number; what is no candidate comes after them, in any order.

    No two candidates have the same key, so the sort need not be stable.
    """
    ranks = np.cumsum(candidates, axis=1) - 1
    return np.argsort(np.where(candidates, key_array(keys[:, None], ranks), LAST), axis=1)


def first_drawn(candidates: np.ndarray, wanted: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The first `wanted` of each row's candidates in the order in which they are drawn."""
    if (wanted >= candidates.sum(axis=1)).all():
        return candidates
    place = np.argsort(draw_order(candidates, keys), axis=1)
    return candidates & (place < wanted[:, None])


def batched(label: np.ndarray, counts: np.ndarray, what: Asking) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`transforms.ask.cut` of each example's labels: they in the order of their batches, the batch of each (numbered
    through all examples), and how many batches each example has.
    """
    if what.shared_keys():  # no batch may hold one key twice: left to the plain form
        number = {name.name: n for n, name in enumerate(what.labels)}
        own = np.split(label, np.cumsum(counts)[:-1])
        cuts = [cut([what.labels[n] for n in numbers], what.size) for numbers in own]
        every = list(chain.from_iterable(cuts))
        label = np.array([number[name.name] for batch in every for name in batch], np.int64)
        batch = np.repeat(np.arange(len(every)), np.array([len(batch) for batch in every], np.int64))
        return label, batch, np.array([len(batches) for batches in cuts])
    size = np.maximum(counts, 1) if what.size == -1 else np.full(len(counts), what.size)
    batches, rest = np.divmod(counts, size)
    batches += (rest > 0) & ((rest >= np.maximum(1, size // 2)) | (batches == 0))
    place = np.arange(len(label)) - np.repeat(np.cumsum(counts) - counts, counts)
    within = np.minimum(place // np.repeat(size, counts), np.repeat(batches, counts) - 1)
    return label, within + np.repeat(np.cumsum(batches) - batches, counts), batches


def kept_batches(
    example: np.ndarray, has_positive: np.ndarray, has_hard: np.ndarray, examples: int, keys: np.ndarray, ratio: float
) -> np.ndarray:
    """Which batches stay: those with a positive label, and of the others as many as `negative_ratio` allows."""
    negative = np.flatnonzero(~has_positive)
    of_negative = example[negative]
    with_positive = np.bincount(example[has_positive], minlength=examples)
    allowed = np.where(with_positive > 0, np.floor(ratio * np.maximum(with_positive, 1)), 1)
    drawn = key_array(keys[of_negative], rank_in_group(of_negative))
    ranked = np.lexsort((drawn, ~has_hard[negative], of_negative))
    kept = has_positive.copy()
    kept[negative[ranked]] = rank_in_group(of_negative) < allowed[of_negative]
    return kept


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """How many of the same value stand before each of the ascending `groups`."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def table(examples: pa.Table, found: Golds, asked: Asked, keys: np.ndarray, what: Asking, test: bool) -> pa.Table:
    """The columns of the rows that are asked."""
    task, rows = what.task, len(asked.example)
    of_example = pa.array(asked.example)
    names = strings([label.name for label in what.labels])
    places = np.r_[0, np.cumsum(asked.lengths)]
    ids, texts = examples["id"].combine_chunks(), examples["text"].to_pylist()

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
        **{name: same(name) for name in ("source", "lang", "split")},
        "instruction": prompt_column(texts, what.prompts[task][examples["lang"][0].as_py()], found, asked, keys, what),
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
    texts: Sequence[str], prompts: Sequence[str], found: Golds, asked: Asked, keys: np.ndarray, what: Asking
) -> pa.Array:
    """A prompt, the items of the schema, the text: see `render.instruction`."""
    own = key_array(keys, np.full(len(keys), PURPOSES.index("prompts")))
    drawn = key_array(own[asked.example], asked.number)
    starts = [f'{{"instruction": {encode_string(prompt)}, "schema": [' for prompt in prompts]
    ends = [f'], "input": {encode_string(text)}}}' for text in texts]
    items, item = schema_items(found, asked, what)
    lengths = asked.lengths
    after, row = np.cumsum(lengths), np.arange(len(lengths))  # each row has two pieces more than labels
    numbers = np.empty(len(asked.label) + 2 * len(lengths), np.int64)
    numbers[after - lengths + 2 * row] = (drawn % np.uint64(len(prompts))).astype(np.int64)
    numbers[np.arange(len(asked.label)) + 2 * asked.row + 1] = len(prompts) + 2 * item + not_first(asked)
    numbers[after + 2 * row + 1] = len(prompts) + 2 * len(items) + asked.example
    return gathered(strings([*starts, *with_commas(items), *ends]), numbers, lengths + 2)


def schema_items(found: Golds, asked: Asked, what: Asking) -> tuple[list[str], np.ndarray]:
    """Elements of `schema` as JSON, and which of them each asked label is: in EEA the triggers are the example's."""
    if what.task != "EEA":
        return [schema_item(what.task, label, {}) for label in what.labels], asked.label
    items = [
        schema_item("EEA", what.labels[label], found.triggers[example])
        for example, label in zip(asked.example[asked.row].tolist(), asked.label.tolist(), strict=True)
    ]
    return items, np.arange(len(items))


def answer_column(found: Golds, asked: Asked, what: Asking) -> pa.Array:
    """`{key: answer, …}`, see `render.output`."""
    keys = [f"{encode_string(label.predicate or label.name)}: " for label in what.labels]
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
