"""Labels, with the descriptions that tell people and models how they differ, and label sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Role:
    """An argument role of an event type, or an attribute of a KG entity type.

    `values`: the closed list from which an argument takes its value if the text does not hold it; else empty.
    """

    name: str
    description: str = ""
    values: tuple[str, ...] = ()


def described_roles(descriptions: Mapping[str, str]) -> tuple[Role, ...]:
    """The roles of a map name → description, in its order."""
    return tuple(Role(name, description) for name, description in descriptions.items())


def named_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Roles without descriptions, in the order of `names`."""
    return tuple(map(Role, names))


@dataclass(frozen=True, slots=True)
class Label:
    """A label as prompts show it.

    `roles` are the argument roles of an event type or the attributes of a KG entity type, in the order of the
    annotation guide. `subject_type`, `predicate` and `object_type` are set for SPO, whose `name` joins them by `_`.
    """

    name: str
    description: str = ""
    roles: tuple[Role, ...] = ()
    subject_type: str | None = None
    predicate: str | None = None
    object_type: str | None = None

    @property
    def role_names(self) -> tuple[str, ...]:
        return tuple(role.name for role in self.roles)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """The descriptions of the label and of its roles; empty strings where there is none."""
        return self.description, *(role.description for role in self.roles)

    @property
    def typed_name(self) -> str | None:
        """The name made of the three parts of an SPO label; None if a part is missing."""
        if self.subject_type is None or self.predicate is None or self.object_type is None:
            return None
        return typed_label(self.subject_type, self.predicate, self.object_type).name


def typed_label(subject_type: str, predicate: str, object_type: str) -> Label:
    """The SPO label of a typed triple; its name is IEPile's `subjectType_predicate_objectType`."""
    name = f"{subject_type}_{predicate}_{object_type}"
    return Label(name, subject_type=subject_type, predicate=predicate, object_type=object_type)


class OpenLabels(dict[str, Label | None]):
    """The label map of data that comes without a list of its labels: raw label → Label, None for a label that is left
    out. A label that is not in the map stands for itself, without blanks at its ends.
    """

    def __contains__(self, raw: object) -> bool:
        return True

    def __missing__(self, raw: str) -> Label | None:
        name = raw.strip()
        return Label(raw) if name == raw else self[name]

    def get(self, raw: str, default: object = None) -> Label | None:
        return self[raw]


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """A label that no instruction may ask of a text, because its annotations may be incomplete for this text.

    `layer` is entities, relations or events. `label` is the label of an item of this layer, as in the Example (of a
    typed triple only the relation).
    """

    layer: str
    label: str


TRIPLE = {
    "en": "relation {predicate}; its subject is of type {subject_type}, its object of type {object_type}",
    "zh": "关系“{predicate}”，主体类型为“{subject_type}”，客体类型为“{object_type}”",
}
"""Language → the description of an SPO label without one; other languages take the English text."""


DICTIONARY_TASK = {"EET": "EE", "EEA": "EE"}
"""Task → the task with whose dictionary of hard negatives a build asks, for tasks without their own: event triggers and
event arguments share that of whole events."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All labels of one source for one task, sorted by name. `counts`: label → split → annotations after clean."""

    task: str
    key: str
    source: str
    lang: str
    labels: tuple[Label, ...]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def description(self, label: Label) -> str:
        """The description of a label of the set. An SPO label without one is described by its three parts."""
        if label.description or label.typed_name is None:
            return label.description
        return TRIPLE.get(self.lang, TRIPLE["en"]).format(
            predicate=label.predicate, subject_type=label.subject_type, object_type=label.object_type
        )
