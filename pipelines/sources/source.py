"""The definition of a source: one dataset with its licence, tasks, labels, and the file formats that it comes in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.errors import BadRecord
from schemas.example import RawExample
from schemas.label import Label, Role

Reader = Callable[..., Iterator[RawExample | BadRecord]]
"""Of the files of a split. That of a form in a tool's format also has the option `comparison`."""


class Licence(StrEnum):
    """OPEN: redistribution allowed as stated. ASK: none stated, or research only. GATED: never published."""

    OPEN = "open"
    ASK = "ask"
    GATED = "gated"


@dataclass(frozen=True)
class Form:
    """One file format in which a dataset is distributed: which files belong to it and how to read those of a split.

    `include` and `exclude` are globs, matched without case against the path below the source's folder and against the
    bare file name. `splits` maps a glob to a split, for files whose names do not contain the split. The split "all"
    marks a dataset without official splits; its examples are split by a hash (see `Source.shares`).
    """

    read: Reader
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # a split needs a file that matches one of these; the other files only add to it
    splits: Mapping[str, str] = field(default_factory=dict)
    collapsed: bool = False  # the only entity label is `Source.collapsed`
    user_form: str = ""  # the name in `user_forms` of the format of a user's files
    is_guess: bool = False  # the user does not name this format


@dataclass(frozen=True)
class Download:
    """A file that the owners of a dataset offer without registration.

    `members`: globs of the files to take out of an archive (.zip, .tar and compressed .tar), with the rules of
    `Form.include`; empty: the file is taken as it is. `checksums`: path of a file below the folder of the source → its
    SHA-256, of those that are known.
    """

    url: str
    members: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)


def github(repository: str, members: tuple[str, ...]) -> tuple[Download, ...]:
    """These files of the default branch of a repository `owner/name`."""
    return (Download(f"https://github.com/{repository}/archive/HEAD.zip", members),)


def files_at(address: str, names: tuple[str, ...], checksums: Mapping[str, str] | None = None) -> tuple[Download, ...]:
    """These files below an address that ends with a slash. `checksums`: as in Download."""
    return tuple(Download(address + name, checksums=checksums or {}) for name in names)


SHARES = {"train": 0.9, "validation": 0.05, "test": 0.05}
"""Split → its share of the texts of a dataset without official splits."""

NO_TEST = (
    "no text is in test, so no model can be scored on it; write splits: {train: 0.7, validation: 0.1, test: 0.2} into "
    "source.yaml"
)
"""What to say of a source with these shares that has no test texts."""


@dataclass(frozen=True)
class Source:
    """One dataset. Label maps go from raw labels to the labels of a prompt; None marks a raw label that is dropped."""

    name: str  # the name in published corpora (the `source` column)
    title: str
    tasks: tuple[str, ...]  # the layers it annotates completely
    lang: str  # a language code, see schemas.language
    domain: str
    licence: Licence
    licence_text: str  # as its authors state it
    homepage: str
    get: str  # where to download it, and where its files go below the data root
    citation: str  # BibTeX key
    forms: tuple[Form, ...]  # in order of preference
    downloads: tuple[Download, ...] = ()  # empty: `get` says what to do by hand
    entity_labels: Mapping[str, Label | None] = field(default_factory=dict)
    relation_labels: Mapping[str, Label | None] = field(default_factory=dict)
    event_labels: Mapping[str, Label | None] = field(default_factory=dict)
    role_names: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()  # of every event type in which they occur, if the event labels are open
    typed_labels: tuple[Label, ...] = ()  # SPO label set; empty: collected from the typed triples of the data
    graph_labels: tuple[Label, ...] = ()  # KG label set; empty: the entity labels
    held_out: bool = False  # zero-shot tests only: its test files become the test split, or all files if it has none
    real_files_seen: bool = True  # False: written from the format description, not yet tested on real files
    task_names: Mapping[str, str] = field(default_factory=dict)  # published names of tasks that differ from `name`
    # The single entity label under which the dataset was also published. It is not part of the source's label set,
    # although `entity_labels` may map raw labels to it for collapsed forms.
    collapsed: Label | None = None
    lang_is_guess: bool = False  # not stated, and the script of the texts does not tell it for sure
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)  # of the splits, if none are official
    one_pair: bool = False  # one pair per sentence is annotated; other pairs may be unlabelled
    theme: str = ""  # of all its texts, if it is one of several themes of a dataset

    def name_for(self, task: str) -> str:
        """The name of the dataset in published corpora of this task."""
        return self.task_names.get(task, self.name)
