"""A build's folder: where manifests, shards, label sets and the configuration lie in it, and their typed readers.

`build_dictionaries` has those of hard_negatives/, `build_reports` those of reports/: a change there then does not count
as one of the stages that come before.

Readers raise MachineError where a file is missing, and ConfigError, with the path of the key that differs, for one that
is damaged or that another version of IEForge wrote.
"""

from dataclasses import dataclass

from pipelines import config
from schemas import manifests
from schemas.errors import ConfigError
from schemas.label import LabelSet
from schemas.manifests import BuildRecord, Carded, Cleaned, Manifest, Result
from transforms import files

MARKER = "build.json"
"""A folder without this file was not made by a build."""

AGAIN = "run the build again"


@dataclass(frozen=True)
class Shard:
    """A shard of examples/ or clean/. `number` counts all shards in (key, split, file) order, the same in both."""

    number: int
    key: str
    split: str
    path: str


# Manifests


def read_manifest(output: str, form: type[Result]) -> Manifest[Result]:
    """The manifest of the stage that notes a `form`."""
    path = manifests.path(output, form)
    return manifests.parse(files.read_bytes(path), form, path, AGAIN)


def read_result(output: str, form: type[Result]) -> Result:
    """What the stage that notes a `form` noted."""
    return read_manifest(output, form).result


def clean_shards(output: str) -> list[tuple[Shard, int]]:
    """The shards of clean/ with their rows, in (key, split, file) order."""
    shards = read_result(output, Cleaned).shards
    return [(Shard(shard.number, shard.key, shard.split, shard.path), shard.rows) for shard in shards]


def keys_path(output: str, number: int) -> str:
    """The leakage keys of the rows of a shard of clean/."""
    return f"{output}/{Cleaned.folder}/.keys/{number:06d}.keys"


# Label sets


def label_path(output: str, task: str, key: str) -> str:
    return f"{output}/labels/{task}/{key}.json"


def read_label_set(output: str, task: str, key: str) -> LabelSet:
    return files.read_json(label_path(output, task, key), LabelSet, AGAIN)


# Configurations


def record(output: str) -> BuildRecord | None:
    """`build.json`; None where the folder was not made by a build."""
    path = f"{output}/{MARKER}"
    if not files.exists(path):
        return None
    try:
        return files.read_json(path, BuildRecord, AGAIN)
    except ConfigError:
        return None


def recorded(output: str) -> config.Config | None:
    """The configuration that the folder was last built with; None where it was not made by a build.

    Raises ConfigError where it is damaged, or of another version: the next build records its configuration anew.
    """
    made = record(output)
    return None if made is None else config.recorded(made.ieforge, f"{output}/{MARKER}", "$.ieforge")


def configuration(output: str) -> config.Config:
    """The configuration that all stages of a whole build ran with."""
    return config.recorded(read_result(output, Carded).config, manifests.path(output, Carded), "$.config")
