"""JSON objects, one per line or in one array (detected per file) → RawExamples.

The source gives the type of the objects and the function that converts them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from transforms.files import File
from transforms.formats import json_values

Row = TypeVar("Row")
Result = TypeVar("Result")

OBJECTS = re.compile(r"\[\s*(?:[{\]]|$)")
"""The first line of an array of objects."""

NEIGHBOURS = re.compile(r"\}\s*\{")
"""Two objects on one line."""


def read(
    files: Iterable[File], to_example: Callable[[str, Row], Result], row_type: type[Row]
) -> Iterator[Result | BadRecord]:
    """The results of `to_example(place, row)` for every object, decoded as the msgspec type `row_type`.

    `place` is `file:line` of the first line of the object. An object that does not have this type, or is nested too
    deeply, is a BadRecord. Both layouts are read piece by piece.
    """
    for file in files:
        layout = json_values.read_file if is_one_value(file) else _read_lines
        yield from layout(file, to_example, row_type)


def contains(files: Iterable[File], pattern: re.Pattern[str]) -> bool:
    """Whether the pattern matches in the text of one of the files, within OVERLAP characters."""
    for file in files:
        end = ""
        for piece in file.pieces():
            text = end + piece
            if pattern.search(text):
                return True
            end = text[-OVERLAP:]
    return False


OVERLAP = 1000


def is_one_value(file: File) -> bool:
    """Whether the file is a single JSON value, usually an array, instead of one object per line.

    The first two lines decide: if the first is not valid JSON by itself, it is the start of a longer value, unless the
    second looks like an object on its own line.
    """
    first, second = (*[line for line in map(str.strip, file.first_lines()) if line][:2], "", "")[:2]
    if first.startswith("{"):
        return (second.startswith(('"', "}")) or bool(NEIGHBOURS.search(first))) and not _is_json(first)
    if not first.startswith("[") or (second and _is_json(first)):
        return False
    return bool(OBJECTS.match(first)) or not second.startswith("{")


def _is_json(line: str) -> bool:
    return not _syntax_error(line)


def _syntax_error(line: str) -> str:
    """Why the line is not valid JSON of any type; empty if it is."""
    try:
        msgspec.json.decode(line.encode("utf-8", "surrogateescape"))
    except RecursionError:
        return json_values.TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    return ""


def _read_lines(
    file: File, to_example: Callable[[str, Row], Result], row_type: type[Row]
) -> Iterator[Result | BadRecord]:
    decoder = msgspec.json.Decoder(row_type)
    for number, line in file.lines():
        if not line.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            row = decoder.decode(line.encode("utf-8", "surrogateescape"))
        except UnicodeDecodeError as error:
            yield BadRecord(place, Reason.NOT_UTF8, str(error))
        except msgspec.ValidationError as error:
            broken = _syntax_error(line)
            yield BadRecord(place, Reason.BROKEN_JSON if broken else Reason.MISSING_FIELD, broken or str(error))
        except msgspec.DecodeError as error:
            yield BadRecord(place, Reason.BROKEN_JSON, str(error))
        except RecursionError:
            yield BadRecord(place, Reason.BROKEN_JSON, json_values.TOO_DEEP)
        else:
            yield to_example(place, row)
