"""JSON-able values of a pipeline → one sorted JSON file: how the driver learns what the workers did, on any runner."""

import json

import apache_beam as beam

from transforms import files


class WriteSummary(beam.PTransform):
    """Gathers all elements (few and small: one a shard) into a JSON list at `path`, sorted by their JSON."""

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


def encode(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def write(lines: list[str], path: str) -> None:
    files.write_text(path, "[" + ",\n".join(sorted(lines)) + "]\n")


def manifest(output: str, folder: str) -> dict:
    """The manifest of the stage whose first folder this is. Raises MachineError where there is none."""
    return json.loads(files.read_text(f"{output}/{folder}/manifest.json"))


def read(path: str) -> list:
    """What WriteSummary wrote at `path`."""
    return json.loads(files.read_text(path))
