"""JSON files of one object or one array of objects → (place, object) or BadRecord, as `jsonl` does for lines."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File

BLANKS = re.compile(r"\s*")
SEPARATOR = re.compile(r"\s*,?\s*")
DECODER = json.JSONDecoder()


def read(
    files: Iterable[File], to_example: Callable[[str, object], RawExample | BadRecord], row_type: type = dict
) -> Iterator[RawExample | BadRecord]:
    """Every object as `row_type` (a msgspec Struct or dict) through `to_example(place, row)`, placed at its first line.

    An object that does not fit is a BadRecord of its own. Where the JSON breaks, the objects before are kept and one
    BadRecord stands for what follows.
    """
    for file in files:
        try:
            for line, value in values(file.text()):
                place = f"{file.name}:{line}"
                try:
                    row = msgspec.convert(value, row_type)
                except msgspec.ValidationError as error:
                    yield BadRecord(place, Reason.MISSING_FIELD, str(error))
                else:
                    yield to_example(place, row)
        except json.JSONDecodeError as error:
            yield BadRecord(f"{file.name}:{error.lineno}", Reason.BROKEN_JSON, f"the rest is not read: {error.msg}")


def values(text: str) -> Iterator[tuple[int, object]]:
    """(first line, value) of the elements of the array in `text`, or of the one value that it is.

    Raises json.JSONDecodeError at the first element that breaks, or at the end if the array is not closed.
    """
    at = BLANKS.match(text).end()
    if not text.startswith("[", at):
        value, end = DECODER.raw_decode(text, at)
        yield text.count("\n", 0, at) + 1, value
        end = BLANKS.match(text, end).end()
        if end < len(text):
            raise json.JSONDecodeError("something follows the value", text, end)
        return
    line, counted = 1, 0
    at = BLANKS.match(text, at + 1).end()
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        value, at = DECODER.raw_decode(text, at)
        yield line, value
        at = SEPARATOR.match(text, at).end()
