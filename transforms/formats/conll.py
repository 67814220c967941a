"""A user's columns in the manner of CoNLL: one token per line, blank lines between sentences → RawExamples.

The columns are marked by looking at the first lines of each file: those of CoNLL-2002 and CoNLL-2003 (Tjong Kim Sang
and De Meulder 2003, https://aclanthology.org/W03-0419), of GermEval 2014 with a second column for nested names
(https://sites.google.com/site/germeval2014ner/data), of Universal NER (https://www.universalner.org), which has the
comments, ids and documents of CoNLL-U (https://universaldependencies.org/format.html), or any others with a column of
tags. CoNLL-2012 is read by `transforms.formats.conll2012`.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from operator import itemgetter

from msgspec import structs

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File
from transforms.formats import conll2012
from transforms.formats.columns import DOCSTART, decode, is_tag
from transforms.formats.head import Head
from transforms.formats.lost_parts import ignored
from transforms.joining import NO_BLANK_BESIDE, find_tokens, join_tokens

CHUNKS = frozenset({"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"})
"""The labels of syntactic chunks, whose column looks like one of entities (CoNLL-2003 has both)."""

OTHER_FORM = "#FORMAT=WebAnno"
TOKEN_ID = re.compile(r"[0-9]+([-.][0-9]+)?")
FIRST_ID = re.compile(r"[01]|1-[0-9]+|0\.1")
TEXT = re.compile(r"#\s*text\s*=\s?(.*)")
NEW_DOCUMENT = re.compile(r"#\s*newdoc\b(?:\s+id\s*=\s*(.*))?")
BEGIN_DOCUMENT = re.compile(r"#begin document (?:\((.*)\)|(.*?))(?:;.*)?")


@dataclass(frozen=True, slots=True)
class Columns:
    """`tags`: the columns of tags, more than one for nested entities. `ids`: column 0 has the numbers of CoNLL-U, where
    `3-4` is a token of several words and `3.1` a word that is not in the text.
    """

    count: int
    with_tabs: bool
    token: int
    tags: tuple[int, ...]
    ids: bool = False

    def fields(self, line: str) -> list[str]:
        return split_line(line, self.with_tabs)

    def are_in(self, fields: Sequence[str]) -> bool:
        """Whether a line with these fields is that of a token with tags."""
        return len(fields) == self.count and bool(fields[self.token]) and all(is_tag(fields[tag]) for tag in self.tags)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Lines with their numbers, and what the comments before them say."""

    lines: list[tuple[int, str]]
    text: str | None
    document: str | None


def split_line(line: str, with_tabs: bool) -> list[str]:
    if with_tabs:
        return [field.strip(" ") for field in line.split("\t")]
    return [field for field in line.replace("\t", " ").split(" ") if field]


def detect(lines: Iterable[str]) -> Columns | None:
    """The columns of a file that starts with `lines`; None if it has no column of tags. `nested` looks at the others.

    Up to a third of the lines may be broken. Columns of chunks count only if there are no other tags.
    """
    content = [line for line in lines if line.strip() and not line.startswith(("#", DOCSTART))]
    with_tabs = 2 * sum("\t" in line.strip("\t") for line in content) > len(content)
    rows = [split_line(line, with_tabs) for line in content]
    widths = Counter(map(len, rows)).most_common(1)
    if not widths or widths[0][0] < 2 or 3 * widths[0][1] < 2 * len(rows):
        return None
    columns = list(zip(*(row for row in rows if len(row) == widths[0][0]), strict=True))
    tags = [at for at, cells in enumerate(columns) if 3 * sum(map(bool, map(is_tag, cells))) >= 2 * len(cells)]
    labels = {at: {cell[2:] for cell in columns[at] if cell != "O" and is_tag(cell)} for at in tags}
    tags = [at for at in tags if not labels[at] or not labels[at] <= CHUNKS] or tags
    others = [at for at in range(len(columns)) if at not in labels]
    if not tags or not others:
        return None
    ids = (
        len(others) > 1
        and others[0] == 0
        and FIRST_ID.fullmatch(columns[0][0]) is not None
        and all(map(TOKEN_ID.fullmatch, columns[0]))
    )
    others = others[1:] if ids else others
    return Columns(len(columns), with_tabs, others[0] if others[0] < tags[0] else others[-1], tuple(tags), ids)


