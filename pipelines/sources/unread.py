"""The files below a data root, minus those that sources read → the unread files, by folder and reason.

An unread file is lost training data, and the texts of an unread test file are not removed from train: so every unread
file is named or counted. Hidden files and folders (`.git`, `.DS_Store`) are skipped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import sources
from pipelines.sources import Form, knowledge_data, user_data
from pipelines.sources.judge import folder
from pipelines.sources.registry import Listing, Located
from pipelines.sources.user_forms import form_named, recognise, recognise_unread
from transforms.files import File
from transforms.formats.head import Head
from transforms.formats.instruction_rows import DATASET_INFO
from transforms.formats.not_read import is_empty
from transforms.formats.plain_text import ABOUT

PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tar", ".tgz", ".7z", ".rar")
DOCUMENTATION = (".md", ".htm", ".html", ".pdf", ".dtd", ".bib", DATASET_INFO)
"""Endings of documentation that comes with datasets."""

PROJECT = re.compile(r"(?:.*/)?exportedproject[^/]*\.json")
"""The file that describes a project that INCEpTION exported."""

FOR_PEOPLE = "documentation"
EMPTY = "it is empty"

PLAIN_TEXT = "plain text without annotations, from which nothing can be learnt"

FORMAT = "its format is none that is recognised (docs/user_data.md)"

NO_SPLIT = "its name contains no split: train, dev or test"
NO_MATCH = "no pattern of splits in source.yaml matches its name, which contains no split either"

NAMED = 3
"""Files named per folder and reason; the others are counted."""


@dataclass(frozen=True)
class Unread:
    """The unread files of a folder directly below the data root ("" for files of the root), sorted by name.

    `files` is empty if the folder could not be listed.
    """

    folder: str
    files: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        more = f" and {len(self.files) - NAMED:,} more" if len(self.files) > NAMED else ""
        where = f"{self.folder}/: " if self.folder else ""
        if not self.files:
            return f"{where}left out ({self.reason})"
        return f"{where}left out {', '.join(self.files[:NAMED])}{more} ({self.reason})"


def unread_files(listing: Listing, all_sources: Sequence[Located], chosen: Sequence[Located] | None) -> list[Unread]:
    """The unread files below the data root, or only those in the folders of the sources `chosen` (None: all)."""
    read: set[str] = set()
    other_form: dict[str, Form] = {}  # path → the form in which the other files of its source are read
    no_split: dict[str, str] = {}  # path → why its split is not known
    of_tools: set[str] = set()
    for located in all_sources:
        if located.files:
            for group in located.files.splits.values():
                read.update(file.path for file in group)
                if located.files.form.user_form:
                    of_tools.update(file.path for file in group)
            other_form.update((file.path, located.files.form) for file in located.files.ignored)
            by_patterns = located.files.form.user_form and located.files.form.splits
            no_split |= dict.fromkeys(
                (file.path for file in located.files.unassigned), NO_MATCH if by_patterns else NO_SPLIT
            )
    names = (user_data.SCHEMA, user_data.SETTINGS, knowledge_data.FILE)
    manifests = {  # of the stage that exported the corpora
        f"{file.path.rsplit('/', 2)[0]}/{knowledge_data.MANIFEST}"
        for located in all_sources
        for file in located.settings
        if file.name == knowledge_data.FILE
    }
    settings = {f"{path.rpartition('/')[0]}/{name}" for path in read for name in names}
    of_sources = {file.path for located in all_sources for file in located.settings}
    instructions = {file.path for file in user_data.instruction_files(listing.unified())}
    wanted = None if chosen is None else {folder(located.key).partition("/")[0] for located in chosen}
    reported = {folder(located.key) for located in all_sources if located.unreadable}  # with their source
    result = [
        Unread(name, (), reason)
        for name, reason in sorted(listing.unreadable.items())
        if name not in reported and wanted is None
    ]
    projects = {name for name, files in listing.folders.items() if any(PROJECT.fullmatch(file.name) for file in files)}
    for name, files in sorted(listing.folders.items()):
        if wanted is not None and name not in wanted:
            continue
        known = any(file.path in read for file in files)
        by_reason: dict[str, list[str]] = {}
        for path, reason in listing.left_out.items():
            top, slash, inside = path.partition("/")
            if (top if slash else "") == name:
                by_reason.setdefault(reason, []).append(inside or top)
        for file in files:
            if file.path in read or file.path in of_sources or (file.path in settings and known):
                continue
            if file.path in manifests:
                continue
            if file.path in instructions:
                reason = "its rows already are instructions"
            elif file.path in no_split:
                reason = no_split[file.path]
            elif is_empty(Head(file)):
                reason = EMPTY
            elif projects & {"", name} and not file.name.lower().endswith(PACKED):
                reason = "of an INCEpTION project, of which only the annotations and curations are read"
            elif file.path in other_form:
                reason = why_other_form(file, other_form[file.path])
            elif ABOUT.match(file.name.rpartition("/")[2]) or file.name.lower().endswith(DOCUMENTATION):
                reason = FOR_PEOPLE
            elif file.name.lower().endswith(PACKED):
                reason = "compressed or an archive; unpack it"
            elif form := recognise_unread(file):
                reason = f"{form.title} is not read; {form.remedy}"
            else:
                is_tool_folder = any(each.path in of_tools for each in files)
                reason = FORMAT if is_tool_folder else "no source reads it" if known else why_unknown(name, file)
            by_reason.setdefault(reason, []).append(file.name)
        result += [Unread(name, tuple(names), reason) for reason, names in sorted(by_reason.items())]
    return result


def is_plain_text(file: File) -> bool:
    forms = recognise(file)
    return bool(forms) and not any(form.layers for form in forms)


def why_other_form(file: File, form: Form) -> str:
    """Why a file is not read whose source is read in this form."""
    if not form.user_form:
        return "not in the form that is read, or incomplete without other files"
    forms = recognise(file)
    title = forms[0].title if forms else "another format"
    return f"{title}, and the other files are {form_named(form.user_form).title}; give such files a folder of their own"


def why_unknown(name: str, file: File) -> str:
    """Why a file of the folder `name` is not read, of which no file is."""
    folder_sources = [sources.load(key) for key in sources.keys() if name and sources.folder(key) == name]
    if folder_sources:
        about = f"it contains none of the files of this source; {folder_sources[0].get}"
        return f"{about}; rename the folder if its files are your own"
    if is_plain_text(file):
        return PLAIN_TEXT
    return f"no source has this name, and {FORMAT}" if name else FORMAT
