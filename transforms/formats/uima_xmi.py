"""UIMA CAS as XMI, one document per file, as WebAnno and INCEpTION export it → RawExamples.

Format: https://uima.apache.org/d/uimaj-current/ref.html#ugr.ref.xmi. A type system (`TypeSystem.xml`) beside the files
says which features the layers have. Offsets count UTF-16 units (UIMA is Java; see `transforms.formats.utf16`).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from lxml import etree

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.cas import Annotation, Content, Layer, documents, inherit, origin, views
from transforms.formats.cas_examples import examples
from transforms.formats.head import Head
from transforms.formats.offsets import is_offset

XMI = "{http://www.omg.org/XMI}"
CAS = "{http:///uima/cas.ecore}"
SPECIFIER = "{http://uima.apache.org/resourceSpecifier}"
NOT_FEATURES = frozenset({"sofa", "begin", "end", "order", "isLastSegment"})
ENDS = ("Governor", "Dependent")
"""The features of a relation with its source and its target."""

LISTS = ("uima.cas.StringArray", "uima.cas.StringList")
"""Ranges of features with several strings."""

CHAIN_FEATURES = frozenset({"next", "first", "referenceType", "referenceRelation"})


def recognises(head: Head) -> bool:
    beginning = "\n".join(head.lines[:20])
    return "<xmi:XMI" in beginning or ("<typeSystemDescription" in beginning and "resourceSpecifier" in beginning)


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document with all layers (see `cas_examples.to_example`); that of a file which is broken or has no text is
    a BadRecord. The text that a project imported (`INITIAL_CAS`) is yielded only if nobody annotated it.
    """
    files = list(files)
    declared: dict[str, Layer] = {}
    for file in files:
        if not file.name.lower().endswith(".xmi"):
            declared |= type_system(file)
    texts = documents(file for file in files if file.name.lower().endswith(".xmi"))
    yield from examples(partial(_contents, texts, inherit(declared)))


def _contents(files: Iterable[File], declared: Mapping[str, Layer]) -> Iterator[Content | BadRecord]:
    for file in files:
        yield from _contents_of_views(file, declared)


