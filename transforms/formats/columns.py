"""Token-per-line files with a column of tokens and one of tags, blank lines between sentences → RawExamples.

One decoder reads four tag schemes: IOB1 and IOB2 (Tjong Kim Sang & Veenstra 1999, https://aclanthology.org/E99-1023),
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

TAG = re.compile(r"O|[BIMELSU]-.+", re.DOTALL)
is_tag = lru_cache(maxsize=1 << 12)(TAG.fullmatch)
"""Cached, because files have few different tags and many lines."""

DOCSTART = "-DOCSTART-"
"""The start of a line that begins a document (CoNLL-2003)."""

Respell = Callable[[Sequence[str]], Sequence[str | None]]
"""The tokens of a sentence as written → the same number of pieces of its text, with None for an invalid token."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a line.

    `columns` is their number (the minimum if `more`). `token` and `tag` are column numbers (from 0; -1 is the last).
    `tag` None: the one of two columns that contains tags, detected per file. `separator` is the string between columns.
    None: single tabs in lines with the right number of them, so that a token may be or contain spaces; in other lines
    any number of spaces and tabs.
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
        fields = line.replace("\t", " ").split(" ")  # not split(): a token may be a no-break or ideographic space
        if "" not in fields:
            return fields
        fields = [field for field in fields if field]
        if line.startswith("  ") and len(fields) == self.columns - 1 and self.token == 0:
            return [" ", *fields]  # a token that is a space, then a separator
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
    """Every sentence as its tokens joined by `joiner`, with the entities of its tags. The place is its first line.

    `columns` to `more` are as in `Layout`. Lines that start with DOCSTART end a sentence and belong to none. A sentence
    is a BadRecord if a line has the wrong number of columns, no tag, or a token that is empty or refused by `respell`.
    """
    layout = Layout(columns, token, tag, separator, more)
    for file in files:
        file_layout = layout if layout.tag is not None else _detect_columns(file, layout)
        for first, lines in _sentences(file):
            yield _example(file.name, first, lines, file_layout, joiner, respell)


def _detect_columns(file: File, layout: Layout) -> Layout:
    """`layout` with the token and tag columns of the first line that has a tag in only one of its two columns. If there
    is no such line, the tag is the last column.
    """
    for _, line in file.lines():
        fields = layout.fields(line)
        if layout.fits(fields):
            first, last = (bool(is_tag(fields[column])) for column in (0, -1))
            if first != last:
                return replace(layout, token=-1 if first else 0, tag=0 if first else -1)
    return replace(layout, token=0, tag=-1)


def decode(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """(label, first, last + 1) of each entity in tags that all match `TAG`, in order, for any of the tag schemes.

    As lenient as conlleval: a tag that continues (I, M) or ends (E, L) an entity that is not open, or has another
    type, opens one. B always opens an entity, S and U are a whole entity, E and L close one.
    """
    entities = []
    label, start, end = None, 0, 0  # of the open entity
    for index, tag in enumerate(tags):
        if tag == "O":
            continue
        prefix, kind = tag[0], tag[2:]
        if label is not None and (index > end or prefix in "BSU" or kind != label):
            entities.append((label, start, end))
            label = None
        if label is None:
            label, start = kind, index
        end = index + 1
        if prefix in "ELSU":
            entities.append((label, start, end))
            label = None
    if label is not None:
        entities.append((label, start, end))
    return entities


def _sentences(file: File) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, lines) of each sentence."""
    before = 0
    begun: list[str] = []
    for lines in file.line_lists():
        if DOCSTART in "".join(lines):  # checking each line would take far longer
            lines = ["" if line.startswith(DOCSTART) else line for line in lines]
        start = 0
        for end in [at for at, line in enumerate(map(str.strip, lines)) if not line]:
            sentence = begun + lines[start:end] if begun else lines[start:end]
            if sentence:
                yield before + end + 1 - len(sentence), sentence
            begun, start = [], end + 1
        begun += lines[start:]
        before += len(lines)
    if begun:
        yield before + 1 - len(begun), begun


def _example(
    name: str, first: int, lines: list[str], layout: Layout, joiner: str, respell: Respell | None
) -> RawExample | BadRecord:
    cells = split_cells(lines, layout)
    if cells is None:
        return _problem(name, first, lines, layout)
    tokens, tags = cells
    kinds = set(tags)
    if not (all(tokens) and all(map(is_tag, kinds))):
        return _problem(name, first, lines, layout)
    pieces = respell(tokens) if respell else tokens
    if respell and None in pieces:
        at = pieces.index(None)
        return BadRecord(f"{name}:{first + at}", Reason.BROKEN_RECORD, f"{tokens[at]!r} is not a token of this format")
    text, gap, entities = joiner.join(pieces), len(joiner), []
    if kinds != {"O"}:
        lengths = list(accumulate(map(len, pieces), initial=0))  # offset of each token, without the joiners
        for label, begin, end in decode(tags):
            start, stop = lengths[begin] + begin * gap, lengths[end] + (end - 1) * gap
            string = text[start:stop]
            if string[:1] == " " or string[-1:] == " ":  # the entity starts or ends with a token that is a space
                start, stop = start + len(string) - len(string.lstrip(" ")), start + len(string.rstrip(" "))
                string = text[start:stop]
            entities.append(Entity(label, Mention(string, ((start, stop),))))
    return RawExample(f"{name}:{first}", text, tuple(entities))


def split_cells(lines: list[str], layout: Layout) -> tuple[list[str], list[str]] | None:
    """The tokens and the tags of a sentence; None if a line does not have the columns of `layout`.

    Nearly all sentences have the same number of columns in each line. Their lines are split at once, with line breaks
    as an additional column: splitting line by line would take most of the time of reading.
    """
    separator = layout.separator or ("\t" if "\t" in lines[0] else " ")
    sentence = f"{separator}\n{separator}".join(lines)
    if layout.separator or (separator == "\t" and " " not in sentence):
        cells = sentence.split(separator)
    elif "\t" not in sentence:
        cells = sentence.split(" ")
        cells = [cell for cell in cells if cell] if "" in cells else cells
    else:  # tabs and spaces, which `Layout.fields` separates line by line
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
    """The problem of the first invalid line of a sentence that has at least one."""
    for number, line in enumerate(lines, first):
        place, fields = f"{name}:{number}", layout.fields(line)
        if not layout.fits(fields):
            detail = f"{len(fields)} columns, not {layout.columns}, in {line[:80]!r}"
            return BadRecord(place, Reason.WRONG_COLUMNS, detail)
        if not fields[layout.token]:
            return BadRecord(place, Reason.MISSING_FIELD, f"the token is empty in {line[:80]!r}")
        if not is_tag(fields[layout.tag]):
            detail = f"{fields[layout.tag]!r} is not a tag such as O, B-X or E-X"
            return BadRecord(place, Reason.BROKEN_RECORD, detail)
    raise AssertionError("all lines of the sentence are valid")
