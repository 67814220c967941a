"""JSON files with one object or one array of objects → RawExamples. Memory is bounded by the longest object."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from schemas.errors import BadRecord, Reason
from transforms.files import File

Row = TypeVar("Row")
Result = TypeVar("Result")

BLANKS = re.compile(r"\s*")
ARRAY_START = re.compile(r"\s*\[?\s*")
SEPARATOR = re.compile(r"\s*,?\s*")
SCALAR = re.compile(r"[^\s,\]}]*")
FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*+")')
BRACKET_OR_STRING = re.compile(r'[][{}]|"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
DECODER = json.JSONDecoder()
TOO_DEEP = "brackets are nested too deeply"
NOT_CLOSED = "Brackets are not closed"
UNFINISHED = (NOT_CLOSED, "Unterminated string")
"""Errors whose place says nothing about how much of the text was needed to find them."""

MARGIN = 64
"""Characters after a value or an error without which another text could follow: the rest of a number or an escape."""

PASSED = 1 << 16
"""Characters before an object that are kept after a broken one: json counts the lines of all of them for an error."""

TAIL = 4096
"""Characters for the indentation and the first key of an object."""


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
        for line, value in values(file.pieces()):
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


def convert_part(value: object, part_type: type[Row]) -> Row:
    """A part of a value from `element` as `part_type`. Raises msgspec.ValidationError, also for a key that is not
    UTF-8, for which msgspec.convert has another error.
    """
    try:
        return msgspec.convert(value, part_type)
    except UnicodeEncodeError as error:
        raise msgspec.ValidationError(f"the key {error.object!r} is not UTF-8; re-encode the file") from error


def values(pieces: Iterable[str]) -> Iterator[tuple[int, object]]:
    """(first line, value) of each element of the array in a text, or of each of the concatenated values in it.

    `pieces`: the text, cut anywhere. A broken element is an Unreadable; reading continues at the next object that
    starts like the first one. Raises json.JSONDecodeError if there is none, if the array is not closed, and for text
    after the array.
    """
    text = _Text(pieces)
    text.skip(ARRAY_START)
    array = text.text.startswith("[", end_of_match(BLANKS, text.text, 0))
    if not array and text.is_at_end():
        raise text.error("Expecting value", text.at)
    indent, key = text.first_key()
    while not (text.follows("]") if array else text.is_at_end()):
        line = text.line(text.at)
        try:
            value = text.element()
        except json.JSONDecodeError as error:
            if not (key and text.find(object_start(indent, key, text.has_lines), error.pos)):
                raise
            value = Unreadable(f"{error.msg}, in line {error.lineno}")
        yield line, value
        text.skip(SEPARATOR)
    if array:
        text.at += 1
        text.skip(BLANKS)
        if not text.is_at_end():
            raise text.error("Text follows the value", text.at)


class _Text:
    """A text that is read in pieces. `text`: the part that is being looked at; `at`: the place in it; `complete`:
    whether it contains the end of the text. `has_lines`: whether there was a line break.
    """

    __slots__ = ("at", "complete", "counted", "has_lines", "line_breaks", "pieces", "text")

    def __init__(self, pieces: Iterable[str]):
        self.pieces = iter(pieces)
        self.text = next(self.pieces, "")
        self.at = self.counted = self.line_breaks = 0  # `line_breaks`: before the place `counted`
        self.complete = False
        self.has_lines = "\n" in self.text

    def more(self, keep: int) -> None:
        """Drops the text before the place `keep`, and makes the rest at least twice as long."""
        if self.counted < keep:
            self.line(keep)
        parts = [self.text[keep:]]
        missing = max(len(parts[0]), 1)
        while missing > 0 and not self.complete:
            piece = next(self.pieces, "")
            self.complete = not piece
            self.has_lines = self.has_lines or "\n" in piece
            parts.append(piece)
            missing -= len(piece)
        self.text = "".join(parts)
        self.at = max(self.at - keep, 0)
        self.counted -= keep

    def line(self, at: int) -> int:
        """The number of the line of a place, which is not before that of the last call."""
        self.line_breaks += self.text.count("\n", self.counted, at)
        self.counted = at
        return self.line_breaks + 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Moves to the end of the match of `pattern`, which ends before any character that it does not match."""
        end = end_of_match(pattern, self.text, self.at)
        while end == len(self.text) and not self.complete:
            self.more(self.at)
            end = end_of_match(pattern, self.text, self.at)
        self.at = end

    def follows(self, string: str) -> bool:
        return self.text.startswith(string, self.at)

    def is_at_end(self) -> bool:
        """Whether the text ends here, if the last call was `skip`."""
        return self.at == len(self.text)

    def first_key(self) -> tuple[str, str]:
        """What stands before the object here in its line, and the first key of the object; "" if there is none."""
        while not (first := FIRST_KEY.match(self.text, self.at)):
            if self.complete or not self.follows("{") or len(self.text) - self.at > TAIL:
                return "", ""
            self.more(0)
        return self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at], first[1]

    def element(self) -> object:
        """The value that starts here, or an Unreadable instead. Moves to its end. Raises json.JSONDecodeError."""
        while True:
            try:
                value, end = element(self.text, self.at)
            except json.JSONDecodeError as error:
                is_certain = error.pos + MARGIN <= len(self.text) and not error.msg.startswith(UNFINISHED)
                if self.complete or is_certain:
                    raise self.error(error.msg, error.pos) from None
            else:
                if self.complete or end + MARGIN <= len(self.text):
                    self.at = end
                    return value
            self.more(self.at)

    def find(self, start: re.Pattern[str], at: int) -> bool:
        """Moves to the next object that starts like this, at or after the place `at` and after this place."""
        at = max(at, self.at + 1)
        while not (match := start.search(self.text, at)):
            if self.complete:
                return False
            at = max(at, len(self.text) - TAIL)
            keep = max(at - TAIL, 0)
            self.more(keep)
            at -= keep
        self.at = match.end() - 1
        if self.at > PASSED:
            self.line(self.at)
            self.text, self.at, self.counted = self.text[self.at :], 0, 0
        return True

    def error(self, message: str, at: int) -> json.JSONDecodeError:
        """An error at a place, with its line in the whole text."""
        error = json.JSONDecodeError(message, "", at)
        error.lineno = self.line_breaks + self.text.count("\n", self.counted, at) + 1
        return error


def end_of_match(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the match of `pattern` that starts at `at` ends; `at` if there is none."""
    match = pattern.match(text, at)
    return match.end() if match else at


def object_start(indent: str, key: str, has_lines: bool) -> re.Pattern[str]:
    """A pattern for the start of the objects of a file, up to the bracket. They must have the same first key (with
    quotes) and, if only blanks are before it in its line, start a line with the same indentation.
    """
    before = "" if indent.strip() or not has_lines else f"(?<=\n{re.escape(indent)})"
    return re.compile(before + r"\{(?=\s*" + re.escape(key) + r"\s*:)")


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
    raise json.JSONDecodeError(NOT_CLOSED, text, at)


def list_in(fields: Mapping[str, Any], key: str) -> list[Any]:
    """The list in a field; empty if the field is missing or has another type."""
    value = fields.get(key)
    return value if isinstance(value, list) else []