def parse(file: File) -> etree._Element | BadRecord:
    """The root element. Entities of a document type are not resolved, and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(file.read(), parser)
    except etree.XMLSyntaxError as error:
        return BadRecord(f"{file.name}:{error.lineno or 1}", Reason.BROKEN_RECORD, f"broken XML: {error.msg}")


def type_system(file: File) -> dict[str, Layer]:
    """Layer → its features without inherited ones, from a description of a type system; empty for any other file."""
    root = parse(file)
    if isinstance(root, BadRecord) or root.tag != f"{SPECIFIER}typeSystemDescription":
        return {}
    layers = {}
    for description in root.iter(f"{SPECIFIER}typeDescription"):
        features = [
            (feature.findtext(f"{SPECIFIER}name", ""), feature.findtext(f"{SPECIFIER}rangeTypeName", ""))
            for feature in description.iter(f"{SPECIFIER}featureDescription")
        ]
        strings = tuple(name.strip() for name, kind in features if kind.strip() in ("uima.cas.String", *LISTS))
        slots = any(kind.strip() == "uima.cas.FSArray" for _, kind in features)
        lists = frozenset(name.strip() for name, kind in features if kind.strip() in LISTS)
        parent = description.findtext(f"{SPECIFIER}supertypeName", "").strip()
        layers[description.findtext(f"{SPECIFIER}name", "").strip()] = Layer(strings, slots, lists, parent)
    return layers


def _contents_of_views(file: File, declared: Mapping[str, Layer]) -> list[Content | BadRecord]:
    root = parse(file)
    if isinstance(root, BadRecord):
        return [root]
    place = f"{file.name}:1"
    sofas = [sofa for sofa in root.iter(f"{CAS}Sofa") if sofa.get("sofaString") is not None]
    if not sofas:
        return [BadRecord(place, Reason.MISSING_FIELD, "no cas:Sofa with a sofaString, that is, no text")]
    links = {
        element.get(f"{XMI}id", ""): element for element in root if "target" in element.attrib or is_array(element)
    }
    lists = {key: values for element in root if (values := _strings(element)) and (key := element.get(f"{XMI}id"))}
    annotations: dict[str | None, list[Annotation]] = {}
    for element in root:
        if element.get("sofa") and not element.tag.startswith(CAS):
            name = _type(element)
            annotation = _annotation(file.name, element, name, links, lists, declared.get(name))
            annotations.setdefault(element.get("sofa"), []).append(annotation)
    contents: dict[str, Content] = {}
    for sofa in sofas:
        key = sofa.get(f"{XMI}id")
        text = sofa.get("sofaString", "")
        content = Content(place, text, annotations.get(key, []), declared, origin(file.name))
        contents[sofa.get("sofaID") or f"sofa {key}"] = content
    return [*views(contents)]


def _type(element: etree._Element) -> str:
    """`{http:///webanno/custom.ecore}Span` → `webanno.custom.Span`."""
    name = etree.QName(element)
    package = (name.namespace or "").removeprefix("http:///").removesuffix(".ecore").replace("/", ".")
    return f"{package}.{name.localname}" if package and package != "uima.noNamespace" else name.localname


def _annotation(
    file_name: str,
    element: etree._Element,
    name: str,
    links: dict[str, etree._Element],
    lists: Mapping[str, tuple[str, ...]],
    layer: Layer | None,
) -> Annotation:
    features: dict[str, tuple[str, ...]] = {}
    slots: list[tuple[str, str | None]] = []
    for key, value in element.attrib.items():
        if key in NOT_FEATURES or key.startswith("{") or key in ENDS:
            continue
        fillers = _pop_links(value, links)
        if fillers:
            slots += [(link.get("role") or key, link.get("target")) for link in fillers]
        elif value in lists and (layer is None or key in layer.lists):
            features[key] = lists[value]
        elif key in layer.features if layer else not _is_number(value):
            features[key] = (value,)
    for child in element:  # a feature with several strings
        key = etree.QName(child).localname
        if layer is None or key in layer.features:
            features[key] = (*features.get(key, ()), child.text or "")
    ends = (element.get(ENDS[0]), element.get(ENDS[1])) if any(end in element.attrib for end in ENDS) else None
    begin, end = element.get("begin", ""), element.get("end", "")
    has_offsets = is_offset(begin) and is_offset(end)
    return Annotation(
        element.get(f"{XMI}id", ""),
        name,
        f"{file_name}:{element.sourceline}",
        int(begin) if has_offsets else 0,
        int(end) if has_offsets else 0,
        features,
        ends,
        tuple(slots),
        is_other=not has_offsets or not CHAIN_FEATURES.isdisjoint(element.attrib),
    )


def _strings(element: etree._Element) -> tuple[str, ...]:
    """The strings of an array, which several features may share."""
    if element.tag != f"{CAS}StringArray":
        return ()
    return tuple(child.text or "" for child in element)


def is_array(element: etree._Element) -> bool:
    return element.tag == f"{CAS}FSArray"


def _pop_links(value: str, links: dict[str, etree._Element]) -> list[etree._Element]:
    """The elements with a role and a target that the ids in `value` name, directly or as an array of them. They are
    taken out of `links`, because a link belongs to one slot.
    """
    elements = [links.pop(word) for word in value.split() if word in links]
    words = [word for element in elements if is_array(element) for word in element.get("elements", "").split()]
    elements += [links.pop(word) for word in words if word in links]
    return [element for element in elements if not is_array(element)]


def _is_number(value: str) -> bool:
    return value in ("true", "false") or value.lstrip("-").replace(".", "", 1).isdecimal()
