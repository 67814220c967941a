"""Pipe-separated relation rows and lines of negative sentences → one RawExample per sentence, with spans in it.

The layout of the ADE corpus (Gurulingappa et al. 2012, https://doi.org/10.1016/j.jbi.2012.04.008). A row of a `.rel`
file is `document|sentence|tail|begin|end|head|begin|end`, a line of any other file `document NEG sentence`. Offsets
count from the start of the document, which is not part of the corpus.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.offsets import is_offset


@dataclass(frozen=True, slots=True)
class Kind:
    """The labels of the relations in one `.rel` file."""

    label: str
    head_label: str
    tail_label: str


@dataclass(frozen=True, slots=True)
class Row:
    """`head` and `tail`: (string, begin in the document, end in the document), offsets as written."""

    place: str
    kind: Kind
    head: tuple[str, str, str]
    tail: tuple[str, str, str]


@dataclass(slots=True)
class Sentence:
    """The rows of one sentence of one document; none for the sentence of a negative line."""

    place: str
    rows: list[Row] = field(default_factory=list)


def read(
    files: Iterable[File], kinds: Mapping[str, Kind], unknown: re.Pattern | None = None
) -> Iterator[RawExample | BadRecord]:
    """Every sentence of a document once, in order of appearance, with the relations of its rows in all files.

    `kinds`: name of a `.rel` file without extension, in upper case → the labels of its rows. A negative sentence has no
    relations. If `unknown` matches it, it is not negative for all kinds of relations, and its relations are None. A
    line with the wrong number of columns is a BadRecord. A sentence is a BadRecord if the strings of a row do not occur
    in it at the distance given by their offsets. All sentences are kept in memory.
    """
    sentences: dict[tuple[str, str], Sentence] = {}
    for file in files:
        stem, extension = posixpath.splitext(posixpath.basename(file.name))
        kind = kinds[stem.upper()] if extension.lower() == ".rel" else None
        for number, line in file.lines():
            if not line.strip():
                continue
            place = f"{file.name}:{number}"
            if kind:
                columns = line.split("|")
                if len(columns) != 8:
                    yield BadRecord(place, Reason.WRONG_COLUMNS, f"{len(columns)} columns, not 8, in {line[:80]!r}")
                    continue
                row = Row(place, kind, (columns[5], columns[6], columns[7]), (columns[2], columns[3], columns[4]))
                sentences.setdefault((columns[0], columns[1]), Sentence(place)).rows.append(row)
            else:
                columns = line.split(" ", 2)
                if len(columns) != 3 or columns[1] != "NEG":
                    yield BadRecord(place, Reason.WRONG_COLUMNS, f"{line[:80]!r} is not `document NEG sentence`")
                    continue
                sentences.setdefault((columns[0], columns[2]), Sentence(place))
    for (_, text), sentence in sentences.items():
        if not sentence.rows and unknown and unknown.search(text):
            yield RawExample(sentence.place, text)
        else:
            yield _example(text, sentence)


def _example(text: str, sentence: Sentence) -> RawExample | BadRecord:
    starts_by_row = []
    for row in sentence.rows:
        starts = _possible_starts(text, row)
        if isinstance(starts, BadRecord):
            return starts
        starts_by_row.append(starts)
    # All rows must agree on the start of the sentence. This disambiguates strings that occur in it more than once.
    votes = Counter(start for starts in starts_by_row for start in starts)
    relations = []
    for row, starts in zip(sentence.rows, starts_by_row, strict=True):
        start = max(starts, key=lambda start: (votes[start], start))  # a later start is an earlier place in the text
        head, tail = _mention(row.head, start), _mention(row.tail, start)
        relations.append(Relation(row.kind.label, head, tail, row.kind.head_label, row.kind.tail_label))
    return RawExample(sentence.place, text, relations=tuple(relations))


def _possible_starts(text: str, row: Row) -> set[int] | BadRecord:
    """The document offsets at which the sentence can start if both strings of the row are at their offsets."""
    starts: set[int] | None = None
    for string, begin, end in (row.head, row.tail):
        if not (is_offset(begin) and is_offset(end)):
            return BadRecord(row.place, Reason.BROKEN_RECORD, f"{begin!r} and {end!r} are not offsets")
        if not string.strip():
            return BadRecord(row.place, Reason.MISSING_FIELD, "a mention is empty")
        if int(end) - int(begin) != len(string):
            detail = f"{begin}-{end} is not a span of {string!r} ({len(string)} characters)"
            return BadRecord(row.place, Reason.OFFSET_MISMATCH, detail)
        candidates = {int(begin) - at for at in occurrences(text, string)}
        starts = candidates if starts is None else starts & candidates
    if not starts:
        detail = f"{row.tail[0]!r} and {row.head[0]!r} do not occur in the sentence at the distance of their offsets"
        return BadRecord(row.place, Reason.OFFSET_MISMATCH, detail)
    return starts


def occurrences(text: str, string: str) -> Iterator[int]:
    """The offsets of all occurrences of the string in the text, including overlapping ones.

    Uses the prefix function of Knuth, Morris and Pratt (1977): repeated `str.find` takes quadratic time in repetitive
    texts.
    """
    first = text.find(string)
    if first < 0:
        return
    if text.find(string, first + 1) < 0:
        yield first
        return
    borders = [0]
    for character in string[1:]:
        borders.append(_border(string, borders, borders[-1], character))
    length = 0
    for end, character in enumerate(text[first:], first + 1):
        length = _border(string, borders, borders[-1] if length == len(string) else length, character)
        if length == len(string):
            yield end - length


def _border(string: str, borders: list[int], length: int, character: str) -> int:
    """Length of the longest prefix of the string that matches up to `character`; `length` characters matched before."""
    while length and string[length] != character:
        length = borders[length - 1]
    return length + (string[length] == character)


def _mention(column: tuple[str, str, str], start: int) -> Mention:
    """The mention without whitespace around it."""
    string, begin, _ = column
    first = int(begin) - start + len(string) - len(string.lstrip())
    return Mention(string.strip(), ((first, first + len(string.strip())),))
