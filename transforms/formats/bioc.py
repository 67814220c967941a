"""BioC XML with document-level relations between concepts → one RawExample per document; Comeau et al. 2013."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from operator import itemgetter

from lxml import etree

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Span, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.offsets import is_offset
from transforms.formats.pubtator import ConceptMentions, parse_concepts, qualified_concept


def read(
    files: Iterable[File],
    concept: str,
    ends: tuple[str, str],
    drop: tuple[str, str] | None = None,
    vocabulary: str = "",
) -> Iterator[RawExample | BadRecord]:
    """Every document of every file. Passages are joined by one space, and so are sentences of a passage with a gap
    between them. An annotation without <text> gets the text at its locations; one without a location is left out.

    `concept` is the infon with the concept ids of an annotation (`MESH`, `identifier`). `vocabulary` is the vocabulary
    of ids that name none (see `pubtator.parse_concepts`). `ends` are the infons with the head and tail concept of a
    relation, whose label is in the infon `relation`. Annotations with the infon `drop` (key, value) are left out:
    keeping both a composite mention and its parts would count the same words twice.

    A document with a broken annotation is a BadRecord. A relation between concepts that have no two mentions is lost
    alone. If the XML is broken, the documents before that are kept, and one BadRecord reports the rest of the file.
    """
    for file in files:
        documents = etree.iterparse(BytesIO(file.read()), tag="document", remove_comments=True, remove_pis=True)
        try:
            for _, element in documents:
                yield _document(file.name, element, concept, ends, drop, vocabulary)
                element.clear()
        except etree.XMLSyntaxError as error:
            yield BadRecord(
                f"{file.name}:{error.lineno or 1}",
                Reason.BROKEN_RECORD,
                f"broken XML, the rest is not read: {error.msg}",
            )


def _document(
    name: str,
    element: etree._Element,
    concept: str,
    ends: tuple[str, str],
    drop: tuple[str, str] | None,
    vocabulary: str,
) -> RawExample | BadRecord:
    def broken(part: etree._Element, reason: Reason, detail: str, *unknown: UnknownLabel) -> BadRecord:
        return BadRecord(f"{name}:{part.sourceline}", reason, detail, unknown)

    text = ""
    entities: list[Entity] = []
    lost: list[BadRecord] = []
    for passage in element.iter("passage"):
        places: list[tuple[int, Span]] = []  # per sentence: offset in the document, span in `text`
        for part in passage.findall("sentence") or [passage]:
            offset = part.findtext("offset", "")
            if not is_offset(offset):
                return broken(part, Reason.MISSING_FIELD, f"a {part.tag} has no <offset>")
            if text and (not places or int(offset) > places[-1][0] + places[-1][1][1] - places[-1][1][0]):
                text += " "
            words = part.findtext("text", "")
            places.append((int(offset), (len(text), len(text) + len(words))))
            text += words
        for annotation in passage.iter("annotation"):
            infons = _infons(annotation)
            if drop is not None and infons.get(drop[0]) == drop[1]:
                continue
            if "type" not in infons:
                return broken(annotation, Reason.MISSING_FIELD, "an annotation has no infon `type`")
            if annotation.find("location") is None:
                detail = "an annotation has no <location>; it is left out"
                unknown = UnknownLabel("entities", infons["type"])
                lost.append(broken(annotation, Reason.MISSING_FIELD, detail, unknown))
                continue
            locations: list[Span | None] = []
            for location in annotation.iter("location"):
                start, length = location.get("offset", ""), location.get("length", "")
                if not (is_offset(start) and is_offset(length)):
                    return broken(annotation, Reason.MISSING_FIELD, "a <location> has no offset and length")
                locations.append(span_at(int(start), int(length), places))
            spans = tuple(sorted(span for span in locations if span is not None))
            if len(spans) < len(locations):
                return broken(annotation, Reason.OFFSET_MISMATCH, "an annotation has no place in its passage")
            mention = Mention(annotation.findtext("text") or surface(text, spans), spans)
            concepts = parse_concepts(infons.get(concept, ""), vocabulary)
            entities.append(Entity(infons["type"], mention, concepts=concepts))
    relations, placed = [], ConceptMentions(entities)
    for item in element.iter("relation"):
        infons = _infons(item)
        missing = {"relation", *ends} - infons.keys()
        if missing:
            return broken(item, Reason.MISSING_FIELD, f"a relation has no infon {min(missing)!r}")
        head, tail = (infons[end] for end in ends)
        label = infons["relation"]
        relation = placed.relation(label, qualified_concept(head, vocabulary), qualified_concept(tail, vocabulary))
        if relation is None:
            detail = f"{head} and {tail} have no two mentions; their relation is left out"
            lost.append(broken(item, Reason.MISSING_FIELD, detail, UnknownLabel("relations", label)))
        else:
            relations.append(relation)
    return RawExample(
        f"{name}:{element.sourceline}",
        text,
        entities=tuple(entities),
        relations=tuple(relations),
        lost=tuple(lost),
    )


def span_at(start: int, length: int, places: Sequence[tuple[int, Span]]) -> Span | None:
    """The span in the text of what starts at `start` in the document; None if none of `places` contains it."""
    at = bisect_right(places, start, key=itemgetter(0)) - 1
    if at < 0 or length < 1:
        return None
    offset, (begin, end) = places[at]
    first = start - offset + begin
    return (first, first + length) if first + length <= end else None


def _infons(element: etree._Element) -> dict[str, str]:
    return {infon.get("key"): infon.text or "" for infon in element.iterfind("infon")}
