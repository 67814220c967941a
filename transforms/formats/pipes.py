"""Pipe-separated relation rows and lines of negative sentences → one RawExample a sentence, with spans within it.

The layout of the ADE corpus (Gurulingappa et al. 2012, https://doi.org/10.1016/j.jbi.2012.04.008). A row of a `.rel`
file is `document|sentence|tail|begin|end|head|begin|end`, a line of any other file `document NEG sentence`. Offsets
count from the start of a document that does not come with the corpus.
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
    """What every row of one `.rel` file states."""

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
    """The rows of one sentence of one document; none where a negative line holds it."""

    place: str
    rows: list[Row] = field(default_factory=list)


def read(
    files: Iterable[File], kinds: Mapping[str, Kind], unknown: re.Pattern | None = None
) -> Iterator[RawExample | BadRecord]:
    """Every sentence of a document once, in order of appearance, with the relations of all its rows in all files.

    `kinds`: name of a `.rel` file without its ending, in capitals → what its rows state. A negative sentence has no
    relation; where `unknown` matches, the negative lines do not vouch for every kind of relation and its relations
    are None. A line with another number of columns is lost alone, a row whose strings do not stand in the
    sentence at the distance that its offsets tell loses the sentence. All sentences are held in memory.
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
                head, tail = (columns[5], columns[6], columns[7]), (columns[2], columns[3], columns[4])
                sentences.setdefault((columns[0], columns[1]), Sentence(place)).rows.append(
                    Row(place, kind, head, tail)
                )
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
    starts = []
    for row in sentence.rows:
        found = _starts(text, row)
        if isinstance(found, BadRecord):
            return found
        starts.append(found)
    # The rows of a sentence agree on where it starts: that tells apart strings that stand in it more than once.
    votes = Counter(start for found in starts for start in found)
    relations = []
    for row, found in zip(sentence.rows, starts, strict=True):
        start = max(found, key=lambda start: (votes[start], start))  # a later start is an earlier place in the text
        head, tail = _mention(row.head, start), _mention(row.tail, start)
        relations.append(Relation(row.kind.label, head, tail, row.kind.head_label, row.kind.tail_label))
    return RawExample(sentence.place, text, relations=tuple(relations))


def _starts(text: str, row: Row) -> set[int] | BadRecord:
    """The document offsets at which the sentence can start, so that both strings of the row stand where it says."""
    starts = None
    for string, begin, end in (row.head, row.tail):
        if not (is_offset(begin) and is_offset(end)):
            return BadRecord(row.place, Reason.BROKEN_RECORD, f"{begin!r} and {end!r} are no offsets")
        if not string.strip():
            return BadRecord(row.place, Reason.MISSING_FIELD, "a mention is empty")
        if int(end) - int(begin) != len(string):
            detail = f"{begin}-{end} is no span of {string!r} ({len(string)} characters)"
            return BadRecord(row.place, Reason.OFFSET_MISMATCH, detail)
        found = {int(begin) - at for at in places(text, string)}
        starts = found if starts is None else starts & found
    if not starts:
        detail = f"{row.tail[0]!r} and {row.head[0]!r} do not stand in the sentence at the distance of their offsets"
        return BadRecord(row.place, Reason.OFFSET_MISMATCH, detail)
    return starts


def places(text: str, string: str) -> Iterator[int]:
    """Where the string begins in the text, also where one place overlaps the next.

    By the prefix function of Knuth, Morris and Pratt (1977): to look again from the next character on takes, in a text
    that repeats itself, the square of its length.
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
    """How much of the string's beginning ends with `character`, where `length` of it stood before that."""
    while length and string[length] != character:
        length = borders[length - 1]
    return length + (string[length] == character)


def _mention(column: tuple[str, str, str], start: int) -> Mention:
    """The mention without blanks around it."""
    string, begin, _ = column
    first = int(begin) - start + len(string) - len(string.lstrip())
    return Mention(string.strip(), ((first, first + len(string.strip())),))
