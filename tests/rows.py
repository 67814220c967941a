"""The rows of a build for one Example, as dataclasses."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.arrow import examples_to_table
from schemas.example import Example
from schemas.label import Label
from tests.specification.instruction import Instruction
from transforms.ask import AskOptions, ask_spec
from transforms.instruct import instruction_table
from transforms.prompts import Prompts

LISTS = ("labels", "positives", "hard_negatives", "messages")


def instructions(
    example: Example,
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
    form_prompts: Mapping[str, Prompts] = MappingProxyType({}),
) -> tuple[list[Instruction], int]:
    """The rows of `example`, and the number of all-negative batches that were left out."""
    spec = ask_spec(task, labels, dictionary, prompts, options, form_prompts)
    table, cut = instruction_table(examples_to_table([example]), spec)
    rows = [row | {name: tuple(row[name]) for name in LISTS if name in row} for row in table.to_pylist()]
    return [Instruction(**row) for row in rows], cut
