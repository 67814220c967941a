"""UIMA CAS as JSON, one document per file, in the form of INCEpTION and in the older one of WebAnno → RawExamples.

Formats: https://github.com/apache/uima-uimaj-io-jsoncas (0.4, keys that start with `%`), and
https://uima.apache.org/d/uimaj-2.10.4/references.html#ugr.ref.json.overview (`_context`, `_views`). Offsets count
UTF-16 units (UIMA is Java; see `transforms.formats.utf16`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_values
from transforms.formats.cas import Annotation, Content, Layer, documents, inherit, origin, views
from transforms.formats.cas_examples import examples
from transforms.formats.head import Head
from transforms.formats.offsets import LIMIT

STRUCTURES, TYPES, VIEWS, TYPE, IDENTIFIER = "%FEATURE_STRUCTURES", "%TYPES", "%VIEWS", "%TYPE", "%ID"
CHAIN_FEATURES = frozenset({"next", "first", "referenceType", "referenceRelation"})
RESERVED = frozenset({"sofa", "begin", "end", "order", "_type"})
SLOTS = re.compile(r"(?!uima\.).*\[\]")
"""Ranges of features that are slots: arrays of structures, but not of strings or numbers."""

LISTS = ("uima.cas.StringArray", "uima.cas.String[]")
"""Ranges of features with several strings."""

TARGETS_OR_ELEMENTS = frozenset({"@target", "target", "%ELEMENTS", "_collection"})
"""Keys of links and of arrays of links."""

Structure = Mapping[str, object]


def recognises(head: Head) -> bool:
    beginning = "\n".join(head.lines)
    if STRUCTURES in beginning or (TYPES in beginning and '"%NAME"' in beginning):
        return True
    return '"_context"' in beginning and '"_types"' in beginning


def read(files: Iterable[File]) -> Iterator[RawExample | BadRecord]:
    """Every document with all layers (see `cas_examples.to_example`). One that is broken or has no text is a
    BadRecord. The text that a project imported (`INITIAL_CAS`) is yielded only if nobody annotated it.
    """
    yield from examples(partial(_contents, documents(files)))


def _contents(files: Iterable[File]) -> Iterator[Content | BadRecord]:
    for file in files:
        for record in json_values.read_file(file, partial(_contents_of_views, file), dict):
            yield from [record] if isinstance(record, BadRecord) else record


def _contents_of_views(file: File, place: str, content: dict) -> list[Content] | BadRecord:
    structures = _structures(content) if STRUCTURES in content else _old_structures(content)
    sofas = [
        (key, item)
        for key, item in structures.items()
        if str(item.get(TYPE)).rpartition(".")[2] == "Sofa" and isinstance(item.get("sofaString"), str)
    ]
    if not sofas:
        return BadRecord(place, Reason.MISSING_FIELD, "no Sofa with a sofaString, that is, no text")
    declared = _layers(content.get(TYPES))
    links = {key: item for key, item in structures.items() if not TARGETS_OR_ELEMENTS.isdisjoint(item)}
    annotations: dict[str, list[Annotation]] = {}
    for key, item in structures.items():
        if "@sofa" in item or "sofa" in item:
            annotation = _annotation(place, key, item, structures, links, declared.get(str(item.get(TYPE))))
            annotations.setdefault(str(item.get("@sofa", item.get("sofa"))), []).append(annotation)
    return views(
        {
            str(sofa.get("sofaID") or f"sofa {key}"): Content(
                place, str(sofa["sofaString"]), annotations.get(key, []), declared, origin(file.name)
            )
            for key, sofa in sofas
        }
    )


def _structures(content: dict) -> dict[str, Structure]:
    """Id → feature structure; they are a list or a map."""
    items = content[STRUCTURES]
    if isinstance(items, dict):
        return {str(key): item for key, item in items.items() if isinstance(item, dict)}
    pairs = (
        [(item.get(IDENTIFIER), item) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    )
    return {str(key): item for key, item in pairs}


def _old_structures(content: dict) -> dict[str, Structure]:
    """Id → feature structure with its TYPE. Those that nothing refers to stand in their view, without an id."""
    context = content.get("_context")
    types = context.get("_types") if isinstance(context, dict) else None
    names = {
        short: str(entry["_id"]) for short, entry in (types or {}).items() if isinstance(entry, dict) and "_id" in entry
    }
    structures: dict[str, Structure] = {}
    referenced = content.get("_referenced_fss")
    for key, item in (referenced if isinstance(referenced, dict) else {}).items():
        if isinstance(item, dict):
            kind = str(item.get("_type"))
            structures[str(key)] = {**item, TYPE: names.get(kind, kind)}
    views = content.get("_views")
    for view in (views if isinstance(views, dict) else {}).values():
        for kind, items in (view if isinstance(view, dict) else {}).items():
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict):
                    structures[f"in a view {len(structures)}"] = {**item, TYPE: names.get(kind, kind)}
    return structures


def _layers(types: object) -> dict[str, Layer]:
    layers = {}
    for name, entry in (types if isinstance(types, dict) else {}).items():
        ranges = {
            key: str(feature.get("%RANGE"))
            for key, feature in (entry if isinstance(entry, dict) else {}).items()
            if isinstance(feature, dict)
        }
        strings = tuple(key.lstrip("@") for key, kind in ranges.items() if kind in ("uima.cas.String", *LISTS))
        slots = any(kind == "uima.cas.FSArray" or SLOTS.fullmatch(kind) for kind in ranges.values())
        parent = str(entry.get("%SUPER_TYPE", "")) if isinstance(entry, dict) else ""
        layers[name] = Layer(strings, slots, parent=parent)
    return inherit(layers)


def _annotation(
    place: str,
    identifier: str,
    item: Structure,
    structures: Mapping[str, Structure],
    links: dict[str, Structure],
    layer: Layer | None,
) -> Annotation:
    features: dict[str, tuple[str, ...]] = {}
    slots: list[tuple[str, str | None]] = []
    ends: dict[str, str | None] = {}
    for key, value in item.items():
        name = key.lstrip("@^#")
        if name in RESERVED or key.startswith("%"):
            continue
        if name in ("Governor", "Dependent"):
            ends[name] = str(value)
        elif isinstance(value, str):
            features[name] = (value,)
        elif strings := _strings(value, structures):
            features[name] = strings
        else:
            slots += [
                (str(link.get("role") or name), str(link["@target"] if "@target" in link else link.get("target")))
                for link in _pop_links(value, links)
            ]
    begin, end = (_offset(item.get(key)) for key in ("begin", "end"))  # the older form leaves out an offset of 0
    return Annotation(
        identifier,
        str(item.get(TYPE)),
        place,
        begin or 0,
        end or 0,
        {name: value for name, value in features.items() if not layer or name in layer.features},
        (ends.get("Governor"), ends.get("Dependent")) if ends else None,
        tuple(slots),
        is_other=end is None or any(key.lstrip("@") in CHAIN_FEATURES for key in item),
    )


def _strings(value: object, structures: Mapping[str, Structure]) -> tuple[str, ...]:
    """The strings of a list, or of the array whose id `value` is; none if it is anything else."""
    if isinstance(value, int):
        array = structures.get(str(value), {})
        value = array.get("%ELEMENTS", array.get("_collection"))
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    return ()


def _offset(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < LIMIT else None


def _pop_links(value: object, links: dict[str, Structure]) -> list[Structure]:
    """The structures with a target that `value` names: ids, or the id of an array of them, or the structures. They are
    taken out of `links`, because a link belongs to one slot.
    """
    result: list[Structure] = []
    for item in value if isinstance(value, list) else [value]:
        structure = item if isinstance(item, dict) else links.pop(str(item), {})
        elements = structure.get("%ELEMENTS", structure.get("_collection"))
        parts = [links.pop(str(each), {}) for each in elements] if isinstance(elements, list) else []
        result += [each for each in (structure, *parts) if "@target" in each or "target" in each]
    return result
