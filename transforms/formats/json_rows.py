"""JSON objects in one array or one a line, whichever a file is → (place, object) or BadRecord."""

from collections.abc import Callable, Iterable, Iterator

from schemas.errors import BadRecord
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_values, jsonl


def read(
    files: Iterable[File], to_example: Callable[[str, object], RawExample | BadRecord], row_type: type = dict
) -> Iterator[RawExample | BadRecord]:
    """Every object through `to_example(place, row)`: as `json_values.read` where a file opens with `[`, else `jsonl`."""
    for file in files:
        start = next((line for _, line in file.lines() if line.strip()), "").lstrip()
        layout = json_values if start.startswith("[") else jsonl
        yield from layout.read([file], to_example, row_type)
