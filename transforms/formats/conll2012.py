"""CoNLL-2012 files, one token per line, names in brackets in column 11 → one RawExample per sentence.

Format: https://conll.cemantix.org/2012/data.html (`*_gold_conll`). The number of columns varies from sentence to
sentence; lines that start with `#` (or DOCSTART) begin and end the parts of a document.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample, Span
from transforms.files import File
from transforms.formats.columns import DOCSTART
from transforms.formats.token_spans import PTB_ESCAPES, sentence

WORD, NAMES, FEWEST = 3, 10, 12
"""Column numbers, from 0, and the number of columns in a sentence without a predicate."""

MAX_DEPTH = 100
"""The deepest nesting of names: each contains the text of those inside it, so time grows with depth times length."""

CELL = re.compile(r"((?:\([^()*]+)*)\*?(\)*)")


def read(files: Iterable[File], escapes: Mapping[str, str] = PTB_ESCAPES) -> Iterator[RawExample | BadRecord]:
    """Every sentence as its words joined by single spaces, with the words in `escapes` replaced. A file is a document.

    A document without a single name in its column was not annotated: its entities are None.
    """
    for file in files:
        records = [_sentence(file.name, rows, escapes) for rows in _sentences(file)]
        annotated = any(isinstance(record, RawExample) and record.entities for record in records)
        for record in records:
            yield replace(record, entities=None) if isinstance(record, RawExample) and not annotated else record


def _sentences(file: File) -> Iterator[list[tuple[int, list[str]]]]:
    rows: list[tuple[int, list[str]]] = []
    for number, line in file.lines():
        if line.strip() and not line.startswith(("#", DOCSTART)):
            rows.append((number, line.split()))
        elif rows:
            yield rows
            rows = []
    if rows:
        yield rows


def _sentence(name: str, rows: list[tuple[int, list[str]]], escapes: Mapping[str, str]) -> RawExample | BadRecord:
    entities: list[tuple[Span, str]] = []
    opened: list[tuple[int, str]] = []
    for index, (number, fields) in enumerate(rows):
        place = f"{name}:{number}"
        if len(fields) < FEWEST:
            return BadRecord(place, Reason.WRONG_COLUMNS, f"{len(fields)} columns, fewer than {FEWEST}")
        cell = CELL.fullmatch(fields[NAMES])
        if not cell:
            return BadRecord(place, Reason.BROKEN_RECORD, f"{fields[NAMES]!r} is not a cell such as *, (ORG* or (ORG)")
        opened += [(index, label) for label in cell[1].split("(")[1:]]
        if len(opened) > MAX_DEPTH:
            return BadRecord(place, Reason.BROKEN_RECORD, f"more than {MAX_DEPTH} nested names")
        for _ in cell[2]:
            if not opened:
                return BadRecord(place, Reason.BROKEN_RECORD, "a closing bracket without an opening one")
            first, label = opened.pop()
            entities.append(((first, index + 1), label))
    place = f"{name}:{rows[0][0]}"
    if opened:
        return BadRecord(place, Reason.BROKEN_RECORD, f"the name of type {opened[0][1]} is not closed in its sentence")
    entities.sort(key=lambda entity: (entity[0][0], -entity[0][1]))
    return sentence(place, [fields[WORD] for _, fields in rows], entities, None, escapes)
