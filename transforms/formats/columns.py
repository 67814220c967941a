"""Token-per-line files, one column of tokens and one of tags, blank lines between sentences → tagged sentences.

Four tag schemes are read by one decoder: IOB1 and IOB2 (Tjong Kim Sang & Veenstra 1999, https://aclanthology.org/E99-1023),
IOBES with its spelling BILOU (Ratinov & Roth 2009, https://aclanthology.org/W09-1119), and the BMES of Chinese
character files.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.token_spans import sentence

TAG = re.compile(r"O|[BIMELSU]-.+")
is_tag = lru_cache(maxsize=1 << 12)(TAG.fullmatch)
"""Files have few tags and many lines."""

Respell = Callable[[Sequence[str]], Sequence[str | None]]
"""A sentence's tokens as written → as many pieces of its text; None stands for a token that breaks the rules."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a line is read.

    `columns` is how many it has (`more`: at least), `token` and `tag` which of them (from 0; -1 is the last; `tag`
    None: whichever of the two columns holds tags in the file), `separator` what stands between them (None: blanks
    and tabs, any number).
    """

    columns: int
    token: int = 0
    tag: int | None = -1
    separator: str | None = None
    more: bool = False

    def fields(self, line: str) -> list[str]:
        if self.separator:
            return line.split(self.separator)
        fields = line.replace("\t", " ").split(" ")  # not split(): a token may be a no-break or an ideographic blank
        return [field for field in fields if field] if "" in fields else fields

    def fits(self, fields: Sequence[str]) -> bool:
        return len(fields) == self.columns or (self.more and len(fields) > self.columns)


def read(
    files: Iterable[File],
    *,
    columns: int,
    token: int = 0,
    tag: int | None = -1,
    separator: str | None = None,
    more: bool = False,
    joiner: str = " ",
    docstart: str | None = None,
    respell: Respell | None = None,
) -> Iterator[RawExample | BadRecord]:
    """Every sentence as its tokens joined by `joiner`, placed at its first line, with the entities that its tags mark.

    `columns` to `more` as in `Layout`. Lines that start with `docstart` end a sentence and belong to none. A line
    with another number of columns, an empty token or one that `respell` refuses, or no tag loses its sentence.
    """
    given = Layout(columns, token, tag, separator, more)
    for file in files:
        found = given if given.tag is not None else _tags_found(file, given)
        for first, lines in _sentences(file, docstart):
            yield _example(file.name, first, lines, found, joiner, respell)


def _tags_found(file: File, layout: Layout) -> Layout:
    """`layout` with token and tag as the first line tells of which only one column is a tag (else the tag is last)."""
    for _, line in file.lines():
        fields = layout.fields(line)
        if layout.fits(fields):
            first, last = (bool(is_tag(fields[column])) for column in (0, -1))
            if first != last:
                return replace(layout, token=-1 if first else 0, tag=0 if first else -1)
    return replace(layout, token=0, tag=-1)


def decode(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """(label, first, last + 1) of each entity in tags that all match `TAG`, in order; the scheme need not be known.

    Lenient as conlleval: what continues (I, M) or ends (E, L) an entity that is not open, or is of another type,
    opens one. B always opens one, S and U stand alone, E and L close.
    """
    entities = []
    label, start = None, 0
    for index, tag in enumerate(tags):
        if tag == "O" and label is None:
            continue
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


def _sentences(file: File, docstart: str | None) -> Iterator[tuple[int, list[str]]]:
    """The number of each sentence's first line, and its lines."""
    lines: list[str] = []
    for number, line in file.lines():
        if line.strip() and not (docstart and line.startswith(docstart)):
            lines.append(line)
        elif lines:
            yield number - len(lines), lines
            lines = []
    if lines:
        yield number - len(lines) + 1, lines


def _example(
    name: str, first: int, lines: list[str], layout: Layout, joiner: str, respell: Respell | None
) -> RawExample | BadRecord:
    rows = [layout.fields(line) for line in lines]
    if not all(map(layout.fits, rows)):
        return _problem(name, first, lines, layout)
    tokens, tags = [fields[layout.token] for fields in rows], [fields[layout.tag] for fields in rows]
    if not (all(tokens) and all(map(is_tag, tags))):
        return _problem(name, first, lines, layout)
    pieces = respell(tokens) if respell else tokens
    if None in pieces:
        at = pieces.index(None)
        return BadRecord(f"{name}:{first + at}", Reason.BROKEN_RECORD, f"{tokens[at]!r} is no token of this format")
    entities = [((start, end), label) for label, start, end in decode(tags)]
    return sentence(f"{name}:{first}", pieces, entities, None, {}, joiner)


def _problem(name: str, first: int, lines: list[str], layout: Layout) -> BadRecord:
    """What is wrong with the first line of a sentence that breaks a rule; one of them does."""
    for number, line in enumerate(lines, first):
        place, fields = f"{name}:{number}", layout.fields(line)
        if not layout.fits(fields):
            detail = f"{len(fields)} columns, not {layout.columns}, in {line[:80]!r}"
            return BadRecord(place, Reason.WRONG_COLUMNS, detail)
        if not fields[layout.token]:
            return BadRecord(place, Reason.MISSING_FIELD, f"the token is empty in {line[:80]!r}")
        if not is_tag(fields[layout.tag]):
            detail = f"{fields[layout.tag]!r} is no tag such as O, B-X or E-X"
            return BadRecord(place, Reason.BROKEN_RECORD, detail)
    raise AssertionError("no line of the sentence breaks a rule")
