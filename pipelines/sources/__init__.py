"""The datasets that IEForge reads: one module each, holding one `SOURCE` whose key is the module's name.

A dataset that is evaluated in several cuts (FewRel's draws of unseen relations) holds `SOURCES` instead: suffix →
Source, with keys `<module>_<suffix>` (the empty suffix: `<module>`), all read from the folder `<module>`.

Finding a source's files: a Form lists glob patterns; the first form of which files are there is read, files of
the others are reported as ignored. Which file is which split follows from the words train, dev, valid, test in
its path, unless the form says otherwise.
"""

import difflib
import fnmatch
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from schemas.errors import BadRecord, ConfigError
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


SPLIT_WORDS = (("train", "train"), ("dev", "validation"), ("val", "validation"), ("test", "test"))


SPLIT_WORD = re.compile("|".join(word for word, _ in SPLIT_WORDS), re.IGNORECASE)


def split_of(name: str) -> str | None:
    """The split that the words of a path tell, its last component first: `CDR_TrainingSet.txt` is train."""
    for part in reversed(name.split("/")):
        if not SPLIT_WORD.search(part):
            continue
        for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part):
            for prefix, split in SPLIT_WORDS:
                if word.lower().startswith(prefix):
                    return split
    return None


@dataclass(frozen=True)
class Found:
    """A source's files below its folder, as sorted by `find`."""

    form: Form
    splits: dict[str, list[File]]
    ignored: list[File]  # files of other forms, or of no use alone
    unassigned: list[File]  # files of a form whose split nothing tells
    other_forms: dict[str, Form] = field(default_factory=dict)  # of splits that `form` has no files of

    def read(self, split: str) -> Iterator[RawExample | BadRecord]:
        """The split's records, with the labels of the files."""
        return self.other_forms.get(split, self.form).read(self.splits[split])


def matches(name: str, patterns: Iterable[str]) -> bool:
    if not patterns:
        return False
    glob = _glob(tuple(patterns))
    return bool(glob.match(name.lower()) or glob.match(name.rpartition("/")[2].lower()))


@cache
def _glob(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One regular expression for all of them: there may be tens of thousands of names."""
    return re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in patterns))


def form_of(source: Source, files: Iterable[File]) -> Form | None:
    """The first form that any of the files has: as `find` has it for the files of one split."""
    for form in source.forms:
        if any(matches(file.name, form.include) and not matches(file.name, form.exclude) for file in files):
            return form
    return None


def find(source: Source, files: list[File]) -> Found | None:
    """Sorts `files` (all below the source's folder) by form and split; None where no form has any.

    The first form with files is read. A split that it lacks comes from the next form that has it, if that has the
    same labels and both have official splits; of a held-out source one form alone is read, and its test files alone
    where it has some.
    """
    taken: Found | None = None
    for form in source.forms:
        mine = [f for f in files if matches(f.name, form.include) and not matches(f.name, form.exclude)]
        if not mine:
            continue
        splits, incomplete, unassigned = deal(form, mine)
        if taken is None:
            taken = Found(form, splits, incomplete, unassigned)
            continue
        known = {file.name for group in (*taken.splits.values(), taken.ignored, taken.unassigned) for file in group}
        for split, group in splits.items():
            official = "all" not in (split, *taken.splits)
            same = official and form.collapsed == taken.form.collapsed and not source.held_out
            if same and split not in taken.splits and not any(file.name in known for file in group):
                taken.splits[split] = group
                taken.other_forms[split] = form
                known |= {file.name for file in group}
        taken.ignored.extend(file for file in mine if file.name not in known)
    if taken is not None and taken.splits and source.held_out:
        chosen = taken.splits.pop("test", None)
        if chosen is None:
            chosen = sorted((f for files in taken.splits.values() for f in files), key=lambda f: f.name)
        else:
            taken.ignored.extend(file for files in taken.splits.values() for file in files)
        taken.splits.clear()
        taken.splits["test"] = chosen
    return taken


def deal(form: Form, files: Iterable[File]) -> tuple[dict[str, list[File]], list[File], list[File]]:
    """(split → files, files of splits that lack what the form needs, files whose split nothing tells)."""
    splits: dict[str, list[File]] = {}
    incomplete, unassigned = [], []
    for file in files:
        split = next((s for glob, s in form.splits.items() if matches(file.name, (glob,))), None)
        split = split or split_of(file.name)
        if split is None:
            unassigned.append(file)
        else:
            splits.setdefault(split, []).append(file)
    for split, group in list(splits.items()):
        if form.needs and not any(matches(file.name, form.needs) for file in group):
            incomplete.extend(splits.pop(split))
    return splits, incomplete, unassigned


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Every key, sorted, with its module's name and its source."""
    found = {}
    for name in (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")):
        module = importlib.import_module(f"{__name__}.{name}")
        if hasattr(module, "SOURCES"):
            found |= {f"{name}_{cut}" if cut else name: (name, source) for cut, source in module.SOURCES.items()}
        else:
            found[name] = name, module.SOURCE
    return dict(sorted(found.items()))


def keys() -> list[str]:
    """All source keys, sorted."""
    return list(sources())


def folder(key: str) -> str:
    """The folder below a data root that the files of a key in `keys()` lie in; also the name of its module."""
    return sources()[key][0]


def load(key: str) -> Source:
    """The source with this key. Raises ConfigError with the nearest names where there is none."""
    if key not in sources():
        near = ", ".join(difflib.get_close_matches(key, keys(), 3)) or ", ".join(keys())
        raise ConfigError(f"no source is called {key!r}; did you mean: {near}?")
    return sources()[key][1]
