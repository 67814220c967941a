"""An Example without what a format cannot carry; what is left out or changed is counted by kind."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from schemas.example import Argument, Entity, Event, Example, Mention, Relation, Span
from transforms.respelling import respelled

Counts = Counter[str]
"""Kind of loss or change, for people → how often it happened."""

WITHOUT_OFFSETS = "mentions without offsets"
DISCONTINUOUS = "mentions of several spans"
OVERLAPPING = "mentions overlapping another one"
NOT_IN_TEXT = "mentions whose string is not in the text"
BLANK = "mentions without a visible character"
RELATIONS = "relations"
WITHOUT_END = "relations with an end that has no offsets or cannot be written"
SCORES = "scores of relations"
EVENTS = "events"
WITHOUT_TRIGGER = "events whose trigger is missing, has no offsets or cannot be written"
WITHOUT_ARGUMENT = "arguments without offsets or a place in the format"
CONCEPTS = "concepts of mentions"
UNKNOWN_LABELS = "texts with unknown labels, written as if these did not occur"
REPEATED = "annotations with the label and the strings of another one of the text"
ADDED = "entities that were only ends of relations or arguments before"
CUT = "cuts inside a word, where a mention starts or ends"
RESPELLED = "labels in another spelling"

END = "entity"
"""The label of an end of a relation that is no entity and has no type."""

CONCEPT = re.compile(r"\S+:\S+")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a format can carry besides entities of one contiguous span.

    `concepts`: those of the form `vocabulary:id`. `unknown_labels`: a text without annotations of a label differs from
    one that is not annotated for it. `offsets`: mentions need them; otherwise they are written as strings.
    `ends_are_entities`: relations and events refer to entities. `respell`: label → its spelling in the format, which
    may not be unique; None: any label.
    """

    relations: bool = False
    events: bool = False
    discontinuous: bool = False
    overlapping: bool = False
    concepts: bool = False
    unknown_labels: bool = False
    offsets: bool = True
    ends_are_entities: bool = True
    respell: Callable[[str], str] | None = None


@dataclass
class Labels:
    """The labels of an export, in the spelling of the format. `entities`: label → its own spelling. `relations`: label
    → (label of head, label of tail). `events`: label → role → labels of arguments. `original`: spelling → label.
    """

    entities: dict[str, None] = field(default_factory=dict)
    relations: dict[str, dict[tuple[str | None, str | None], None]] = field(default_factory=dict)
    events: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)
    original: dict[str, str] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)

    def spell(self, label: str, respell: Callable[[str], str], counts: Counts) -> str:
        """The spelling of a label; a number is added to one that another label already has."""
        if label not in self.spelling:
            base = spelled = respell(label)
            number = 2
            while spelled in self.original:
                spelled, number = respell(f"{base}_{number}_"), number + 1
            self.spelling[label], self.original[spelled] = spelled, label
            counts[RESPELLED] += spelled != label
        return self.spelling[label]

    def add(self, example: Example) -> None:
        types = {entity.id: entity.label for entity in example.entities or ()}
        self.entities.update(dict.fromkeys(types.values()))
        for relation in example.relations or ():
            self.relations.setdefault(relation.label, {})[relation.head_label, relation.tail_label] = None
        for event in example.events or ():
            roles = self.events.setdefault(event.label, {})
            for argument in event.arguments:
                roles.setdefault(argument.role, {})[types[argument.entity]] = None


def fit(example: Example, capacity: Capacity, labels: Labels, counts: Counts) -> Example:
    """The example as the format can carry it. Adds what is left out or changed to `counts`, and its labels to `labels`.

    Entities get the ids T1, T2, ... . If the ends of relations are entities, every end and every argument refers to
    one, and the labels of the ends are those of their entities. Of mentions that overlap, the longest is kept.
    """
    counts[UNKNOWN_LABELS] += bool(example.unknown_labels) and not capacity.unknown_labels
    counts[RELATIONS] += 0 if capacity.relations else len(example.relations or ())
    counts[EVENTS] += 0 if capacity.events else len(example.events or ())
    kept = _Entities(example, capacity, counts)
    relations, events = example.relations, example.events
    if relations is not None:
        relations = tuple(kept.relations(relations)) if capacity.relations else None
    if events is not None:
        events = tuple(kept.events(events)) if capacity.events else None
    entities = tuple(kept.entities)
    fitted = Example(
        example.id,
        example.source,
        example.split,
        example.lang,
        example.text,
        example.tasks,
        None if example.entities is None and not entities else entities,
        relations,
        events,
    )
    respell = capacity.respell
    if respell is not None:
        fitted = respelled(fitted, lambda label: labels.spell(label, respell, counts))
    labels.add(fitted)
    return fitted


