"""What stages note of themselves in `manifest.json`: its form, its checksum, and reading it.

`files` has the bytes of every file that the stage wrote and `sha256` their checksums as they were written. `checksum`
is that of the manifest's other content.
"""

import hashlib
import json
from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from schemas.errors import ConfigError, Reason
from schemas.example import SPLITS, TASKS
from transforms import files

Count = Annotated[int, Meta(ge=0, le=2**53)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
INSIDE = r"(?s)^(?!/|.*//|(.*/)?\.{1,2}(/|\Z)|.*[^/]{256})[^\x00]{1,4096}\Z"
"""What a path below a folder looks like: without `..`, and no longer than a file system takes it."""

Inside = Annotated[str, Meta(pattern=INSIDE)]

Split = Literal[SPLITS]
Lost = dict[Literal[tuple(map(str, Reason))], Count]
"""Reason → records."""


class Manifest(TypedDict):
    stage: str
    fingerprint: str
    files: dict[Inside, Count]
    sha256: dict[Inside, Sha256]
    checksum: Sha256


class About(TypedDict):
    """What a source is: by its licence class it is decided what may be published."""

    name: str
    licence: Literal["open", "ask", "gated"]
    licence_text: str


class SplitRead(TypedDict):
    key: str
    split: Split
    rejected: Lost
    lost: Lost
    first_rejects: list[str]
    first_lost: list[str]


class Ingested(Manifest):
    sources: dict[str, About]
    raw: dict[str, dict[str, list[tuple[str, str]]]]
    splits: list[SplitRead]
    failed: dict[str, str]
    absent: list[str]


class Shard(TypedDict):
    path: Inside
    rows: Count
    sha256: Sha256
    histograms: NotRequired[dict]


class ShardOfOneSource(Shard):
    key: str
    split: Split


class Cleaned(Manifest):
    shards: list[ShardOfOneSource]


class Labelled(Manifest):
    tasks: dict[str, list[Literal[TASKS]]]


class Asked(TypedDict):
    instructions: Count


class ShardOfOneTask(Shard):
    task: Literal[TASKS]
    split: Split
    sources: dict[str, Asked]


class Instructed(Manifest):
    shards: list[ShardOfOneTask]


class Carded(Manifest):
    config: dict[str, object]


FORMS = {"ingest": Ingested, "clean": Cleaned, "labels": Labelled, "instruct": Instructed, "card": Carded}
"""Stage → the form of its manifest, where others read more of it than every manifest has."""


def render(manifest: dict) -> str:
    """The text of a manifest file, with the checksum of all else in it."""
    return json.dumps({**manifest, "checksum": checksum(manifest)}, ensure_ascii=False, indent=1) + "\n"


def checksum(manifest: dict) -> str:
    """SHA-256 of a manifest's content but for its checksum, hex."""
    content = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def read(path: str, form: type = Manifest) -> dict | None:
    """A manifest of this form; None where there is none, or something spoilt it: its stage then counts as not ended."""
    if not files.exists(path):
        return None
    try:
        return files.read_json(path, form)
    except ConfigError:
        return None
