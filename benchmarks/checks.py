"""python -m benchmarks.checks --folder F: a kept build → what the check of every row costs, and its share of the build.

The stages that write rows check them (`validation.faultless`, `validation.faultless_examples`); this does the same on
the shards of `F/build`, which `python -m benchmarks.build --folder F` leaves. Its `--processor_s` is that build's.
"""

import argparse
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path

from pipelines.build_folder import last_configuration, read_label_set
from pipelines.config import Config
from pipelines.stages.instruct import INSTRUCTIONS_PER_TABLE
from pipelines.stages.validate import Part, checks, whole_examples
from transforms.ask import SPLIT_NUM
from transforms.shards import read_batches
from validation import faultless, faultless_examples


def seconds(output: str, part: Part, config: Config) -> float:
    """Processor seconds of the check of a shard's rows, without those of reading it, which has threads of its own."""
    ((key, tasks),) = part.tasks.items()
    taken = 0.0
    tables = read_batches(f"{output}/{part.path}", INSTRUCTIONS_PER_TABLE)
    for table in tables if part.number is not None else whole_examples(tables):
        started = time.thread_time()
        if part.number is not None:
            found = faultless_examples.facts(table, key, part.split, config.clean.max_chars)
        else:
            labels = read_label_set(output, *tasks, key)
            size = (SPLIT_NUM | config.instruct.split_num)[labels.task]
            found = faultless.facts(table, labels, size, config.instruct.negative_ratio)
        taken += time.thread_time() - started
        if found is None:
            raise SystemExit(f"{part.path}: its rows are not seen to be without fault, so the time says nothing")
    return taken


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="what benchmarks.build was given")
    parser.add_argument("--processor_s", type=float, required=True, help="the processor seconds that it told")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args(flags)
    output = str(arguments.folder / "build")
    gc.freeze()  # as the stages do
    config = last_configuration(output)
    if config is None:
        raise SystemExit(f"{output}: no build there; run python -m benchmarks.build --folder {arguments.folder} first")
    figures = {}
    for suite in ("examples", "instructions"):
        parts = [part for check in checks(output) if check.suite == suite for part in check.parts]
        timed = [part for part in parts if len(part.tasks) == 1]  # nearly all: a table that is checked is of one source
        a_row = sum(seconds(output, part, config) for part in timed) / sum(part.rows for part in timed)
        rows = sum(part.rows for part in parts)
        share = round(a_row * rows / arguments.processor_s, 3)
        figures[suite] = {"rows": rows, "us_a_row": round(a_row * 1e6, 2), "share_of_build": share}
    if arguments.json:
        print(json.dumps(figures))
        return
    for suite, found in figures.items():
        print(f"{suite:<13}{found['rows']:>12,} rows{found['us_a_row']:7.2f} µs a row{found['share_of_build']:7.1%}")


if __name__ == "__main__":
    main()
