"""Places in a text that an annotation tool marked, some with their string → mentions with offsets in code points.

Versions of a tool may differ in what they count: code points or UTF-16 code units, a CRLF line break as one or two
characters. The strings decide, for all marks of a text together.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from schemas.example import Mention
from transforms.formats.utf16 import Units, units

BLANK = re.compile(r"(?:\s|\\n)+")
"""Browsers shorten blanks in a selected string, and Label Studio writes its line breaks as a backslash and an n."""

LINE_BREAK = re.compile("\r\n?")


class Mark(NamedTuple):
    """`string`: None if the file has only the place."""

    start: int
    end: int
    string: str | None = None


class Reading(NamedTuple):
    """`mentions`: of each mark, or why it cannot be used. `fitting`: the number of marks that fit the text, which has
    plain line breaks if the offsets count them so.
    """

    text: str
    mentions: list[Mention | str]
    fitting: int


def read(text: str, marks: Sequence[Mark]) -> Reading:
    """The mentions under the interpretation of the offsets that fits most marks.

    A mention whose string is not that of the text has the offsets and the string of the mark: `transforms.normalize`
    then corrects one of them or rejects the text.
    """
    as_written = _read(text, marks)
    if as_written.fitting == len(marks):
        return as_written
    readings = [as_written]
    for candidate in dict.fromkeys((text, LINE_BREAK.sub("\n", text))):
        utf_16 = units(candidate)
        readings.append(_read(candidate, marks))
        readings.append(_read(candidate, [_in_code_points(mark, utf_16) for mark in marks]))
    return max(readings, key=lambda reading: reading.fitting)


def _in_code_points(mark: Mark, utf_16: Units) -> Mark:
    span = utf_16.span(mark.start, mark.end)
    return Mark(*span, mark.string) if span else mark


def _read(text: str, marks: Sequence[Mark]) -> Reading:
    mentions: list[Mention | str] = []
    fitting = 0
    for start, end, string in marks:
        actual = text[start:end] if 0 <= start < end <= len(text) else ""
        if actual.strip() and (string is None or same_string(actual, string)):
            mentions.append(Mention(actual, ((start, end),)))
            fitting += 1
        elif start >= end:
            mentions.append(f"{start} to {end} is an empty span")
        elif string is None or not string.strip():
            kind = "blank" if actual else "not a span of the text"
            mentions.append(f"{start} to {end} is {kind}; the text has {len(text)} characters")
        else:
            mentions.append(Mention(string, ((start, end),)))
    return Reading(text, mentions, fitting)


def same_string(actual: str, string: str) -> bool:
    """Whether the strings differ at most in blanks."""
    return actual == string or BLANK.sub(" ", actual).strip() == BLANK.sub(" ", string).strip()