def nested(file: File, columns: Columns) -> tuple[Columns, tuple[BadRecord, ...]]:
    """The columns without those of tags that are no nested entities in the file, and what is lost with them.

    The beginning of a file may have no nested entities. A column is left out if no cell is a tag other than O, or if it
    has only chunks. It is also left out, and its entities are counted, if it
    repeats an earlier column, as predictions do: it has a label of that column, and more of its entities are the same
    as there, or overlap them in part, than are inside or around them.
    """
    if len(columns.tags) < 2:
        return columns, ()
    labels = {at: Counter[str]() for at in columns.tags}
    pairs = {pair: _Pair() for pair in combinations(columns.tags, 2)}
    for sentence in _sentences(file, replace(columns, tags=columns.tags[:1])):
        rows = [row for _, line in sentence.lines if len(row := columns.fields(line)) == columns.count]
        spans = {}
        for at in columns.tags:
            spans[at] = decode([row[at] if is_tag(row[at]) else "O" for row in rows])
            labels[at].update(label for label, _, _ in spans[at])
        for (first, second), pair in pairs.items():
            pair.add(spans[first], spans[second])
    labelled = [at for at in columns.tags if labels[at]]
    tags = [at for at in labelled if not labels[at].keys() <= CHUNKS] or labelled or columns.tags[:1]
    kept: list[int] = []
    counts = Counter[str]()
    for at in tags:
        repeated = [a for a in kept if pairs[a, at].is_repeated and labels[at].keys() & labels[a].keys()]
        if repeated:
            kind = f"entity of column {at + 1} (it repeats column {repeated[0] + 1} and is not nested)"
            counts[kind] = labels[at].total()
        else:
            kept.append(at)
    return replace(columns, tags=tuple(kept)), ignored(f"{file.name}:1", counts)


@dataclass(slots=True)
class _Pair:
    """How entities of a column and of a later one lie: the same or crossing, or inside one another."""

    repeated: int = 0
    inside: int = 0

    @property
    def is_repeated(self) -> bool:
        return self.repeated > self.inside

    def add(self, first: Sequence[tuple[str, int, int]], second: Sequence[tuple[str, int, int]]) -> None:
        for label, start, end in second:
            over = [(each, a, b) for each, a, b in first if a < end and start < b]
            crosses = any(a < start < b < end or start < a < end < b for _, a, b in over)
            if (label, start, end) in over or crosses:
                self.repeated += 1
            elif any((a, b) != (start, end) for _, a, b in over):
                self.inside += 1


def recognises(head: Head) -> bool:
    lines = head.lines
    if lines and lines[0].startswith(OTHER_FORM):
        return False
    return is_conll2012(lines) or detect(lines) is not None


