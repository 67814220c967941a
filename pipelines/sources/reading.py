"""A source's files → its records in prompt words, behind the one barrier that keeps a fault inside its source.

A reader turns what it foresees into BadRecords and SourceErrors. What nobody foresaw costs the source too, not the
build: it becomes an `Unforeseen` with its traceback. An interrupt, memory that runs out and what the machine refuses
are no fault of the source and pass through.
"""

import errno
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from pipelines.sources import Form, Source
from schemas.errors import BadRecord, IEForgeError, SourceError
from schemas.example import RawExample
from schemas.label import Label
from transforms.files import File
from transforms.normalize import normalize

MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What the operating system refuses whatever the source holds."""


class NoRecord(SourceError):
    """The files of a split hold neither a record nor a bad one."""


class Unforeseen(SourceError):
    """A fault of ours that a source brought to light. `trace` is the traceback, for a file in the output."""

    def __init__(self, message: str, trace: str):
        super().__init__(message)
        self.trace = trace


@contextmanager
def barrier():
    """Turns an exception that nobody foresaw in listing or reading a source into an `Unforeseen`, in one line."""
    try:
        yield
    except (IEForgeError, MemoryError):
        raise
    except Exception as error:  # broad: whatever a file does to a reader costs its source alone
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        place = place_of(error)
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        line = f"{place + ': ' if place else ''}IEForge cannot read it ({what}); please report it with its traceback"
        raise Unforeseen(line, traceback.format_exc()) from error


def place_of(error: BaseException) -> str:
    """`file:line` or the file that was being read when the error was raised, as the innermost frame that knows one
    has it; empty where none does.
    """
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        values = frame.f_locals
        if isinstance(values.get("place"), str):
            return values["place"]
        file = next((value for value in values.values() if isinstance(value, File)), None)
        if file is not None:
            return file.name
    return ""


def records(
    source: Source, form: Form, files: Iterable[File], entity_labels: Mapping[str, Label | None] | None = None
) -> Iterator[RawExample | BadRecord]:
    """The records of one split in prompt words; `entity_labels` are the source's unless others are given.

    Raises SourceError where a file cannot be read, Unforeseen as `barrier` does.
    """
    labels = source.entity_labels if entity_labels is None else entity_labels
    with barrier():  # what the consumer raises does not pass through here
        for record in form.read(files):
            if isinstance(record, RawExample):
                record = normalize(record, labels, source.relation_labels, source.event_labels, source.role_names)
            yield record


def no_record(files: Iterable[File]) -> NoRecord:
    names = ", ".join(file.name for file in files)
    return NoRecord(f"{names}: no record in it; is the file empty or in another format?")
