"""BioC XML with document-level relations between concepts → one RawExample a document; Comeau et al. 2013."""

from collections.abc import Iterable, Iterator
from io import BytesIO

from lxml import etree

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File
from transforms.formats.pubtator import ConceptMentions, Grounded, concepts_of


def read(
    files: Iterable[File],
    concept: str,
    ends: tuple[str, str],
    drop: tuple[str, str] | None = None,
) -> Iterator[RawExample | BadRecord]:
    """Every document of every file; passages are joined by one blank.

    `concept` is the infon that holds an annotation's concept ids; `ends` are the infons that name a relation's head
    and tail concept (its label is in the infon `relation`). Annotations with the infon `drop` (key, value) are left
    out: of a composite mention and its parts only one may be kept, or the same words are counted twice.

    A document with a broken annotation is a BadRecord. Where the XML itself breaks, the documents before it are
    kept, one BadRecord stands for what follows.
    """
    for file in files:
        documents = etree.iterparse(BytesIO(file.read()), tag="document")
        try:
            for _, element in documents:
                yield _document(file.name, element, concept, ends, drop)
                element.clear()
        except etree.XMLSyntaxError as error:
            yield BadRecord(
                f"{file.name}:{error.lineno}", Reason.BROKEN_RECORD, f"broken XML, the rest is not read: {error.msg}"
            )


def _document(
    name: str, element: etree._Element, concept: str, ends: tuple[str, str], drop: tuple[str, str] | None
) -> RawExample | BadRecord:
    def broken(part: etree._Element, reason: Reason, detail: str) -> BadRecord:
        return BadRecord(f"{name}:{part.sourceline}", reason, detail)

    text = ""
    entities: list[Grounded] = []
    for passage in element.iter("passage"):
        offset = passage.findtext("offset", "")
        if not offset.isdecimal():
            return broken(passage, Reason.MISSING_FIELD, "a passage has no <offset>")
        text += " " if text else ""
        shift = len(text) - int(offset)
        words = passage.findtext("text", "")
        text += words
        for annotation in passage.iter("annotation"):
            infons = _infons(annotation)
            if drop is not None and infons.get(drop[0]) == drop[1]:
                continue
            if "type" not in infons:
                return broken(annotation, Reason.MISSING_FIELD, "an annotation has no infon `type`")
            spans = []
            for location in annotation.iter("location"):
                start, length = location.get("offset", ""), location.get("length", "")
                if not (start.isdecimal() and length.isdecimal()):
                    return broken(annotation, Reason.MISSING_FIELD, "a <location> has no offset and length")
                spans.append((int(start) + shift, int(start) + shift + int(length)))
            if not spans or not all(len(text) - len(words) <= start < end <= len(text) for start, end in spans):
                return broken(annotation, Reason.OFFSET_MISMATCH, "an annotation has no place in its passage")
            mention = Mention(annotation.findtext("text", ""), tuple(sorted(spans)))
            entities.append(Grounded(Entity(infons["type"], mention), concepts_of(infons.get(concept, ""))))
    relations, placed = [], ConceptMentions(entities)
    for item in element.iter("relation"):
        infons = _infons(item)
        missing = {"relation", *ends} - infons.keys()
        if missing:
            return broken(item, Reason.MISSING_FIELD, f"a relation has no infon {min(missing)!r}")
        head, tail = (infons[end] for end in ends)
        relation = placed.relation(infons["relation"], head, tail)
        if relation is None:
            return broken(item, Reason.BROKEN_RECORD, f"no two mentions stand for {head} and {tail}")
        relations.append(relation)
    return RawExample(
        f"{name}:{element.sourceline}",
        text,
        entities=tuple(item.entity for item in entities),
        relations=tuple(relations),
    )


def _infons(element: etree._Element) -> dict[str, str]:
    return {infon.get("key"): infon.text or "" for infon in element.iterfind("infon")}