def is_conll2012(lines: Iterable[str]) -> bool:
    rows = [line.split() for line in lines if line.strip() and not line.startswith(("#", DOCSTART))]
    fits = [
        len(row) >= conll2012.FEWEST
        and row[2].isdecimal()
        and conll2012.CELL.fullmatch(row[conll2012.NAMES]) is not None
        for row in rows
    ]
    return bool(fits) and 3 * sum(fits) >= 2 * len(fits)


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every sentence with the entities of its tags. Its text is that of its comment `# text`, if its tokens occur there
    in order, else the tokens joined by script (`joining.join_tokens`).

    Lines with DOCSTART, `# newdoc` and `#begin document` begin a document; other lines that start with `#` and are no
    token are skipped. A sentence with a line of other columns, or without a valid tag, is a BadRecord. The coreference
    of CoNLL-2012 is not used.
    """
    for file in files:
        head = Head(file)
        columns = detect(head.lines)
        if is_conll2012(head.lines):
            yield from _conll2012(file)
        elif columns is None:
            if any(map(str.strip, head.lines)):
                yield BadRecord(f"{file.name}:1", Reason.WRONG_COLUMNS, "no column contains tags such as O, B-X or E-X")
        else:
            columns, lost = nested(file, columns)
            for sentence in _sentences(file, columns):
                record = _example(file.name, sentence, columns)
                if lost and isinstance(record, RawExample):
                    record, lost = structs.replace(record, lost=lost), ()
                yield record


def _sentences(file: File, columns: Columns) -> Iterator[Sentence]:
    lines: list[tuple[int, str]] = []
    text = document = None
    documents = 0
    for number, line in file.lines():
        if line.startswith("#") and (columns.ids or not columns.are_in(columns.fields(line))):
            comment, begins = TEXT.fullmatch(line), NEW_DOCUMENT.fullmatch(line)
            if begins:
                documents += 1
                document = f"{file.name}#{begins[1] or documents}"
            text = comment[1].strip() if comment else text
            continue
        starts = line.startswith(DOCSTART)
        if line.strip() and not starts:
            lines.append((number, line))
            continue
        if lines:
            yield Sentence(lines, text, document)
            lines, text = [], None
        if starts:
            documents += 1
            document = f"{file.name}#{documents}"
    if lines:
        yield Sentence(lines, text, document)


def _example(name: str, sentence: Sentence, columns: Columns) -> RawExample | BadRecord:
    tokens: list[str] = []  # as they are written in the text
    words: list[int] = []  # the token of each word: words of CoNLL-U that were contracted share one
    tags: list[list[str]] = []
    contracted = 0  # the last word of the token of several words
    for number, line in sentence.lines:
        fields = columns.fields(line)
        mark = ""
        if columns.ids and len(fields) == columns.count:
            token_id = TOKEN_ID.fullmatch(fields[0])
            if not token_id:
                return BadRecord(
                    f"{name}:{number}", Reason.BROKEN_RECORD, f"{fields[0]!r} is not the number of a token"
                )
            rest = token_id[1] or ""
            mark = rest[:1]
            if mark == ".":
                continue
            if mark == "-":
                contracted = int(rest[1:19])
                tokens.append(fields[columns.token])
                continue
        if not columns.are_in(fields):
            return _problem(f"{name}:{number}", fields, line, columns)
        if not (columns.ids and tokens and int(fields[0][:18]) <= contracted):
            tokens.append(fields[columns.token])
        words.append(len(tokens) - 1)
        tags.append([fields[tag] for tag in columns.tags])
    place = f"{name}:{sentence.lines[0][0]}"
    text, spans = sentence.text, None if sentence.text is None else find_tokens(sentence.text, tokens)
    if text is None or spans is None:
        text, spans = join_tokens(tokens)
    marked = dict.fromkeys(
        (spans[words[first]][0], -spans[words[end - 1]][1], label)
        for column in zip(*tags, strict=True)
        for label, first, end in decode(column)
    )
    entities = [
        Entity(label, Mention(text[start:-end], ((start, -end),)))
        for start, end, label in sorted(marked, key=itemgetter(0, 1))
    ]
    return RawExample(place, text, tuple(entities), document=sentence.document)


def _problem(place: str, fields: Sequence[str], line: str, columns: Columns) -> BadRecord:
    if len(fields) != columns.count:
        detail = f"{len(fields)} columns, not {columns.count}, in {line[:80]!r}"
        return BadRecord(place, Reason.WRONG_COLUMNS, detail)
    if not fields[columns.token]:
        return BadRecord(place, Reason.MISSING_FIELD, f"the token is empty in {line[:80]!r}")
    tag = next(fields[tag] for tag in columns.tags if not is_tag(fields[tag]))
    return BadRecord(place, Reason.BROKEN_RECORD, f"{tag!r} is not a tag such as O, B-X or E-X")


def _conll2012(file: File) -> Iterator[RawExample | BadRecord]:
    begins: list[tuple[int, str]] = [(0, file.name)]
    coreference = 0
    for number, line in file.lines():
        match = BEGIN_DOCUMENT.fullmatch(line)
        if match:
            begins.append((number, f"{file.name}#{match[1] or match[2]}"))
        elif not line.startswith("#"):
            coreference += (line.split() or [""])[-1].count("(")
    lost = ignored(f"{file.name}:1", {"mention of a coreference chain": coreference} if coreference else {})
    for record in conll2012.read([file]):
        if isinstance(record, RawExample):
            line_number = int(record.place.rpartition(":")[2])
            document = begins[bisect_right(begins, line_number, key=itemgetter(0)) - 1][1]
            record = structs.replace(_joined_by_script(record), document=document, lost=(*record.lost, *lost))
            lost = ()
        yield record


def _joined_by_script(example: RawExample) -> RawExample:
    """The example, whose tokens are joined by blanks, with the blanks of its script only."""
    if not NO_BLANK_BESIDE.search(example.text):
        return example
    tokens = example.text.split(" ")
    text, spans = join_tokens(tokens)
    moved, at = {}, 0
    for token, (start, end) in zip(tokens, spans, strict=True):
        moved[at], moved[at + len(token)] = start, end
        at += len(token) + 1
    entities = example.entities and tuple(
        Entity(entity.label, Mention(text[moved[start] : moved[end]], ((moved[start], moved[end]),)))
        for entity in example.entities
        for start, end in entity.mention.spans
    )
    return structs.replace(example, text=text, entities=entities)
