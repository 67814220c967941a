"""The part of a release that describes how to rebuild the sources left out. It may come from an untrusted author.

Everything is checked before anything is built: files must be regular files inside the release and not too large, raw
files must be below the data root, and the recipe may not name a file, nor a model unless it is trusted.
"""

import os
import posixpath
import re
from collections.abc import Collection, Iterator

from hard_negatives import contrast_file, embed
from pipelines import build_folder, build_reports, config, sources
from pipelines.describe import shell
from pipelines.release import contents
from schemas import json_values, key_list
from schemas.errors import ConfigError, quoted
from schemas.manifests import INSIDE, Ingested
from schemas.releases import MARKER, HoldOutSettings, ReleaseRecord, SourceLeftOut
from transforms import files, yaml_values

FOLDER = "rebuild"
SOURCES, RECIPE = f"{FOLDER}/sources.json", f"{FOLDER}/recipe.yaml"
PROMPTS, DICTIONARIES = f"{FOLDER}/prompts.yaml", f"{FOLDER}/hard_negatives"
CONTRASTS = f"{FOLDER}/contrasts.json"

AGAIN = "publish or copy the release again"

BEFORE = {"instruct": {"order": "shuffled"}}
"""What builds did before the settings existed. A recipe names all settings of its time, so it lacks only later ones."""

MOST_BYTES = 1 << 28
"""Limit for all files of `rebuild/` together. Label names and scores of the largest known datasets take 1 % of it."""

MOST_YAML_BYTES = 1 << 20
"""Limit for a YAML file, since reading takes one second per megabyte."""


def recipe_texts(output: str, left_out: Collection[str]) -> dict[str, str]:
    """Name → text of the release files that describe how to rebuild the sources `left_out` of the build in `output`.

    `rebuild/sources.json` lists for each source the raw files with their SHA-256, the command, and the expected rows;
    `rebuild/recipe.yaml` contains the settings, `rebuild/hard_negatives/` the dictionaries of the build (label names,
    no text of a source), so that rows do not depend on an embedding model, and `rebuild/contrasts.json` the entries of
    the sources in `mine.contrasts`. Empty if nothing is left out.
    """
    if not left_out:
        return {}
    config = build_folder.configuration(output)
    ingested = build_folder.read_result(output, Ingested)
    statistics = build_reports.read_statistics(output)
    leakage, held_out = statistics.leakage, statistics.held_out
    digests = contents.row_digests(output, left_out)
    described = {}
    for key in sorted(left_out):
        about = ingested.sources[key]
        into = {
            other
            for split in ("train", "validation")
            for other, texts in leakage.get(f"{key}/{split}", {}).items()
            if texts.equal or config.clean.partial_leaks == "drop"
        }
        needs = tuple(sorted(into - {key}))
        described[key] = SourceLeftOut(
            title=about.title,
            licence=about.licence,
            licence_text=about.licence_text,
            get=sources.load(key).get if key in sources.keys() else "the files of the publisher of this release",
            needs=needs,
            files={name: checksum for one in (key, *needs) for name, checksum in raw_files(ingested, one).items()},
            command=shell.command(["python", "-m", "pipelines.rebuild", *rebuild_flags(key)]),
            rows=digests[key],
            hold_out=HoldOutSettings(
                tuple(f"{layer}/{name}" for layer, names in held_out.labels.get(key, {}).items() for name in names),
                (held_out.themes[key],) if key in held_out.themes else (),
            ),
        )
    settings = config.model_dump(mode="json", exclude={"data_root", "sources", "hold_out", "tokens"})
    settings["mine"] |= {"hard_negatives": "none", "embedding_model": None, "pin": {}, "forbid": {}, "cache": None}
    settings["mine"] |= {"contrasts": None, "confusions": None}
    settings["instruct"] |= {"prompts": None}
    texts = {
        SOURCES: json_values.render(described),
        RECIPE: yaml_values.render(settings),
    }
    if config.instruct.prompts:
        texts[PROMPTS] = files.read_text(config.instruct.prompts)
    if config.mine.contrasts:
        entries = contrast_file.read(config.mine.contrasts)
        texts[CONTRASTS] = contrast_file.render({key: entry for key, entry in entries.items() if key[1] in left_out})
    for file in files.list_files(f"{output}/hard_negatives"):
        if file.name.partition("/")[2].removesuffix(".json") in left_out:
            texts[f"{DICTIONARIES}/{file.name}"] = files.read_text(file.path)
    return texts


def rebuild_flags(key: str) -> list[str]:
    return ["--release", ".", "--sources", key_list.join([key]), "--data_root", "RAW", "--output", "DIR"]


