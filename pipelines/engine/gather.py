"""Elements of a pipeline → one sorted JSON file, from which the driver reads the workers' results on any runner."""

from typing import Any, TypeVar

import apache_beam as beam
import msgspec

from transforms import files

Value = TypeVar("Value")


class WriteSummary(beam.PTransform):
    """Writes all elements to a JSON list at `path`, sorted by their JSON text.

    The elements must be few, small and of one type, for instance one per shard.
    """

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def expand(self, pcoll):
        return (
            pcoll
            | "Encode" >> beam.Map(encode).with_output_types(str)
            | "Gather" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
            | "Write" >> beam.Map(write, self.path)
        )


def encode(value: Any) -> str:
    """JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted").decode()


def write(lines: list[str], path: str) -> None:
    files.write_text(path, "[" + ",\n".join(sorted(lines)) + "]\n")


def read(path: str, form: type[Value]) -> list[Value]:
    """The elements, of type `form`, that WriteSummary wrote to `path`. Raises ConfigError for a damaged file."""
    return files.read_json(path, list[form], "run the build again")
