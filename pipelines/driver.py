"""A checked configuration → the build: finds the sources, runs the stages that are not done, reports."""

import argparse
import json
import sys
from collections.abc import Sequence

from apache_beam.options.pipeline_options import DirectOptions

from hard_negatives import dictionary, embed
from pipelines import dag, losses, output, registry, runner, tokens, workers
from pipelines.config import Config
from pipelines.instruct import ask_options
from pipelines.stages import own_prompts, stages_of
from schemas.errors import ConfigError, Reason
from transforms import files

REJECT_LINES = 5
"""Up to this many sources with rejects get a line each."""


def build(config: Config, arguments: argparse.Namespace, beam_flags: Sequence[str], own_flags: Sequence[str]) -> int:
    """Runs what the arguments ask for and returns the exit code: 0, or 3 where a source failed."""
    options = runner.options(beam_flags, own_flags, arguments.debug)
    runner.runner_of(options)  # refuses a runner before anything is read
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        workers.register()
    if not arguments.output:
        raise ConfigError("--output is empty; name a folder")
    folder = files.absolute(arguments.output.rstrip("/") or "/")
    listed = registry.listing(config.data_root)
    located = registry.locate(listed, config.sources)
    check_inputs(config, located)
    if arguments.status:
        before = output.recorded(folder)
        model = config.mine.embedding_model or (before and before.mine.embedding_model) or embed.DEFAULT_MODEL
        return print_status(stages_of(with_embedding_model(config, model), located, options), folder)
    for line in registry.remarks(listed, located):
        tell(line)
    for line in () if config.sources else registry.unrecognised(listed):
        tell(line)
    if arguments.dry_run:
        return print_plan(config, folder, located)
    outside = [path for path in (config.data_root, config.instruct.prompts) if path]
    outside += [config.mine.hard_negatives] if config.mine.hard_negatives not in ("mine", "none") else []
    config = with_model(config)
    stages = stages_of(config, located, options)
    output.check(folder, [name for stage in stages.values() for name in stage.folders], outside)
    with output.claimed(folder, config):
        try:
            manifests = dag.run(stages, folder, arguments.only or "card", announce)
        finally:
            ingested = dag.read_manifest(folder, stages["ingest"])
            tell_losses(ingested or {"splits": [], "failed": {}})
            cleaned = dag.read_manifest(folder, stages["clean"])
            for line in losses.lines(cleaned["shards"] if cleaned else ()):
                tell(line)
    if "card" in manifests:
        tell(closing_line(folder, arguments.output))
    return 3 if manifests["ingest"]["failed"] else 0


def tell(line: str) -> None:
    print(line, file=sys.stderr)


def announce(stage: dag.Stage, done: bool) -> None:
    if done:
        tell(f"{stage.name}: already done")


def tell_losses(ingested: dict) -> None:
    """A line for every source that failed, and for those that lost records: one each, or one for many."""
    for key, reason in ingested["failed"].items():
        tell(f"error: source {key}: {reason}")
    bad: dict[str, int] = {}
    first: dict[str, str] = {}
    for part in ingested["splits"]:
        count = sum(n for reason, n in part["rejected"].items() if not Reason(reason).is_rule)
        if count:
            bad[part["key"]] = bad.get(part["key"], 0) + count
            first.setdefault(part["key"], part["first_rejects"][0])
    where = "rejects/ingest/ tells where and why"
    if len(bad) > REJECT_LINES:
        tell(f"note: {sum(bad.values()):,} bad records in {len(bad)} sources; {where}")
    else:
        for key, count in sorted(bad.items()):
            tell(f"note: {key}: {count:,} bad records, first {first[key]}; {where}")


def closing_line(folder: str, name: str) -> str:
    counts = json.loads(files.read_text(f"{folder}/reports/stats.json"))
    total = sum(n for splits in counts["instructions"].values() for n in splits.values())
    tasks = ", ".join(counts["instructions"])
    return (
        f"{name}: {total:,} instructions ({tasks}) from {len(counts['sources'])} sources; "
        f'datasets.load_dataset("{name}") opens it, {name.rstrip("/")}/README.md describes it, '
        f"{name.rstrip('/')}/reports/report.html shows it"
    )


def check_inputs(config: Config, located: Sequence[registry.Located]) -> None:
    """Raises ConfigError for settings, prompts or a dictionary that cannot be used: before anything is built."""
    ask_options(config.instruct, config.seed)
    own_prompts(config, located)
    if config.mine.hard_negatives not in ("mine", "none"):
        dictionary.load(config.mine.hard_negatives)
    if config.tokens.tokenizer:
        tokens.load(config.tokens.tokenizer)
    collapsible = {source.key for source in located if source.source.collapsed}
    for key in config.ingest.collapse:
        if key not in collapsible:
            had = ", ".join(sorted(collapsible)) or "none of those built"
            raise ConfigError(f"ingest.collapse: {key!r} has no single label to collapse to; {had} have")


def with_embedding_model(config: Config, model: str | None) -> Config:
    return config.model_copy(update={"mine": config.mine.model_copy(update={"embedding_model": model})})


def with_model(config: Config) -> Config:
    """The configuration with its embedding model named: the default one where none is, or the lexical encoder where
    that cannot be had here, which is said. A model that the user names is never replaced.

    Raises ConfigError where the named model cannot be loaded: before anything is read, not hours later.
    """
    model = config.mine.embedding_model
    if config.mine.hard_negatives != "mine":
        return with_embedding_model(config, None)
    if model is None:
        model = embed.DEFAULT_MODEL
        try:
            embed.load(model)
        except ConfigError as error:
            tell(f"warning: {error}")
            model = embed.LEXICAL
    elif model != embed.LEXICAL:
        embed.load(model)
    if model == embed.LEXICAL:
        tell("note: hard negatives come from the lexical encoder, which knows spelling, not meaning")
    return with_embedding_model(config, model)


def print_plan(config: Config, folder: str, located: Sequence[registry.Located]) -> int:
    """What would be read and built, on stdout."""
    for source in located:
        if source.problem:
            print(f"{source.key}\tmissing\t\t{source.problem}")
            continue
        tasks = ",".join(task for task in source.source.tasks if task in config.instruct.tasks)
        for split, group in sorted(source.found.splits.items()):
            more = f", ... ({len(group)} files)" if len(group) > 3 else ""
            print(f"{source.key}\t{split}\t{tasks}\t{', '.join(file.name for file in group[:3])}{more}")
    print(f"output: {folder}")
    print(config.model_dump_json(indent=1, exclude={"sources"}))
    return 0


def print_status(stages: dict[str, dag.Stage], folder: str) -> int:
    """Stage, state, files and bytes, on stdout. A stage is outdated too where one that it needs is to be run."""
    states: dict[str, str] = {}
    for name, fingerprint in dag.fingerprints(stages).items():
        stage = stages[name]
        manifest = dag.read_manifest(folder, stage)
        fresh = all(states[need] == "done" for need in stage.needs) and dag.is_done(folder, stage, fingerprint)
        states[name] = "done" if fresh else "outdated" if manifest else "to do"
        sizes = list(manifest["files"].values()) if manifest else []
        print(f"{name}\t{states[name]}\t{len(sizes)} files\t{sum(sizes):,} bytes")
    return 0
