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
"""First letters of lines that are skipped: attributes, notes, equivalences."""


@dataclass(frozen=True, slots=True)
class Link:
    """An R or E line. `arguments`: (role without its trailing digits, id of a T or E line), as written."""

    label: str
    arguments: tuple[tuple[str, str], ...]
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its annotations by id. Every id that a relation or an event refers to exists.

    Entities in `mentions` have their T id, and the references of their N lines as concepts, such as `Wikidata:Q42`.
    `lost`: arguments and relations that refer to a missing id or to a T line that has no place in the text, and N lines
    that are malformed or refer to a missing id. `misplaced`: T id → BadRecord of T lines that have no place in the
    text. Whether such a line makes the document a BadRecord depends on how the source uses it.
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
    """The document with T lines as entities (of `entity_types`; None: all except triggers), R lines as relations with
    the types of their ends, and E lines as events. Ends and arguments refer to these entities. The first T line without
    a place in the text makes the document a BadRecord.
    """
    if document.misplaced:
        return next(iter(document.misplaced.values()))
    triggers = {event.trigger for event in document.events.values()}
    entities = {
        reference: entity
        for reference, entity in document.mentions.items()
        if (reference not in triggers if entity_types is None else entity.label in entity_types)
    }

    def entity_id(end: str) -> str | None:
        return end if end in entities else None

    relations = []
    for link in document.relations.values():
        (_, head), (_, tail) = link.arguments
        head_label, tail_label = (
            document.mentions[end].label if end in document.mentions else document.events[end].label
            for end in (head, tail)
        )
        mentions = document.mention(head), document.mention(tail)
        relations.append(Relation(link.label, *mentions, head_label, tail_label, entity_id(head), entity_id(tail)))
    return RawExample(
        place,
        document.text,
        entities=tuple(entities.values()),
        relations=tuple(relations),
        events=tuple(
            Event(
                link.label,
                document.mention(link.trigger),
                tuple(Argument(role, document.mention(end), entity_id(end)) for role, end in link.arguments),
            )
            for link in document.events.values()
        ),
        lost=document.lost,
    )


def read(
    files: Iterable[File], to_example: Callable[[str, Document], RawExample | BadRecord] = all_layers
) -> Iterator[RawExample | BadRecord]:
    """The results of `to_example(place, document)` for every pair `X.txt`, `X.ann` of a folder, in order of name.

    An empty `X.ann` is a text without annotations. A missing file, a broken line or a missing trigger makes the
    document a BadRecord. A missing argument is lost alone, and so is a relation with a missing end.
    """
    for pair in pairs(files, ".txt", ".ann"):
        if isinstance(pair, BadRecord):
            yield pair
            continue
        text, ann = pair
        document = parse(text.text(), ann)
        yield document if isinstance(document, BadRecord) else to_example(f"{ann.name}:1", document)


def pairs(files: Iterable[File], *extensions: str) -> Iterator[tuple[File, ...] | BadRecord]:
    """The files of each document in order of name. They differ only in their extensions, whose case is ignored.

    A document without one of its files is a BadRecord.
    """
    documents: dict[str, dict[str, File]] = {}
    for file in files:
        extension = next((end for end in extensions if file.name.lower().endswith(end)), None)
        if extension is not None:
            documents.setdefault(file.name[: -len(extension)], {})[extension] = file
    for stem, parts in sorted(documents.items()):
        missing = [extension for extension in extensions if extension not in parts]
        if missing:
            name = min(file.name for file in parts.values())
            yield BadRecord(
                f"{name}:1", Reason.MISSING_FIELD, f"{stem}{missing[0]} is missing; put both into one folder"
            )
        else:
            yield tuple(parts[extension] for extension in extensions)


SPOT = re.compile(rf"(\S+) (-?{DIGITS} -?{DIGITS}(?:;-?{DIGITS} -?{DIGITS})*)\t(.*)")
LINK = re.compile(r"(\S+?):(\S+)")
NORMALIZATION = re.compile(r"\S+ (\S+) (\S+:\S+)(?:\t.*)?")


class _Broken(Exception):
    """A line violates the format; `parse` catches it."""

    def __init__(self, reason: Reason, detail: str):
        self.reason, self.detail = reason, detail


