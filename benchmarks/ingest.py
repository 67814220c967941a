"""python -m benchmarks.ingest: generated files of each format → MB per second of the reader and of the ingest stage."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import measure, raw_files
from pipelines.sources import registry
from pipelines.sources.registry import Located
from pipelines.stages.ingest import IngestSplit, SplitFiles

EXAMPLES_PER_SHARD = 100_000


def processor_s(work: Callable[[], object]) -> float:
    """Processor seconds of this process for the faster of two runs; the first run also warms caches."""
    elapsed = []
    for _ in range(2):
        started = time.process_time()
        work()
        elapsed.append(time.process_time() - started)
    return min(elapsed)


def measure_source(data: Path, output: Path, source: Located) -> dict:
    """MB per processor second of a source's reader alone, and of the stage, which reads, maps labels and writes."""
    source_files = source.files
    if source_files is None:
        sys.exit(f"{source.key}: no generated files")
    files = tuple(source_files.splits["train"])
    megabytes = sum(Path(file.path).stat().st_size for file in files) / 1e6
    stage = IngestSplit(str(output), None, 42, EXAMPLES_PER_SHARD, ())
    element = SplitFiles(str(data), source.key, "train", files)
    (outcome,) = stage.process(element)
    if not outcome.read or outcome.read.rejected:
        sys.exit(f"{source.key}: the reader rejected records of generated files: {outcome}")
    reader = processor_s(lambda: sum(1 for _ in source_files.read("train")))
    whole = processor_s(lambda: list(stage.process(element)))
    return {
        "files": len(files),
        "examples": outcome.read.read.examples,
        "mb": round(megabytes, 1),
        "reader_mb_per_s": round(megabytes / reader, 1),
        "stage_mb_per_s": round(megabytes / whole, 1),
    }


def measure_build(data: Path, folder: Path) -> dict:
    """Seconds of a build up to its ingest stage, in a separate process, and from its start to its first shard."""
    output = folder / "build"
    command = [sys.executable, "-m", "pipelines.build", "--data_root", str(data), "--output", str(output)]
    samples = measure.run([*command, "--hard_negatives", "none", "--only", "ingest"], folder / "build.log")
    first = min(shard.stat().st_mtime for shard in output.glob("examples/**/*.parquet"))
    return {
        "wall_s": round(samples[-1].time - samples[0].time, 2),
        "processor_s": round(samples[-1].processor, 2),
        "peak_gb": round(max(sample.memory for sample in samples) / 1e9, 3),
        "first_shard_s": round(first - samples[0].time, 2),
    }


def measure_all(megabytes: float, folder: Path) -> dict:
    """The figures of all sources and of the build."""
    data = folder / "raw"
    if not data.exists():
        raw_files.write(data, megabytes)
    located = registry.select(registry.locate_all(registry.list_root(str(data))), (), str(data))
    return {
        "sources": {source.key: measure_source(data, folder / "alone", source) for source in located},
        "build": measure_build(data, folder),
    }


def table(figures: dict) -> str:
    """The figures as a text table."""
    lines = [f"{'':<18}{'files':>7}{'examples':>10}{'MB':>7}  reader MB/s  stage MB/s"]
    for key, row in figures["sources"].items():
        lines.append(
            f"{key:<18}{row['files']:7,}{row['examples']:10,}{row['mb']:7.1f}"
            f"{row['reader_mb_per_s']:13.1f}{row['stage_mb_per_s']:12.1f}"
        )
    line = "build of all sources up to ingest: {wall_s} s (processor {processor_s} s), first shard at {first_shard_s} s"
    return "\n".join((*lines, (line + ", peak {peak_gb} GB").format(**figures["build"])))


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=10, help="size of the files of each format (default 10)")
    parser.add_argument("--folder", type=Path, help="keep files and build in this folder; default: a temporary folder")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure_all(arguments.megabytes, arguments.folder or Path(temporary))
    print(json.dumps(figures) if arguments.json else table(figures))


if __name__ == "__main__":
    main()
