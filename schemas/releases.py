"""The files that describe a release: `release.json` and `rebuild/sources.json`.

`pipelines.release` writes both. `pipelines.release`, `pipelines.diff` and `pipelines.rebuild` read them, possibly from
untrusted authors. Unknown keys of `release.json` are ignored: a release may come from another version of IEForge, and
every version must be able to replace its files.
"""

import msgspec

from schemas.manifests import Count, Inside, Sha256, Stored

MARKER = "release.json"
"""The file with the list of files of a release: a later release may replace or delete only these."""


class SourceTerms(msgspec.Struct, frozen=True):
    """The terms under which a source is published. `licence` is its class."""

    title: str
    licence: str
    licence_text: str


class FileInRelease(msgspec.Struct, frozen=True):
    """`size` in bytes."""

    size: Count
    sha256: Sha256


class ReleaseRecord(msgspec.Struct, frozen=True):
    """`release.json`. `ieforge`: version of IEForge. `build`: fingerprint of the card of the build. `sources`: by key.
    `left_out`: key → reason. `files`: by path, all except `release.json`.
    """

    ieforge: str
    build: str
    sources: dict[str, SourceTerms]
    left_out: dict[str, str]
    files: dict[Inside, FileInRelease]


class RowDigest(Stored, frozen=True):
    """Number and SHA-256 of rows, in order (`pipelines.release.contents.row_digests`)."""

    rows: Count
    sha256: Sha256


class HoldOutSettings(Stored, frozen=True):
    """The settings `hold_out.labels` and `hold_out.themes` that hold out of a source what the build held out of it."""

    labels: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


class SourceLeftOut(Stored, frozen=True):
    """A source in `rebuild/sources.json`. `get`: how to obtain its files. `needs`: keys of the sources whose test
    splits decided which of its texts were dropped. `files`: path below the data root → SHA-256, including the files of
    `needs`. `command`: the command that rebuilds it. `rows`: by TASK/SPLIT. `hold_out`: what is held out of it.
    """

    title: str
    licence: str
    licence_text: str
    get: str
    needs: tuple[str, ...]
    files: dict[str, Sha256]
    command: str
    rows: dict[str, RowDigest]
    hold_out: HoldOutSettings = HoldOutSettings()
