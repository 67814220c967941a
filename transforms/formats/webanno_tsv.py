r"""WebAnno TSV 3, one document per file, as WebAnno and INCEpTION export it → RawExamples.

Format: https://webanno.github.io/webanno/releases/3.6.11/docs/user-guide.html#sect_webannotsv. A line is a token or a
part of one; each layer has a column per feature, in which `_` is no annotation, `*` one without a value, `|` separates
stacked annotations, `[2]` numbers those that have several tokens or are stacked, and `\` escapes. Offsets count UTF-16
units: the emoji in the tests of the format is two long.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.cas import DKPRO, Annotation, Content, Layer, documents, origin
from transforms.formats.cas_examples import examples
from transforms.formats.head import Head
from transforms.formats.offsets import DIGITS
from transforms.formats.utf16 import units

FORMAT = re.compile(r"#FORMAT=WebAnno TSV 3\b.*")
TOKEN = f"{DKPRO}segmentation.type.Token"
ANY = "uima.tcas.Annotation"
STACKED = re.compile(r"(?:^|(?<=\|))((?:\\.|[^\\|])*)(?:\||$)")
ITEM = re.compile(rf"((?:\\.|[^\\\[\]])*)(?:\[({DIGITS})\])?")
SLOT = re.compile(r"(?:\\.|[^\\;])+")
REFERENCE = re.compile(rf"({DIGITS}-{DIGITS}(?:\.{DIGITS})?)(?:\[(?:({DIGITS})_)?({DIGITS})\])?")
ROW = re.compile(rf"({DIGITS}-{DIGITS}(?:\.{DIGITS})?)\t({DIGITS})-({DIGITS})\t([^\t]*)(?:\t(.*))?")
ROLE = re.compile(r"ROLE_[^:]*:(.*?)_.*")
ESCAPE = re.compile(r"\\(.)")
ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}

MAX_GAP = 10_000
"""The most characters between two sentences."""


class _Broken(Exception):
    """A line violates the format; `read` catches it."""

    def __init__(self, number: int, reason: Reason, detail: str):
        self.number, self.reason, self.detail = number, reason, detail


@dataclass(frozen=True, slots=True)
class Layout:
    """A layer and its columns. `kind`: SP for spans, RL for relations, CH for chains. `columns`: the features; in the
    place of a slot stand its role column `ROLE_...` and the type of its fillers.
    """

    kind: str
    type: str
    columns: tuple[str, ...]
    first: int

    @property
    def layer(self) -> Layer:
        features = [
            name
            for before, name in zip(("", *self.columns), self.columns, strict=False)
            if name and not name.startswith(("ROLE_", "BT_")) and not before.startswith("ROLE_")
        ]
        return Layer(tuple(features), any(name.startswith("ROLE_") for name in self.columns))


@dataclass(slots=True)
class Item:
    """An annotation as it is collected from its rows. `references`: the cells of fillers, or of the source."""

    layout: Layout
    number: int  # of its first line
    row: str
    begin: int
    end: int
    features: dict[str, str] = field(default_factory=dict)
    slots: list[tuple[str, str, str]] = field(default_factory=list)
    """(role, type of the filler, reference)"""
    source: str = ""


@dataclass(slots=True)
class Document:
    """`items`: key (type, number in brackets, or else row) → annotation. `tokens`: row → its offsets."""

    layouts: list[Layout] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    length: int = 0  # of the text, in UTF-16 units
    tokens: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    numbers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Number in brackets, or row → keys of spans of any type."""
    relations: list[Item] = field(default_factory=list)
    chains: dict[tuple[str, str], int] = field(default_factory=dict)
    """(type, mention in a chain) → its line."""


