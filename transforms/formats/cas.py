"""The annotations of WebAnno and INCEpTION, by layer.

The readers of their three formats (`webanno_tsv`, `uima_xmi`, `uima_json`) share this module and `cas_examples`. The
model is that of the tools (https://inception-project.github.io/releases/35.0/docs/user-guide.html#_layers): span
layers, relation layers, slots, which link a span to others in roles, and chains. The tools are written in Java: offsets
count UTF-16 units.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.errors import BadRecord
from transforms.files import File

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
USED = (f"{DKPRO}ner.type.", f"{DKPRO}semantics.type.Sem")
"""The beginnings of the names of the built-in layers that are used: named entities, predicates and their arguments."""

SEGMENTS = frozenset(
    {"Token", "Sentence", "Paragraph", "Heading", "Div", "Document", "Compound", "CompoundPart", "Split"}
    | {"DocumentMetaData", "DocumentAnnotation"}
)
"""Layers of segments, which are not annotations."""

GRAMMAR = frozenset(
    {
        "POS",
        "Lemma",
        "Stem",
        "MorphologicalFeatures",
        "Morpheme",
        "Dependency",
        "ROOT",
        "Constituent",
        "Chunk",
        "PennTree",
    }
    | {
        "SurfaceForm",
        "CoreferenceLink",
        "CoreferenceChain",
        "SofaChangeAnnotation",
        "TagDescription",
        "TagsetDescription",
    }
)
"""Built-in layers that information extraction does not use, for files that shorten their names."""

LABEL_FEATURES = ("value", "label", "category", "type", "kind", "class", "tag", "tags", "labels")
"""The features that contain the label, most usual first. Features whose names end in these words come next."""

CONCEPT = "identifier"
"""The feature with the concept of a knowledge base."""

LABEL = re.compile(r"(?!(?:true|false)$)(?!-?[\d.,]+$)(?!\S+://)\S{1,40}(?: \S{1,40}){0,2}", re.IGNORECASE)
"""A value that may be a label: at most three words, and neither a number nor true or false nor an address."""

MAX_LABELS = 100
"""The most different values of a feature that may be labels."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a file declares: the features that contain strings, which of them contain lists of strings, and whether
    annotations have slots. `parent`: the layer whose features it inherits.
    """

    features: tuple[str, ...] = ()
    has_slots: bool = False
    lists: frozenset[str] = frozenset()
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of the layer `type`, such as `webanno.custom.Person`. `begin` and `end` count UTF-16 units.

    `features`: those that are strings, with all their values. `ends`: the ids of source and target of a relation.
    `slots`: (role, id of the filler), which is None for an unset slot. `is_other`: neither a span nor a relation, but
    coreference or a description of the document.
    """

    id: str
    type: str
    place: str
    begin: int
    end: int
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: tuple[str | None, str | None] | None = None
    slots: tuple[tuple[str, str | None], ...] = ()
    is_other: bool = False

    @property
    def layer(self) -> str:
        return self.type.rpartition(".")[2]

    @property
    def kind(self) -> str:
        """What it is, for people; the many built-in layers are grouped."""
        group = self.type.removeprefix(DKPRO).partition(".")[0] if self.type.startswith(DKPRO) else self.layer
        return f"annotation of {group}"

    @property
    def is_segment(self) -> bool:
        return self.layer in SEGMENTS and not self.type.startswith(("webanno.custom.", "custom."))

    @property
    def is_used(self) -> bool:
        if self.type.startswith((DKPRO, "de.tudarmstadt.ukp.clarin.", "uima.", "org.dkpro.core.api.")):
            return self.type.startswith(USED)
        return not self.is_other and (("." in self.type) or self.layer not in GRAMMAR)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file stands in a project: see the fields of `RawExample`."""

    item: str
    annotator: str | None = None
    is_gold: bool = False
    is_untouched: bool = False
    """The text as it was before anyone annotated it."""
    document: str | None = None
    """None if it is `item`."""


@dataclass(frozen=True, slots=True)
class Content:
    """A text with its annotations, as in the file. `declared`: layer → its features, if the file says so."""

    place: str
    text: str
    annotations: Sequence[Annotation]
    declared: Mapping[str, Layer]
    source: Origin


def origin(name: str) -> Origin:
    """The origin of a file by its name.

    An exported project has `annotation/DOCUMENT/USER.xmi` and `curation/DOCUMENT/CURATION_USER.xmi`, and INITIAL_CAS
    for the text that was imported.
    """
    stem = name.rpartition(".")[0] or name
    folder, document, user = ["", "", *stem.split("/")][-3:]
    if folder not in ("annotation", "curation"):
        return Origin(stem)
    if folder == "curation" or user == "CURATION_USER":
        return Origin(document, is_gold=True)
    return Origin(document, None if user == "INITIAL_CAS" else user, is_untouched=user == "INITIAL_CAS")


INITIAL_VIEW = "_InitialView"
"""The view with the text that the tools show."""


def views(contents: Mapping[str, Content]) -> list[Content]:
    """The texts of a document that are annotated, or else only the first. `contents`: name of the view → its content.

    Another text than that of INITIAL_VIEW has an item of its own.
    """
    first = INITIAL_VIEW if INITIAL_VIEW in contents else next(iter(contents))
    annotated = [
        name for name, content in contents.items() if any(a.is_used and not a.is_segment for a in content.annotations)
    ]
    result = []
    for name in annotated or [first]:
        content = contents[name]
        if name != first:
            item, document = f"{content.source.item}/{name}", content.source.item
            content = replace(content, source=replace(content.source, item=item, document=document))
        result.append(content)
    return result


def documents(files: Iterable[File]) -> list[File]:
    """The files without the texts that a project imported (`INITIAL_CAS`) and that somebody annotated."""
    origins = [(file, origin(file.name)) for file in files]
    touched = {source.item for _, source in origins if not source.is_untouched}
    return [file for file, source in origins if not (source.is_untouched and source.item in touched)]


class Layers:
    """The layers of all files of a project: those declared, and those whose annotations show what they have."""

    def __init__(self, contents: Iterable[Content | BadRecord]):
        self.declared: dict[str, Layer] = {}
        self.values: dict[str, dict[str, Counter[str]]] = {}
        """Layer → feature → its values, at most MAX_LABELS + 1."""
        self.with_slots: set[str] = set()
        self.labels: dict[str, str | None] = {}
        """Layer → the feature with its label."""
        for content in contents:
            if isinstance(content, Content):
                self.declared.update(content.declared)
                for annotation in content.annotations:
                    self._add(annotation)
        for name in self.values:
            self.labels[name] = label_feature(self._features(name), self.values[name])

    def has_slots(self, name: str) -> bool:
        return self.declared[name].has_slots if name in self.declared else name in self.with_slots

    def _add(self, annotation: Annotation) -> None:
        features = self.values.setdefault(annotation.type, {})
        for name, values in annotation.features.items():
            counts = features.setdefault(name, Counter())
            counts.update(value for value in values if value and (value in counts or len(counts) <= MAX_LABELS))
        if annotation.slots:
            self.with_slots.add(annotation.type)

    def _features(self, name: str) -> tuple[str, ...]:
        if name in self.declared:
            return self.declared[name].features
        if name == f"{DKPRO}ner.type.NamedEntity":
            return ("value", CONCEPT)
        return tuple(feature for feature, counts in self.values[name].items() if counts)


def label_feature(features: Sequence[str], values: Mapping[str, Counter[str]]) -> str | None:
    """The feature with the label; None if no feature is it, so that the name of the layer is the label.

    It is one of LABEL_FEATURES, or else one whose name ends so, such as `entityType`, or else the only one, or the only
    one whose values may be labels: short ones, each of them used twice on average. `values`: feature → its values.
    """
    for name in LABEL_FEATURES:
        if name in features:
            return name
    others = [name for name in features if name != CONCEPT]
    for word in LABEL_FEATURES:
        if telling := [name for name in others if name.lower().endswith(word)]:
            return min(telling, key=lambda name: name.lower().startswith("sub"))
    if len(others) > 1:
        others = [name for name in others if _may_be_labels(values.get(name, Counter()))]
        return others[0] if len(others) == 1 else None
    return next(iter((*others, *features)), None)


def _may_be_labels(values: Counter[str]) -> bool:
    few = 0 < len(values) <= MAX_LABELS and 2 * len(values) <= values.total()
    return few and all(map(LABEL.fullmatch, values))


def inherit(declared: Mapping[str, Layer]) -> dict[str, Layer]:
    """The layers with the features that they inherit, after those of their own."""

    def complete(name: str) -> Layer:
        layer = parent = declared[name]
        ancestors = {name}
        while parent.parent in declared and parent.parent not in ancestors:
            ancestors.add(parent.parent)
            parent = declared[parent.parent]
            features = dict.fromkeys((*layer.features, *parent.features))
            layer = Layer(tuple(features), layer.has_slots or parent.has_slots, layer.lists | parent.lists)
        return layer

    return {name: complete(name) for name in declared}
