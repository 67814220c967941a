"""A data root → the sources found below it: IEForge's own by key, and folders in IEPile's unified format."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines import sources
from pipelines.sources import Source, source_files, user_data
from pipelines.sources.source_files import Found
from schemas.errors import ConfigError, MachineError
from transforms import files
from transforms.files import File
from transforms.local_tree import NOT_LISTED


@dataclass(frozen=True)
class Located:
    """A source that is built: its files, or the problem that there are none."""

    key: str
    source: Source
    found: Found | None
    problem: str = ""
    unreadable: bool = False  # its folder is there, but cannot be listed
    trace: str = ""  # the traceback of a fault that nobody foresaw
    settings: tuple[File, ...] = ()  # what says how a user's own folder is read


def source_at(data_root: str, key: str) -> Source:
    """The source that `everything` has under this key. This is what workers call.

    Raises SourceError as `unified.source_at`, for a key that is none of ours.
    """
    if key not in sources.keys():
        return user_data.source_at(data_root, key)
    if files.exists(f"{data_root}/{key}/{user_data.SCHEMA}"):
        folder = f"{data_root}/{sources.folder(key)}"
        here, _ = files.list_raw_files(folder, within=[data_root, folder]) if files.is_folder(folder) else ([], {})
        if takes_key(user_data.folder_at(data_root, key), sources.load(key), here):
            return user_data.source_at(data_root, key)
    return sources.load(key)


def takes_key(own: user_data.Folder | None, source: Source, files_of_source: Sequence[File]) -> bool:
    """Whether a user's own folder is what is read under the key of the source of ours that has the same: where its
    rows are in the unified format, or where there is no file of the other.
    """
    return own is not None and (own.has_rows or source_files.find(source, list(files_of_source)) is None)


def without_files() -> list[Located]:
    """All sources of ours, sorted by key, where no data root is given."""
    return [Located(key, sources.load(key), None) for key in sources.keys()]


@dataclass(frozen=True)
class Listing:
    """The files below a data root, listed once: a corpus of one file a document has tens of thousands.

    `folders`: name of a folder directly below the root ("" for the root's own files) → its files, named from there,
    sorted. `unreadable`: folder → why it cannot be listed, which costs its source alone. `left_out`: path from the
    root → why nothing below it is read, for what `files.list_raw_files` leaves out.
    """

    root: str
    folders: dict[str, list[File]]
    unreadable: dict[str, str]
    left_out: dict[str, str]

    def unified(self) -> list[File]:
        """The files that a folder in the unified format may hold, named from the root, sorted."""
        listed = [
            File(file.path, f"{folder}/{file.name}" if folder else file.name)
            for folder, group in self.folders.items()
            for file in group
            if file.name.rpartition("/")[2] in user_data.NAMES
        ]
        return sorted(listed, key=lambda file: file.name)


def listing(data_root: str) -> Listing:
    """What lies below the data root. Raises ConfigError where it is no folder.

    A link directly below the root may lead to a source's folder anywhere: the user put it there. One within a source's
    folder came with the dataset: it may lead where files are read anyway, not to the rest of the machine.
    """
    if not files.is_folder(data_root):
        raise ConfigError(f"--data_root {data_root}: no such folder")
    top, left_out = files.list_raw_files(data_root, recursive=False, within=[data_root])
    folders, unreadable = {"": top}, {}
    for folder in files.list_folders(data_root):
        path = f"{data_root}/{folder}"
        try:
            folders[folder], without = files.list_raw_files(path, within=[data_root, path])
        except MachineError as error:
            unreadable[folder] = str(error)
        else:
            left_out |= {f"{folder}/{name}": why for name, why in without.items()}
    return Listing(data_root, folders, unreadable, left_out)


def everything(listed: Listing) -> list[Located]:
    """All sources of ours, with or without files below the data root, and the unified folders there, sorted by key."""
    located = {}
    for key in sources.keys():
        source, folder = sources.load(key), sources.folder(key)
        found = source_files.find(source, listed.folders.get(folder, []))
        missing = listed.unreadable.get(folder, f"no file of it in {folder}/; {source.get}")
        problem = "" if found and found.splits else missing
        located[key] = Located(key, source, found, problem, folder in listed.unreadable)
    for own in user_data.sources_below(listed.root, listed.unified()):
        here = listed.folders.get(sources.folder(own.key), []) if own.key in located else []
        if own.key not in located or takes_key(own, located[own.key].source, here):
            located[own.key] = Located(
                own.key, own.source, own.found, own.problem, trace=own.trace, settings=own.settings
            )
    for path, why in listed.left_out.items():
        if why.startswith(NOT_LISTED):
            top, _, _ = path.partition("/")
            ours = [located[key] for key in sources.keys() if sources.folder(key) == top and located[key].found]
            for one in ours or [Located(path, user_data.source_without_files(path), None)]:
                located[one.key] = replace(one, problem=f"{path}: {why}; check its permissions", unreadable=True)
    return [located[key] for key in sorted(located)]


def locate(everything: Sequence[Located], wanted: Sequence[str], data_root: str) -> list[Located]:
    """The sources to build, sorted by key: those `wanted`, or all that have files below the data root.

    Raises ConfigError where a wanted key is unknown, or nothing is found.
    """
    located = {source.key: source for source in everything}
    unknown = [key for key in wanted if key not in located]
    if unknown:
        near = difflib.get_close_matches(unknown[0], located, 3)
        hint = f"did you mean: {', '.join(near)}?" if near else "see python -m pipelines.sources for all of them"
        raise ConfigError(f"no source is called {unknown[0]!r}; {hint}")
    chosen = [s for key, s in located.items() if (key in wanted if wanted else s.found or s.unreadable)]
    if not chosen:
        raise ConfigError(
            f"{data_root}: no source in it; name its folders by key (see python -m pipelines.sources), "
            "or put schema.json beside train.json, dev.json, test.json in IEPile's unified format"
        )
    return chosen
