"""Lines of text with entities marked inline → one RawExample per line.

There are two layouts. One has opening and closing marks, which may nest: `{{location:Turin}}` (BosonNLP),
`<ENAMEX TYPE="GPE">Turin</ENAMEX>` (the `.name` files of OntoNotes 5.0, https://catalog.ldc.upenn.edu/LDC2013T19). The
other has chunks with a tag after a slash, `致/o 中国致公党/nt`, as in Chinese corpora of the SIGHAN bakeoffs.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Span
from transforms.files import File

MAX_DEPTH = 100
"""The deepest nesting of marks: each contains the text of those inside it, so time grows with depth times length."""

CHUNK_TAG = r"(.+?)/({})(?: +|$)"


def read(
    files: Iterable[File],
    mark: re.Pattern,
    *,
    skip: re.Pattern | None = None,
    respell: Callable[[str], str] = str,
) -> Iterator[RawExample | BadRecord]:
    """Every line without its marks. Blank lines and lines that start with `skip` are left out.

    `mark` matches an opening mark, with the type in the group `label`, or a closing mark, for which `label` is None.
    Its optional groups `before` and `after` are the numbers of characters at the start and the end of the marked text
    that do not belong to the mention. `respell` converts the text between two marks, as written, to plain text.
    Whitespace at the edges of a mention does not belong to it. A line is a BadRecord if a mark is not closed, closes
    nothing or is empty.
    """
    for place, line in _lines(files, skip):
        text, opened, entities = "", [], []
        position = 0
        for match in mark.finditer(line):
            text += respell(line[position : match.start()])
            position = match.end()
            if match["label"] is not None:
                if len(opened) == MAX_DEPTH:
                    detail = f"{match[0]} at character {match.start()} is inside {MAX_DEPTH} others"
                    yield BadRecord(place, Reason.BROKEN_RECORD, detail)
                    break
                opened.append((len(text), match, len(entities)))
                entities.append(None)  # in the order of the opening marks
                continue
            if not opened:
                yield BadRecord(place, Reason.BROKEN_RECORD, f"{match[0]} at character {match.start()} closes nothing")
                break
            start, opening, index = opened.pop()
            entities[index] = (opening["label"], *_span(text, start, opening))
        else:
            text += respell(line[position:])
            if opened:
                yield BadRecord(place, Reason.BROKEN_RECORD, f"{opened[0][1][0]} is not closed on its line")
            elif any(start >= end for _, start, end in entities):
                yield BadRecord(place, Reason.MISSING_FIELD, "a mark is empty")
            else:
                yield _example(place, text, entities)


def _span(text: str, start: int, opening: re.Match) -> Span:
    start, end = trimmed(text, (start, len(text)))
    groups = opening.groupdict()
    return start + int(groups.get("before") or 0), end - int(groups.get("after") or 0)


def trimmed(text: str, span: Span) -> Span:
    """The span without whitespace at its edges; an empty span if it contains only whitespace."""
    start, end = span
    string = text[start:end]
    return start + len(string) - len(string.lstrip()), start + len(string.rstrip())


def read_chunks(files: Iterable[File], labels: Collection[str], outside: str) -> Iterator[RawExample | BadRecord]:
    """Every line as its chunks, joined without a separator; a chunk with the tag `outside` is not a mention.

    A chunk may contain spaces and slashes: it ends at a slash that is followed by one of `labels` or `outside` and then
    by a space or the end of the line. A line with text after its last chunk is a BadRecord.
    """
    chunk = re.compile(CHUNK_TAG.format("|".join(map(re.escape, (*sorted(labels), outside)))))
    for place, line in _lines(files):
        text, entities, position = "", [], 0
        line = line.strip(" ")
        while match := chunk.match(line, position):
            if match[2] != outside:
                entities.append((match[2], len(text), len(text) + len(match[1])))
            text += match[1]
            position = match.end()
        if position < len(line):
            yield BadRecord(place, Reason.BROKEN_RECORD, f"{line[position:][:80]!r} is not a chunk with a known tag")
        else:
            yield _example(place, text, entities)


def _lines(files: Iterable[File], skip: re.Pattern | None = None) -> Iterator[tuple[str, str]]:
    for file in files:
        for number, line in file.lines():
            if line.strip() and not (skip and skip.match(line)):
                yield f"{file.name}:{number}", line


def _example(place: str, text: str, entities: Iterable[tuple[str, int, int]]) -> RawExample:
    mentions = ((label, Mention(text[start:end], ((start, end),))) for label, start, end in entities)
    return RawExample(place, text, tuple(Entity(label, mention) for label, mention in mentions))
