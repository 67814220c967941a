"""What a source is: one dataset, its licence, its tasks and labels, and the forms in which its files circulate."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.errors import BadRecord
from schemas.example import RawExample
from schemas.label import Label
from transforms.files import File

Reader = Callable[[Iterable[File]], Iterator[RawExample | BadRecord]]


class Licence(StrEnum):
    """OPEN: redistribution allowed as stated. ASK: none stated, or research only. GATED: never published."""

    OPEN = "open"
    ASK = "ask"
    GATED = "gated"


@dataclass(frozen=True)
class Form:
    """One form in which a dataset circulates: which files (globs over the path below the source's folder or over
    the bare file name, case ignored) and how to read those of one split.

    `splits` maps a glob to a split where the file's words do not tell; the split "all" marks a set without
    official splits, whose examples are hash-split by text (90/5/5).
    """

    read: Reader
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # a split is there only with a file of these (where some files only add to others)
    splits: Mapping[str, str] = field(default_factory=dict)
    collapsed: bool = False  # its only entity label is the source's collapsed one


@dataclass(frozen=True)
class Source:
    """One dataset. Label maps go from the file's raw labels to the words of a prompt; None marks "no label"."""

    name: str  # the published corpora's name for it (the `source` column)
    title: str
    tasks: tuple[str, ...]  # the layers it annotates completely
    lang: str
    domain: str
    licence: Licence
    licence_text: str  # as its authors state it
    homepage: str
    get: str  # where to get it, and which files go where below the data root
    citation: str  # BibTeX key
    forms: tuple[Form, ...]  # in order of preference
    entity_labels: Mapping[str, Label | None] = field(default_factory=dict)
    relation_labels: Mapping[str, Label | None] = field(default_factory=dict)
    event_labels: Mapping[str, Label] = field(default_factory=dict)
    role_names: Mapping[str, str] = field(default_factory=dict)
    typed_labels: tuple[Label, ...] = ()  # SPO label set; empty: the typed triples that occur in the data
    held_out: bool = False  # for zero-shot tests alone: its test files, failing those all its files, are test data
    real_files_seen: bool = True  # False: written from the format's description, not yet tried on the real files
    task_names: Mapping[str, str] = field(
        default_factory=dict
    )  # published names of tasks where they differ from `name`
    collapsed: Label | None = None  # the single entity label under which the set was also published; it is none of
    # the source's own labels, whatever maps to it in `entity_labels` (as the forms that have it alone need)
    one_pair: bool = False  # the set labels one pair a sentence: other pairs may go unlabelled

    def name_for(self, task: str) -> str:
        """The published name under which this task of the dataset goes."""
        return self.task_names.get(task, self.name)
