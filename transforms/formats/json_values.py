"""JSON files of one object or one array of objects, each read whole → (place, object) or BadRecord."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File

BLANKS = re.compile(r"\s*")
SEPARATOR = re.compile(r"\s*,?\s*")
SCALAR = re.compile(r"[^\s,\]}]*")
BRACKET_OR_STRING = re.compile(r'[][{}]|"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
DECODER = json.JSONDecoder()
TOO_DEEP = "brackets are nested too deeply"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that is JSON, and that Python refuses to make: what is wrong with it."""

    detail: str


def read_file(
    file: File, to_example: Callable[[str, object], RawExample | BadRecord], row_type: type
) -> Iterator[RawExample | BadRecord]:
    """Every object as `row_type` (a msgspec Struct or dict) through `to_example(place, row)`, placed at its first line.

    An object that does not fit is a BadRecord of its own. Where the JSON breaks, the objects before are kept and one
    BadRecord stands for what follows.
    """
    try:
        for line, value in values(file.text()):
            row = fit(value, row_type, f"{file.name}:{line}")
            yield row if isinstance(row, BadRecord) else to_example(f"{file.name}:{line}", row)
    except json.JSONDecodeError as error:
        yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def fit(value: object, row_type: type, place: str, what: str = "") -> object | BadRecord:
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
    """(first line, value) of the elements of the array in `text`, or of the one value that it is.

    Raises json.JSONDecodeError at the first element that breaks, at the end if the array is not closed, and where
    something follows.
    """
    line, counted = 1, 0
    at = BLANKS.match(text).end()
    if not text.startswith("[", at):
        value, end = element(text, at)
        yield text.count("\n", 0, at) + 1, value
    else:
        at = BLANKS.match(text, at + 1).end()
        while not text.startswith("]", at):
            line, counted = line + text.count("\n", counted, at), at
            value, at = element(text, at)
            yield line, value
            at = SEPARATOR.match(text, at).end()
        end = at + 1
    end_of_file(text, end)


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
        return SCALAR.match(text, at).end()
    depth = 0
    for token in BRACKET_OR_STRING.finditer(text, at):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return token.end()
    raise json.JSONDecodeError("Brackets are not closed", text, at)


def end_of_file(text: str, at: int) -> None:
    """Raises json.JSONDecodeError where anything but blanks follows."""
    at = BLANKS.match(text, at).end()
    if at < len(text):
        raise json.JSONDecodeError("Something follows the value", text, at)
