"""Values of a pipeline → one sorted JSON file: how the driver learns what the workers did, on any runner."""

from typing import Any, TypeVar

import apache_beam as beam
import msgspec

from transforms import files

Value = TypeVar("Value")


class WriteSummary(beam.PTransform):
    """Gathers all elements (few and small: one per shard, of one type) into a JSON list at `path`, sorted by their
    JSON.
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
    """What WriteSummary wrote at `path`, elements of the type `form`."""
    return files.read_json(path, list[form], "run the build again")
