"""JSON files with one object or one array of objects, each file read whole → RawExamples."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from transforms.files import File

Row = TypeVar("Row")
Result = TypeVar("Result")

BLANKS = re.compile(r"\s*")
SEPARATOR = re.compile(r"\s*,?\s*")
SCALAR = re.compile(r"[^\s,\]}]*")
FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*+")')
BRACKET_OR_STRING = re.compile(r'[][{}]|"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
DECODER = json.JSONDecoder()
TOO_DEEP = "brackets are nested too deeply"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that is broken, or that is JSON but that Python refuses to create."""

    detail: str


def read_file(
    file: File, to_example: Callable[[str, Row], Result], row_type: type[Row]
) -> Iterator[Result | BadRecord]:
    """The results of `to_example(place, row)` for every object, decoded as the msgspec type `row_type`.

    `place` is `file:line` of the first line of the object. An object that is broken or does not have this type is a
    BadRecord, and so is trailing text.
    """
    try:
        for line, value in values(file.text()):
            row = convert(value, row_type, f"{file.name}:{line}")
            yield row if isinstance(row, BadRecord) else to_example(f"{file.name}:{line}", row)
    except json.JSONDecodeError as error:
        yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def convert(value: object, row_type: type[Row], place: str, prefix: str = "") -> Row | BadRecord:
    """A value from `element` as `row_type`, or a BadRecord, whose detail starts with `prefix`."""
    if isinstance(value, Unreadable):
        return BadRecord(place, Reason.BROKEN_JSON, prefix + value.detail)
    try:
        return msgspec.convert(value, row_type)
    except msgspec.ValidationError as error:
        return BadRecord(place, Reason.MISSING_FIELD, f"{prefix}{error}")
    except UnicodeEncodeError as error:  # in a key; `transforms.normalize` checks the values
        return BadRecord(place, Reason.NOT_UTF8, f"{prefix}the key {error.object!r} is not UTF-8; re-encode the file")
    except RecursionError:
        return BadRecord(place, Reason.BROKEN_JSON, prefix + TOO_DEEP)


def values(text: str) -> Iterator[tuple[int, object]]:
    """(first line, value) of each element of the array in `text`, or of each of the concatenated values in it.

    A broken element is an Unreadable; reading continues at the next object that starts like the first one. Raises
    json.JSONDecodeError if there is none, if the array is not closed, and for text after the array.
    """
    line, counted = 1, 0
    at = end_of_match(BLANKS, text, 0)
    array = text.startswith("[", at)
    if array:
        at = end_of_match(BLANKS, text, at + 1)
    elif at == len(text):
        raise json.JSONDecodeError("Expecting value", text, at)
    start = object_start(text, at)
    while not (text.startswith("]", at) if array else at == len(text)):
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = element(text, at)
        except json.JSONDecodeError as error:
            following = start and start.search(text, max(error.pos, at + 1))
            if not following:
                raise
            value, at = Unreadable(f"{error.msg}, in line {error.lineno}"), following.end() - 1
        yield line, value
        at = end_of_match(SEPARATOR, text, at)
    if array:
        end_of_file(text, at + 1)


def end_of_match(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the match of `pattern` that starts at `at` ends; `at` if there is none."""
    match = pattern.match(text, at)
    return match.end() if match else at


def object_start(text: str, at: int) -> re.Pattern[str] | None:
    """A pattern for the start of the objects of the file, up to the bracket. They must have the same first key as the
    object at `at` and, if that starts its line, start a line with the same indentation. None if no object is at `at`.
    """
    first = FIRST_KEY.match(text, at)
    if not first:
        return None
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    before = "" if indent.strip() or "\n" not in text else f"(?<=\n{re.escape(indent)})"
    return re.compile(before + r"\{(?=\s*" + re.escape(first[1]) + r"\s*:)")


def element(text: str, at: int) -> tuple[object, int]:
    """The value that starts at `at`, or an Unreadable instead, and where it ends. Raises json.JSONDecodeError."""
    try:
        return DECODER.raw_decode(text, at)
    except RecursionError:
        return Unreadable(TOO_DEEP), _end(text, at)
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # a number of more than 4,300 digits
        return Unreadable(str(error)), _end(text, at)


def _end(text: str, at: int) -> int:
    """Where the value that starts at `at` ends: at the bracket that closes its first one."""
    if text[at] not in "[{":
        return end_of_match(SCALAR, text, at)
    depth = 0
    for token in BRACKET_OR_STRING.finditer(text, at):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return token.end()
    raise json.JSONDecodeError("Brackets are not closed", text, at)


def end_of_file(text: str, at: int) -> None:
    """Raises json.JSONDecodeError if anything but whitespace follows."""
    at = end_of_match(BLANKS, text, at)
    if at < len(text):
        raise json.JSONDecodeError("Text follows the value", text, at)
