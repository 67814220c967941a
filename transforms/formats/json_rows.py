"""JSON objects, one a line or in one array, whichever a file is → (place, object) or BadRecord.

What an object holds is the source's to say.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from transforms.files import File
from transforms.formats import json_values

Row = TypeVar("Row")
Record = TypeVar("Record")

OBJECTS = re.compile(r"\[\s*(?:[{\]]|$)")
"""The first line of an array of objects."""

NEIGHBOURS = re.compile(r"\}\s*\{")
"""Two objects on one line."""


def read(
    files: Iterable[File], to_example: Callable[[str, Row], Record], row_type: type[Row]
) -> Iterator[Record | BadRecord]:
    """Every object as `row_type` (a msgspec Struct or dict) through `to_example(place, row)`, placed at its first line.

    An object that does not fit, or is nested too deeply, is a BadRecord of its own. Lines are read a block of the
    file at a time, an array (or a single object over several lines) with the whole file in memory.
    """
    for file in files:
        layout = json_values.read_file if is_one_value(file) else _read_lines
        yield from layout(file, to_example, row_type)


def is_one_value(file: File) -> bool:
    """Whether the file is one JSON value, an array as a rule, and not an object a line.

    The first two lines tell: a first one that is no JSON by itself is the beginning of more, unless what follows
    looks like an object on a line of its own.
    """
    first, second = (*islice((line.strip() for _, line in file.lines() if line.strip()), 2), "", "")[:2]
    if first.startswith("{"):
        return (second.startswith(('"', "}")) or bool(NEIGHBOURS.search(first))) and not _is_json(first)
    if not first.startswith("[") or (second and _is_json(first)):
        return False
    return bool(OBJECTS.match(first)) or not second.startswith("{")


def _is_json(line: str) -> bool:
    return not _syntax_error(line)


def _syntax_error(line: str) -> str:
    """Why the line is no JSON, whatever a row should hold; empty where it is."""
    try:
        msgspec.json.decode(line.encode("utf-8", "surrogateescape"))
    except RecursionError:
        return json_values.TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    return ""


def _read_lines(
    file: File, to_example: Callable[[str, Row], Record], row_type: type[Row]
) -> Iterator[Record | BadRecord]:
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
