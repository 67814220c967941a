"""The file of a manifest: what the engine adds to the result of a stage, its bytes and its checksum."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Generic

import msgspec

from schemas import json_values
from schemas.json_values import Count
from schemas.manifests import Cleaned, Inside, Instructed, Result, Sha256, StageResult, Stored


class Completion(Stored, frozen=True):
    """What the engine records when a stage has finished.

    `fingerprint` is a hash of everything that decides the result of the stage. `files`: path → size in bytes of every
    file that it wrote. `sha256`: path → checksum of the file as it was written. `checksum`: that of the rest of the
    manifest.
    """

    stage: str
    fingerprint: str
    files: dict[Inside, Count]
    sha256: dict[Inside, Sha256]
    checksum: Sha256


@dataclass(frozen=True)
class Manifest(Generic[Result]):
    """The two parts of a `manifest.json`."""

    completion: Completion
    result: Result


def path(output: str, form: type[StageResult]) -> str:
    """The path of the manifest with this content in a build."""
    return f"{output}/{form.folder}/manifest.json"


def parse(content: bytes, form: type[Result], path: str, remedy: str) -> Manifest[Result]:
    """The manifest in `content`, the bytes of the file `path`. Raises ConfigError as `json_values.parse` does."""
    result = json_values.parse(content, dict[str, Any], path, remedy)
    completion = {name: result.pop(name) for name in Completion.__struct_fields__ if name in result}
    return Manifest(
        json_values.convert(completion, Completion, path, remedy), json_values.convert(result, form, path, remedy)
    )


def render(stage: str, fingerprint: str, result: StageResult, sizes: dict[str, int], sha256: dict[str, str]) -> str:
    """The text of a manifest. `sizes`: path → bytes, the `files` of its `Completion`."""
    content = {"stage": stage, "fingerprint": fingerprint, **msgspec.to_builtins(result)}
    content |= {"files": sizes, "sha256": sha256}
    return json.dumps({**content, "checksum": checksum(content)}, ensure_ascii=False, indent=1) + "\n"


def checksum(content: dict[str, Any]) -> str:
    """SHA-256 of the content of a manifest without its checksum, hex."""
    content = {name: value for name, value in content.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def is_as_written(content: bytes) -> bool:
    """Whether the content of a manifest matches its checksum. The manifest must be one that `parse` accepts."""
    value = json.loads(content)
    return value["checksum"] == checksum(value)


def noted_checksums(result: StageResult) -> dict[str, str]:
    """Path → SHA-256 of the files whose checksums the stage computed while it wrote them."""
    return {shard.path: shard.sha256 for shard in result.shards} if isinstance(result, Cleaned | Instructed) else {}
