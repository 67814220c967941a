"""A data root → the sources below it: built-in sources by key, users' folders in IEPile's unified format or in that of
an annotation tool, and corpora exported by `pipelines.knowledge`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from pipelines import sources
from pipelines.sources import Source, knowledge_data, source_files, tool_folders, user_data
from pipelines.sources.source_files import SourceFiles
from pipelines.sources.user_forms import form_named
from schemas.errors import ConfigError, MachineError, SourceError, did_you_mean
from schemas.manifests import UserSource
from transforms import files
from transforms.files import File
from transforms.local_tree import NOT_LISTED


@dataclass(frozen=True)
class Located:
    """A source with its files below the data root, or the problem with them."""

    key: str
    source: Source
    files: SourceFiles | None
    problem: str = ""
    unreadable: bool = False  # its folder exists but cannot be listed
    trace: str = ""  # the traceback of an unexpected exception
    settings: tuple[File, ...] = ()  # the files that describe a user's folder

    @property
    def names(self) -> set[str]:
        """The key, and the names under which the source is published."""
        return {self.key, self.source.name, *self.source.task_names.values()}


def source_at(data_root: str, key: str) -> Source:
    """The source that `locate_all` returns for this key. Workers call this.

    Raises SourceError like `user_data.source_at` for a key that is not built in.
    """
    if key not in sources.keys():
        return (
            knowledge_data.source_at(data_root, key)
            or user_data.source_at(data_root, key)
            or tool_folders.source_at(data_root, key)
            or missing(data_root, key)
        )
    if files.exists(f"{data_root}/{key}/{user_data.SCHEMA}"):
        folder = f"{data_root}/{sources.folder(key)}"
        raw_files, _ = files.list_raw_files(folder, within=[data_root, folder]) if files.is_folder(folder) else ([], {})
        if takes_key(user_data.folder_at(data_root, key), sources.load(key), raw_files):
            return user_data.source_at(data_root, key) or missing(data_root, key)
    return sources.load(key)


def missing(data_root: str, key: str) -> NoReturn:
    raise SourceError(f"{data_root}/{key}: no file there is in a known format; python -m pipelines.sources lists them")


def takes_key(user_folder: user_data.Folder | None, source: Source, files_there: Sequence[File]) -> bool:
    """Whether a user's folder is read instead of the built-in source with the same key: if its rows are in the unified
    format, or if there is no file of the built-in source.
    """
    return user_folder is not None and (user_folder.has_rows or source_files.find(source, list(files_there)) is None)


def without_files() -> list[Located]:
    """All built-in sources, sorted by key, without files: the list if no data root is given."""
    return [Located(key, sources.load(key), None) for key in sources.keys()]


@dataclass(frozen=True)
class Listing:
    """The files below a data root, listed once: a corpus with one file per document has tens of thousands.

    `folders`: name of a folder directly below the root ("" for files of the root itself) → its files, sorted, with
    names relative to the folder. `unreadable`: folder → why it cannot be listed, which only costs its source.
    `left_out`: path relative to the root → why `files.list_raw_files` left it out.
    """

    root: str
    folders: dict[str, list[File]]
    unreadable: dict[str, str]
    left_out: dict[str, str]

    def unified(self) -> list[File]:
        """The files that may belong to a folder in the unified format or to an exported corpus, sorted, with names
        relative to the root.
        """
        candidates = [
            File(file.path, f"{folder}/{file.name}" if folder else file.name)
            for folder, group in self.folders.items()
            for file in group
            if file.name.rpartition("/")[2] in user_data.NAMES | knowledge_data.NAMES
        ]
        return sorted(candidates, key=lambda file: file.name)


def list_root(data_root: str) -> Listing:
    """Lists the files below the data root, which may also be a single file. Raises ConfigError if it does not exist.

    A link directly below the root may point anywhere, since the user created it. A link inside a source's folder came
    with the dataset: it may only point to places that are read anyway, not to the rest of the machine.
    """
    if not files.is_folder(data_root):
        if not files.exists(data_root):
            raise ConfigError(f"{data_root}: no such folder or file; check the path")
        return Listing(data_root, {"": tool_folders.root_files(data_root)}, {}, {})
    top, left_out = files.list_raw_files(data_root, recursive=False, within=[data_root])
    folders, unreadable = {"": top}, {}
    for folder in files.list_folders(data_root):
        path = f"{data_root}/{folder}"
        try:
            folders[folder], skipped = files.list_raw_files(path, within=[data_root, path])
        except MachineError as error:
            unreadable[folder] = str(error)
        else:
            left_out |= {f"{folder}/{name}": why for name, why in skipped.items()}
    return Listing(data_root, folders, unreadable, left_out)


def locate_all(listing: Listing) -> list[Located]:
    """All built-in sources, with or without files, and the users' folders and exported corpora of the data root, sorted
    by key. A built-in key is never that of an exported corpus.

    Plain text without a source.yaml is only a source if there is no other: beside data, it is a note of somebody.
    """
    located = {}
    for key in sources.keys():
        source, folder = sources.load(key), sources.folder(key)
        grouped = source_files.find(source, listing.folders.get(folder, []))
        missing = listing.unreadable.get(folder, f"none of its files is in {folder}/; {source.get}")
        problem = "" if grouped and grouped.splits else missing
        located[key] = Located(key, source, grouped, problem, folder in listing.unreadable)
    for user_folder in user_data.sources_below(listing.root, listing.unified()):
        key = user_folder.key
        files_there = listing.folders.get(sources.folder(key), []) if key in located else []
        if key not in located or takes_key(user_folder, located[key].source, files_there):
            located[key] = as_located(user_folder)
    for exported in knowledge_data.sources_below(listing.root, listing.unified()):
        if exported.key not in sources.keys():
            located[exported.key] = as_located(exported)
    taken = {sources.folder(key) for key in sources.keys()} | {key.partition("/")[0] for key in located}
    of_tools = tool_folders.sources_below(listing.root, listing.folders, taken)
    annotated = [folder for folder in of_tools if folder.settings or may_have_annotations(folder)]
    has_others = annotated or any(source.files for source in located.values())
    for tool_folder in annotated if has_others else of_tools:
        key = tool_folder.key
        if key not in located:
            located[key] = as_located(tool_folder)
        elif not located[key].files:  # the root is named after a built-in source
            problem = tool_folder.problem or f"{key} is the name of a built-in source; rename the folder"
            located[key] = replace(as_located(tool_folder), problem=problem)
    for path, why in listing.left_out.items():
        if why.startswith(NOT_LISTED):
            top, _, _ = path.partition("/")
            affected = [located[key] for key in sources.keys() if sources.folder(key) == top and located[key].files]
            for each in affected or [Located(path, user_data.source_without_files(path), None)]:
                located[each.key] = replace(each, problem=f"{path}: {why}; check its permissions", unreadable=True)
    return [located[key] for key in sorted(located)]


def may_have_annotations(folder: user_data.Folder) -> bool:
    """Whether the format of a folder of an annotation tool can annotate anything: plain text cannot."""
    return bool(form_named(folder.files.form.user_form).layers)


def as_located(folder: user_data.Folder) -> Located:
    return Located(
        folder.key, folder.source, folder.files, folder.problem, trace=folder.trace, settings=folder.settings
    )


def user_source(located: Located) -> UserSource | None:
    """The description of a user's own data; None for another source, and if it cannot be read."""
    names = {file.name.rpartition("/")[2] for file in located.settings}
    if located.files is None or knowledge_data.FILE in names:
        return None
    if located.files.form.user_form:
        title = form_named(located.files.form.user_form).title
    elif user_data.SCHEMA in names:
        title = "IEPile's unified format"
    else:
        return None
    return UserSource(title, located.source.lang_is_guess)


def user_sources(located: Iterable[Located]) -> dict[str, UserSource]:
    """Key → description, of the sources of users' own data."""
    described = ((each.key, user_source(each)) for each in located)
    return {key: about for key, about in described if about}


def select(all_sources: Sequence[Located], wanted: Sequence[str], data_root: str) -> list[Located]:
    """The sources to build, sorted by key: the keys `wanted`, or all sources with files below the data root.

    Raises ConfigError for an unknown key, and if no source has files.
    """
    located = {source.key: source for source in all_sources}
    unknown = [key for key in wanted if key not in located]
    if unknown:
        hint = did_you_mean(unknown[0], located) or "python -m pipelines.sources lists all sources"
        raise ConfigError(f"no source is called {unknown[0]!r}; {hint}")
    chosen = [s for key, s in located.items() if (key in wanted if wanted else s.files or s.unreadable)]
    if not chosen:
        raise ConfigError(
            f"{data_root}: contains no source; `ieforge inspect` says why of each file, "
            "and `ieforge sources` lists the built-in sources"
        )
    return chosen
