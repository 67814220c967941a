"""A checked configuration → the build: finds the sources, runs the stages that are not done, reports."""

import argparse
import json
import sys
from collections.abc import Sequence

from hard_negatives import dictionary, embed
from pipelines import dag, registry, runner
from pipelines.config import Config
from pipelines.instruct import ask_options
from pipelines.stages import own_prompts, stages_of
from schemas.errors import ConfigError
from transforms import files

MARKER = "build.json"
"""The resolved configuration; a folder without it was not made by a build and is not written into."""


def build(config: Config, arguments: argparse.Namespace, beam_flags: Sequence[str], own_flags: Sequence[str]) -> int:
    """Runs what the arguments ask for and returns the exit code: 0, or 3 where a source failed."""
    options = runner.options(beam_flags, own_flags, arguments.debug)
    runner.runner_of(options)  # refuses a runner before anything is read
    output = arguments.output.rstrip("/") or "/"
    check_output(output)
    located = registry.locate(config.data_root, config.sources)
    check_inputs(config, located)
    for line in registry.remarks(config.data_root, located):
        print(line, file=sys.stderr)
    if arguments.dry_run:
        return print_plan(config, output, located)
    config = with_model(config)
    stages = stages_of(config, located, options)
    if arguments.status:
        return print_status(stages, output)
    files.write_text(f"{output}/{MARKER}", config.model_dump_json(indent=1) + "\n")
    manifests = dag.run(stages, files.absolute(output), arguments.only or "card", announce)
    failed = manifests["ingest"]["failed"]
    for key, reason in failed.items():
        print(f"error: source {key}: {reason}", file=sys.stderr)
    if "card" in manifests:
        print(closing_line(output), file=sys.stderr)
    return 3 if failed else 0


def closing_line(output: str) -> str:
    counts = json.loads(files.read_text(f"{output}/reports/stats.json"))
    total = sum(n for splits in counts["instructions"].values() for n in splits.values())
    tasks = ", ".join(counts["instructions"])
    return (
        f"{output}: {total:,} instructions ({tasks}) from {len(counts['sources'])} sources; "
        f'datasets.load_dataset("{output}") opens it, {output}/README.md describes it'
    )


def check_inputs(config: Config, located: Sequence[registry.Located]) -> None:
    """Raises ConfigError for settings, prompts or a dictionary that cannot be used: before anything is built."""
    ask_options(config.instruct, config.seed)
    own_prompts(config, located)
    if config.mine.hard_negatives not in ("mine", "none"):
        dictionary.load(config.mine.hard_negatives)


def with_model(config: Config) -> Config:
    """The configuration with its embedding model named: the default one where none is, or the lexical encoder where
    that cannot be had here, which is said. A model that the user names is never replaced.

    Raises ConfigError where the named model cannot be loaded: before anything is read, not hours later.
    """
    mine = config.mine
    if mine.hard_negatives != "mine":
        return config.model_copy(update={"mine": mine.model_copy(update={"embedding_model": None})})
    if mine.embedding_model not in (None, embed.LEXICAL):
        embed.load(mine.embedding_model)
    model = mine.embedding_model or embed.DEFAULT_MODEL
    if mine.embedding_model is None:
        try:
            embed.load(model)
        except ConfigError as error:
            print(f"warning: {error}", file=sys.stderr)
            model = embed.LEXICAL
    if model == embed.LEXICAL:
        print("note: hard negatives come from the lexical encoder, which knows spelling, not meaning", file=sys.stderr)
    return config.model_copy(update={"mine": mine.model_copy(update={"embedding_model": model})})


def check_output(output: str) -> None:
    """Raises ConfigError for a folder that holds something and was not made by a build."""
    if files.exists(output) and not files.exists(f"{output}/{MARKER}") and files.list_files(output):
        raise ConfigError(f"{output}: not empty and not made by a build (no {MARKER}); name a new folder with --output")


def announce(stage: dag.Stage, done: bool) -> None:
    if done:
        print(f"{stage.name}: already done", file=sys.stderr)


def print_plan(config: Config, output: str, located: Sequence[registry.Located]) -> int:
    """What would be read and built, on stdout."""
    for source in located:
        if source.problem:
            print(f"{source.key}: missing: {source.problem}")
            continue
        tasks = ",".join(task for task in source.source.tasks if task in config.instruct.tasks)
        for split, group in sorted(source.found.splits.items()):
            names = ", ".join(file.name for file in group[:3]) + (
                f", ... ({len(group)} files)" if len(group) > 3 else ""
            )
            print(f"{source.key}\t{split}\t{tasks}\t{names}")
    print(f"output: {output}")
    print(config.model_dump_json(indent=1, exclude={"sources"}))
    return 0


def print_status(stages: dict[str, dag.Stage], output: str) -> int:
    """Stage, done / to do, files and bytes, on stdout."""
    for name, fingerprint in dag.fingerprints(stages).items():
        stage = stages[name]
        manifest = dag.read_manifest(output, stage)
        state = "done" if dag.is_done(output, stage, fingerprint) else "outdated" if manifest else "to do"
        sizes = list(manifest["files"].values()) if manifest else []
        print(f"{name}\t{state}\t{len(sizes)} files\t{sum(sizes):,} bytes")
    return 0
