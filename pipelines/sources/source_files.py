"""The files below a source's folder → the files of each split, and the form to read them in.

A Form lists glob patterns. The first form that has files is read; files of the other forms are reported as ignored.
The split of a file follows from the words train, dev, valid and test in its path, unless the form sets it.
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


def split_in_path(name: str) -> str | None:
    """The split named in a path, searched from the last component: train for `CDR_TrainingSet.txt`, or None."""
    for part in reversed(name.split("/")):
        if not SPLIT_WORD.search(part):
            continue
        for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part):
            for prefix, split in SPLIT_WORDS:
                if word.lower().startswith(prefix):
                    return split
    return None


@dataclass(frozen=True)
class SourceFiles:
    """The files below a source's folder, grouped by `find`."""

    form: Form
    splits: dict[str, list[File]]
    ignored: list[File]  # files of other forms, or incomplete without other files
    unassigned: list[File]  # files of the form without a known split
    other_forms: dict[str, Form] = field(default_factory=dict)  # split → its form, where that is not `form`

    def read(self, split: str) -> Iterator[RawExample | BadRecord]:
        """The records of the split, with raw labels."""
        return self.other_forms.get(split, self.form).read(self.splits[split])


def matches(name: str, patterns: Iterable[str]) -> bool:
    if not patterns:
        return False
    glob = _glob(tuple(patterns))
    return bool(glob.match(name.lower()) or glob.match(name.rpartition("/")[2].lower()))


@cache
def _glob(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One regular expression for all patterns, since there may be tens of thousands of names to match."""
    return re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in patterns))


def first_matching_form(source: Source, files: Iterable[File]) -> Form | None:
    """The first form that matches any of the files; for the files of one split this is the form that `find` chose."""
    for form in source.forms:
        if any(matches(file.name, form.include) and not matches(file.name, form.exclude) for file in files):
            return form
    return None


def find(source: Source, files: list[File]) -> SourceFiles | None:
    """Groups `files` (all files below the source's folder) by form and split; None if no form matches any.

    The first form with files is read. A split that it lacks is taken from the next form that has it, provided that
    form has the same labels and both have official splits. A held-out source is read in one form only, and only its
    test files if it has any.
    """
    taken: SourceFiles | None = None
    for form in source.forms:
        matching = [f for f in files if matches(f.name, form.include) and not matches(f.name, form.exclude)]
        if not matching:
            continue
        splits, incomplete, unassigned = group_by_split(form, matching)
        if taken is None:
            taken = SourceFiles(form, splits, incomplete, unassigned)
            continue
        known = {file.name for group in (*taken.splits.values(), taken.ignored, taken.unassigned) for file in group}
        for split, group in splits.items():
            official = "all" not in (split, *taken.splits)
            same = official and form.collapsed == taken.form.collapsed and not source.held_out
            if same and split not in taken.splits and not any(file.name in known for file in group):
                taken.splits[split] = group
                taken.other_forms[split] = form
                known |= {file.name for file in group}
        taken.ignored.extend(file for file in matching if file.name not in known)
    if taken is not None and taken.splits and source.held_out:
        test_files = taken.splits.pop("test", None)
        if test_files is None:
            test_files = sorted((f for files in taken.splits.values() for f in files), key=lambda f: f.name)
        else:
            taken.ignored.extend(file for files in taken.splits.values() for file in files)
        taken.splits.clear()
        taken.splits["test"] = test_files
    return taken


def split_of(form: Form, file: File) -> str | None:
    """The split that the form sets for a file, else that in its path."""
    return next((s for glob, s in form.splits.items() if matches(file.name, (glob,))), None) or split_in_path(file.name)


def group_by_split(form: Form, files: Iterable[File]) -> tuple[dict[str, list[File]], list[File], list[File]]:
    """(split → files, files of splits that lack a file in `form.needs`, files without a known split)."""
    splits: dict[str, list[File]] = {}
    incomplete, unassigned = [], []
    for file in files:
        split = split_of(form, file)
        if split is None:
            unassigned.append(file)
        else:
            splits.setdefault(split, []).append(file)
    for split, group in list(splits.items()):
        if form.needs and not any(matches(file.name, form.needs) for file in group):
            incomplete.extend(splits.pop(split))
    return splits, incomplete, unassigned
