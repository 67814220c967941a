"""A prompt for a model, and its answer or the reason why there is none: the interface of all generation backends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction, and the examples before it as (instruction, output).

    If decoding is guided: the JSON Schema of its answer (None for a form that is not JSON), the `grammar` of its answer
    for llguidance, whose mentions are in the text, and an `ending` at least as long as what must follow in any place to
    end the answer.
    """

    instruction: str
    shots: tuple[tuple[str, str], ...] = ()
    schema: dict[str, Any] | None = None
    grammar: str | None = None
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer. `cut`: whether it reached the token limit."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt without an answer. `is_final`: whether it can never be answered; else the next run tries it again."""

    reason: str
    is_final: bool = False


def messages(instruction: str, examples: Sequence[tuple[str, str]] = ()) -> list[dict[str, str]]:
    """The turns of a prompt: `examples` as (instruction, answer) pairs, then the instruction."""
    turns = []
    for question, answer in examples:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [*turns, {"role": "user", "content": instruction}]
