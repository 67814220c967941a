"""python -m benchmarks.build: builds generated records; prints rows per second, peak memory and time by stage.

All other flags replace --workers and are passed on, for instance --runner=PortableRunner --job_endpoint=localhost:8099.
A cluster on this machine is measured too if its processes are named: --process_ids $(pgrep -f org.apache)
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measure, records
from pipelines.build_folder import read_result
from schemas.manifests import RESULTS, Instructed

LABELS = {"NER": 18, "RE": 49, "EE": 34}
ASK_ALL = ("negative_ratio=1000000", "labels_without_positive=-1")
"""Every label is asked about every text, as in the converter used for comparison."""


def argument_parser(doc: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="number of texts (default 100,000)")
    parser.add_argument("--task", choices=tuple(LABELS), default="RE")
    parser.add_argument("--labels", type=int, help=f"number of labels; default by task: {LABELS}")
    parser.add_argument("--workers", type=int, default=2, help="worker processes; 1: run in the process of the build")
    parser.add_argument(
        "--process_ids",
        type=int,
        nargs="+",
        metavar="N",
        default=[],
        help="processes that are running, to be measured with their descendants, such as those of a cluster",
    )
    parser.add_argument(
        "--folder", type=Path, help="keep records and build in this folder; default: a temporary folder"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def parse(doc: str, flags: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; `beam_flags` are those that the parser does not know."""
    arguments, beam_flags = argument_parser(doc).parse_known_args(flags)
    arguments.beam_flags = beam_flags
    return arguments


def measure_build(arguments: argparse.Namespace, folder: Path, last: str) -> dict:
    """Builds up to stage `last` in `folder` and returns the figures."""
    task, data, output = arguments.task, folder / "records", folder / "build"
    if not data.exists():
        records.write(data, task, arguments.records, arguments.labels or LABELS[task])
    command = [sys.executable, "-m", "pipelines.build", "--data_root", str(data), "--output", str(output)]
    command += ["--tasks", task, "--hard_negatives", "none", "--only", last]
    command += [part for setting in ASK_ALL for part in ("--set", f"instruct.{setting}")]
    if arguments.beam_flags:
        command += arguments.beam_flags
    elif arguments.workers > 1:
        command += ["--direct_running_mode=multi_processing", f"--direct_num_workers={arguments.workers}"]
    samples = measure.run(command, folder / "build.log", arguments.process_ids)
    shares = measure.by_stage(samples, output, RESULTS.values())
    shards = read_result(str(output), Instructed).shards
    return {
        "task": task,
        "records": arguments.records,
        "workers": " ".join(arguments.beam_flags) or f"{arguments.workers} workers",
        "instructions": sum(shard.rows for shard in shards),
        "wall_s": round(samples[-1].time - samples[0].time, 2),
        "processor_s": round(samples[-1].processor, 2),
        "first_shard_s": round(measure.first_shard(samples, output), 2),
        "peak_gb": round(max(sample.memory for sample in samples) / 1e9, 3),
        "stages": measure.shares_as_json(shares),
    }


def in_folder(arguments: argparse.Namespace, last: str) -> dict:
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        return measure_build(arguments, arguments.folder, last)
    with tempfile.TemporaryDirectory() as folder:
        return measure_build(arguments, Path(folder), last)


def table(figures: dict) -> str:
    """The figures as a text table."""
    rows, wall = figures["instructions"], figures["wall_s"]
    lines = [
        f"{figures['task']}, {figures['records']:,} records, {figures['workers']}: {rows:,} instructions, "
        f"{figures['rows_per_s']:,.0f} per second of {figures['measured']}; build {wall:.1f} s, "
        f"first shard after {figures['first_shard_s']:.1f} s, processor {figures['processor_s']:.1f} s, "
        f"peak {figures['peak_gb']:.2f} GB"
    ]
    for stage, share in figures["stages"].items():
        lines.append(
            f"  {stage:<9}{share['wall_s']:8.1f} s {share['wall_s'] / wall:6.1%}"
            f"{share['processor_s']:9.1f} s processor{share['peak_gb']:7.2f} GB"
        )
    return "\n".join(lines)


def show(figures: dict, as_json: bool) -> None:
    print(json.dumps(figures) if as_json else table(figures))


def main(flags: Sequence[str] | None = None) -> None:
    arguments = parse(__doc__, flags)
    figures = in_folder(arguments, "card")
    figures |= {"measured": "the whole build", "rows_per_s": round(figures["instructions"] / figures["wall_s"])}
    show(figures, arguments.json)


if __name__ == "__main__":
    main()
