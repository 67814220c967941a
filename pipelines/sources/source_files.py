"""The files below a source's folder → those of each split, in the form to read.

A Form lists glob patterns. The first form of which files are there is read; files of the others are reported as
ignored. Which file is which split follows from the words train, dev, valid, test in its path, unless the form says
otherwise.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from pipelines.sources.source import Form, Source
from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File

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