class _Entities:
    """The entities of an example that a format can carry, to which ends of relations and arguments are added."""

    def __init__(self, example: Example, capacity: Capacity, counts: Counts):
        self.text, self.capacity, self.counts = example.text, capacity, counts
        self.entities: list[Entity] = []
        self.by_name: dict[str, list[Entity]] = {}
        self.by_place: dict[Mention, list[Entity]] = {}
        carried = [entity for entity in example.entities or () if self._can_carry(entity.mention)]
        allowed = None if capacity.overlapping else self._flat(carried)
        for number, entity in enumerate(carried):
            if allowed is not None and number not in allowed:
                counts[OVERLAPPING] += 1
                continue
            concepts = tuple(name for name in entity.concepts if capacity.concepts and CONCEPT.fullmatch(name))
            counts[CONCEPTS] += len(entity.concepts) - len(concepts)
            added = self._add(entity.label, entity.mention, concepts)
            for name in (entity.id, *entity.concepts):
                if name is not None:
                    self.by_name.setdefault(name, []).append(added)

    def _can_carry(self, mention: Mention, reason: str | None = None) -> bool:
        """Counts the mention, as `reason` or why the format cannot carry it, if it cannot."""
        if not mention.text.strip():
            why = BLANK
        elif not self.capacity.offsets:
            why = "" if mention.text in self.text else NOT_IN_TEXT
        elif not mention.spans:
            why = WITHOUT_OFFSETS
        else:
            why = DISCONTINUOUS if len(mention.spans) > 1 and not self.capacity.discontinuous else ""
        self.counts[reason or why] += bool(why)
        return not why

    @staticmethod
    def _flat(entities: Iterable[Entity]) -> set[int]:
        """The numbers of the entities to keep so that none overlap: the longest first, then the first of the text."""
        spans = [
            (start - end, start, end, number) for number, e in enumerate(entities) for start, end in e.mention.spans
        ]
        kept: list[Span] = []  # in text order
        numbers = set()
        for _, start, end, number in sorted(spans):
            at = bisect_left(kept, (start, end))
            if (at == 0 or kept[at - 1][1] <= start) and (at == len(kept) or end <= kept[at][0]):
                kept.insert(at, (start, end))
                numbers.add(number)
        return numbers

    def _add(self, label: str, mention: Mention, concepts: tuple[str, ...] = ()) -> Entity:
        entity = Entity(label, mention, f"T{len(self.entities) + 1}", concepts)
        self.entities.append(entity)
        self.by_place.setdefault(mention, []).append(entity)
        return entity

    def _end(self, mention: Mention, label: str | None, name: str | None, default: str, reason: str) -> Entity | None:
        """The entity that an end or an argument is; a new one (of type `label` or `default`) if it was no entity."""
        candidates = self.by_name.get(name, []) if name is not None else []
        at_place = self.by_place.get(mention, [])
        for entity in (
            *(entity for entity in candidates if entity.mention == mention),
            *(entity for entity in at_place if label in (None, entity.label)),
            *(candidates if not mention.spans else ()),
        ):
            return entity
        if not self._can_carry(mention, reason):
            return None
        self.counts[ADDED] += 1
        return self._add(label or default, mention)

    def relations(self, relations: Iterable[Relation]) -> Iterator[Relation]:
        for relation in relations:
            self.counts[SCORES] += relation.score is not None
            if not self.capacity.ends_are_entities:
                if self._can_carry(relation.head, WITHOUT_END) and self._can_carry(relation.tail, WITHOUT_END):
                    yield Relation(relation.label, relation.head, relation.tail)
                continue
            head = self._end(relation.head, relation.head_label, relation.head_entity, END, WITHOUT_END)
            tail = head and self._end(relation.tail, relation.tail_label, relation.tail_entity, END, WITHOUT_END)
            if head and tail:
                yield Relation(relation.label, head.mention, tail.mention, head.label, tail.label, head.id, tail.id)

    def events(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if event.trigger is None or not self._can_carry(event.trigger, WITHOUT_TRIGGER):
                self.counts[WITHOUT_TRIGGER] += event.trigger is None
                continue
            arguments = []
            for argument in event.arguments:
                entity = self._end(argument.mention, None, argument.entity, argument.role, WITHOUT_ARGUMENT)
                if entity:
                    arguments.append(Argument(argument.role, entity.mention, entity.id))
            yield Event(event.label, event.trigger, tuple(arguments))
