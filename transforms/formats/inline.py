"""Lines of text with entities marked in place → one RawExample a line.

Two layouts. Marks with an end, which may nest: `{{location:Turin}}` (BosonNLP), `<ENAMEX TYPE="GPE">Turin</ENAMEX>`
(the `.name` files of OntoNotes 5.0, https://catalog.ldc.upenn.edu/LDC2013T19). And chunks that each carry a tag after
a slash, `致/o 中国致公党/nt`, in which Chinese corpora of the SIGHAN bakeoffs circulate.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Span
from transforms.files import File

MAX_DEPTH = 100
"""Marks within marks on one line: each holds what those within it hold, so more take the square of the line."""

CHUNK_TAG = r"(.+?)/({})(?: +|$)"


def read(
    files: Iterable[File],
    mark: re.Pattern,
    *,
    skip: re.Pattern | None = None,
    respell: Callable[[str], str] = str,
) -> Iterator[RawExample | BadRecord]:
    """Every line without its marks; blank lines and those that start with `skip` are left out.

    `mark` matches one opening mark, with its type in the group `label`, or one closing mark, whose `label` is None.
    Its groups `before` and `after`, if any, say how many characters at the start and the end of what is marked are
    no part of the mention. `respell` turns the text between two marks, as written, into what it stands for. Blanks
    at the edges of a mention are no part of it. A mark that is not closed, or closes nothing, loses the line, as does
    one around nothing.
    """
    for place, line in _lines(files, skip):
        text, opened, entities = "", [], []
        position = 0
        for found in mark.finditer(line):
            text += respell(line[position : found.start()])
            position = found.end()
            if found["label"] is not None:
                if len(opened) == MAX_DEPTH:
                    detail = f"{found[0]} at character {found.start()} is within {MAX_DEPTH} others"
                    yield BadRecord(place, Reason.BROKEN_RECORD, detail)
                    break
                opened.append((len(text), found, len(entities)))
                entities.append(None)  # in the order of the opening marks
                continue
            if not opened:
                yield BadRecord(place, Reason.BROKEN_RECORD, f"{found[0]} at character {found.start()} closes nothing")
                break
            start, opening, index = opened.pop()
            entities[index] = (opening["label"], *_span(text, start, opening))
        else:
            text += respell(line[position:])
            if opened:
                yield BadRecord(place, Reason.BROKEN_RECORD, f"{opened[0][1][0]} is not closed on its line")
            elif any(start >= end for _, start, end in entities):
                yield BadRecord(place, Reason.MISSING_FIELD, "a mark stands around nothing")
            else:
                yield _example(place, text, entities)


def _span(text: str, start: int, opening: re.Match) -> Span:
    start, end = trimmed(text, (start, len(text)))
    groups = opening.groupdict()
    return start + int(groups.get("before") or 0), end - int(groups.get("after") or 0)


def trimmed(text: str, span: Span) -> Span:
    """The span without blanks at its edges; an empty one where there is nothing else."""
    start, end = span
    string = text[start:end]
    return start + len(string) - len(string.lstrip()), start + len(string.rstrip())


def read_chunks(files: Iterable[File], labels: Collection[str], outside: str) -> Iterator[RawExample | BadRecord]:
    """Every line of `chunk/tag` pieces, joined by nothing; a piece tagged `outside` is no mention.

    The tag is what stands after the last slash before a blank, if it is one of `labels` or `outside`: a chunk may
    have blanks and slashes in it. What is left over at the end of a line loses the line.
    """
    chunk = re.compile(CHUNK_TAG.format("|".join(map(re.escape, (*sorted(labels), outside)))))
    for place, line in _lines(files):
        text, entities, position = "", [], 0
        line = line.strip(" ")
        while found := chunk.match(line, position):
            if found[2] != outside:
                entities.append((found[2], len(text), len(text) + len(found[1])))
            text += found[1]
            position = found.end()
        if position < len(line):
            yield BadRecord(place, Reason.BROKEN_RECORD, f"{line[position:][:80]!r} is no chunk with a known tag")
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
