"""What every way of generating takes and gives: a prompt in, an answer or the reason why there is none out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction (its JSON string), examples before it as (instruction, output), and its answer's JSON Schema
    where decoding is guided.
    """

    instruction: str
    shots: tuple[tuple[str, str], ...] = ()
    schema: dict | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut`: the token limit ended it, not the model."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer; the row is left out of the predictions and stays to be done."""

    reason: str


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of `size`, the last one smaller."""
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
