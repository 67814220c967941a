"""The beginning of a file, by which its format is recognised."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from schemas.errors import BadRecord, SourceError
from transforms.files import File
from transforms.formats import json_rows

LINES = 200
"""Lines that are looked at."""

ROWS = 20
"""JSON values that are looked at."""


@dataclass(frozen=True)
class Head:
    """The beginning of `file`, read when it is asked for. Raises MachineError if the file cannot be opened."""

    file: File

    @property
    def suffix(self) -> str:
        """The end of the name in lower case, such as `.json`."""
        name = self.file.name.rpartition("/")[2]
        return f".{name.rpartition('.')[2].lower()}" if "." in name else ""

    @cached_property
    def lines(self) -> list[str]:
        """The first lines without their line ends; none if the file is not text."""
        try:
            return self.file.first_lines(LINES)
        except SourceError:
            return []

    @cached_property
    def rows(self) -> list:
        """The first values of an array or of lines of JSON, or the only value; none if the file contains no JSON."""
        if not next((line for line in self.lines if line.strip()), "").lstrip().startswith(("[", "{")):
            return []
        try:
            rows = islice(json_rows.read([self.file], lambda place, row: row, object), ROWS)
            return [row for row in rows if not isinstance(row, BadRecord)]
        except SourceError:
            return []
