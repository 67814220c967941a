"""Tables, as tab-separated rows without quotes or as CSV with quotes and a header → (place, columns)."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from schemas.errors import BadRecord, Reason
from transforms.files import File


def tab_rows(files: Iterable[File], columns: int) -> Iterator[tuple[str, list[str]] | BadRecord]:
    """The columns of every line that is not blank; a line with another number of columns is a BadRecord."""
    for file in files:
        for number, line in file.lines():
            if not line.strip():
                continue
            place, row = f"{file.name}:{number}", line.split("\t")
            if len(row) == columns:
                yield place, row
            else:
                detail = f"{len(row)} tab-separated columns, not {columns}, in {line[:80]!r}"
                yield BadRecord(place, Reason.WRONG_COLUMNS, detail)


def csv_rows(files: Iterable[File], columns: Sequence[str]) -> Iterator[tuple[str, list[str]] | BadRecord]:
    """The named columns of every row, in this order (RFC 4180 with a header). The place is the first line of the row.

    If the header lacks one of them, the file is one BadRecord. A row is a BadRecord if its length differs from that of
    the header, or if the csv module refuses it (a field of more than 131,072 characters, a bare carriage return).
    """
    for file in files:
        table = csv.reader(f"{line}\n" for _, line in file.lines())
        try:
            header = next(table, [])
        except csv.Error as error:
            yield BadRecord(f"{file.name}:1", Reason.WRONG_COLUMNS, f"the header cannot be read: {error}")
            continue
        missing = [name for name in columns if name not in header]
        if missing:
            yield BadRecord(f"{file.name}:1", Reason.WRONG_COLUMNS, f"the header has no column {missing[0]!r}")
            continue
        at = [header.index(name) for name in columns]
        line = table.line_num + 1
        while True:
            place = f"{file.name}:{line}"
            try:
                row = next(table)
            except StopIteration:
                break
            except csv.Error as error:
                line = table.line_num + 1
                yield BadRecord(place, Reason.WRONG_COLUMNS, f"{error}; is a quote missing?")
                continue
            line = table.line_num + 1
            if len(row) == len(header):
                yield place, [row[index] for index in at]
            elif row:
                detail = f"{len(row)} columns, not {len(header)} as in the header; is a quote missing?"
                yield BadRecord(place, Reason.WRONG_COLUMNS, detail)
