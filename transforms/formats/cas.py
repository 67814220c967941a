"""The annotations of WebAnno and INCEpTION, by layer → RawExample.

The readers of their three formats (`webanno_tsv`, `uima_xmi`, `uima_json`) share this module. The model is that of the
tools (https://inception-project.github.io/releases/35.0/docs/user-guide.html#_layers): span layers, relation layers,
slots, which link a span to others in roles, and chains. The tools are written in Java: offsets count UTF-16 units.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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

LABEL_FEATURES = ("value", "label", "category")
"""The features that contain the label, most usual first."""

CONCEPT = "identifier"
"""The feature with the concept of a knowledge base."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a file declares: the features that contain strings, and whether annotations have slots."""

    features: tuple[str, ...] = ()
    has_slots: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of the layer `type`, such as `webanno.custom.Person`. `begin` and `end` count UTF-16 units.

    `features`: those that are strings. `ends`: the ids of source and target of a relation. `slots`: (role, id of the
    filler), which is None for an unset slot. `is_other`: neither a span nor a relation, but coreference or a
    description of the document.
    """

    id: str
    type: str
    place: str
    begin: int
    end: int
    features: Mapping[str, str] = field(default_factory=dict)
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


def documents(files: Iterable[File]) -> list[File]:
    """The files without the texts that a project imported (`INITIAL_CAS`) and that somebody annotated."""
    origins = [(file, origin(file.name)) for file in files]
    touched = {source.item for _, source in origins if not source.is_untouched}
    return [file for file, source in origins if not (source.is_untouched and source.item in touched)]


def to_example(
    place: str, text: str, annotations: Sequence[Annotation], declared: Mapping[str, Layer], source: Origin
) -> RawExample:
    """The text with spans as entities, spans that have slots as events with their fillers as arguments, and relations
    between spans. A relation leads from its source to its target.

    The label of an annotation is that of its LABEL_FEATURES, or else its only feature; in a layer without features it
    is the name of the layer. `declared`: layer → its features, for layers of which the file says so. Spans without a
    place in the text are lost, with relations and slots that refer to them. Spans without a label are lost as entities,
    but relations and slots keep them as mentions. Other layers are counted in `lost`, except segments.
    """
    layers = _layers(annotations, declared)
    spelling = units(text)
    counts: Counter[str] = Counter()
    builder = _Builder(text, spelling, layers)
    used = []
    for annotation in annotations:
        if not annotation.is_segment and not annotation.is_used:
            counts[annotation.kind] += 1
        else:
            used.append(annotation)
    for annotation in used:
        if annotation.ends is None:
            builder.add_span(annotation)
    relations = [builder.relation(annotation) for annotation in used if annotation.ends is not None]
    events = [builder.event(annotation) for annotation in used if annotation.id in builder.triggers]
    untouched = source.is_untouched
    return RawExample(
        place,
        text,
        None if untouched else tuple(builder.entities.values()),
        None if untouched else tuple(relation for relation in relations if relation),
        None if untouched else tuple(events),
        (*builder.lost, *ignored(place, counts)),
        document=source.item,
        item=source.item,
        annotator=source.annotator,
        is_gold=source.is_gold,
    )


def _layers(annotations: Sequence[Annotation], declared: Mapping[str, Layer]) -> dict[str, Layer]:
    """The layers of the file: `declared`, and those whose annotations show what they have."""
    features: dict[str, dict[str, None]] = {}
    slots = set()
    for annotation in annotations:
        names = features.setdefault(annotation.type, {})
        names.update({name: None for name, value in annotation.features.items() if value})
        if annotation.slots:
            slots.add(annotation.type)
    seen = {name: Layer(tuple(names), name in slots) for name, names in features.items()}
    if f"{DKPRO}ner.type.NamedEntity" in seen:
        seen[f"{DKPRO}ner.type.NamedEntity"] = Layer(("value", CONCEPT))
    return {**seen, **declared}


def label_feature(features: Sequence[str]) -> str | None:
    """The feature with the label; None if no feature is it, so that the name of the layer is the label."""
    for name in LABEL_FEATURES:
        if name in features:
            return name
    others = [name for name in features if name != CONCEPT]
    if len(others) == 1:
        return others[0]
    return CONCEPT if not others and CONCEPT in features else None


class _Builder:
    """The layers of one text."""

    def __init__(self, text: str, spelling: Units, layers: Mapping[str, Layer]):
        self.text, self.spelling, self.layers = text, spelling, layers
        self.mentions: dict[str, Mention] = {}
        self.entities: dict[str, Entity] = {}
        self.triggers: dict[str, str] = {}  # id of a span with slots → label of its event
        self.lost: list[BadRecord] = []

    def label(self, annotation: Annotation) -> str | None:
        """The label; None if the annotation has none although others of its layer have."""
        name = label_feature(self.layers[annotation.type].features)
        if name is None:
            return annotation.layer
        return annotation.features.get(name) or annotation.features.get(CONCEPT) or None

    def lose(self, annotation: Annotation, reason: Reason, detail: str, layer: str, label: str | None) -> None:
        unknown = (UnknownLabel(layer, label),) if label else ()
        self.lost.append(BadRecord(annotation.place, reason, f"{detail}; it is left out", unknown))

    def add_span(self, annotation: Annotation) -> None:
        span: Span | None = self.spelling.span(annotation.begin, annotation.end)
        is_event = self.layers[annotation.type].has_slots
        label = None if annotation.is_segment else self.label(annotation)
        if span is None:
            if not annotation.is_segment:
                detail = f"{annotation.layer} {annotation.begin}-{annotation.end} is no span of the text"
                self.lose(annotation, Reason.OFFSET_MISMATCH, detail, "events" if is_event else "entities", label)
            return
        mention = Mention(self.text[span[0] : span[1]], (span,))
        self.mentions[annotation.id] = mention
        if annotation.is_segment:
            return
        if label is None:
            if is_event:
                self.triggers[annotation.id] = annotation.layer
                return
            detail = f"{annotation.layer} at {mention.text[:80]!r} has no label"
            self.lose(annotation, Reason.MISSING_FIELD, detail, "entities", None)
        elif is_event:
            self.triggers[annotation.id] = label
        else:
            concept = annotation.features.get(CONCEPT, "")
            concepts = () if concept in ("", label) else (concept,)
            self.entities[annotation.id] = Entity(label, mention, annotation.id, concepts)

    def entity(self, reference: str) -> str | None:
        return reference if reference in self.entities else None

    def type_of(self, reference: str) -> str | None:
        entity = self.entities.get(reference)
        return entity.label if entity else self.triggers.get(reference)

    def relation(self, annotation: Annotation) -> Relation | None:
        label = self.label(annotation) or annotation.layer
        head, tail = annotation.ends or (None, None)
        if head not in self.mentions or tail not in self.mentions:
            detail = f"an end of the relation {label!r} is missing"
            self.lose(annotation, Reason.MISSING_FIELD, detail, "relations", label)
            return None
        mentions = self.mentions[head], self.mentions[tail]
        return Relation(label, *mentions, self.type_of(head), self.type_of(tail), self.entity(head), self.entity(tail))

    def event(self, annotation: Annotation) -> Event:
        label = self.triggers[annotation.id]
        arguments = []
        for role, filler in annotation.slots:
            if filler in self.mentions:
                arguments.append(Argument(role, self.mentions[filler], self.entity(filler)))
            else:
                detail = f"the slot {role!r} of {label!r} is not filled by a span of the text"
                self.lose(annotation, Reason.MISSING_FIELD, detail, "events", label)
        return Event(label, self.mentions[annotation.id], tuple(arguments))
