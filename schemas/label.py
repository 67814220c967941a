"""The labels a source can annotate for a task, with what a person or a model needs to tell them apart."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Label:
    """A label in the words that a prompt asks for.

    `roles` are an event type's argument roles or a KG entity type's attributes, in the order of the annotation
    guide. `subject_type`, `predicate`, `object_type` are set for SPO, whose `name` joins them by `_`.
    """

    name: str
    description: str = ""
    roles: tuple[str, ...] = ()
    subject_type: str | None = None
    predicate: str | None = None
    object_type: str | None = None

    @property
    def typed_name(self) -> str | None:
        """The name that the three parts of an SPO label make; None where a part is missing."""
        if self.subject_type is None or self.predicate is None or self.object_type is None:
            return None
        return typed_label(self.subject_type, self.predicate, self.object_type).name


def typed_label(subject_type: str, predicate: str, object_type: str) -> Label:
    """The SPO label of a typed triple; its name is IEPile's `subjectType_predicate_objectType`."""
    name = f"{subject_type}_{predicate}_{object_type}"
    return Label(name, subject_type=subject_type, predicate=predicate, object_type=object_type)


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """A label that must not be asked of a text: whether the text has more of it than its annotation says is unknown.

    `layer` is entities, relations or events; `label` is an item's of that layer, as the Example has it (of a typed
    triple the relation alone).
    """

    layer: str
    label: str


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All labels of one source for one task, sorted by name. `counts`: label → split → annotations kept by clean."""

    task: str
    key: str
    source: str
    lang: str
    labels: tuple[Label, ...]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
