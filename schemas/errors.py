"""Errors, which stop a build or a source, and rejects, which drop one record."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schemas.label import UnknownLabel


class IEForgeError(Exception):
    """One line for the user: what is wrong, where (`file:line`), what to do. `exit_code` is that of the process.

    `args` are this line and, if the error has several reasons, one string per reason. They are separate strings because
    a name in them may contain a line break.
    """

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(self.args)


class MachineError(IEForgeError):
    """A problem of the machine, such as a missing permission, a full disk or a missing library."""

    exit_code = 1


class ConfigError(IEForgeError):
    """A flag, a recipe or a file given by the user is wrong; nothing was built."""

    exit_code = 2


class SourceError(IEForgeError):
    """One source cannot be read. The build continues with the others and ends with this exit code."""

    exit_code = 3


class SuiteError(IEForgeError):
    """A validation suite failed. The build stops before it writes its card."""

    exit_code = 4


class PublishError(IEForgeError):
    """A build that may not be published with these options."""

    exit_code = 5


def printable(text: str) -> str:
    """`text` as one line that is safe to print on a terminal: control characters (including line breaks and the start
    of escape sequences), bidirectional controls and lone surrogates are escaped, such as `\\x1b`.
    """
    return UNPRINTABLE.sub(lambda character: ascii(character[0])[1:-1], text)


UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def quoted(value: object) -> str:
    """The `repr` of `value` for an error message, cut to QUOTED_CHARS."""
    text = repr(value)
    return text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}..."


QUOTED_CHARS = 200


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint of an error about an unknown name: `did you mean seed, set?`; empty if no known name is similar."""
    import difflib

    near = difflib.get_close_matches(name, list(known), 3)
    return f"did you mean {', '.join(near)}?" if near else ""


def names_hint(name: str, known: Iterable[str]) -> str:
    """The hint of an error about an unknown name: similar known names, or else the first ten of all known names."""
    names = sorted(known)
    return did_you_mean(name, names) or f"known: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}"


class Reason(StrEnum):
    """Why a record was dropped. The reasons of the first group mean bad input and count towards `max_reject_rate`."""

    NOT_UTF8 = "not_utf8"
    BROKEN_JSON = "broken_json"
    BROKEN_RECORD = "broken_record"  # the file format's own grammar is violated
    WRONG_COLUMNS = "wrong_columns"
    MISSING_FIELD = "missing_field"
    EMPTY_TEXT = "empty_text"
    OFFSET_MISMATCH = "offset_mismatch"
    UNKNOWN_LABEL = "unknown_label"
    MENTION_NOT_IN_TEXT = "mention_not_in_text"

    IGNORED_ANNOTATION = "ignored_annotation"  # of a kind that information extraction does not use, such as notes
    NOT_CHOSEN = "not_chosen"  # of several annotations of a text, see `annotators` in source.yaml
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    SAME_TEXT = "same_text"  # rows with the same text and different annotations
    SAME_TEXT_UNITED = "same_text_united"  # such a row, merged into the first of them
    LEAKAGE = "leakage"
    CONTAINED_LEAK = "contained_leak"  # lies within a test text, or contains one
    NEAR_LEAK = "near_leak"  # similar to a test text
    LOW_QUALITY = "low_quality"
    UNANNOTATED = "unannotated"  # a train or validation text whose annotations are unknown
    ONE_PAIR_UNITED = "one_pair_united"

    @property
    def is_rule(self) -> bool:
        """Whether a cleaning rule dropped the record, as opposed to bad input."""
        return self in (
            Reason.IGNORED_ANNOTATION,
            Reason.NOT_CHOSEN,
            Reason.DUPLICATE,
            Reason.CONTRADICTION,
            Reason.SAME_TEXT,
            Reason.SAME_TEXT_UNITED,
            Reason.LEAKAGE,
            Reason.CONTAINED_LEAK,
            Reason.NEAR_LEAK,
            Reason.LOW_QUALITY,
            Reason.UNANNOTATED,
            Reason.ONE_PAIR_UNITED,
        )


SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED_BYTE = range(0xDC80, 0xDD00)
"""The code points for bytes 0x80 to 0xff that are not valid UTF-8 (Python's `surrogateescape`)."""


def writable(text: str) -> str:
    r"""`text` with lone surrogates escaped: those of bytes that were not UTF-8 as `\xe9`, others as `\ud83d`."""

    def escape(surrogate: re.Match[str]) -> str:
        code = ord(surrogate[0])
        return f"\\x{code & 0xFF:02x}" if code in ESCAPED_BYTE else f"\\u{code:04x}"

    return SURROGATE.sub(escape, text)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What a reader yields instead of a record that it cannot read. `place` is `file:line`.

    `unknown`: if only a part of the record is lost, the labels of that part, as written in the file. The annotations of
    these labels are then incomplete for the text.

    `group`: what decides the split of the record in a source without official splits, as of a text: its document, or
    the text itself. Empty if the record has no readable text.

    `place` and `detail` quote files whose content and names need not be UTF-8. Both are made `writable`, because they
    are written into tables.
    """

    place: str
    reason: Reason
    detail: str
    unknown: tuple[UnknownLabel, ...] = ()
    group: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", writable(self.place))
        object.__setattr__(self, "detail", writable(self.detail))


@dataclass(frozen=True, slots=True)
class Reject:
    """One dropped record, kept under `rejects/`. `id` is empty if the record never became an Example.

    `twin`: id of the Example that it repeats, contradicts or leaks into, if any. `record`: the beginning of what was
    read, if the record never became an Example.
    """

    stage: str
    source: str
    split: str
    id: str
    place: str
    reason: Reason
    detail: str
    twin: str = ""
    record: str = ""
