"""A JSON object of arrays, `{"group": [row, ...], ...}`, each file read whole → RawExamples."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.json_values import BLANKS, SEPARATOR, convert, element, end_of_match

Row = TypeVar("Row")


def read(
    files: Iterable[File], to_example: Callable[[str, str, Row], RawExample | BadRecord | None], row_type: type[Row]
) -> Iterator[RawExample | BadRecord]:
    """The results of `to_example(place, group, row)` for every row, decoded as `row_type`; None skips the row.

    A row that does not have this type is a BadRecord. If the JSON is broken, the rows before that are kept, and one
    BadRecord reports the rest of the file.
    """
    for file in files:
        try:
            for line, group, number, value in rows(file.text()):
                place = f"{file.name}:{line}"
                row = convert(value, row_type, place, f"row {number} of {group}: ")
                example = row if isinstance(row, BadRecord) else to_example(place, group, row)
                if example is not None:
                    yield example
        except json.JSONDecodeError as error:
            yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def rows(text: str) -> Iterator[tuple[int, str, int, object]]:
    """(line, group, number in the group from 0, value) of every row. Raises json.JSONDecodeError for broken JSON."""
    line, counted = 1, 0
    at = _skip(text, end_of_match(BLANKS, text, 0), "{")
    while not text.startswith("}", at):
        if not text.startswith('"', at):
            raise json.JSONDecodeError("Expecting a group's name", text, at)
        group, at = element(text, at)
        at = _skip(text, _skip(text, end_of_match(BLANKS, text, at), ":"), "[")
        number = 0
        while not text.startswith("]", at):
            line, counted = line + text.count("\n", counted, at), at
            value, at = element(text, at)
            yield line, str(group), number, value
            number, at = number + 1, end_of_match(SEPARATOR, text, at)
        at = end_of_match(SEPARATOR, text, at + 1)
    end_of_file(text, at + 1)


def _skip(text: str, at: int, character: str) -> int:
    """Where the JSON continues after `character`. Raises json.JSONDecodeError if `character` is not at `at`."""
    if not text.startswith(character, at):
        raise json.JSONDecodeError(f"Expecting {character!r}", text, at)
    return end_of_match(BLANKS, text, at + 1)


def end_of_file(text: str, at: int) -> None:
    """Raises json.JSONDecodeError if anything but whitespace follows."""
    at = end_of_match(BLANKS, text, at)
    if at < len(text):
        raise json.JSONDecodeError("Text follows the value", text, at)
