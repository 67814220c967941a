"""Shards of data/ → the same question in each form of answer that the rows have, for the card and the report.

A row of the corpus is asked and answered in the other forms too: with the prompt text of another row of its task in
that form, and with its answer rewritten (`transforms.answer_forms`).
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from schemas.answer_form import FORMS
from schemas.example import TASKS
from schemas.id_columns import source_keys
from schemas.manifests import InstructionShard
from transforms import answer_forms
from transforms.plain_schema import plain_schema
from transforms.shards import read_group, read_schema

CHARS = 2_000
"""Longer prompts, with the text and the labels, and longer answers are not shown."""

SHARDS_PER_TASK = 4
"""Of as many shards the first row group is read."""

ROWS_PER_FORM = 500
"""The number of rows among which the shown one is chosen."""

COMPLETE = ("iepile", "nan", "spans")
"""The forms that name the labels without an answer, from which the other forms can be written."""


class Prompt(msgspec.Struct, frozen=True):
    """The JSON of a prompt."""

    instruction: str
    schema: list | dict
    input: str


PROMPT = msgspec.json.Decoder(Prompt)


class Row(msgspec.Struct, frozen=True):
    """A row of data/, as far as it is used. `chars`: the length of its prompt."""

    id: str
    lang: str
    prompt: Prompt
    output: str
    positives: list[str]
    form: str
    chars: int


@dataclass(frozen=True)
class FormAnswer:
    """`prompt`: the text of the prompt, which states the form."""

    form: str
    prompt: str
    answer: str


@dataclass(frozen=True)
class FormExample:
    """The row `id` of the corpus in each form of its task. `schema`: the labels asked, as JSON. `text`: the input.
    `answers`: in the order of FORMS.
    """

    task: str
    id: str
    schema: str
    text: str
    answers: tuple[FormAnswer, ...]


def form_examples(output: str, shards: Iterable[InstructionShard], keys: Collection[str]) -> list[FormExample]:
    """Examples of the train rows of the sources `keys`, as few as show all forms. None if all rows have the same form.

    `shards`: those of data/, in order.
    """
    train = sorted((shard for shard in shards if shard.split == "train" and shard.rows), key=lambda shard: shard.path)
    by_task = {}
    for task, of_task in groupby(sorted(train, key=lambda shard: TASKS.index(shard.task)), lambda shard: shard.task):
        paths = [f"{output}/{shard.path}" for shard in of_task if not shard.sources.keys().isdisjoint(keys)]
        example = form_example(task, [table(path, keys) for path in paths[:SHARDS_PER_TASK] if has_forms(path)])
        if example:
            by_task[task] = example
    return list(covering(by_task.values()))


def has_forms(path: str) -> bool:
    return "form" in read_schema(path).names


def table(path: str, keys: Collection[str]) -> pa.Table:
    """The short rows of the first row group of a shard."""
    columns = ["id", "example_id", "lang", "instruction", "output", "positives.list.element", "form"]
    rows = read_group(path, 0, columns)
    is_short = [pc.less_equal(pc.utf8_length(rows[name]), CHARS) for name in ("instruction", "output")]
    is_kept = pc.is_in(source_keys(rows["example_id"]), pa.array(sorted(keys), pa.string()))
    return rows.filter(pc.and_(pc.and_(*is_short), is_kept))


def form_example(task: str, tables: Iterable[pa.Table]) -> FormExample | None:
    """An example of the task in the forms that the rows have; None if they have one form only."""
    rows = [row for one in tables for form in FORMS for row in shortest(one, form)]
    candidates = [row for row in rows if row.form in COMPLETE and row.positives]
    if not candidates:
        return None
    shown = min(candidates, key=_rank)
    texts = {row.form: row.prompt.instruction for row in rows if row.lang == shown.lang}
    if len(texts) < 2:
        return None
    texts[shown.form] = shown.prompt.instruction
    answer = answer_forms.read(shown.form, task, shown.output)
    answers = []
    for form in FORMS:
        if form == shown.form:
            answers.append(FormAnswer(form, texts[form], shown.output))
        elif form in texts:
            answers.append(FormAnswer(form, texts[form], answer_forms.write(form, task, answer, prompt=texts[form])))
    schema = json.dumps(shown.prompt.schema, ensure_ascii=False)
    return FormExample(task, shown.id, schema, shown.prompt.input, tuple(answers))


def shortest(rows: pa.Table, form: str) -> list[Row]:
    """The rows in the form with the shortest prompts."""
    rows = rows.filter(pc.equal(rows["form"], form))
    rows = rows.append_column("chars", pc.utf8_length(rows["instruction"]))
    order = pc.sort_indices(rows, [("chars", "ascending"), ("id", "ascending")])
    chosen = rows.take(order[:ROWS_PER_FORM]).rename_columns({"instruction": "prompt"})
    prompts = map(PROMPT.decode, chosen.column("prompt").to_pylist())
    return [msgspec.convert(row | {"prompt": one}, Row) for row, one in zip(chosen.to_pylist(), prompts, strict=True)]


def _rank(row: Row) -> tuple:
    """The best row to show has the least rank: one that gives places in their context, then one with an absent
    label, in English, with two or more labels that occur, with plain labels, and short.
    """
    schema = row.prompt.schema
    return (
        not (row.form == "spans" and '"before"' in row.output),
        len(row.positives) == len(plain_schema(schema)),
        row.lang != "en",
        len(row.positives) < 2,
        plain_schema(schema) != schema,
        row.chars,
        row.id,
    )


def covering(examples: Iterable[FormExample]) -> Iterator[FormExample]:
    """As few of the examples as show all forms, those with most new forms first."""
    left = list(examples)
    shown: set[str] = set()

    def new_forms(example: FormExample) -> int:
        return len({one.form for one in example.answers} - shown)

    while left:
        best = max(left, key=new_forms)
        if not new_forms(best):
            return
        yield best
        left.remove(best)
        shown.update(one.form for one in best.answers)
