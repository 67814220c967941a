"""The rows of a build for one Example, as dataclasses."""

from collections.abc import Mapping, Sequence

from schemas.arrow import examples_to_table
from schemas.example import Example
from schemas.label import Label
from tests.specification.instruction import Instruction
from transforms.ask import AskOptions, ask_spec
from transforms.instruct import instruction_table
from transforms.prompts import Prompts

LISTS = ("labels", "positives", "hard_negatives")


def instructions(
    example: Example,
    task: str,
    labels: Sequence[Label],
    dictionary: Mapping[str, Sequence[str]] | None,
    prompts: Prompts,
    options: AskOptions,
) -> tuple[list[Instruction], int]:
    """The rows of `example`, and the number of all-negative batches that were left out."""
    table, cut = instruction_table(examples_to_table([example]), ask_spec(task, labels, dictionary, prompts, options))
    rows = [row | {name: tuple(row[name]) for name in LISTS} for row in table.to_pylist()]
    return [Instruction(**row) for row in rows], cut
