"""Elements of a pipeline → one list, or one sorted JSON file, from which the driver reads the workers' results.

Beam's CombineGlobally takes eight steps and a side input for a list (see `distribute` for what a step costs).
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import apache_beam as beam
import msgspec

from transforms import files

Value = TypeVar("Value")


class Gather(beam.PTransform):
    """All elements → one list, in any order; nothing if there is no element."""

    def expand(self, pcoll):
        return pcoll | "Key" >> beam.Map(keyed) | beam.GroupByKey() | "List" >> beam.MapTuple(values)


def keyed(value: Any) -> tuple[None, Any]:
    return None, value


def values(key: None, elements: Iterable[Value]) -> list[Value]:
    return list(elements)


class WriteSummary(beam.PTransform):
    """Writes all elements to a JSON list at `path`, sorted by their JSON text; an empty list if there is no element.

    The elements must be few, small and of one type, for instance one per shard.
    """

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def expand(self, pcoll):
        lines = pcoll | "Encode" >> beam.Map(encode).with_output_types(str)
        first = pcoll.pipeline | beam.Impulse() | "First" >> beam.Map(no_line).with_output_types(str)
        return (lines, first) | beam.Flatten() | Gather() | "Write" >> beam.Map(write, self.path)


def no_line(_: bytes) -> str:
    """An element that is no line, so that the file is written even if there are none."""
    return ""


def encode(value: Any) -> str:
    """JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted").decode()


def write(lines: list[str], path: str) -> None:
    files.write_text(path, "[" + ",\n".join(sorted(filter(None, lines))) + "]\n")


def read(path: str, form: type[Value]) -> list[Value]:
    """The elements, of type `form`, that WriteSummary wrote to `path`. Raises ConfigError for a damaged file."""
    return files.read_json(path, list[form], "run the build again")
