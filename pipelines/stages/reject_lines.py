"""Records that cannot be read → the lines of their files at which they were given up, for people to look at."""

from collections.abc import Iterable
from dataclasses import replace

from schemas.errors import Reject
from transforms.files import File

AROUND = 2
"""Number of lines shown before and after the line of a reject."""

LONG = 200
"""A line with more characters is shown without the lines around it: it is likely to be a whole record."""

CHARS = 2_000


def with_lines(rejects: Iterable[Reject], files: Iterable[File]) -> list[Reject]:
    """The rejects with `record`: the numbered lines around their places (`file:line`), or "" if a place names no line
    or the line holds more than the record, as that of a JSON array may. Raises SourceError if a file cannot be read
    again.
    """
    rejects = list(rejects)
    by_name: dict[str, set[int]] = {}
    for reject in rejects:
        name, _, number = reject.place.rpartition(":")
        if number.isascii() and number.isdigit():
            by_name.setdefault(name, set()).add(int(number))
    records: dict[str, str] = {}
    for file in files:
        if numbers := by_name.get(file.name):
            needed = {at for number in numbers for at in range(number - AROUND, number + AROUND + 1)}
            lines = read_lines(file, needed)
            records |= {f"{file.name}:{number}": around(lines, number) for number in numbers if number in lines}
    return [replace(reject, record=records.get(reject.place, "")) for reject in rejects]


def read_lines(file: File, numbers: set[int]) -> dict[int, str]:
    """Number → line, cut to CHARS, without lines that are not text."""
    last = max(numbers)
    lines = {}
    for number, line in file.lines():
        if number > last:
            break
        if number in numbers and is_text(line[:CHARS]):
            lines[number] = line if len(line) <= CHARS else f"{line[: CHARS - 1]}…"
    return lines


def is_text(line: str) -> bool:
    """Whether the line has no control characters but tabs; bytes that are not UTF-8 are lone surrogates."""
    return not any(character < " " and character != "\t" for character in line)


def around(lines: dict[int, str], number: int) -> str:
    """The line with its number, and those around it if all are short."""
    line = lines[number]
    if len(line) > LONG:
        is_array = line.endswith("…") and line.lstrip()[:1] in "[<"
        return "" if is_array else line
    shown = [at for at in range(number - AROUND, number + AROUND + 1) if at in lines]
    return "\n".join(f"{'>' if at == number else ' '} {at}  {lines[at][:LONG]}" for at in shown)
