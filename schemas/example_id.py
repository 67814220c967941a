"""The ids of Examples and Instructions: how they are written and taken apart.

An Example's id is `<key>/<split>/<number>`, a window's `<key>/<split>/<number>/<window>`, an Instruction's
`<example id>/<task>/<batch>`. A key may contain slashes, and any names between them, as in `a/train/5`. An id still has
one reading: the last part but one of an Example's id is a split where the Example is whole and a number where it is a
window, and no text is both. `schemas.id_columns` does the same for columns of ids.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from schemas.errors import quoted
from schemas.example import SPLITS, TASKS

LIMIT = 10**18
"""The numbers in an id are below it: they have at most 18 digits and fit into 64 bits."""

NUMBER = "0|[1-9][0-9]{0,17}"
EXAMPLE = re.compile(rf"(?s:(.+))/({'|'.join(SPLITS)})/({NUMBER})(?:/({NUMBER}))?")
INSTRUCTION = re.compile(rf"(?s:(.+))/({'|'.join(TASKS)})/({NUMBER})")


@dataclass(frozen=True, slots=True)
class ExampleId:
    """`number`: the Example's position among the readable records of its source and split, from 0. `window`: its
    position among the windows of a document that was cut, else None.

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
                f"{quoted((self.key, self.split, *numbers))} makes no example id; expected a key that is not empty, "
                f"one of {', '.join(SPLITS)}, and numbers of at most 18 digits"
            )

    @classmethod
    def match(cls, text: str) -> Self | None:
        """The id that `text` is, None where it is none."""
        parts = EXAMPLE.fullmatch(text)
        if parts is None:
            return None
        key, split, number, window = parts.groups()
        return cls(key, split, int(number), None if window is None else int(window))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id that `text` is. Raises ValueError where it is none."""
        parsed = cls.match(text)
        if parsed is None:
            raise ValueError(
                f"{quoted(text)} is no example id; expected <key>/<split>/<number> or <key>/<split>/<number>/<window>"
            )
        return parsed

    @property
    def prefix(self) -> str:
        """`<key>/<split>`, which all ids of a source and split begin with."""
        return f"{self.key}/{self.split}"

    def with_window(self, window: int) -> Self:
        """The id of a window of this document. Raises ValueError where this is a window itself."""
        if self.window is not None:
            raise ValueError(f"{self}: a window is not cut again")
        return replace(self, window=window)

    def __str__(self) -> str:
        text = format_id(self.key, self.split, self.number)
        return text if self.window is None else f"{text}/{self.window}"


def format_id(key: str, split: str, number: int) -> str:
    """`str(ExampleId(key, split, number))` without its checks, for a stage that makes an id per record."""
    return f"{key}/{split}/{number}"


@dataclass(frozen=True, slots=True)
class InstructionId:
    """`batch`: the Instruction's position among those of its Example and task, from 0."""

    example: ExampleId
    task: str
    batch: int

    @classmethod
    def match(cls, text: str) -> Self | None:
        """The id that `text` is, None where it is none."""
        parts = INSTRUCTION.fullmatch(text)
        example = ExampleId.match(parts[1]) if parts else None
        return cls(example, parts[2], int(parts[3])) if parts and example else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id that `text` is. Raises ValueError where it is none."""
        parsed = cls.match(text)
        if parsed is None:
            raise ValueError(f"{quoted(text)} is no instruction id; expected <example id>/<task>/<batch>")
        return parsed

    def __str__(self) -> str:
        return f"{self.example}/{self.task}/{self.batch}"