def raw_files(ingested: Ingested, key: str) -> dict[str, str]:
    """Path below a data root → SHA-256 of the source's raw files, as the build read them."""
    folder = sources.folder(key) if key in sources.keys() else key
    return {f"{folder}/{name}": checksum for group in ingested.raw[key].values() for name, checksum in sorted(group)}


def read(folder: str, trust: bool) -> tuple[ReleaseRecord, dict[str, SourceLeftOut], config.Config]:
    """(`release.json`, the sources left out by key, the settings of the build) of the release in `folder`.

    `trust`: whether the recipe may name models. Raises ConfigError if the release is damaged or incomplete, or could do
    more than rebuild rows.
    """
    if "://" in folder:
        raise ConfigError(f"{folder}: copy the release to this machine to rebuild from it")
    if not os.path.lexists(f"{folder}/{SOURCES}"):
        raise ConfigError(f"{folder}: no {SOURCES} in it; pass the folder of a release that left sources out")
    check_files(folder)
    record = files.read_json(f"{folder}/{MARKER}", ReleaseRecord, AGAIN)
    for name in record.files:
        if name.startswith(f"{FOLDER}/") and not files.exists(f"{folder}/{name}"):
            raise ConfigError(f"{folder}: incomplete release, {name} is missing; publish or copy it again")
    left_out = files.read_json(f"{folder}/{SOURCES}", dict[str, SourceLeftOut], AGAIN)
    for key, about in left_out.items():
        for name in about.files:
            if not is_inside(name):
                raise ConfigError(
                    f"{folder}/{SOURCES}: source {quoted(key)} names {quoted(name)}, which is not a path in a data root"
                )
        for other in about.needs:
            if not is_inside(other):
                raise ConfigError(
                    f"{folder}/{SOURCES}: source {quoted(key)} needs {quoted(other)}, which is not a key of a source"
                )
    return record, left_out, settings(f"{folder}/{RECIPE}", trust)


def check_files(folder: str) -> None:
    """Raises ConfigError for a link out of the release, an entry that is not a regular file, and files too large."""
    root, total = os.path.realpath(folder), 0
    needed = {f"{folder}/{name}" for name in (MARKER, SOURCES, RECIPE)}
    for path in sorted({f"{folder}/{FOLDER}", *needed, *entries_below(f"{folder}/{FOLDER}")}):
        if not os.path.realpath(path).startswith(f"{root}/"):
            raise ConfigError(f"{path}: a link that leads out of the release; copy the release as files (cp -rL)")
        if path not in needed and os.path.isdir(path):
            continue
        if not os.path.isfile(path):
            raise ConfigError(f"{path}: missing or not a regular file; publish or copy the release again")
        size = os.path.getsize(path)
        total += size
        if total > MOST_BYTES or (path.endswith(".yaml") and size > MOST_YAML_BYTES):
            raise ConfigError(f"{path}: larger than any release needs; do not trust this release")


def entries_below(folder: str) -> Iterator[str]:
    """The paths of all files and folders; links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        yield from (f"{parent}/{name}" for name in (*folders, *names))


def is_inside(name: str) -> bool:
    """Whether a name is a normalised relative path that stays inside its folder."""
    return name == posixpath.normpath(name) and re.search(INSIDE, name) is not None


def settings(path: str, trust: bool) -> config.Config:
    """The settings in the recipe of a release. Raises ConfigError if it names a file, or a model without `trust`."""
    recipe = config.read_recipe(path).over(BEFORE)
    checked = config.check(recipe)
    mine = checked.mine
    models = {"mine.embedding_model": mine.embedding_model, "tokens.tokenizer": checked.tokens.tokenizer}
    paths = {
        "data_root": checked.data_root,
        "mine.hard_negatives": None if mine.hard_negatives in ("mine", "none") else mine.hard_negatives,
        "mine.cache": mine.cache,
        "mine.contrasts": mine.contrasts,
        "mine.confusions": mine.confusions,
        "instruct.prompts": checked.instruct.prompts,
    }
    for setting, value in paths.items():
        if value is not None:
            place = recipe.place(*setting.split("."))
            raise ConfigError(
                f"{place}{setting} is {value!r}; the recipe of a release may not name a file outside {FOLDER}/"
            )
    for setting, value in models.items():
        if value not in (None, embed.LEXICAL) and not trust:
            place = recipe.place(*setting.split("."))
            raise ConfigError(
                f"{place}{setting} is {value!r}, a model chosen by the author of the release; pass --trust to load it"
            )
    return checked
