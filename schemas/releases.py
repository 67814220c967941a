"""What a release says of itself: `release.json` and `rebuild/sources.json`.

`pipelines.release` writes both; `pipelines.release`, `pipelines.diff` and `pipelines.rebuild` read them, from folders
that may come from untrusted people. A release may have been made by another version: unknown keys of `release.json`
are ignored, so that a later version can replace its files.
"""

import msgspec

from schemas.manifests import Count, Inside, Sha256, Stored

MARKER = "release.json"
"""What a release holds, in the release itself: by it a later one knows which files it may replace or delete."""


class SourceTerms(msgspec.Struct, frozen=True):
    """Under what terms a source is published. `licence` is its class."""

    title: str
    licence: str
    licence_text: str


class FileInRelease(msgspec.Struct, frozen=True):
    """`size` in bytes."""

    size: Count
    sha256: Sha256


class ReleaseRecord(msgspec.Struct, frozen=True):
    """`release.json`. `ieforge`: the version; `build`: fingerprint of the build's card; `sources`: by key; `left_out`:
    key → why; `files`: by path, all but `release.json`.
    """

    ieforge: str
    build: str
    sources: dict[str, SourceTerms]
    left_out: dict[str, str]
    files: dict[Inside, FileInRelease]


class RowDigest(Stored, frozen=True):
    """`sha256` over the rows in order (`pipelines.release.contents.row_digests`)."""

    rows: Count
    sha256: Sha256


class SourceLeftOut(Stored, frozen=True):
    """A source in `rebuild/sources.json`. `get`: where its files come from; `needs`: keys of sources whose test splits
    decided which of its texts were dropped; `files`: path below the data root → SHA-256, of those sources too;
    `command` rebuilds it; `rows`: TASK/SPLIT.
    """

    title: str
    licence: str
    licence_text: str
    get: str
    needs: tuple[str, ...]
    files: dict[str, Sha256]
    command: str
    rows: dict[str, RowDigest]
