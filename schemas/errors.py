"""What can go wrong, classed by consequence: errors stop a build or a source, rejects lose one record."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schemas.label import UnknownLabel


class IEForgeError(Exception):
    """One line for the user: what is wrong, where (`file:line`), what to do. `exit_code` is the process's.

    `args` are the line and, where the error has several reasons, a line for each: a name may hold a line end.
    """

    exit_code = 1

    def __str__(self) -> str:
        return "\n".join(self.args)


class MachineError(IEForgeError):
    """The machine refuses: no permission, a full disk, a missing library."""

    exit_code = 1


class ConfigError(IEForgeError):
    """A flag, a recipe or a file that the user names is wrong; nothing was built."""

    exit_code = 2


class SourceError(IEForgeError):
    """One source cannot be read; the others go on, and the build ends with this exit code."""

    exit_code = 3


class SuiteError(IEForgeError):
    """A validation suite failed; the build stops before its card is written."""

    exit_code = 4


class PublishError(IEForgeError):
    """A build that may not be published as asked."""

    exit_code = 5


def printable(text: str) -> str:
    """`text` as one line that a terminal shows and does not obey: control characters (line ends and escape sequences
    begin with one), bidirectional controls and lone surrogates stand escaped, as in `\\x1b`.
    """
    return UNPRINTABLE.sub(lambda character: ascii(character[0])[1:-1], text)


UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def quoted(value: object) -> str:
    """`value` as an error quotes it: its `repr`, cut where that is long."""
    text = repr(value)
    return text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}..."


QUOTED_CHARS = 200


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint that an error about an unknown name ends with, `did you mean seed, set?`; empty where none is near."""
    import difflib

    near = difflib.get_close_matches(name, list(known), 3)
    return f"did you mean {', '.join(near)}?" if near else ""


class Reason(StrEnum):
    """Why a record was dropped. The first group is bad input and counts towards `max_reject_rate`."""

    NOT_UTF8 = "not_utf8"
    BROKEN_JSON = "broken_json"
    BROKEN_RECORD = "broken_record"  # the file format's own grammar is violated
    WRONG_COLUMNS = "wrong_columns"
    MISSING_FIELD = "missing_field"
    EMPTY_TEXT = "empty_text"
    OFFSET_MISMATCH = "offset_mismatch"
    UNKNOWN_LABEL = "unknown_label"
    MENTION_NOT_IN_TEXT = "mention_not_in_text"

    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    SAME_TEXT = "same_text"  # rows of one text that annotate different things
    SAME_TEXT_UNITED = "same_text_united"  # such a row, taken up by the first of them
    LEAKAGE = "leakage"
    LOW_QUALITY = "low_quality"
    UNANNOTATED = "unannotated"  # a train or validation text whose annotations are unknown
    ONE_PAIR_UNITED = "one_pair_united"

    @property
    def is_rule(self) -> bool:
        """A drop that a rule asks for, as opposed to bad input."""
        return self in (
            Reason.DUPLICATE,
            Reason.CONTRADICTION,
            Reason.SAME_TEXT,
            Reason.SAME_TEXT_UNITED,
            Reason.LEAKAGE,
            Reason.LOW_QUALITY,
            Reason.UNANNOTATED,
            Reason.ONE_PAIR_UNITED,
        )


SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED_BYTE = range(0xDC80, 0xDD00)
"""What stands for the bytes 0x80 to 0xff where they are no UTF-8 (Python's `surrogateescape`)."""


def writable(text: str) -> str:
    r"""`text` as UTF-8 can hold it: a byte that was none as `\xe9`, any other lone surrogate as `\ud83d`."""

    def shown(surrogate: re.Match[str]) -> str:
        code = ord(surrogate[0])
        return f"\\x{code & 0xFF:02x}" if code in ESCAPED_BYTE else f"\\u{code:04x}"

    return SURROGATE.sub(shown, text)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What a reader yields in place of a record that it cannot read. `place` is `file:line`.

    `unknown`: where only a part of the record is lost, the labels of that part, as the file has them: what else of them
    the text has is known, but not all of it.

    It quotes files whose bytes, and whose names, need not be UTF-8, and is written into tables: see `writable`.
    """

    place: str
    reason: Reason
    detail: str
    unknown: tuple[UnknownLabel, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", writable(self.place))
        object.__setattr__(self, "detail", writable(self.detail))


@dataclass(frozen=True, slots=True)
class Reject:
    """One lost record, kept under `rejects/`. `id` is empty where the record never became an Example."""

    stage: str
    source: str
    split: str
    id: str
    place: str
    reason: Reason
    detail: str
