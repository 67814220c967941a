"""JSON files of one object or one array of objects, each read whole → (place, object) or BadRecord."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from transforms.files import File

Row = TypeVar("Row")
Record = TypeVar("Record")

BLANKS = re.compile(r"\s*")
SEPARATOR = re.compile(r"\s*,?\s*")
SCALAR = re.compile(r"[^\s,\]}]*")
FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*+")')
BRACKET_OR_STRING = re.compile(r'[][{}]|"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
DECODER = json.JSONDecoder()
TOO_DEEP = "brackets are nested too deeply"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that is JSON, and that Python refuses to make: what is wrong with it."""

    detail: str


def after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """The end of the match of `pattern` at `at`; `at` where it does not match."""
    match = pattern.match(text, at)
    return match.end() if match else at


def read_file(
    file: File, to_example: Callable[[str, Row], Record], row_type: type[Row]
) -> Iterator[Record | BadRecord]:
    """Every object as `row_type` (a msgspec Struct or dict) through `to_example(place, row)`, placed at its first line.

    An object that does not fit, or whose JSON breaks, is a BadRecord of its own; so is an end that is no object.
    """
    try:
        for line, value in values(file.text()):
            row = fit(value, row_type, f"{file.name}:{line}")
            yield row if isinstance(row, BadRecord) else to_example(f"{file.name}:{line}", row)
    except json.JSONDecodeError as error:
        yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def fit(value: object, row_type: type[Row], place: str, what: str = "") -> Row | BadRecord:
    """A value of `element` as `row_type`, or why it is none; `what` opens the detail."""
    if isinstance(value, Unreadable):
        return BadRecord(place, Reason.BROKEN_JSON, what + value.detail)
    try:
        return msgspec.convert(value, row_type)
    except msgspec.ValidationError as error:
        return BadRecord(place, Reason.MISSING_FIELD, f"{what}{error}")
    except UnicodeEncodeError as error:  # of a key: strings are left to `transforms.normalize`
        return BadRecord(place, Reason.NOT_UTF8, f"{what}the key {error.object!r} is not UTF-8; re-encode the file")
    except RecursionError:
        return BadRecord(place, Reason.BROKEN_JSON, what + TOO_DEEP)


def values(text: str) -> Iterator[tuple[int, object]]:
    """(first line, value) of the elements of the array in `text`, or of the values that stand in it one after another.

    An element that breaks is an Unreadable, and reading goes on where an object begins as the first one does. Raises
    json.JSONDecodeError where none does, at the end if the array is not closed, and where something follows it.
    """
    line, counted = 1, 0
    at = after(BLANKS, text, 0)
    array = text.startswith("[", at)
    if array:
        at = after(BLANKS, text, at + 1)
    elif at == len(text):
        raise json.JSONDecodeError("Expecting value", text, at)
    beginning = beginnings(text, at)
    while not (text.startswith("]", at) if array else at == len(text)):
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = element(text, at)
        except json.JSONDecodeError as error:
            following = beginning and beginning.search(text, max(error.pos, at + 1))
            if not following:
                raise
            value, at = Unreadable(f"{error.msg}, in line {error.lineno}"), following.end() - 1
        yield line, value
        at = after(SEPARATOR, text, at)
    if array:
        end_of_file(text, at + 1)


def beginnings(text: str, at: int) -> re.Pattern[str] | None:
    """Where an object of the file begins, up to its bracket: with the first key of the one at `at`, and at the start of
    a line as deep as that one where it stands so. None where no object stands there.
    """
    first = FIRST_KEY.match(text, at)
    if not first:
        return None
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    before = "" if indent.strip() or "\n" not in text else f"(?<=\n{re.escape(indent)})"
    return re.compile(before + r"\{(?=\s*" + re.escape(first[1]) + r"\s*:)")


def element(text: str, at: int) -> tuple[object, int]:
    """The value that starts at `at`, or an Unreadable for it, and where it ends. Raises json.JSONDecodeError."""
    try:
        return DECODER.raw_decode(text, at)
    except RecursionError:
        return Unreadable(TOO_DEEP), _end(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # a number of more than 4,300 digits
        return Unreadable(str(error)), _end(text, at)


def _end(text: str, at: int) -> int:
    """Where the value ends that starts at `at`: where as many brackets are closed as were opened."""
    if text[at] not in "[{":
        return after(SCALAR, text, at)
    depth = 0
    for token in BRACKET_OR_STRING.finditer(text, at):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return token.end()
    raise json.JSONDecodeError("Brackets are not closed", text, at)


def end_of_file(text: str, at: int) -> None:
    """Raises json.JSONDecodeError where anything but blanks follows."""
    at = after(BLANKS, text, at)
    if at < len(text):
        raise json.JSONDecodeError("Something follows the value", text, at)
