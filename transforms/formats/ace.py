"""ACE 2005 annotation, one document as `X.sgm` (text) and `X.apf.xml` (stand-off) → RawExamples; LDC2006T06.

Offsets count the characters of the text file without its tags, including line breaks; ends are inclusive. Documents
differ in whether an entity reference (`&amp;`) counts as written or as one character: the reader uses the
interpretation under which more mentions match the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from html import unescape

from lxml import etree

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Span
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.brat import pairs
from transforms.formats.offsets import is_offset

REFERENCE = re.compile("&(?:[A-Za-z]+|#[0-9]{1,7});")
WRAP = re.compile(r"(?<=\S)([ \t]*)\n([ \t]*)(?=\S)")
"""A single line break within a run of text: a wrapped line, not a new paragraph."""
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@dataclass(frozen=True, slots=True)
class Marked:
    """A mention of an entity (`label` is its TYPE), a value (its TYPE) or a time (`TIMEX2`).

    `extent` is the whole phrase. `head`, its head word or name, is set only for entities.
    """

    label: str
    extent: Mention
    head: Mention | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A mention of a relation or an event; the label is `TYPE.SUBTYPE`, or TYPE. `arguments`: (role, mention id)."""

    label: str
    arguments: tuple[tuple[str, str], ...]
    trigger: Mention | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The text of the body and its annotations; `mentions` has every id that a link names.

    `lost`: the arguments of relations and events that refer to no mention of the file, or to a value or a time that
    has no place in the text.
    """

    text: str
    mentions: dict[str, Marked]
    relations: tuple[Link, ...]
    events: tuple[Link, ...]
    lost: tuple[BadRecord, ...] = ()


def read(
    files: Iterable[File], to_example: Callable[[str, Document], RawExample | BadRecord]
) -> Iterator[RawExample | BadRecord]:
    """The results of `to_example(place, document)` for every pair `X.sgm`, `X.apf.xml` of a folder, in order of name.

    A document is a BadRecord if a file is missing, its XML is broken, an annotation violates the format, or an entity
    or a trigger has no place in the text. An argument without a place is lost alone. Only the text of the body is kept
    (without document id, type and date), extended to annotations outside it. Wrapped lines are joined by a space,
    which changes no offset.
    """
    for pair in pairs(files, ".sgm", ".apf.xml"):
        if isinstance(pair, BadRecord):
            yield pair
            continue
        text, annotation = pair
        sgml = text.text()
        if "</DOC>" not in sgml:
            yield BadRecord(f"{text.name}:1", Reason.BROKEN_RECORD, "there is no </DOC>; is the file truncated?")
            continue
        document = parse(sgml, annotation)
        yield document if isinstance(document, BadRecord) else to_example(f"{text.name}:1", document)


class _Broken(Exception):
    """An element violates the format. `parse` catches it and rejects the document, unless an inner parser catches it
    first and loses less.
    """

    def __init__(self, element: etree._Element, reason: Reason, detail: str):
        self.line, self.reason, self.detail = element.sourceline, reason, detail

    def record(self, name: str, *unknown: UnknownLabel) -> BadRecord:
        return BadRecord(f"{name}:{self.line}", self.reason, self.detail, unknown)


def parse(sgml: str, annotation: File) -> Document | BadRecord:
    """The document, or its first broken element."""
    data = annotation.read()
    try:
        data.decode()
        return _document(sgml.replace("\r\n", "\n"), etree.fromstring(data, PARSER), annotation.name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return BadRecord(f"{annotation.name}:{line}", Reason.NOT_UTF8, f"{error}; re-encode the file")
    except etree.XMLSyntaxError as error:
        return BadRecord(f"{annotation.name}:{error.lineno or 1}", Reason.BROKEN_RECORD, f"broken XML: {error.msg}")
    except _Broken as problem:
        return problem.record(annotation.name)


def _document(sgml: str, root: etree._Element, name: str) -> Document:
    """Raises _Broken. `name` is the name of the annotation file, for BadRecords."""
    text, moved, body = plain_text(sgml)

    def offsets(mark: etree._Element) -> Span:
        start, last = (_attribute(mark, bound) for bound in ("START", "END"))
        if not (is_offset(start) and is_offset(last) and int(start) <= int(last) < len(moved) - 1):
            detail = f"{start} to {last} is not a span of a text of {len(moved) - 1} characters"
            raise _Broken(mark, Reason.OFFSET_MISMATCH, detail)
        return int(start), int(last) + 1

    marks = []
    for mark in root.iter("charseq"):
        with suppress(_Broken):  # reported below if the mention is used
            marks.append((*offsets(mark), _plain(mark.text or "")))

    def count_matches(reading: Sequence[int]) -> int:
        return sum(_plain(text[reading[start] : reading[end]]) == string for start, end, string in marks)

    reading = max((moved, range(len(moved))), key=count_matches)

    def mention(element: etree._Element, part: str) -> Mention:
        mark = element.find(f"{part}/charseq")
        if mark is None:
            raise _Broken(element, Reason.MISSING_FIELD, f"<{element.tag}> has no <{part}> with a <charseq>")
        start, end = (reading[offset] for offset in offsets(mark))
        actual, expected = text[start:end], _plain(mark.text or "")
        return Mention(actual if _plain(actual) == expected else expected, ((start, end),))

    mentions: dict[str, Marked] = {}
    misplaced: dict[str, _Broken] = {}  # values and times, which are only used as arguments
    lost: list[BadRecord] = []
    for kind in ("entity", "value", "timex2"):
        for item in root.iter(kind):
            label = "TIMEX2" if kind == "timex2" else _attribute(item, "TYPE")
            for element in item.iterfind(f"{kind}_mention"):
                identifier = _attribute(element, "ID")
                try:
                    head = mention(element, "head") if kind == "entity" else None
                    mentions[identifier] = Marked(label, mention(element, "extent"), head)
                except _Broken as problem:
                    if kind == "entity":
                        raise
                    misplaced[identifier] = problem

    def link(element: etree._Element, trigger: Mention | None = None) -> Link:
        item = element.getparent()
        label = ".".join(filter(None, (_attribute(item, "TYPE"), item.get("SUBTYPE"))))
        unknown = UnknownLabel("relations" if trigger is None else "events", label)
        arguments = []
        for argument in element.iterfind(f"{element.tag}_argument"):
            try:
                role, reference = (_attribute(argument, key) for key in ("ROLE", "REFID"))
                if reference in misplaced:
                    raise misplaced[reference]
                if reference not in mentions:
                    raise _Broken(argument, Reason.MISSING_FIELD, f"{reference} is not a mention of this file")
                arguments.append((role, reference))
            except _Broken as problem:
                lost.append(problem.record(name, unknown))
        return Link(label, tuple(arguments), trigger)

    relations = [link(element) for element in root.iterfind(".//relation_mention")]
    events = [link(element, mention(element, "anchor")) for element in root.iterfind(".//event_mention")]
    return _cut(Document(text, mentions, tuple(relations), tuple(events), tuple(lost)), *body)


def _attribute(element: etree._Element, name: str) -> str:
    if name not in element.attrib:
        raise _Broken(element, Reason.MISSING_FIELD, f"<{element.tag}> has no {name}")
    return element.attrib[name]


def _plain(string: str) -> str:
    """The string on one line, with its entity references replaced."""
    return REFERENCE.sub(lambda reference: unescape(reference[0]), string).replace("\n", " ")


def plain_text(sgml: str) -> tuple[str, list[int], Span]:
    """(text, offsets, body): the text without tags, with its entity references replaced; for each offset in the text
    with its references as written, up to its end, the offset in this text; and the span of the body (the whole text if
    there is no <BODY>).
    """
    pieces: list[str] = []
    moved = [0]
    body = {}
    for run, tag in _runs(sgml):
        for character, width in _characters(WRAP.sub(r"\1 \2", run)):
            pieces.append(character)
            moved += [moved[-1]] * (width - 1) + [moved[-1] + len(character)]
        body[tag.upper()] = moved[-1]
    return "".join(pieces), moved, (body.get("<BODY>", 0), body.get("</BODY>", moved[-1]))


def _runs(sgml: str) -> Iterator[tuple[str, str]]:
    """Pairs of a text and the tag after it; the last tag is empty."""
    at, start = 0, sgml.find("<")
    while start >= 0 and (end := sgml.find(">", start) + 1):
        yield sgml[at:start], sgml[start:end]
        at, start = end, sgml.find("<", end)
    yield sgml[at:], ""


def _characters(run: str) -> Iterator[tuple[str, int]]:
    """Pairs of a character and the number of characters by which it is written."""
    at = 0
    for reference in REFERENCE.finditer(run):
        yield from ((character, 1) for character in run[at : reference.start()])
        yield unescape(reference[0]), len(reference[0])
        at = reference.end()
    yield from ((character, 1) for character in run[at:])


def _cut(document: Document, start: int, end: int) -> Document:
    """The document from `start` to `end`, stripped, and extended to every entity, trigger and argument."""
    linked = {reference for link in document.relations + document.events for _, reference in link.arguments}
    mentions = {
        reference: marked
        for reference, marked in document.mentions.items()
        if marked.head is not None or reference in linked
    }
    needed = [marked.extent for marked in mentions.values()] + [event.trigger for event in document.events]
    body = document.text[start:end]
    start += len(body) - len(body.lstrip())
    end -= len(body) - len(body.rstrip())
    start = min([start, *(mention.spans[0][0] for mention in needed)])
    end = max([end, *(mention.spans[0][1] for mention in needed)])

    def moved(mention: Mention | None) -> Mention | None:
        return mention and Mention(mention.text, tuple((a - start, b - start) for a, b in mention.spans))

    return Document(
        document.text[start:end],
        {
            reference: Marked(marked.label, moved(marked.extent), moved(marked.head))
            for reference, marked in mentions.items()
        },
        document.relations,
        tuple(replace(event, trigger=moved(event.trigger)) for event in document.events),
        document.lost,
    )
