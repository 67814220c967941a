"""python -m benchmarks.checks --folder F: a build → the time of the checks of all rows, and their share of the build.

The stages that write rows check them (`validation.faultless`, `validation.faultless_examples`). This runs the same
checks on the shards of `F/build`, which `python -m benchmarks.build --folder F` creates. `--processor_s` is the
processor time that it prints.
"""

import argparse
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute as pc

from pipelines.build_folder import last_configuration, read_label_set
from pipelines.config import Config
from pipelines.stages.instruct import INSTRUCTIONS_PER_TABLE
from pipelines.stages.validate import Part, checks, whole_examples
from schemas.id_columns import source_keys
from transforms.batches import SPLIT_NUM
from transforms.shards import read_batches
from validation import faultless, faultless_examples


def seconds(output: str, part: Part, config: Config) -> float:
    """Processor seconds of the check of a shard's rows, without reading the shard, which uses other threads.

    The rows of each source are checked on their own, as when they are written.
    """
    elapsed = 0.0
    tables = read_batches(f"{output}/{part.path}", INSTRUCTIONS_PER_TABLE)
    for table in tables if part.number is not None else whole_examples(tables):
        for key, tasks in part.tasks.items():
            rows = table
            if len(part.tasks) > 1:
                rows = table.filter(pc.equal(source_keys(table["example_id"]), key))
            started = time.thread_time()
            if part.number is not None:
                facts = faultless_examples.facts(rows, key, part.split, config.clean.max_chars)
            elif rows:
                (task,) = tasks
                labels = read_label_set(output, task, key)
                size = (SPLIT_NUM | config.instruct.split_num)[labels.task]
                facts = faultless.facts(rows, labels, size, config.instruct.negative_ratio)
            else:
                continue
            elapsed += time.thread_time() - started
            if facts is None:
                raise SystemExit(f"{part.path}: a row may have a fault, so the measured time is not valid")
    return elapsed


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="the --folder of benchmarks.build")
    parser.add_argument("--processor_s", type=float, required=True, help="the processor time that it printed")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    if not arguments.processor_s > 0:
        parser.error("--processor_s must be above 0")
    output = str(arguments.folder / "build")
    gc.freeze()  # as the stages do
    config = last_configuration(output)
    if config is None:
        raise SystemExit(f"{output}: not a build; run python -m benchmarks.build --folder {arguments.folder} first")
    figures = {}
    for suite in ("examples", "instructions"):
        parts = [part for check in checks(output) if check.suite == suite for part in check.parts]
        elapsed, rows = sum(seconds(output, part, config) for part in parts), sum(part.rows for part in parts)
        if not rows:
            raise SystemExit(f"{output}: no {suite} to check; build more records")
        share = round(elapsed / arguments.processor_s, 3)
        figures[suite] = {"rows": rows, "us_a_row": round(elapsed / rows * 1e6, 2), "share_of_build": share}
    if arguments.json:
        print(json.dumps(figures))
        return
    for suite, row in figures.items():
        print(f"{suite:<13}{row['rows']:>12,} rows{row['us_a_row']:7.2f} µs per row{row['share_of_build']:7.1%}")


if __name__ == "__main__":
    main()
