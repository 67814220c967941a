"""The output folder of a build: whether it may be written into, and that one build at a time does so."""

import fcntl
import os
from collections.abc import Iterable
from contextlib import contextmanager

from pyarrow.fs import LocalFileSystem

from pipelines import build_folder
from pipelines.build_folder import MARKER
from pipelines.config import Config
from schemas import json_values
from schemas.errors import ConfigError
from schemas.manifests import BuildRecord
from transforms import files


def check(output: str, folders: Iterable[str], inputs: Iterable[str]) -> None:
    """Raises ConfigError for a folder that is not empty and was not made by a build, and for one with any of the
    `inputs` in a stage's `folders`: a stage empties its folders before it runs.
    """
    if files.exists(output) and build_folder.record(output) is None and files.list_files(output):
        raise ConfigError(f"{output}: not empty and not made by a build (no {MARKER}); name a new folder with --output")
    _, root = files.filesystem(output)
    for path in inputs:
        _, inner = files.filesystem(path)
        for folder in folders:
            if f"{inner}/".startswith(f"{root}/{folder}/"):
                raise ConfigError(f"{path}: lies in {output}/{folder}/, which the build empties; move it or --output")


@contextmanager
def claimed(output: str, config: Config):
    """Records the configuration and locks the folder against other builds until the block ends.

    Raises ConfigError where another build has locked it. A folder that is not local is not locked.
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
    """Writes `build.json`."""
    text = json_values.render(BuildRecord(config.model_dump(mode="json")))
    files.write_text(f"{output}/{MARKER}", text)
