"""BioC of users as XML and as JSON, with any labels → one RawExample per document.

Formats: Comeau et al. 2013 (https://doi.org/10.1093/database/bat064) and the JSON of the PubTator 3 API
(https://www.ncbi.nlm.nih.gov/research/pubtator3/api). Offsets count code points, as in the files of PubTator and of the
BioCreative tasks, although the paper lets them count bytes. `transforms.formats.bioc` reads the files of datasets,
whose infons are known.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import msgspec
from lxml import etree
from msgspec import structs

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation, Span, surface
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats import json_rows
from transforms.formats.bioc import span_at
from transforms.formats.head import Head
from transforms.formats.json_values import convert_part
from transforms.formats.offsets import Offset, is_offset
from transforms.formats.pubtator import ConceptMentions, parse_concepts

LABELS = ("type", "label", "relation", "relation type", "relation_type", "class", "category")
"""The infons that contain the label, most usual first."""

CONCEPTS = ("identifier", "MESH", "concept", "id")
"""The infons that contain the concepts of an annotation."""

HEADS = frozenset({"source", "head", "subject", "subj", "arg1", "entity1", "from"})
TAILS = frozenset({"target", "tail", "object", "obj", "arg2", "entity2", "to"})
"""Roles of the ends of a relation, in lower case; other roles leave the ends in their order."""


@dataclass(slots=True)
class Annotation:
    """`locations`: offset in the document and length."""

    id: str
    place: str
    infons: Mapping[str, str]
    text: str
    locations: list[tuple[int, int]]


@dataclass(slots=True)
class Link:
    """A relation. `nodes`: (id of an annotation, role). `passage`: the number of the passage that contains it; None if
    it is one of the document.
    """

    place: str
    infons: Mapping[str, str]
    nodes: list[tuple[str, str]]
    passage: int | None = None


@dataclass(slots=True)
class Passage:
    """`parts`: (offset, text) of the passage, or of each of its sentences; none if the annotations are those of the
    whole document.
    """

    parts: list[tuple[int, str]]
    annotations: list[Annotation]


@dataclass(slots=True)
class Document:
    id: str
    place: str
    passages: list[Passage] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


class LocationRow(msgspec.Struct):
    offset: Offset
    length: Offset


class AnnotationRow(msgspec.Struct):
    id: str | int = ""
    infons: dict[str, object] = {}
    text: str = ""
    locations: list[LocationRow] = []


class NodeRow(msgspec.Struct):
    refid: str | int = ""
    role: str | None = ""


class RelationRow(msgspec.Struct):
    infons: dict[str, object] = {}
    nodes: list[NodeRow] = []


class PartRow(msgspec.Struct):
    """A passage or a sentence."""

    offset: Offset = 0
    text: str | None = ""
    sentences: list["PartRow"] = []
    annotations: list[AnnotationRow] = []
    relations: list[RelationRow] = []


class DocumentRow(msgspec.Struct):
    passages: list[PartRow]
    id: str | int | None = ""
    annotations: list[AnnotationRow] = []
    relations: list[RelationRow] = []


def recognises_xml(head: Head) -> bool:
    beginning = "\n".join(head.lines[:100])
    return "<collection" in beginning and ("<document" in beginning or "BioC" in beginning)


def recognises_json(head: Head) -> bool:
    beginning = "\n".join(head.lines)
    return '"passages"' in beginning and ('"infons"' in beginning or '"offset"' in beginning)


def read_xml(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document (see `to_example`). If the XML is broken, the documents before that are kept, and one BadRecord
    reports the rest of the file.
    """
    for file in files:
        documents = etree.iterparse(BytesIO(file.read()), tag="document", remove_comments=True, remove_pis=True)
        try:
            for _, element in documents:
                document = _from_xml(file.name, element)
                yield document if isinstance(document, BadRecord) else to_example(document)
                element.clear()
        except etree.XMLSyntaxError as error:
            place = f"{file.name}:{error.lineno or 1}"
            yield BadRecord(place, Reason.BROKEN_RECORD, f"broken XML, the rest is not read: {error.msg}")


