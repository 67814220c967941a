"""Shards of data/ → one short row of each task with its answer, for the card."""

from collections.abc import Collection, Iterable
from itertools import groupby

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from schemas.example import TASKS
from schemas.id_columns import source_keys
from schemas.manifests import InstructionShard
from transforms.shards import read_batches

CHARS = 700
"""Longer prompts, with the text and the labels, are not shown, nor are longer answers."""

SHARDS_PER_TASK = 4
FIRST_ROWS = 2_000
"""Of as many shards as many rows are read, so that the time does not grow with the corpus."""

FENCE = "```"
"""Rows with this string would end the block that shows them."""


COLUMNS = ["id", "example_id", "lang", "instruction", "output", "label"]
COLUMNS += ["positives.list.element", "hard_negatives.list.element"]


class ExampleRow(msgspec.Struct, frozen=True):
    """A row of data/: its columns of these names. `answer`: the column `output`, or `label` of a test row."""

    task: str
    split: str
    id: str
    instruction: str
    answer: str


def example_rows(output: str, shards: Iterable[InstructionShard], keys: Collection[str]) -> list[ExampleRow]:
    """A row of each task that has a short one with an answer among the sources `keys`, in the order of TASKS.

    It is a test row only if the task has no other rows.
    """
    written = [shard for shard in shards if shard.rows and not shard.sources.keys().isdisjoint(keys)]
    in_order = sorted(written, key=lambda shard: (TASKS.index(shard.task), shard.split, shard.path))
    rows = []
    for task, of_task in groupby(in_order, lambda shard: shard.task):
        shards_of_task = list(of_task)
        answered = [shard for shard in shards_of_task if shard.split != "test"] or shards_of_task
        table = pa.concat_tables(
            short_rows(f"{output}/{shard.path}", shard.split, keys) for shard in answered[:SHARDS_PER_TASK]
        )
        ranked = table.sort_by(
            [("without", "ascending"), ("foreign", "ascending"), ("chars", "ascending"), ("id", "ascending")]
        )
        rows += [msgspec.convert({"task": task, **row}, ExampleRow) for row in ranked.slice(0, 1).to_pylist()]
    return rows


def short_rows(path: str, split: str, keys: Collection[str]) -> pa.Table:
    """The short ones of the first rows with an answer, and what they are ranked by: whether they lack a hard
    negative, whether they are not in English, and their length.
    """
    rows = next(iter(read_batches(path, FIRST_ROWS, COLUMNS)))
    answer = rows["label" if split == "test" else "output"]
    texts = [rows["instruction"], answer]
    fits = pc.is_in(source_keys(rows["example_id"]), pa.array(sorted(keys), pa.string()))
    fits = pc.and_(fits, pc.greater(pc.list_value_length(rows["positives"]), 0))
    for text in texts:
        fits = pc.and_(fits, pc.less_equal(pc.utf8_length(text), CHARS))
        fits = pc.and_(fits, pc.invert(pc.match_substring(text, FENCE)))
    columns = {
        "without": pc.equal(pc.list_value_length(rows["hard_negatives"]), 0).cast(pa.int8()),
        "foreign": pc.not_equal(rows["lang"], "en").cast(pa.int8()),
        "chars": pc.add(*map(pc.utf8_length, texts)),
        "split": pa.array([split] * rows.num_rows, pa.string()),
        **{name: rows[name] for name in ("id", "instruction")},
        "answer": answer,
    }
    return pa.table(columns).filter(fits)