def parse(raw_text: str, ann: File, lose_events: bool = False) -> Document | BadRecord:
    """The document, or a BadRecord for its first broken line or trigger. The line break at the end of the text file is
    not part of the text. With `lose_events`, an event whose trigger has no place in the text is lost alone.
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
                raise _Broken(Reason.BROKEN_RECORD, f"the trigger {event.trigger} is not a T line of this file")
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
            entity_concepts = tuple(dict.fromkeys(concepts.get(reference, ())))
            mentions[reference] = Entity(label, _mention(text, spans, string), reference, entity_concepts)
        except _Broken as problem:
            unknown = (UnknownLabel("entities", label),)
            misplaced[reference] = BadRecord(f"{ann.name}:{lines[reference]}", problem.reason, problem.detail, unknown)
    for reference, event in list(events.items()):
        if event.trigger in misplaced:
            if not lose_events:
                return misplaced[event.trigger]
            misplaced[event.trigger] = replace(misplaced[event.trigger], unknown=(UnknownLabel("events", event.label),))
            del events[reference]

    def placed(layer: str, reference: str, link: Link) -> tuple[tuple[str, str], ...]:
        """The arguments that have a place; adds the others to `lost`."""
        kept = []
        for role, end in link.arguments:
            if end in mentions or end in events:
                kept.append((role, end))
                continue
            detail = f"{end} is not a T or E line of this file; {role!r} of {reference} is left out"
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
    """`Organ 161 167;170 175<TAB>surface` → type, spans as written, surface string."""
    match = SPOT.fullmatch(rest)
    if not match:
        raise _Broken(Reason.WRONG_COLUMNS, "a T line is `id<TAB>type start end[;start end]<TAB>text`")
    label, offsets, string = match.groups()
    spans = []
    for piece in offsets.split(";"):
        start, end = piece.split(" ")
        spans.append((int(start), int(end)))
    return label, spans, string


def _roles(words: list[str]) -> tuple[tuple[str, str], ...]:
    matches = [match for word in words if (match := LINK.fullmatch(word))]
    if len(matches) < len(words):
        raise _Broken(Reason.WRONG_COLUMNS, f"{' '.join(words)!r} is not a list of `role:id`")
    return tuple((match[1].rstrip("0123456789"), match[2]) for match in matches)


def _relation(rest: str) -> Link:
    """`has Arg1:T10 Arg2:T12`."""
    label, *words = rest.split() or [""]
    arguments = _roles(words)
    if len(arguments) != 2:
        raise _Broken(Reason.WRONG_COLUMNS, "an R line is `id<TAB>type role:id role:id`")
    return Link(label, arguments)


def _event(rest: str) -> Link:
    """`Adverse_event:T7 arg:T13 arg2:T6`; an event without arguments may end with a space."""
    words = rest.split()
    head = LINK.fullmatch(words[0]) if words else None
    if not head:
        raise _Broken(Reason.WRONG_COLUMNS, "an E line is `id<TAB>type:id role:id ...`")
    return Link(head[1], _roles(words[1:]), head[2])


def _plain_line_ends(raw_text: str, spots: dict) -> tuple[str, dict]:
    """The text with LF line breaks, and the spots with offsets in it. If the text file has CRLF, offsets may count a
    line break as one character (if the file was converted after annotation) or as two; the interpretation under which
    more surface strings match is used.
    """
    text = raw_text.replace("\r\n", "\n")
    if len(text) < len(raw_text):

        def count_matches(candidate: str) -> int:
            return sum(surface(candidate, spans) == string for _, spans, string in spots.values())

        if count_matches(raw_text) > count_matches(text):
            ends = [match.end() for match in re.finditer("\r\n", raw_text)]
            spots = {
                reference: (label, [tuple(at - bisect_right(ends, at) for at in span) for span in spans], string)
                for reference, (label, spans, string) in spots.items()
            }
    return text.rstrip("\n"), spots


def _mention(text: str, spans: list[Span], string: str) -> Mention:
    """The mention with its pieces in text order. brat writes a line break in a surface string as a space."""
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise _Broken(Reason.OFFSET_MISMATCH, f"{start} {end} is not a span of a text of {len(text)} characters")
    actual = surface(text, tuple(spans))
    if len(actual) != len(string):  # a truncated line, which must not be repaired to its shorter string
        raise _Broken(Reason.OFFSET_MISMATCH, f"{string!r} differs in length from the text at its spans, {actual!r}")
    ordered = tuple(sorted(spans))
    if actual.replace("\n", " ") == string:
        string = surface(text, ordered)
    return Mention(string, ordered)
