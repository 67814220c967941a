"""What a release says of how to rebuild the sources that it left out: a stranger may have written it.

All is looked at before anything is built. The files lie in the release, are files and not too large; the raw files lie
below the data root; the recipe names no file, and no model that is not trusted.
"""

import os
import posixpath
import re
from collections.abc import Iterator
from typing import TypedDict

from hard_negatives import embed
from pipelines import config
from pipelines.manifests import INSIDE, Count, Sha256
from pipelines.release import MARKER, Marker
from schemas.errors import ConfigError, quoted
from transforms import files

FOLDER = "rebuild"
SOURCES, RECIPE = f"{FOLDER}/sources.json", f"{FOLDER}/recipe.yaml"
PROMPTS, DICTIONARIES = f"{FOLDER}/prompts.yaml", f"{FOLDER}/hard_negatives"

MOST_BYTES = 1 << 28
"""Of the files by which sources are rebuilt, together. Label names and scores of the largest known sets take 1 %."""

MOST_YAML_BYTES = 1 << 20
"""Of a YAML file: reading one takes a second a megabyte."""


class Rows(TypedDict):
    rows: Count
    sha256: Sha256


class LeftOut(TypedDict):
    """A source that a release left out. `files`: path below the data root → SHA-256; `rows`: TASK/SPLIT → digest."""

    needs: list[str]
    files: dict[str, Sha256]
    rows: dict[str, Rows]


def read(folder: str, trust: bool) -> tuple[Marker, dict[str, LeftOut], config.Config]:
    """(`release.json`, the sources left out by key, the settings of the build) of the release in `folder`.

    `trust`: whether the recipe may name models. Raises ConfigError for what is damaged, half-written or could do more
    than rebuild rows.
    """
    if "://" in folder:
        raise ConfigError(f"{folder}: copy the release to this machine to rebuild from it")
    if not os.path.lexists(f"{folder}/{SOURCES}"):
        raise ConfigError(f"{folder}: no {SOURCES} in it; name the folder of a release that left sources out")
    check_files(folder)
    marker = files.read_json(f"{folder}/{MARKER}", Marker)
    for name in marker["files"]:
        if name.startswith(f"{FOLDER}/") and not files.exists(f"{folder}/{name}"):
            raise ConfigError(f"{folder}: half a release, {name} is missing; publish or copy it again")
    left_out = files.read_json(f"{folder}/{SOURCES}", dict[str, LeftOut])
    for key, about in left_out.items():
        for name in about["files"]:
            if not is_inside(name):
                raise ConfigError(
                    f"{folder}/{SOURCES}: source {quoted(key)} names {quoted(name)}, which is no path in a data root"
                )
        for other in about["needs"]:
            if not is_inside(other):
                raise ConfigError(
                    f"{folder}/{SOURCES}: source {quoted(key)} needs {quoted(other)}, which is no key of a source"
                )
    return marker, left_out, settings(f"{folder}/{RECIPE}", trust)


def check_files(folder: str) -> None:
    """Raises ConfigError for a link that leads out of the release, for what is no file, and for files too large."""
    root, total = os.path.realpath(folder), 0
    needed = {f"{folder}/{name}" for name in (MARKER, SOURCES, RECIPE)}
    for path in sorted({f"{folder}/{FOLDER}", *needed, *entries_below(f"{folder}/{FOLDER}")}):
        if not os.path.realpath(path).startswith(f"{root}/"):
            raise ConfigError(f"{path}: a link that leads out of the release; copy the release as files (cp -rL)")
        if path not in needed and os.path.isdir(path):
            continue
        if not os.path.isfile(path):
            raise ConfigError(f"{path}: missing, or no file; publish or copy the release again")
        size = os.path.getsize(path)
        total += size
        if total > MOST_BYTES or (path.endswith(".yaml") and size > MOST_YAML_BYTES):
            raise ConfigError(f"{path}: too large for what a release needs to rebuild sources; do not trust it")


def entries_below(folder: str) -> Iterator[str]:
    """The paths of all files and folders; links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        yield from (f"{parent}/{name}" for name in (*folders, *names))


def is_inside(name: str) -> bool:
    """Whether a name is the plain path of something below a folder."""
    return name == posixpath.normpath(name) and re.search(INSIDE, name) is not None


def settings(path: str, trust: bool) -> config.Config:
    """The settings in a release's recipe."""
    given = config.read_recipe(path)
    found = config.check(given)
    mined = found.mine
    models = {"mine.embedding_model": mined.embedding_model, "tokens.tokenizer": found.tokens.tokenizer}
    named = {
        "data_root": found.data_root,
        "mine.hard_negatives": None if mined.hard_negatives in ("mine", "none") else mined.hard_negatives,
        "mine.cache": mined.cache,
        "instruct.prompts": found.instruct.prompts,
    }
    for setting, value in named.items():
        if value is not None:
            place = given.place(*setting.split("."))
            raise ConfigError(f"{place}{setting} is {value!r}; a release's recipe may name no file outside {FOLDER}/")
    for setting, value in models.items():
        if value not in (None, embed.LEXICAL) and not trust:
            place = given.place(*setting.split("."))
            raise ConfigError(f"{place}{setting} is {value!r}, a model of the writer's choice; --trust to load it")
    return found