def recognises(head: Head) -> bool:
    return bool(head.lines) and FORMAT.fullmatch(head.lines[0]) is not None


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document with all layers (see `cas_examples.to_example`). Between sentences the text has line breaks: the
    format says only how many characters are there. A document with a broken line, or with a token that is not at its
    offsets, is a BadRecord.
    """
    yield from examples(partial(_contents, documents(files)))


def _contents(files: Iterable[File]) -> Iterator[Content | BadRecord]:
    for file in files:
        try:
            yield _content(file, _parse(file))
        except _Broken as problem:
            yield BadRecord(f"{file.name}:{problem.number}", problem.reason, problem.detail)


def unescape(value: str) -> str:
    return ESCAPE.sub(lambda match: ESCAPED.get(match[1], match[1]), value)


def _parse(file: File) -> Document:
    document = Document()
    sentence: list[str] = []  # the lines of its text
    rows: list[tuple[int, re.Match[str]]] = []
    for number, line in file.lines():
        if number == 1 and not FORMAT.fullmatch(line):
            raise _Broken(1, Reason.BROKEN_RECORD, "the first line is not #FORMAT=WebAnno TSV 3.2 or 3.3")
        if line.startswith(("#T_SP=", "#T_CH=", "#T_RL=")):
            document.layouts.append(_layout(line, document.layouts))
        elif line.startswith("#Text="):
            if rows:
                _add_sentence(document, sentence, rows)
                sentence, rows = [], []
            sentence.append(unescape(line.removeprefix("#Text=")))
        elif line.strip() and not line.startswith("#"):
            row = ROW.fullmatch(line)
            if not row:
                detail = f"{line[:80]!r} is not a line `1-2<TAB>4-9<TAB>token`"
                raise _Broken(number, Reason.WRONG_COLUMNS, detail)
            rows.append((number, row))
    if rows:
        _add_sentence(document, sentence, rows)
    if not document.tokens:
        raise _Broken(1, Reason.EMPTY_TEXT, "the document has no tokens")
    return document


def _layout(line: str, before: Sequence[Layout]) -> Layout:
    kind = line[3:5]
    name, *columns = line[6:].split("|")
    first = before[-1].first + len(before[-1].columns) if before else 0
    return Layout(kind, name, tuple(columns) or ("",), first)


def _add_sentence(document: Document, lines: Sequence[str], rows: Sequence[tuple[int, re.Match[str]]]) -> None:
    text = "\n".join(lines)
    number, first = rows[0]
    at = text.find(unescape(first[4]))
    begin = int(first[2]) - units(text[: max(at, 0)]).length
    if at < 0 or not 0 <= begin - document.length <= MAX_GAP:
        raise _Broken(number, Reason.OFFSET_MISMATCH, f"{first[4]!r} is not at {first[2]} of the text")
    document.text.append((" " if not document.text else "\n") * (begin - document.length) + text)
    spelling = units(text)
    document.length = begin + spelling.length
    for number, row in rows:
        start, end = int(row[2]), int(row[3])
        if "." not in row[1]:
            span = spelling.span(start - begin, end - begin)
            if span is None or text[span[0] : span[1]] != unescape(row[4]):
                raise _Broken(number, Reason.OFFSET_MISMATCH, f"{row[4]!r} is not at {start}-{end} of the text")
        document.tokens[row[1]] = start, end
        cells = (row[5] or "").split("\t")
        for layout in document.layouts:
            columns = cells[layout.first : layout.first + len(layout.columns)]
            if len(columns) < len(layout.columns):
                detail = f"{len(cells)} columns of layers, too few for {layout.type}"
                raise _Broken(number, Reason.WRONG_COLUMNS, detail)
            if any(cell != "_" for cell in columns):
                _add_cells(document, layout, columns, number, row)


def _add_cells(document: Document, layout: Layout, cells: Sequence[str], number: int, row: re.Match[str]) -> None:
    if layout.kind == "CH":
        for cell in cells:
            for target in re.findall(r"->([0-9]+-[0-9]+)", cell):
                document.chains.setdefault((layout.type, target), number)
        return
    stacks = [[match[1] for match in STACKED.finditer(cell)] for cell in cells]
    for index in range(max(map(len, stacks))):
        values: list[str] = []
        identifier = ""
        for column, stack in zip(layout.columns, stacks, strict=True):
            value = stack[index] if index < len(stack) else "_"
            is_reference = column.startswith("BT_") or (values and layout.columns[len(values) - 1].startswith("ROLE_"))
            if is_reference:
                values.append(value)
                continue
            match = ITEM.fullmatch(value)
            if not match:
                raise _Broken(number, Reason.BROKEN_RECORD, f"{value[:80]!r} is not a value such as PER or PER[1]")
            values.append(match[1])
            identifier = identifier or match[2] or ""
        if any(value != "_" for value in values):
            _add_item(document, layout, values, identifier, number, row)


def _add_item(
    document: Document, layout: Layout, values: Sequence[str], identifier: str, number: int, row: re.Match[str]
) -> None:
    begin, end = int(row[2]), int(row[3])
    key = (layout.type, identifier or row[1])
    if layout.kind == "SP" and key in document.items:
        item = document.items[key]
        item.begin, item.end = min(item.begin, begin), max(item.end, end)
        return
    item = Item(layout, number, row[1], begin, end)
    roles: tuple[str, list[str]] | None = None
    for column, value in zip(layout.columns, values, strict=True):
        if roles is not None:
            names = [roles[0] if role in ("*", "_") else unescape(role) for role in roles[1]]
            fillers = [reference for reference in value.split(";") if reference not in ("*", "_")]
            item.slots += [(name, column, filler) for name, filler in zip(names, fillers, strict=False)]
            roles = None
        elif column.startswith("ROLE_"):
            match = ROLE.fullmatch(column)
            roles = match[1] if match else column, SLOT.findall(value)
        elif column.startswith("BT_"):
            item.source = value
        elif value not in ("*", "_"):
            item.features[column] = unescape(value)
    if layout.kind == "RL":
        document.relations.append(item)
        return
    document.items[key] = item
    document.numbers.setdefault(identifier or row[1], []).append(key)


def _content(file: File, document: Document) -> Content:
    annotations: dict[str, Annotation] = {}

    def add_token(row: str) -> str | None:
        if row not in document.tokens:
            return None
        identifier = f"token {row}"
        annotations[identifier] = Annotation(identifier, TOKEN, f"{file.name}:1", *document.tokens[row])
        return identifier

    def resolve(type_name: str, row: str, number: str) -> str | None:
        """The id of the annotation of this type in a row."""
        key = (type_name, number or row)
        if key in document.items:
            return _identifier(key)
        if type_name == ANY:
            keys = document.numbers.get(number or row, [])
            return _identifier(keys[0]) if keys else add_token(row)
        return add_token(row) if type_name == TOKEN else None

    for key, item in document.items.items():
        annotations[_identifier(key)] = _annotation(file, _identifier(key), item)
    for key, item in document.items.items():
        slots = []
        for role, type_name, reference in item.slots:
            match = REFERENCE.fullmatch(reference)
            slots.append((role, resolve(type_name, match[1], match[3] or "") if match else None))
        if slots:
            annotations[_identifier(key)] = _annotation(file, _identifier(key), item, slots=tuple(slots))
    for count, item in enumerate(document.relations):
        base = next((column[3:] for column in item.layout.columns if column.startswith("BT_")), ANY)
        match = REFERENCE.fullmatch(item.source)
        source = target = None
        if match:
            source_number, target_number = (match[2], match[3]) if match[2] else (match[3], None)
            source = resolve(base, match[1], "" if source_number in (None, "0") else source_number)
            target = resolve(base, item.row, "" if target_number in (None, "0") else target_number)
        identifier = f"relation {count}"
        annotations[identifier] = _annotation(file, identifier, item, ends=(source, target))
    for (type_name, mention), line in document.chains.items():
        identifier = f"{type_name} {mention}"
        annotations[identifier] = Annotation(identifier, type_name, f"{file.name}:{line}", 0, 0, is_other=True)
    declared = {layout.type: layout.layer for layout in document.layouts}
    text = "".join(document.text)
    return Content(f"{file.name}:1", text, list(annotations.values()), declared, origin(file.name))


def _identifier(key: tuple[str, str]) -> str:
    return f"{key[0].rpartition('.')[2]} {key[1]}"


def _annotation(
    file: File,
    identifier: str,
    item: Item,
    ends: tuple[str | None, str | None] | None = None,
    slots: tuple[tuple[str, str | None], ...] = (),
) -> Annotation:
    place = f"{file.name}:{item.number}"
    features = {name: (value,) for name, value in item.features.items()}
    return Annotation(identifier, item.layout.type, place, item.begin, item.end, features, ends, slots)
