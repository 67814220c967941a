"""python -m benchmarks.knowledge_dump --wikidata FILE...: MB of JSON per second and core of the pass over a dump.

A megabyte is 10**6 bytes of decompressed JSON. The figures are for one process, without the runner: decompressing and
splitting lines; then also decoding items; then also writing shards of items and names, which is the whole pass.
"""

import argparse
import json
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ingest import processor_s
from pipelines.knowledge.entities import ITEMS_PER_SHARD, ReadDump
from transforms.files import File
from transforms.knowledge import dump_files, themes, wikidata
from transforms.knowledge.dump_parts import Part


def measure(file: File, lang: str, properties: frozenset[int]) -> dict:
    """The figures of one dump."""
    megabytes = sum(len(block) for block in dump_files.blocks(file) if isinstance(block, bytes)) / 1e6
    reader = wikidata.Reader(lang, properties)
    steps = {
        "lines": lambda: sum(1 for _ in dump_files.lines(file)),
        "items": lambda: sum(1 for _ in reader.read(dump_files.lines(file), file.name)),
    }
    with tempfile.TemporaryDirectory() as output:
        stage = ReadDump(output, lang, properties, 1, ITEMS_PER_SHARD)
        whole = Part(file, 0, Path(file.path).stat().st_size)
        *_, outcome = stage.process((0, whole))
        steps["pass"] = lambda: sum(1 for _ in stage.process((0, whole)))
        speeds = {f"{step}_mb_per_s": round(megabytes / processor_s(work), 1) for step, work in steps.items()}
    return {
        "file": file.name,
        "mb": round(megabytes, 1),
        "items": outcome.counts.get("items", 0),
        "rejected": sum(outcome.rejected.values()),
        **speeds,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
    }


def table(figures: Sequence[dict]) -> str:
    """The figures as a text table."""
    lines = [f"{'dump':<32}{'MB':>9}{'items':>10}{'rejected':>9}  lines MB/s  items MB/s  pass MB/s  peak GB so far"]
    for row in figures:
        lines.append(
            f"{row['file']:<32}{row['mb']:9.1f}{row['items']:10,}{row['rejected']:9,}{row['lines_mb_per_s']:12.1f}"
            f"{row['items_mb_per_s']:12.1f}{row['pass_mb_per_s']:11.1f}{row['peak_gb']:16.3f}"
        )
    return "\n".join(lines)


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wikidata", nargs="+", required=True, help="dumps: files, folders or globs")
    parser.add_argument("--lang", default="en", help="language of the names (default en)")
    parser.add_argument("--themes", help="YAML file of themes, whose properties are kept (default: the bundled ones)")
    parser.add_argument("--json", action="store_true", help="one JSON list on stdout")
    arguments = parser.parse_args(flags)
    properties = themes.load(arguments.themes).properties()
    dumps = dump_files.find(arguments.wikidata, "--wikidata")
    figures = [measure(file, arguments.lang, properties) for file in dumps]
    print(json.dumps(figures) if arguments.json else table(figures))


if __name__ == "__main__":
    main()
