"""The annotations of WebAnno and INCEpTION (see `cas`) → RawExamples."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation, Span
from schemas.label import UnknownLabel
from transforms.formats.cas import CONCEPT, Annotation, Content, Layers
from transforms.formats.lost_parts import ignored
from transforms.formats.utf16 import Units, units


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
