"""Lines of text in some files and lines of annotations in others, joined by the id that both start with → pairs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.errors import BadRecord, Reason
from transforms.files import File

Line = tuple[str, str]
"""Place and line."""


@dataclass(slots=True)
class Text:
    """What stands behind the id on a line of text; `annotations` are the whole lines, in order."""

    place: str
    rest: str
    annotations: list[Line] = field(default_factory=list)


def join(texts: Iterable[File], annotations: Iterable[File], ends: tuple[str, str]) -> Iterator[Text | BadRecord]:
    """Every line of text with its annotations. `ends`: what ends the id on a line of text and of annotations.

    A line of text without id or text, or with the id of an earlier one, is a BadRecord; lines of annotations whose id
    no text has are one BadRecord a file. All texts are held in memory. Blank lines are left out.
    """
    found: dict[str, Text] = {}
    for place, line in _lines(texts):
        identifier, _, rest = line.partition(ends[0])
        if not identifier or not rest.strip():
            yield BadRecord(place, Reason.WRONG_COLUMNS, f"{line[:80]!r} is no id with a text behind it")
        elif identifier in found:
            yield BadRecord(place, Reason.BROKEN_RECORD, f"{identifier} is also the id of {found[identifier].place}")
        else:
            found[identifier] = Text(place, rest)
    for file in annotations:
        lost: list[tuple[str, str]] = []
        for place, line in _lines([file]):
            text = found.get(line.partition(ends[1])[0])
            (lost if text is None else text.annotations).append((place, line))
        if lost:
            place, line = lost[0]
            yield BadRecord(
                place, Reason.BROKEN_RECORD, f"{line[:80]!r} has the id of no text ({len(lost)} such lines in the file)"
            )
    yield from found.values()


def _lines(files: Iterable[File]) -> Iterator[Line]:
    for file in files:
        for number, line in file.lines():
            if line.strip():
                yield f"{file.name}:{number}", line
