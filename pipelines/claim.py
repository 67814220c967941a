"""The output folder of a build: checks that it may be written to, and a lock against other builds."""

import fcntl
import os
from collections.abc import Iterable
from contextlib import contextmanager

from pyarrow.fs import LocalFileSystem
from pydantic import BaseModel

from pipelines import build_folder
from pipelines.build_folder import MARKER
from schemas import json_values
from schemas.errors import ConfigError
from schemas.manifests import BuildRecord
from transforms import files


def check(output: str, folders: Iterable[str], inputs: Iterable[str], marker: str = MARKER) -> None:
    """Checks the folder `output` before a build writes to it. `marker`: as in `write_record`.

    Raises ConfigError if it is not empty and was not made by a build, or if one of the `inputs` is inside one of the
    stages' `folders`, because a stage empties its folders before it runs.
    """
    if files.exists(output) and build_folder.read_record(output, marker) is None and files.list_files(output):
        raise ConfigError(
            f"{output}: not empty and not made by a build (no {marker}); choose a new folder with --output"
        )
    _, root = files.filesystem(output)
    for path in inputs:
        _, inner = files.filesystem(path)
        for folder in folders:
            if f"{inner}/".startswith(f"{root}/{folder}/"):
                raise ConfigError(
                    f"{path}: is inside {output}/{folder}/, which the build empties; "
                    "move the file or choose another --output"
                )


@contextmanager
def claimed(output: str):
    """Locks the folder against other builds until the end of the block.

    Raises ConfigError if another build has locked it. Only local folders are locked.
    """
    files.create_folder(output)
    system, root = files.filesystem(output)
    if not isinstance(system, LocalFileSystem):
        yield
        return
    with files.machine_errors(output), open(f"{root}/.lock".encode(), "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigError(
                f"{output}: process {lock.read()} is building into this folder; wait, or choose another --output"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        files.remove_temporaries(output)
        yield


def write_record(output: str, config: BaseModel, marker: str = MARKER) -> None:
    """Records the configuration in the file that marks the folder: `build.json`, or another `marker`.

    Call it when nothing can refuse the build any more, and before its first file.
    """
    text = json_values.render(BuildRecord(config.model_dump(mode="json")))
    files.write_text(f"{output}/{marker}", text)
