"""Token-per-line files, one column of tokens and one of tags, blank lines between sentences → tagged sentences.

Four tag schemes are read by one decoder: IOB1 and IOB2 (Tjong Kim Sang & Veenstra 1999, https://aclanthology.org/E99-1023),
IOBES with its spelling BILOU (Ratinov & Roth 2009, https://aclanthology.org/W09-1119), and the BMES of Chinese
character files.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File

TAG = re.compile(r"O|[BIMELSU]-.+")
is_tag = lru_cache(maxsize=1 << 12)(TAG.fullmatch)
"""Files have few tags and many lines."""

DOCSTART = "-DOCSTART-"
"""What a line starts with that begins a document (CoNLL-2003)."""

Respell = Callable[[Sequence[str]], Sequence[str | None]]
"""A sentence's tokens as written → as many pieces of its text; None stands for a token that breaks the rules."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a line is read.

    `columns` is how many it has (`more`: at least), `token` and `tag` which of them (from 0; -1 is the last; `tag`
    None: whichever of the two columns holds tags in the file), `separator` what stands between them. None: tabs in
    a line that has as many of them as columns ask for, so that a token may be a blank or hold some, else blanks and
    tabs, any number.
    """

    columns: int
    token: int = 0
    tag: int | None = -1
    separator: str | None = None
    more: bool = False

    def fields(self, line: str) -> list[str]:
        if self.separator:
            return line.split(self.separator)
        if "\t" in line:
            fields = [field.strip(" ") or field for field in line.split("\t")]
            if self.fits(fields):
                return fields
        fields = line.replace("\t", " ").split(" ")  # not split(): a token may be a no-break or an ideographic blank
        if "" not in fields:
            return fields
        fields = [field for field in fields if field]
        if line.startswith("  ") and len(fields) == self.columns - 1 and self.token == 0:
            return [" ", *fields]  # a blank, and what sets it apart
        return fields

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
    respell: Respell | None = None,
) -> Iterator[RawExample | BadRecord]:
    """Every sentence as its tokens joined by `joiner`, placed at its first line, with the entities that its tags mark.

    `columns` to `more` as in `Layout`. Lines that start with DOCSTART end a sentence and belong to none. A line
    with another number of columns, an empty token or one that `respell` refuses, or no tag loses its sentence.
    """
    given = Layout(columns, token, tag, separator, more)
    for file in files:
        found = given if given.tag is not None else _tags_found(file, given)
        for first, lines in _sentences(file):
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
    label, start, end = None, 0, 0  # of the entity that is open
    for index, tag in enumerate(tags):
        if tag == "O":
            continue
        prefix, own = tag[0], tag[2:]
        if label is not None and (index > end or prefix in "BSU" or own != label):
            entities.append((label, start, end))
            label = None
        if label is None:
            label, start = own, index
        end = index + 1
        if prefix in "ELSU":
            entities.append((label, start, end))
            label = None
    if label is not None:
        entities.append((label, start, end))
    return entities


def _sentences(file: File) -> Iterator[tuple[int, list[str]]]:
    """The number of each sentence's first line, and its lines."""
    before = 0
    begun: list[str] = []
    for lines in file.line_lists():
        if DOCSTART in "".join(lines):  # looking at each line by itself would take far longer
            lines = ["" if line.startswith(DOCSTART) else line for line in lines]
        start = 0
        for end in [at for at, line in enumerate(map(str.strip, lines)) if not line]:
            found = begun + lines[start:end] if begun else lines[start:end]
            if found:
                yield before + end + 1 - len(found), found
            begun, start = [], end + 1
        begun += lines[start:]
        before += len(lines)
    if begun:
        yield before + 1 - len(begun), begun


def _example(
    name: str, first: int, lines: list[str], layout: Layout, joiner: str, respell: Respell | None
) -> RawExample | BadRecord:
    cells = cells_of(lines, layout)
    if cells is None:
        return _problem(name, first, lines, layout)
    tokens, tags = cells
    kinds = set(tags)
    if not (all(tokens) and all(map(is_tag, kinds))):
        return _problem(name, first, lines, layout)
    pieces = respell(tokens) if respell else tokens
    if respell and None in pieces:
        at = pieces.index(None)
        return BadRecord(f"{name}:{first + at}", Reason.BROKEN_RECORD, f"{tokens[at]!r} is no token of this format")
    text, gap, entities = joiner.join(pieces), len(joiner), []
    if kinds != {"O"}:
        lengths = list(accumulate(map(len, pieces), initial=0))  # of what is before each token, without the joiners
        for label, begin, end in decode(tags):
            start, stop = lengths[begin] + begin * gap, lengths[end] + (end - 1) * gap
            string = text[start:stop]
            if string[:1] == " " or string[-1:] == " ":  # a token that is a blank, at an edge of the entity
                start, stop = start + len(string) - len(string.lstrip(" ")), start + len(string.rstrip(" "))
                string = text[start:stop]
            entities.append(Entity(label, Mention(string, ((start, stop),))))
    return RawExample(f"{name}:{first}", text, tuple(entities))


def cells_of(lines: list[str], layout: Layout) -> tuple[list[str], list[str]] | None:
    """The tokens and the tags of a sentence, None where a line does not fit.

    Lines of as many columns each, which nearly all sentences have, are split all at once, with their ends as one more
    column: a list for each line would take most of the time of reading.
    """
    separator = layout.separator or ("\t" if "\t" in lines[0] else " ")
    sentence = f"{separator}\n{separator}".join(lines)
    if layout.separator or (separator == "\t" and " " not in sentence):
        cells = sentence.split(separator)
    elif "\t" not in sentence:
        cells = sentence.split(" ")
        cells = [cell for cell in cells if cell] if "" in cells else cells
    else:  # tabs and blanks, which each line tells apart for itself
        cells = []
    width = cells.index("\n") if cells and layout.more and len(lines) > 1 else layout.columns
    regular = bool(cells) and width >= layout.columns and len(cells) == (width + 1) * len(lines) - 1
    if regular and cells[width :: width + 1].count("\n") == len(lines) - 1:
        return cells[layout.token % width :: width + 1], cells[layout.tag % width :: width + 1]
    rows = [layout.fields(line) for line in lines]
    if not all(map(layout.fits, rows)):
        return None
    return [fields[layout.token] for fields in rows], [fields[layout.tag] for fields in rows]


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
