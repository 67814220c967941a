"""A row of the corpus: a prompt for one batch of labels and one Example, and its gold answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from schemas.arrow import instruction_schema


@dataclass(frozen=True, slots=True)
class Instruction:
    """`instruction`, `output`, `label` are JSON strings; the columns are those of `schemas.arrow.INSTRUCTIONS`,
    and OPTIONAL_COLUMNS.

    `id` is `<example_id>/<task>/<batch>`, batches numbered from 0. train and validation rows have `output`, test
    rows `label`, the unified annotation list of the whole example; both are None if the layer is not annotated.
    `labels` are the names in the prompt, in order (SPO: typed names), including `positives` and `hard_negatives`.
    `text_sha256`: hex, of the UTF-8 text.
    """

    id: str
    example_id: str
    text_sha256: str
    task: str
    source: str
    lang: str
    split: str
    instruction: str
    output: str | None
    label: str | None
    labels: tuple[str, ...]
    positives: tuple[str, ...]
    hard_negatives: tuple[str, ...]
    form: str | None = None
    messages: tuple[dict, ...] | None = None


def instructions_to_table(rows: Sequence[Instruction], columns: Collection[str] = ()) -> pa.Table:
    """`columns`: the optional columns that the table has."""
    schema = instruction_schema(columns)
    return pa.Table.from_arrays(
        [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema], schema=schema
    )
