"""The ids of Examples and instructions: formatting and parsing.

The id of an Example is `<key>/<split>/<number>`, that of a window `<key>/<split>/<number>/<window>`, that of an
instruction `<example id>/<task>/<batch>`. A key may contain slashes and any names between them, such as `a/train/5`.
Ids are still unambiguous: the second-to-last part is a split in the id of a whole Example and a number in the id of a
window. `schemas.id_columns` parses whole columns of ids.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from schemas.errors import quoted
from schemas.example import SPLITS, TASKS

LIMIT = 10**18
"""Exclusive upper bound of the numbers in an id: they have at most 18 digits and fit into 64 bits."""

NUMBER = "0|[1-9][0-9]{0,17}"
EXAMPLE = re.compile(rf"(?s:(.+))/({'|'.join(SPLITS)})/({NUMBER})(?:/({NUMBER}))?")
INSTRUCTION = re.compile(rf"(?s:(.+))/({'|'.join(TASKS)})/({NUMBER})")


@dataclass(frozen=True, slots=True)
class ExampleId:
    """`number`: the position of the Example among the readable records of its source and split, from 0. `window`: its
    position among the windows of its document, None if the document was not cut.

    Raises ValueError for an empty key, an unknown split and a number that is negative or has more than 18 digits.
    """

    key: str
    split: str
    number: int
    window: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.number,) if self.window is None else (self.number, self.window)
        if not self.key or self.split not in SPLITS or not all(0 <= number < LIMIT for number in numbers):
            raise ValueError(
                f"{quoted((self.key, self.split, *numbers))} is not a valid example id; expected a non-empty key, "
                f"one of {', '.join(SPLITS)}, and numbers of at most 18 digits"
            )

    @classmethod
    def match(cls, text: str) -> Self | None:
        """The id written in `text`, or None if it is not valid."""
        parts = EXAMPLE.fullmatch(text)
        if parts is None:
            return None
        key, split, number, window = parts.groups()
        return cls(key, split, int(number), None if window is None else int(window))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id written in `text`. Raises ValueError if it is not valid."""
        parsed = cls.match(text)
        if parsed is None:
            raise ValueError(
                f"{quoted(text)} is not an example id; "
                "expected <key>/<split>/<number> or <key>/<split>/<number>/<window>"
            )
        return parsed

    @property
    def prefix(self) -> str:
        """`<key>/<split>`, the prefix of all ids of a source and split."""
        return f"{self.key}/{self.split}"

    def with_window(self, window: int) -> Self:
        """The id of a window of this document. Raises ValueError if this is the id of a window."""
        if self.window is not None:
            raise ValueError(f"{self}: a window cannot be cut again")
        return replace(self, window=window)

    def __str__(self) -> str:
        text = format_id(self.key, self.split, self.number)
        return text if self.window is None else f"{text}/{self.window}"


def format_id(key: str, split: str, number: int) -> str:
    """`str(ExampleId(key, split, number))` without its checks, for stages that create one id per record."""
    return f"{key}/{split}/{number}"


@dataclass(frozen=True, slots=True)
class InstructionId:
    """`batch`: the position of the instruction among those of its Example and task, from 0."""

    example: ExampleId
    task: str
    batch: int

    @classmethod
    def match(cls, text: str) -> Self | None:
        """The id written in `text`, or None if it is not valid."""
        parts = INSTRUCTION.fullmatch(text)
        example = ExampleId.match(parts[1]) if parts else None
        return cls(example, parts[2], int(parts[3])) if parts and example else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id written in `text`. Raises ValueError if it is not valid."""
        parsed = cls.match(text)
        if parsed is None:
            raise ValueError(f"{quoted(text)} is not an instruction id; expected <example id>/<task>/<batch>")
        return parsed

    def __str__(self) -> str:
        return f"{self.example}/{self.task}/{self.batch}"
