"""The folder of a build: paths and typed readers of its manifests, shards, label sets and configuration.

`build_dictionaries` has the readers of hard_negatives/ and `build_reports` those of reports/. They are separate modules
so that a change in them does not change the fingerprints of the earlier stages.

Readers raise MachineError for a missing file, and ConfigError, with the path of the key that differs, for a file that
is damaged or was written by another version of IEForge.
"""

from dataclasses import dataclass

from pipelines import config
from schemas import manifest_file
from schemas.errors import ConfigError
from schemas.label import LabelSet
from schemas.manifest_file import Manifest
from schemas.manifests import BuildRecord, Carded, Cleaned, Result
from transforms import files

MARKER = "build.json"
"""Every build writes this file; a folder without it was not made by a build."""

REMEDY = "run the build again"
"""The last part of the error for a file of a build that cannot be read."""


@dataclass(frozen=True)
class Shard:
    """A shard of examples/ or clean/.

    `number`: its position among all shards in (key, split, file) order. A shard has the same number in both folders.
    """

    number: int
    key: str
    split: str
    path: str


# Manifests


def read_manifest(output: str, form: type[Result]) -> Manifest[Result]:
    """The manifest of the stage whose result has the type `form`."""
    path = manifest_file.path(output, form)
    return manifest_file.parse(files.read_bytes(path), form, path, REMEDY)


def read_result(output: str, form: type[Result]) -> Result:
    """The result, of type `form`, in the manifest of its stage."""
    return read_manifest(output, form).result


def clean_shards(output: str) -> list[tuple[Shard, int]]:
    """(shard, number of rows) of the shards of clean/, in (key, split, file) order."""
    shards = read_result(output, Cleaned).shards
    return [(Shard(shard.number, shard.key, shard.split, shard.path), shard.rows) for shard in shards]


def keys_path(output: str, number: int) -> str:
    """The file with the leakage keys of the rows of a shard of clean/."""
    return f"{output}/{Cleaned.folder}/.keys/{number:06d}.keys"


# Label sets


def label_path(output: str, task: str, key: str) -> str:
    return f"{output}/labels/{task}/{key}.json"


def read_label_set(output: str, task: str, key: str) -> LabelSet:
    return files.read_json(label_path(output, task, key), LabelSet, REMEDY)


# Configurations


def read_record(output: str, marker: str = MARKER) -> BuildRecord | None:
    """The content of `build.json`, or of another `marker`; None if the folder was not made by a build."""
    path = f"{output}/{marker}"
    if not files.exists(path):
        return None
    try:
        return files.read_json(path, BuildRecord, REMEDY)
    except ConfigError:
        return None


def last_configuration(output: str) -> config.Config | None:
    """The configuration of the last build into the folder; None if the folder was not made by a build.

    Raises ConfigError if the record is damaged or from another version of IEForge. The next build replaces the record.
    """
    record = read_record(output)
    return None if record is None else config.from_record(record.ieforge, f"{output}/{MARKER}", "$.ieforge")


def configuration(output: str) -> config.Config:
    """The configuration that all stages of a complete build ran with."""
    return config.from_record(read_result(output, Carded).config, manifest_file.path(output, Carded), "$.config")
