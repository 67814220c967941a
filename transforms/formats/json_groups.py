"""A JSON object of arrays, `{"group": [row, ...], ...}` → (place, group, row) or BadRecord; a file is read whole."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.json_values import BLANKS, SEPARATOR, after, element, end_of_file, fit

Row = TypeVar("Row")


def read(
    files: Iterable[File], to_example: Callable[[str, str, Row], RawExample | BadRecord | None], row_type: type[Row]
) -> Iterator[RawExample | BadRecord]:
    """Every row as `row_type` through `to_example(place, group, row)`, which leaves out a row by giving None.

    A row that does not fit is a BadRecord of its own. Where the JSON breaks, the rows before are kept and one
    BadRecord stands for what follows.
    """
    for file in files:
        try:
            for line, group, number, value in rows(file.text()):
                place = f"{file.name}:{line}"
                row = fit(value, row_type, place, f"row {number} of {group}: ")
                example = row if isinstance(row, BadRecord) else to_example(place, group, row)
                if example is not None:
                    yield example
        except json.JSONDecodeError as error:
            yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def rows(text: str) -> Iterator[tuple[int, str, int, object]]:
    """(line, group, number in the group from 0, value) of every row. Raises json.JSONDecodeError where it breaks."""
    line, counted = 1, 0
    at = _past(text, after(BLANKS, text, 0), "{")
    while not text.startswith("}", at):
        if not text.startswith('"', at):
            raise json.JSONDecodeError("Expecting a group's name", text, at)
        name, at = element(text, at)
        group = str(name)
        at = _past(text, _past(text, after(BLANKS, text, at), ":"), "[")
        number = 0
        while not text.startswith("]", at):
            line, counted = line + text.count("\n", counted, at), at
            value, at = element(text, at)
            yield line, group, number, value
            number, at = number + 1, after(SEPARATOR, text, at)
        at = after(SEPARATOR, text, at + 1)
    end_of_file(text, at + 1)


def _past(text: str, at: int, character: str) -> int:
    """Where the JSON goes on after `character`, which must stand at `at`."""
    if not text.startswith(character, at):
        raise json.JSONDecodeError(f"Expecting {character!r}", text, at)
    return after(BLANKS, text, at + 1)
