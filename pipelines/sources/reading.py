"""A source's files → its records with prompt labels. One barrier confines every failure to its source.

A reader reports expected problems as BadRecord and SourceError. Any other exception is turned into `Unforeseen` with
its traceback, so that it costs the source and not the build. Interrupts, lack of memory and limits of the machine are
not the source's fault and pass through.
"""

import errno
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from pipelines.sources import Form, Source
from pipelines.sources.agreement import Comparison
from schemas.errors import BadRecord, IEForgeError, SourceError
from schemas.example import RawExample
from schemas.label import Label
from transforms.files import File
from transforms.formats import json_rows, unified
from transforms.normalize import normalize

MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Errors of the operating system that do not depend on the source."""


class NoRecord(SourceError):
    """The files of a split contain neither good nor bad records."""


class Unforeseen(SourceError):
    """An unexpected exception while a source was read, that is, a bug in IEForge. `trace`: the traceback."""

    def __init__(self, message: str, trace: str):
        super().__init__(message)
        self.trace = trace


@contextmanager
def barrier():
    """Turns an unexpected exception in listing or reading a source into an `Unforeseen` with a one-line message."""
    try:
        yield
    except (IEForgeError, MemoryError):
        raise
    except Exception as error:  # broad: a file that breaks a reader must only cost its own source
        if isinstance(error, OSError) and error.errno in MACHINE:
            raise
        place = innermost_place(error)
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        line = f"{place + ': ' if place else ''}IEForge cannot read it ({what}); please report it with its traceback"
        raise Unforeseen(line, traceback.format_exc()) from error


def innermost_place(error: BaseException) -> str:
    """`file:line`, or the file that was being read when the error was raised: from the innermost frame that has one of
    them. Empty if none does.
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
    source: Source,
    form: Form,
    files: Sequence[File],
    entity_labels: Mapping[str, Label | None] | None = None,
    comparison: Comparison | None = None,
) -> Iterator[RawExample | BadRecord]:
    """The records of one split with prompt labels. `entity_labels` defaults to those of the source. `comparison`: what
    compares the annotators of each text, if the files are in the format of a tool.

    Raises SourceError if a file cannot be read, and Unforeseen like `barrier`.
    """
    labels = source.entity_labels if entity_labels is None else entity_labels
    with barrier():  # exceptions of the consumer do not pass through here
        for record in raw_records(form, files, comparison):
            if isinstance(record, RawExample):
                record = normalize(record, labels, source.relation_labels, source.event_labels, source.role_names)
            yield record


def raw_records(
    form: Form, files: Sequence[File], comparison: Comparison | None = None
) -> Iterator[RawExample | BadRecord]:
    """The records of one split with the labels of the files."""
    if comparison and form.user_form:  # its reader is `tool_records.records`
        return form.read(files, comparison=comparison)
    return form.read(files)


def has_one_record_per_line(form: Form, files: Iterable[File]) -> bool:
    """Whether every record of the files is a line of JSON, which the reader takes by itself. Raises SourceError if a
    file cannot be read.
    """
    reader = form.read.func if isinstance(form.read, partial) else form.read
    return reader in (json_rows.read, unified.read) and not any(map(json_rows.is_one_value, files))


def no_record(files: Iterable[File]) -> NoRecord:
    names = ", ".join(file.name for file in files)
    return NoRecord(f"{names}: no record in it; check whether the file is empty or in another format")
