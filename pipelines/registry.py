"""A data root → the sources found below it: IEForge's own by key, and folders in IEPile's unified format."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import sources, unified
from pipelines.sources import Found, Source
from schemas.errors import ConfigError
from transforms import files
from transforms.files import File


@dataclass(frozen=True)
class Located:
    """A source that is built: its files, or the problem that there are none."""

    key: str
    source: Source
    found: Found | None
    problem: str = ""


def source_at(data_root: str, key: str) -> Source:
    """The source with this key: one of ours, else the unified folder `data_root`/`key`. This is what workers call."""
    return sources.load(key) if key in sources.keys() else unified.source_at(data_root, key)


def locate(data_root: str, wanted: Sequence[str]) -> list[Located]:
    """The sources below `data_root`, sorted by key: those `wanted`, or all that have files there.

    Raises ConfigError where `data_root` is no folder, a wanted key is unknown, or nothing is found.
    """
    if not files.exists(data_root):
        raise ConfigError(f"--data_root {data_root}: no such folder")
    listed = files.list_files(data_root)
    own = {key: below(listed, sources.folder(key)) for key in sources.keys()}
    folders = {u.key: u for u in unified.sources_below(data_root, listed)}
    unknown = [key for key in wanted if key not in own and key not in folders]
    if unknown:
        sources.load(unknown[0])
    located = []
    for key in sorted(set(wanted) or {*folders, *(key for key, found in own.items() if found)}):
        if key in folders:
            folder = folders[key]
            located.append(Located(key, folder.source, folder.found, folder.problem))
            continue
        source = sources.load(key)
        found = sources.find(source, own[key])
        problem = (
            "" if found and found.splits else f"no file of it below {data_root}/{sources.folder(key)}; {source.get}"
        )
        located.append(Located(key, source, found, problem))
    if not located:
        raise ConfigError(
            f"{data_root}: no source in it; name its folders by key ({', '.join(sources.keys())}), "
            "or put schema.json beside train.json, dev.json, test.json in IEPile's unified format"
        )
    return located


def below(listed: Sequence[File], key: str) -> list[File]:
    """The files below folder `key`, named from there."""
    prefix = f"{key}/"
    return [File(file.path, file.name.removeprefix(prefix)) for file in listed if file.name.startswith(prefix)]


def remarks(data_root: str, located: Sequence[Located]) -> list[str]:
    """One line for each file group that is left unread: other forms of a source, files of no split, instructions."""
    lines = [
        f"note: {file.name}: left out, its rows are instructions already"
        for file in unified.instruction_files(files.list_files(data_root))
    ]
    for source in located:
        for what, group in (("in another form", "ignored"), ("whose split nothing tells", "unassigned")):
            names = [file.name for file in getattr(source.found, group, ())]
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(f"note: {source.key}: left out {', '.join(names[:3])}{more} ({what})")
    return lines
