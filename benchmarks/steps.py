"""python -m benchmarks.steps: builds generated records in this process; prints the processor time of each step.

A step is a function in one of the stages. Its time does not include that of the steps that it calls. The timing itself
adds about half a microsecond per record and step.
"""

import argparse
import importlib
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import records
from benchmarks.build import ASK_ALL, LABELS
from pipelines.build_folder import read_result
from schemas.manifests import STAGES, Instructed

FUNCTIONS = {
    "fingerprint of the code": ("pipelines.engine.dag", "fingerprints"),
    "labels and offsets": ("pipelines.sources.reading", "normalize"),
    "Arrow": ("pipelines.stages.split_writer", "examples_to_table"),
    "labels, prompts and answers": ("pipelines.stages.instruct", "instruction_table"),
    "check": ("validation.faultless", "facts"),
    "lengths": ("pipelines.describe.lengths", "instruction_histograms"),
}
"""Step → the module and the name of its function."""


class Steps:
    """Processor seconds by stage and step: those of the step itself, without other steps in it."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], float] = {}
        self.running = [("start", "all else")]
        self.since = time.process_time()

    def add_elapsed(self) -> None:
        now = time.process_time()
        step = self.running[-1]
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self.since
        self.since = now

    def run(self, function: Callable[[], Any], step: str, stage: str | None = None) -> Any:
        """The result of the function, timed as a step of this stage; by default, of the stage that is running."""
        self.add_elapsed()
        self.running.append((stage or self.running[-1][0], step))
        try:
            return function()
        finally:
            self.add_elapsed()
            self.running.pop()

    def time(self, owner: object, name: str, step: str, stage: str | None = None) -> None:
        """Replaces the function `name` of a module or class by one that is timed."""
        function = getattr(owner, name)
        setattr(owner, name, lambda *values, **named: self.run(lambda: function(*values, **named), step, stage))

    def time_items(self, owner: object, name: str, step: str) -> None:
        """As `time`, for a function that returns an iterable: the making of each item is timed."""
        function = getattr(owner, name)
        setattr(owner, name, lambda *values, **named: self.items(function(*values, **named), step))

    def items(self, iterable: Iterable, step: str) -> Iterator:
        iterator, end = iter(iterable), object()
        while (item := self.run(lambda: next(iterator, end), step)) is not end:
            yield item


def measure_build(data: Path, output: Path, task: str) -> dict[tuple[str, str], float]:
    """(Stage, step) → processor seconds of a build of the records in `data`."""
    from pipelines import build
    from pipelines.sources import reading

    steps = Steps()
    for step, (module, name) in FUNCTIONS.items():
        steps.time(importlib.import_module(module), name, step)
    steps.time_items(reading, "raw_records", "JSON")
    steps.time(pq.ParquetWriter, "write_table", "Parquet")
    for stage in STAGES:
        steps.time(importlib.import_module(f"pipelines.stages.{stage}"), "run", "all else", stage)
    flags = ["--data_root", str(data), "--output", str(output), "--tasks", task, "--hard_negatives", "none"]
    build.main([*flags, *(part for setting in ASK_ALL for part in ("--set", f"instruct.{setting}"))])
    steps.add_elapsed()
    return steps.seconds


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="number of texts (default 100,000)")
    parser.add_argument("--task", choices=tuple(LABELS), default="RE")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    importlib.import_module("pipelines.driver")
    imports = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        data, output = Path(folder, "records"), Path(folder, "build")
        records.write(data, arguments.task, arguments.records, LABELS[arguments.task])
        seconds = {("start", "imports"): imports} | measure_build(data, output, arguments.task)
        rows = sum(shard.rows for shard in read_result(str(output), Instructed).shards)
    if arguments.json:
        steps = [{"stage": stage, "step": step, "processor_s": round(s, 2)} for (stage, step), s in seconds.items()]
        print(json.dumps({"task": arguments.task, "records": arguments.records, "instructions": rows, "steps": steps}))
        return
    print(f"{arguments.task}, {arguments.records:,} records, {rows:,} instructions, one process")
    for (stage, step), used in sorted(seconds.items(), key=lambda item: ("start", *STAGES).index(item[0][0])):
        by_record, by_row = used / arguments.records * 1e6, used / rows * 1e6
        print(f"  {stage:<9} {step:<28}{used:7.2f} s {by_record:7.1f} µs per record {by_row:6.2f} µs per instruction")


if __name__ == "__main__":
    main()
