"""JSON objects in one array or one a line, whichever a file is → (place, object) or BadRecord."""

from collections.abc import Callable, Iterable, Iterator

from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_values, jsonl


def read(
    files: Iterable[File], to_example: Callable[[str, object], RawExample | BadRecord], row_type: type = dict
) -> Iterator[RawExample | BadRecord]:
    """Every object as `row_type` through `to_example(place, row)`: a file that opens with `[` is read by `json_values`,
    any other by `jsonl`.
    """
    for file in files:
        start = next((line for _, line in file.lines() if line.strip()), "").lstrip()
        layout = json_values if start.startswith("[") else jsonl
        yield from layout.read([file], to_example, row_type)
