"""The output folder: whether it is a build's, that only one build at a time writes into it, what it was made with."""

import fcntl
import json
import os
from collections.abc import Iterable
from contextlib import contextmanager

from pyarrow.fs import LocalFileSystem
from pydantic import ValidationError

from hard_negatives import embed
from pipelines.config import Config
from schemas.errors import ConfigError
from transforms import files

MARKER = "build.json"
"""The resolved configuration under the key `ieforge`; a folder without it was not made by a build."""


def check(output: str, folders: Iterable[str], inputs: Iterable[str]) -> None:
    """Raises ConfigError for a folder that holds something and was not made by a build, and for one whose stage
    `folders` hold any of the `inputs`: a stage empties its folders before it runs.
    """
    if files.exists(output) and marked(output) is None and files.list_files(output):
        raise ConfigError(f"{output}: not empty and not made by a build (no {MARKER}); name a new folder with --output")
    _, root = files.filesystem(output)
    for path in inputs:
        _, inner = files.filesystem(path)
        for folder in folders:
            if f"{inner}/".startswith(f"{root}/{folder}/"):
                raise ConfigError(f"{path}: lies in {output}/{folder}/, which the build empties; move it or --output")


def marked(output: str) -> object | None:
    """What the marker records, as it stands there; None where the folder is no build's."""
    path = f"{output}/{MARKER}"
    if not files.exists(path):
        return None
    try:
        return files.read_json(path, dict).get("ieforge")
    except ConfigError:
        return None


def recorded(output: str) -> Config | None:
    """The configuration that the folder was last built with, None where it is no build's.

    Raises ConfigError where it is damaged, or that of another IEForge: the next build records its configuration anew.
    """
    content = marked(output)
    return None if content is None else settings(content, f"{output}/{MARKER}")


def settings(content: object, path: str) -> Config:
    """The configuration that `path` holds. Raises ConfigError where it is none of this IEForge's."""
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        at = ".".join(map(str, error.errors()[0]["loc"]))
        raise ConfigError(
            f"{path}: damaged, or of another IEForge ({at or 'all of it'} is not as here); run the build again"
        ) from error


@contextmanager
def claimed(output: str, config: Config):
    """Records the configuration and holds the folder against other builds until the block ends.

    Raises ConfigError where another build holds it. A folder that is not local is not locked.
    """
    files.create_folder(output)
    system, root = files.filesystem(output)
    if not isinstance(system, LocalFileSystem):
        record(output, config)
        yield
        return
    with files.machine_errors(output), open(f"{root}/.lock".encode(), "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigError(f"{output}: process {lock.read()} is building into it; wait, or name another") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        files.remove_temporaries(output)
        record(output, config)
        yield


def record(output: str, config: Config) -> None:
    files.write_text(f"{output}/{MARKER}", json.dumps({"ieforge": config.model_dump(mode="json")}, indent=1) + "\n")


def told(config: Config) -> dict:
    """The settings that differ from the defaults and decide rows, for a recipe elsewhere: of a path only the name."""
    content = config.model_dump(
        mode="json",
        exclude_defaults=True,
        exclude={"data_root": True, "sources": True, "tokens": True, "mine": {"cache", "accelerator"}},
    )
    mine, instruct = content.get("mine", {}), content.get("instruct", {})
    if mine.get("embedding_model"):
        mine["embedding_model"] = embed.called(mine["embedding_model"])
    for section, key in ((mine, "hard_negatives"), (instruct, "prompts")):
        if section.get(key):
            section[key] = section[key].rstrip("/").rpartition("/")[2]
    return {section: value for section, value in content.items() if value != {}}
