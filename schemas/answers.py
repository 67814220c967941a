"""A prompt for a model, and its answer or the reason why there is none: the interface of all generation backends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction, the examples before it as (instruction, output), and the JSON Schema of its
    answer if decoding is guided.
    """

    instruction: str
    shots: tuple[tuple[str, str], ...] = ()
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer. `cut`: whether it reached the token limit."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt without an answer. Nothing is written for it, so the next run tries it again."""

    reason: str


def messages(instruction: str, examples: Sequence[tuple[str, str]] = ()) -> list[dict[str, str]]:
    """The turns of a prompt: `examples` as (instruction, answer) pairs, then the instruction."""
    turns = []
    for question, answer in examples:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [*turns, {"role": "user", "content": instruction}]
