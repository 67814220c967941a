"""Token-per-line files, one column of tokens and one of tags, blank lines between sentences → tagged sentences.

Four tag schemes are read by one decoder: IOB1 and IOB2 (Tjong Kim Sang & Veenstra 1999, https://aclanthology.org/E99-1023),
IOBES with its spelling BILOU (Ratinov & Roth 2009, https://aclanthology.org/W09-1119), and the BMES of Chinese
character files.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File

TAG = re.compile(r"O|[BIMELSU]-.+")
BLANKS = re.compile(r"[ \t]+")  # not str.split(): a token may be a no-break or an ideographic blank

Row = tuple[int, str]
"""Line number and line."""


def read(
    files: Iterable[File],
    *,
    columns: int,
    token: int = 0,
    tag: int = -1,
    separator: str | None = None,
    joiner: str = " ",
    docstart: str | None = None,
) -> Iterator[RawExample | BadRecord]:
    """Every sentence as its tokens joined by `joiner`, placed at its first line, with the entities that its tags mark.

    `columns` is how many each line has, `token` and `tag` which of them (from 0; -1 is the last), `separator` what
    stands between them (None: blanks and tabs, any number). Lines that start with `docstart` end a sentence and
    belong to none. A line with another number of columns, an empty token or no tag loses its sentence.
    """
    for file in files:
        for rows in _sentences(file, docstart):
            yield _example(file.name, rows, columns, token, tag, separator, joiner)


def decode(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """(label, first, last + 1) of each entity in tags that all match `TAG`, in order; the scheme need not be known.

    Lenient as conlleval: what continues (I, M) or ends (E, L) an entity that is not open, or is of another type,
    opens one. B always opens one, S and U stand alone, E and L close.
    """
    entities = []
    label, start = None, 0
    for index, tag in enumerate(tags):
        prefix, _, own = tag.partition("-")
        if label is not None and (prefix in "OBSU" or own != label):
            entities.append((label, start, index))
            label = None
        if prefix == "O":
            continue
        if label is None:
            label, start = own, index
        if prefix in "ELSU":
            entities.append((label, start, index + 1))
            label = None
    if label is not None:
        entities.append((label, start, len(tags)))
    return entities


def _sentences(file: File, docstart: str | None) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for number, line in file.lines():
        if line.strip() and not (docstart and line.startswith(docstart)):
            rows.append((number, line))
        elif rows:
            yield rows
            rows = []
    if rows:
        yield rows


def _example(
    name: str, rows: list[Row], columns: int, token: int, tag: int, separator: str | None, joiner: str
) -> RawExample | BadRecord:
    tokens, tags = [], []
    for number, line in rows:
        place = f"{name}:{number}"
        fields = line.split(separator) if separator else BLANKS.split(line.strip(" \t"))
        if len(fields) != columns:
            return BadRecord(place, Reason.WRONG_COLUMNS, f"{len(fields)} columns, not {columns}, in {line[:80]!r}")
        if not fields[token]:
            return BadRecord(place, Reason.MISSING_FIELD, f"the token is empty in {line[:80]!r}")
        if not TAG.fullmatch(fields[tag]):
            return BadRecord(place, Reason.BROKEN_RECORD, f"{fields[tag]!r} is no tag such as O, B-X or E-X")
        tokens.append(fields[token])
        tags.append(fields[tag])

    text = joiner.join(tokens)
    starts = list(accumulate((len(token) + len(joiner) for token in tokens), initial=0))

    def mention(first: int, end: int) -> Mention:
        span = (starts[first], starts[end] - len(joiner))
        return Mention(text[slice(*span)], (span,))

    entities = tuple(Entity(label, mention(first, end)) for label, first, end in decode(tags))
    return RawExample(f"{name}:{rows[0][0]}", text, entities)
