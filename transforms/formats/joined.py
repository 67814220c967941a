"""Lines of text and lines of annotations in separate files, joined by the id at their start → Texts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schemas.errors import BadRecord, Reason
from transforms.files import File

Line = tuple[str, str]
"""Place and line."""


@dataclass(slots=True)
class Text:
    """`rest`: the line of text without its id. `annotations`: the whole lines of annotations, in order."""

    place: str
    rest: str
    annotations: list[Line] = field(default_factory=list)


def join(texts: Iterable[File], annotations: Iterable[File], ends: tuple[str, str]) -> Iterator[Text | BadRecord]:
    """Every line of text with its annotations. `ends`: the ends of the id on lines of text and annotations.

    A line of text without id or text, or with the id of an earlier line, is a BadRecord. Lines of annotations whose id
    belongs to no text are one BadRecord per file. All texts are kept in memory. Blank lines are skipped.
    """
    by_id: dict[str, Text] = {}
    for place, line in _lines(texts):
        identifier, _, rest = line.partition(ends[0])
        if not identifier or not rest.strip():
            yield BadRecord(place, Reason.WRONG_COLUMNS, f"{line[:80]!r} is not an id followed by a text")
        elif identifier in by_id:
            yield BadRecord(place, Reason.BROKEN_RECORD, f"{identifier} is also the id of {by_id[identifier].place}")
        else:
            by_id[identifier] = Text(place, rest)
    for file in annotations:
        lost: list[Line] = []
        for place, line in _lines([file]):
            text = by_id.get(line.partition(ends[1])[0])
            (lost if text is None else text.annotations).append((place, line))
        if lost:
            place, line = lost[0]
            yield BadRecord(
                place,
                Reason.BROKEN_RECORD,
                f"{line[:80]!r} has an id without a text ({len(lost)} such lines in the file)",
            )
    yield from by_id.values()


def _lines(files: Iterable[File]) -> Iterator[Line]:
    for file in files:
        for number, line in file.lines():
            if line.strip():
                yield f"{file.name}:{number}", line