def read_json(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document (see `to_example`) of a collection, of an array, of the answer of PubTator, or one per line."""
    for records in json_rows.read(files, _from_json, dict):
        if isinstance(records, BadRecord):
            yield records
        else:
            yield from records


def to_example(document: Document) -> RawExample:
    """The document with its annotations as entities and its relations. Passages are joined by one blank, and so are
    sentences with a gap between them.

    The label is the first of the infons LABELS, or else the only infon. The ends of a relation are its two nodes, or
    the two infons that are concepts of annotations. Lost alone: an annotation without a label or a place in its
    passage, and a relation without a label or without two ends. If a file numbers its annotations anew in each passage,
    an id refers to the annotation in the passage of the relation, and a relation of the document to none.
    """
    text = ""
    lost: list[BadRecord] = []
    entities: list[Entity] = []
    everywhere: list[tuple[int, Span]] = []
    uses = Counter(note.id for passage in document.passages for note in passage.annotations)
    by_id: dict[str, Entity] = {}
    in_passage: dict[tuple[int | None, str], Entity] = {}
    for number, passage in enumerate(document.passages):
        uses_here = Counter(note.id for note in passage.annotations)
        places: list[tuple[int, Span]] = []
        for offset, part in passage.parts:
            if text and (not places or offset > places[-1][0] + places[-1][1][1] - places[-1][1][0]):
                text += " "
            places.append((offset, (len(text), len(text) + len(part))))
            text += part
        everywhere += places
        for annotation in passage.annotations:
            entity = _entity(annotation, text, places or sorted(everywhere), lost)
            if not entity:
                continue
            if uses[annotation.id] > 1:
                is_unique = annotation.id and uses_here[annotation.id] == 1
                entity = structs.replace(entity, id=f"{annotation.id} of passage {number + 1}" if is_unique else None)
            else:
                by_id[annotation.id] = entity
            if uses_here[annotation.id] == 1:
                in_passage[number, annotation.id] = entity
            entities.append(entity)
    concepts = ConceptMentions(entities)
    relations = []
    for link in document.links:
        ends = [in_passage.get((link.passage, node)) or by_id.get(node) for node, _ in link.nodes]
        relations.append(_relation(link, ends, concepts, lost))
    return RawExample(
        document.place,
        text,
        entities=tuple(entities),
        relations=tuple(relation for relation in relations if relation),
        lost=tuple(lost),
        document=document.id or None,
        item=document.id or None,
    )


def _label(infons: Mapping[str, str]) -> str | None:
    for name in LABELS:
        if infons.get(name):
            return infons[name]
    values = list(infons.values())
    return values[0] if len(values) == 1 and values[0] else None


def _entity(
    annotation: Annotation, text: str, places: Sequence[tuple[int, Span]], lost: list[BadRecord]
) -> Entity | None:
    label = _label(annotation.infons)
    if label is None:
        detail = f"the annotation {annotation.text[:80]!r} has no infon `type`; it is left out"
        lost.append(BadRecord(annotation.place, Reason.MISSING_FIELD, detail))
        return None
    placed = [span_at(start, length, places) for start, length in annotation.locations] if places else []
    spans = tuple(sorted(span for span in placed if span))
    if not spans or len(spans) < len(placed):
        detail = f"the annotation {annotation.text[:80]!r} has no place in its passage; it is left out"
        lost.append(BadRecord(annotation.place, Reason.OFFSET_MISMATCH, detail, (UnknownLabel("entities", label),)))
        return None
    ids = next((annotation.infons[name] for name in CONCEPTS if annotation.infons.get(name)), "")
    string = surface(text, spans) if len(spans) > 1 or not annotation.text else annotation.text
    return Entity(label, Mention(string, spans), annotation.id or None, parse_concepts(ids, ""))


def _relation(
    link: Link, ends: Sequence[Entity | None], concepts: ConceptMentions, lost: list[BadRecord]
) -> Relation | None:
    label = _label(link.infons)
    if len(ends) == 2 and (link.nodes[0][1].lower() in TAILS or link.nodes[1][1].lower() in HEADS):
        ends = ends[::-1]
    head, tail = ends if len(ends) == 2 else (None, None)
    if label and head and tail:
        return Relation(label, head.mention, tail.mention, head.label, tail.label, head.id, tail.id)
    if label and not link.nodes:
        pair = [value for value in link.infons.values() if value in concepts.extents]
        relation = concepts.relation(label, *pair) if len(pair) == 2 else None
        if relation:
            return relation
    detail = f"the relation {label!r} does not have two annotations with ids of their own as its ends; it is left out"
    if label is None:
        detail = "a relation has no infon `type`; it is left out"
    lost.append(
        BadRecord(link.place, Reason.MISSING_FIELD, detail, (UnknownLabel("relations", label),) if label else ())
    )
    return None


def _from_xml(name: str, element: etree._Element) -> Document | BadRecord:
    def infons(part: etree._Element) -> dict[str, str]:
        return {infon.get("key", ""): (infon.text or "").strip() for infon in part.iterfind("infon")}

    def annotation_of(part: etree._Element) -> Annotation:
        locations = [
            (int(start), int(length)) if is_offset(start) and is_offset(length) else (-1, 0)
            for location in part.iter("location")
            for start, length in [(location.get("offset", ""), location.get("length", ""))]
        ]
        place = f"{name}:{part.sourceline}"
        return Annotation(part.get("id", ""), place, infons(part), part.findtext("text", ""), locations)

    document = Document(element.findtext("id", "").strip(), f"{name}:{element.sourceline}")
    passages = list(element.iter("passage"))
    for passage in passages:
        parts = []
        for part in passage.findall("sentence") or [passage]:
            offset = part.findtext("offset", "").strip()
            if not is_offset(offset):
                detail = f"a {part.tag} has no <offset>"
                return BadRecord(f"{name}:{part.sourceline}", Reason.MISSING_FIELD, detail)
            parts.append((int(offset), part.findtext("text", "")))
        annotations = [annotation_of(part) for part in passage.iter("annotation")]
        document.passages.append(Passage(parts, annotations))
    document.passages.append(Passage([], [annotation_of(part) for part in element.iterfind("annotation")]))
    for relation in element.iter("relation"):
        nodes = [(node.get("refid", ""), node.get("role", "")) for node in relation.iterfind("node")]
        number = next((passages.index(parent) for parent in relation.iterancestors("passage")), None)
        document.links.append(Link(f"{name}:{relation.sourceline}", infons(relation), nodes, number))
    return document


def _from_json(place: str, content: dict) -> list[RawExample | BadRecord]:
    rows = next(
        (content[key] for key in ("documents", "PubTator3", "PubTator") if isinstance(content.get(key), list)),
        [content],
    )
    return [_document_from_json(place, row) for row in rows]


def _document_from_json(place: str, row: object) -> RawExample | BadRecord:
    try:
        content = convert_part(row, DocumentRow)
    except msgspec.ValidationError as error:
        return BadRecord(place, Reason.MISSING_FIELD, str(error))
    document = Document(str(content.id or ""), place)
    relations: list[tuple[int | None, RelationRow]] = [(None, each) for each in content.relations]
    for number, passage in enumerate(content.passages):
        sentences = passage.sentences or [passage]
        notes = [*passage.annotations, *(note for part in passage.sentences for note in part.annotations)]
        relations += [(number, each) for part in (passage, *passage.sentences) for each in part.relations]
        annotations = [_annotation_from_json(place, note) for note in notes]
        document.passages.append(Passage([(part.offset, part.text or "") for part in sentences], annotations))
    document.passages.append(Passage([], [_annotation_from_json(place, note) for note in content.annotations]))
    document.links = [
        Link(place, _strings(relation.infons), [(str(node.refid), node.role or "") for node in relation.nodes], number)
        for number, relation in relations
    ]
    return to_example(document)


def _annotation_from_json(place: str, row: AnnotationRow) -> Annotation:
    locations = [(location.offset, location.length) for location in row.locations]
    return Annotation(str(row.id), place, _strings(row.infons), row.text, locations)


def _strings(infons: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in infons.items() if isinstance(value, str | int)}
