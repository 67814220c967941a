"""brat standoff, one document as `X.txt` and `X.ann` → RawExamples; https://brat.nlplab.org/standoff.html."""

import re
from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, Span, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.offsets import DIGITS

IGNORED = "AM#*"
"""First letters of lines that are not read: attributes, notes, equivalences."""


@dataclass(frozen=True, slots=True)
class Link:
    """An R or E line. `arguments`: (role without its trailing digits, id of a T or E line), as written."""

    label: str
    arguments: tuple[tuple[str, str], ...]
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its annotations by id; every id that a relation or an event names is there.

    An entity of `mentions` has its T id, and as concepts what N lines refer it to, as `Wikidata:Q42`. `lost`: the
    arguments, and the relations, that name an id which is not there or a T line that has no place in the text; and N
    lines that cannot be read or refer to no line. `misplaced` has the T lines without a place by id: whether one costs
    the document depends on what a source makes of them.
    """

    text: str
    mentions: dict[str, Entity]
    relations: dict[str, Link]
    events: dict[str, Link]
    lost: tuple[BadRecord, ...] = ()
    misplaced: dict[str, BadRecord] = field(default_factory=dict)

    def mention(self, reference: str) -> Mention | None:
        """The mention that a T id names, or the trigger of the event that an E id names."""
        if reference in self.events:
            reference = self.events[reference].trigger
        return self.mentions[reference].mention


def all_layers(place: str, document: Document, entity_types: Container[str] | None = None) -> RawExample | BadRecord:
    """T lines as entities (those of `entity_types`; None: all but the triggers), R lines as relations, typed by
    their ends, E lines as events. Ends and arguments refer to the entities that they are. The first T line without a
    place in the text makes the document a BadRecord.
    """
    if document.misplaced:
        return next(iter(document.misplaced.values()))
    triggers = {event.trigger for event in document.events.values()}
    entities = {
        reference: entity
        for reference, entity in document.mentions.items()
        if (reference not in triggers if entity_types is None else entity.label in entity_types)
    }

    def referred(end: str) -> str | None:
        return end if end in entities else None

    relations = []
    for link in document.relations.values():
        (_, head), (_, tail) = link.arguments
        head_label, tail_label = (
            document.mentions[end].label if end in document.mentions else document.events[end].label
            for end in (head, tail)
        )
        mentions = document.mention(head), document.mention(tail)
        relations.append(Relation(link.label, *mentions, head_label, tail_label, referred(head), referred(tail)))
    return RawExample(
        place,
        document.text,
        entities=tuple(entities.values()),
        relations=tuple(relations),
        events=tuple(
            Event(
                link.label,
                document.mention(link.trigger),
                tuple(Argument(role, document.mention(end), referred(end)) for role, end in link.arguments),
            )
            for link in document.events.values()
        ),
        lost=document.lost,
    )


def read(
    files: Iterable[File], to_example: Callable[[str, Document], RawExample | BadRecord] = all_layers
) -> Iterator[RawExample | BadRecord]:
    """Every pair `X.txt`, `X.ann` of one folder through `to_example(place, document)`, in order of name.

    An empty `X.ann` is a text without annotations; a missing partner or the first broken line makes the document a
    BadRecord, and so does a trigger that is not there. An argument that is not there is lost alone, and so is a
    relation with an end that is not.
    """
    for pair in pairs(files, ".txt", ".ann"):
        if isinstance(pair, BadRecord):
            yield pair
            continue
        text, ann = pair
        document = parse(text.text(), ann)
        yield document if isinstance(document, BadRecord) else to_example(f"{ann.name}:1", document)


def pairs(files: Iterable[File], *extensions: str) -> Iterator[tuple[File, ...] | BadRecord]:
    """The files of each document, which share a name but for these extensions (case ignored), in order of name.

    A document without one of its files is a BadRecord.
    """
    documents: dict[str, dict[str, File]] = {}
    for file in files:
        extension = next((end for end in extensions if file.name.lower().endswith(end)), None)
        if extension is not None:
            documents.setdefault(file.name[: -len(extension)], {})[extension] = file
    for stem, found in sorted(documents.items()):
        missing = [extension for extension in extensions if extension not in found]
        if missing:
            there = min(file.name for file in found.values())
            yield BadRecord(
                f"{there}:1", Reason.MISSING_FIELD, f"{stem}{missing[0]} is missing; put both into one folder"
            )
        else:
            yield tuple(found[extension] for extension in extensions)


SPOT = re.compile(rf"(\S+) (-?{DIGITS} -?{DIGITS}(?:;-?{DIGITS} -?{DIGITS})*)\t(.*)")
LINK = re.compile(r"(\S+?):(\S+)")
NORMALIZATION = re.compile(r"\S+ (\S+) (\S+:\S+)(?:\t.*)?")


class _Broken(Exception):
    """Carries what is wrong with a line out of its parser; caught by `parse` alone."""

    def __init__(self, reason: Reason, detail: str):
        self.reason, self.detail = reason, detail


def parse(raw_text: str, ann: File) -> Document | BadRecord:
    """The document, or its first broken line or trigger. The line end that closes the text file is not part of the
    text.
    """
    spots: dict[str, tuple[str, list[Span], str]] = {}
    relations: dict[str, Link] = {}
    events: dict[str, Link] = {}
    normalizations: list[tuple[int, str]] = []
    lines: dict[str, int] = {}
    number = 1
    try:
        for number, line in ann.lines():
            kind = line[:1]
            if not line.strip() or kind in IGNORED:
                continue
            reference, _, rest = line.partition("\t")
            if kind == "N":
                normalizations.append((number, rest))
                continue
            if reference in lines:
                raise _Broken(Reason.BROKEN_RECORD, f"{reference} is also the id of line {lines[reference]}")
            lines[reference] = number
            if kind == "T":
                spots[reference] = _spot(rest)
            elif kind == "R":
                relations[reference] = _relation(rest)
            elif kind == "E":
                events[reference] = _event(rest)
            else:
                raise _Broken(Reason.BROKEN_RECORD, f"{line[:20]!r} starts with none of T R E A M N # *")
        for reference, event in events.items():
            if event.trigger not in spots:
                number = lines[reference]
                raise _Broken(Reason.BROKEN_RECORD, f"the trigger {event.trigger} is no T line of this file")
    except _Broken as problem:
        return BadRecord(f"{ann.name}:{number}", problem.reason, problem.detail)
    text, spots = _plain_line_ends(raw_text, spots)
    lost: list[BadRecord] = []
    concepts: dict[str, list[str]] = {}  # by T id
    for number, rest in normalizations:
        match = NORMALIZATION.fullmatch(rest)
        if match and match[1] in lines:
            concepts.setdefault(match[1], []).append(match[2])
        else:
            detail = (
                "an N line is `id<TAB>Reference id vocabulary:id[<TAB>text]`, of a line of this file; it is left out"
            )
            lost.append(BadRecord(f"{ann.name}:{number}", Reason.BROKEN_RECORD, detail))
    mentions: dict[str, Entity] = {}
    misplaced: dict[str, BadRecord] = {}
    for reference, (label, spans, string) in spots.items():
        try:
            own_concepts = tuple(dict.fromkeys(concepts.get(reference, ())))
            mentions[reference] = Entity(label, _mention(text, spans, string), reference, own_concepts)
        except _Broken as problem:
            misplaced[reference] = BadRecord(f"{ann.name}:{lines[reference]}", problem.reason, problem.detail)
    for event in events.values():
        if event.trigger in misplaced:
            return misplaced[event.trigger]

    def placed(layer: str, reference: str, link: Link) -> tuple[tuple[str, str], ...]:
        """The arguments that can be placed; adds the others to `lost`."""
        kept = []
        for role, end in link.arguments:
            if end in mentions or end in events:
                kept.append((role, end))
                continue
            detail = f"{end} is no T or E line of this file; {role!r} of {reference} is left out"
            missing = BadRecord(f"{ann.name}:{lines[reference]}", Reason.MISSING_FIELD, detail)
            lost.append(replace(misplaced.get(end, missing), unknown=(UnknownLabel(layer, link.label),)))
        return tuple(kept)

    events = {
        reference: replace(event, arguments=placed("events", reference, event)) for reference, event in events.items()
    }
    relations = {
        reference: link for reference, link in relations.items() if len(placed("relations", reference, link)) == 2
    }
    return Document(text, mentions, relations, events, tuple(lost), misplaced)


def _spot(rest: str) -> tuple[str, list[Span], str]:
    """`Organ 161 167;170 175<TAB>surface` → type, spans as written, surface."""
    found = SPOT.fullmatch(rest)
    if not found:
        raise _Broken(Reason.WRONG_COLUMNS, "a T line is `id<TAB>type start end[;start end]<TAB>text`")
    label, offsets, string = found.groups()
    spans = []
    for piece in offsets.split(";"):
        start, end = piece.split(" ")
        spans.append((int(start), int(end)))
    return label, spans, string


def _roles(words: list[str]) -> tuple[tuple[str, str], ...]:
    found = [LINK.fullmatch(word) for word in words]
    if not all(found):
        raise _Broken(Reason.WRONG_COLUMNS, f"{' '.join(words)!r} is no list of `role:id`")
    return tuple((match[1].rstrip("0123456789"), match[2]) for match in found)


def _relation(rest: str) -> Link:
    """`has Arg1:T10 Arg2:T12`."""
    label, *words = rest.split() or [""]
    arguments = _roles(words)
    if len(arguments) != 2:
        raise _Broken(Reason.WRONG_COLUMNS, "an R line is `id<TAB>type role:id role:id`")
    return Link(label, arguments)


def _event(rest: str) -> Link:
    """`Adverse_event:T7 arg:T13 arg2:T6`; a type may stand alone, with a blank after it."""
    words = rest.split()
    head = LINK.fullmatch(words[0]) if words else None
    if not head:
        raise _Broken(Reason.WRONG_COLUMNS, "an E line is `id<TAB>type:id role:id ...`")
    return Link(head[1], _roles(words[1:]), head[2])


def _plain_line_ends(raw_text: str, spots: dict) -> tuple[str, dict]:
    """The text with LF line ends and spots that refer to it: where the text file has CRLF, offsets may count a line
    end as one character (they were made before it was converted) or as two; the reading that spells more
    surfaces is taken.
    """
    text = raw_text.replace("\r\n", "\n")
    if len(text) < len(raw_text):

        def spelled(candidate: str) -> int:
            return sum(surface(candidate, spans) == string for _, spans, string in spots.values())

        if spelled(raw_text) > spelled(text):
            ends = [found.end() for found in re.finditer("\r\n", raw_text)]
            spots = {
                reference: (label, [tuple(at - bisect_right(ends, at) for at in span) for span in spans], string)
                for reference, (label, spans, string) in spots.items()
            }
    return text.rstrip("\n"), spots


def _mention(text: str, spans: list[Span], string: str) -> Mention:
    """The mention with its pieces in text order. brat writes a line end within a surface as a blank."""
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise _Broken(Reason.OFFSET_MISMATCH, f"{start} {end} is no span of a text of {len(text)} characters")
    found = surface(text, spans)
    if len(found) != len(string):  # a line cut short, which must not be repaired to its shorter string
        raise _Broken(Reason.OFFSET_MISMATCH, f"{string!r} has not the length of its spans, {found!r}")
    ordered = tuple(sorted(spans))
    if found.replace("\n", " ") == string:
        string = surface(text, ordered)
    return Mention(string, ordered)
