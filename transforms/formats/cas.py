"""The annotations of WebAnno and INCEpTION, by layer → RawExample.

The readers of their three formats (`webanno_tsv`, `uima_xmi`, `uima_json`) share this module. The model is that of the
tools (https://inception-project.github.io/releases/35.0/docs/user-guide.html#_layers): span layers, relation layers,
slots, which link a span to others in roles, and chains. The tools are written in Java: offsets count UTF-16 units.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, Span
from schemas.label import UnknownLabel
from transforms.files import File
from transforms.formats.lost_parts import ignored
from transforms.formats.utf16 import Units, units

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


def examples(read: Callable[[], Iterable[Content | BadRecord]]) -> Iterator[RawExample | BadRecord]:
    """The contents as examples (see `to_example`). `read` is called twice, because the feature with the label of a
    layer is chosen by the annotations of all files.
    """
    layers = Layers(read())
    for content in read():
        yield to_example(content, layers) if isinstance(content, Content) else content


def to_example(content: Content, layers: Layers) -> RawExample:
    """The text with spans as entities, spans that have slots as events with their fillers as arguments, and relations
    between spans. A relation leads from its source to its target.

    The label of an annotation is that of the feature which `label_feature` chooses, or else the name of the layer; with
    several labels it is several entities, events or relations. Spans without a place in the text are lost, with
    relations and slots that refer to them. Spans without a label are lost as entities, but relations and slots keep
    them as mentions. Other layers, except segments, and other features are counted in `lost`.
    """
    place, text, source = content.place, content.text, content.source
    spelling = units(text)
    counts: Counter[str] = Counter()
    builder = _Builder(text, spelling, layers)
    used = []
    for annotation in content.annotations:
        if not annotation.is_segment and not annotation.is_used:
            counts[annotation.kind] += 1
        else:
            used.append(annotation)
            counts.update(builder.unused_features(annotation))
    for annotation in used:
        if annotation.ends is None:
            builder.add_span(annotation)
    relations = [
        relation for annotation in used if annotation.ends is not None for relation in builder.relations(annotation)
    ]
    events = [event for annotation in used if annotation.id in builder.triggers for event in builder.events(annotation)]
    untouched = source.is_untouched
    return RawExample(
        place,
        text,
        None if untouched else tuple(entity for group in builder.entities.values() for entity in group),
        None if untouched else tuple(relations),
        None if untouched else tuple(events),
        (*builder.lost, *ignored(place, counts)),
        document=source.document or source.item,
        item=source.item,
        annotator=source.annotator,
        is_gold=source.is_gold,
    )


class _Builder:
    """The layers of one text."""

    def __init__(self, text: str, spelling: Units, layers: Layers):
        self.text, self.spelling, self.layers = text, spelling, layers
        self.mentions: dict[str, Mention] = {}
        self.entities: dict[str, list[Entity]] = {}  # id of a span → an entity for each of its labels
        self.triggers: dict[str, tuple[str, ...]] = {}  # id of a span with slots → labels of its events
        self.lost: list[BadRecord] = []

    def labels(self, annotation: Annotation) -> tuple[str, ...]:
        """The labels, each once; none if the annotation has none although others of its layer have."""
        name = self.layers.labels[annotation.type]
        if name is None:
            return (annotation.layer,)
        values = tuple(value for value in dict.fromkeys(annotation.features.get(name, ())) if value)
        return values or tuple(filter(None, annotation.features.get(CONCEPT, ())))

    def unused_features(self, annotation: Annotation) -> list[str]:
        """The kinds of the features with values that are neither the label nor the concept."""
        if annotation.is_segment:
            return []
        name = self.layers.labels[annotation.type]
        label = f"the feature {name!r} is" if name else "the name of the layer is"
        return [
            f"feature {feature!r} of {annotation.layer} ({label} the label)"
            for feature, values in annotation.features.items()
            if any(values) and feature not in (name, CONCEPT)
        ]

    def lose(self, annotation: Annotation, reason: Reason, detail: str, layer: str, labels: Iterable[str]) -> None:
        unknown = tuple(UnknownLabel(layer, label) for label in labels)
        self.lost.append(BadRecord(annotation.place, reason, f"{detail}; it is left out", unknown))

    def add_span(self, annotation: Annotation) -> None:
        span: Span | None = self.spelling.span(annotation.begin, annotation.end)
        is_event = self.layers.has_slots(annotation.type)
        labels = () if annotation.is_segment else self.labels(annotation)
        if span is None:
            if not annotation.is_segment:
                detail = f"{annotation.layer} {annotation.begin}-{annotation.end} is no span of the text"
                self.lose(annotation, Reason.OFFSET_MISMATCH, detail, "events" if is_event else "entities", labels)
            return
        mention = Mention(self.text[span[0] : span[1]], (span,))
        self.mentions[annotation.id] = mention
        if annotation.is_segment:
            return
        if is_event:
            self.triggers[annotation.id] = labels or (annotation.layer,)
        elif not labels:
            detail = f"{annotation.layer} at {mention.text[:80]!r} has no label"
            self.lose(annotation, Reason.MISSING_FIELD, detail, "entities", ())
        else:
            concepts = tuple(value for value in annotation.features.get(CONCEPT, ()) if value and value not in labels)
            self.entities[annotation.id] = [
                Entity(label, mention, None if number else annotation.id, concepts)
                for number, label in enumerate(labels)
            ]

    def entity(self, reference: str) -> str | None:
        return reference if reference in self.entities else None

    def type_of(self, reference: str) -> str | None:
        if reference in self.entities:
            return self.entities[reference][0].label
        return next(iter(self.triggers.get(reference, ())), None)

    def relations(self, annotation: Annotation) -> list[Relation]:
        labels = self.labels(annotation) or (annotation.layer,)
        head, tail = annotation.ends or (None, None)
        if head not in self.mentions or tail not in self.mentions:
            detail = f"an end of the relation {labels[0]!r} is missing"
            self.lose(annotation, Reason.MISSING_FIELD, detail, "relations", labels)
            return []
        ends = self.mentions[head], self.mentions[tail], self.type_of(head), self.type_of(tail)
        return [Relation(label, *ends, self.entity(head), self.entity(tail)) for label in labels]

    def events(self, annotation: Annotation) -> list[Event]:
        labels = self.triggers[annotation.id]
        arguments = []
        for role, filler in annotation.slots:
            if filler in self.mentions:
                arguments.append(Argument(role, self.mentions[filler], self.entity(filler)))
            else:
                detail = f"the slot {role!r} of {labels[0]!r} is not filled by a span of the text"
                self.lose(annotation, Reason.MISSING_FIELD, detail, "events", labels)
        return [Event(label, self.mentions[annotation.id], tuple(arguments)) for label in labels]
