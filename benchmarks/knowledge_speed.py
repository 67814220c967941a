"""python -m benchmarks.knowledge_speed --wikidata FILE... --wikipedia FILE...: time and memory of pipelines.knowledge.

The whole command runs on dumps and texts: files that pipelines.knowledge reads, annotated sets as plain texts (--gold),
or both. To measure at a larger scale, --repeat reads each file of texts several times; the ids of the paragraphs
differ. Other flags are passed on to pipelines.knowledge, for example --lang zh or --theme NAME.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import knowledge_gold, knowledge_run, measure
from benchmarks.knowledge import SETS
from pipelines.build_folder import read_result
from schemas.knowledge_manifests import Entities, Exported, Linked, Matched, Pages, Scored, Types
from transforms.knowledge import dump_files

FORMS = (Entities, Types, Pages, Linked, Matched, Scored, Exported)
DUMP_STAGES = ("entities", "types")


def repeat(paths: Sequence[str], folder: Path, times: int) -> None:
    """Makes `times` folders of links to the files."""
    for number in range(times):
        copy = folder / f"{number:04d}"
        copy.mkdir(parents=True)
        for position, file in enumerate(dump_files.find(paths, "--wikipedia")):
            (copy / f"{position:04d}_{Path(file.path).name}").symlink_to(Path(file.path).resolve())


def write_gold(sets: Sequence[tuple[str, str]], folder: Path) -> list[str]:
    """Writes the texts of annotated sets as JSON lines, without their mentions, and returns the paths."""
    paths = []
    for position, (name, path) in enumerate(sets):
        file = folder / f"{name}-{position}.jsonl"
        lines = knowledge_run.paragraphs(knowledge_gold.read(name, path), given=False)
        file.write_text("".join(lines), encoding="utf-8")
        paths.append(str(file))
    return paths


def measure_run(arguments: argparse.Namespace, flags: Sequence[str], folder: Path) -> dict:
    """Runs pipelines.knowledge in `folder` and returns the figures."""
    texts, output = folder / "texts", folder / "corpus"
    repeat([*arguments.wikipedia, *write_gold(arguments.gold, folder)], texts, arguments.repeat)
    command = [sys.executable, "-m", "pipelines.knowledge", "--wikidata", *arguments.wikidata]
    command += ["--wikipedia", *map(str, sorted(texts.iterdir())), "--output", str(output), *flags]
    if arguments.workers > 1:
        command += ["--direct_running_mode=multi_processing", f"--direct_num_workers={arguments.workers}"]
    samples = measure.run(command, folder / "knowledge.log")
    stages = measure.by_stage(samples, output, FORMS)
    paragraphs = sum(shard.rows for shard in read_result(str(output), Pages).shards)
    after = [share for stage, share in stages.items() if stage not in DUMP_STAGES]
    wall, processor = sum(share.wall_s for share in after), sum(share.processor_s for share in after)
    return {
        "workers": arguments.workers,
        "items": sum(shard.rows for shard in read_result(str(output), Entities).shards),
        "paragraphs": paragraphs,
        "facts": sum(split.facts for split in read_result(str(output), Exported).splits),
        "wall_s": round(samples[-1].time - samples[0].time, 2),
        "processor_s": round(samples[-1].processor, 2),
        "peak_gb": round(max(sample.memory for sample in samples) / 1e9, 3),
        "after_dump": {
            "wall_s": round(wall, 2),
            "processor_s": round(processor, 2),
            "paragraphs_per_s": round(paragraphs / wall, 1),
            "processor_ms_per_paragraph": round(1e3 * processor / paragraphs, 3),
            "peak_gb": max(share.peak_gb for share in after),
        },
        "stages": {
            stage: {
                "paragraphs_per_s": None if stage in DUMP_STAGES else round(paragraphs / share["wall_s"], 1),
                **share,
            }
            for stage, share in measure.shares_as_json(stages).items()
        },
    }


def table(figures: dict) -> str:
    """The figures as a text table."""
    lines = [
        f"{figures['items']:,} items, {figures['paragraphs']:,} paragraphs, {figures['workers']} workers: "
        f"{figures['wall_s']:.1f} s, processor {figures['processor_s']:.1f} s, peak {figures['peak_gb']:.2f} GB",
        f"{'stage':<12}{'wall s':>9}{'processor s':>13}{'paragraphs/s':>14}{'peak GB':>9}",
    ]
    for stage, share in {**figures["stages"], "from pages": figures["after_dump"]}.items():
        speed = share["paragraphs_per_s"]
        lines.append(
            f"{stage:<12}{share['wall_s']:9.1f}{share['processor_s']:13.1f}"
            f"{'' if speed is None else f'{speed:,.0f}':>14}{share['peak_gb']:9.2f}"
        )
    each = figures["after_dump"]["processor_ms_per_paragraph"]
    return "\n".join((*lines, f"from pages on, {each:.2f} ms of processor time per paragraph"))


def main(flags: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wikidata", nargs="+", required=True, metavar="FILE", help="dumps of the knowledge graph")
    parser.add_argument("--wikipedia", nargs="+", default=[], metavar="FILE", help="files, folders or globs of texts")
    parser.add_argument(
        "--gold", nargs=2, action="append", default=[], metavar=("SET", "FILE"), help=f"SET: {', '.join(SETS)}"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="read each file of texts N times")
    parser.add_argument("--workers", type=int, default=2, help="worker processes; 1: run in the process of the command")
    parser.add_argument("--folder", type=Path, help="keep texts and results in this new folder; default: temporary")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments, passed_on = parser.parse_known_args(flags)
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure_run(arguments, passed_on, new_folder(arguments.folder) or Path(temporary))
    print(json.dumps(figures) if arguments.json else table(figures))


def new_folder(folder: Path | None) -> Path | None:
    """Makes the folder. Raises FileExistsError if it exists, because finished stages would not be measured."""
    if folder is not None:
        folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main()
