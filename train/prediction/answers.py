"""The interface of all generation backends: a prompt in; an answer, or the reason why there is none, out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction (a JSON string), the examples before it as (instruction, output), and the JSON Schema of its
    answer if decoding is guided.
    """

    instruction: str
    shots: tuple[tuple[str, str], ...] = ()
    schema: dict | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer. `cut`: whether it reached the token limit."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A row without an answer. It is not written to the predictions, so the next run tries it again."""

    reason: str


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yields `items` in lists of `size`. The last one may be smaller."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
