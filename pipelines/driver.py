"""A checked configuration → the build: finds the sources, runs the stages that are not done, reports."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apache_beam.options.pipeline_options import DirectOptions

from hard_negatives import dictionary, embed
from pipelines import build_folder, build_reports, claim
from pipelines.config import Config
from pipelines.describe import figures, losses
from pipelines.engine import dag, runner, workers
from pipelines.sources import registry
from pipelines.sources.unread import FOR_PEOPLE, unread_files
from pipelines.stages import tokens
from pipelines.stages.instruct import ask_options, load_prompts
from pipelines.stages.plan import stages_of
from schemas.errors import ConfigError, printable
from schemas.example import TASKS
from transforms import files


@dataclass(frozen=True)
class BuildOptions:
    """How a build runs, beside its configuration. `only`: the last stage (None: all); `status`, `dry_run`: print and
    stop; `debug`: Beam logs; `beam_flags`: Beam's flags, `--runner` among them; `known_flags`: others that are
    suggested in place of an unknown one.
    """

    output: str
    only: str | None = None
    status: bool = False
    dry_run: bool = False
    debug: bool = False
    beam_flags: tuple[str, ...] = ()
    known_flags: tuple[str, ...] = ()


def build(config: Config, run: BuildOptions) -> int:
    """Builds or prints what `run` asks for; returns the exit code: 0, or 3 where a source failed."""
    options = runner.options(run.beam_flags, run.known_flags, run.debug)
    runner.runner_of(options)  # refuses a runner before anything is read
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        workers.register()
    if not run.output:
        raise ConfigError("--output is empty; name a folder")
    folder = files.absolute(run.output.rstrip("/") or "/")
    listed = registry.listing(config.data_root)
    everything = registry.everything(listed)
    located = registry.locate(everything, config.sources, listed.root)
    check_inputs(config, located)
    if run.status:
        before = build_folder.recorded(folder)
        model = config.mine.embedding_model or (before and before.mine.embedding_model) or embed.DEFAULT_MODEL
        model = model if config.mine.hard_negatives == "mine" else None  # as `with_model` has it
        return print_status(stages_of(with_embedding_model(config, model), located, options), folder)
    for unread in unread_files(listed, everything, located if config.sources else None):
        if unread.reason != FOR_PEOPLE:  # `python -m pipelines.sources` has these too
            tell(f"note: {unread}")
    if run.dry_run:
        return print_plan(config, folder, located)
    outside = [path for path in (config.data_root, config.instruct.prompts) if path]
    outside += [config.mine.hard_negatives] if config.mine.hard_negatives not in ("mine", "none") else []
    config = with_model(config)
    stages = stages_of(config, located, options)
    claim.check(folder, [name for stage in stages.values() for name in stage.folders], outside)
    with claim.claimed(folder, config):
        try:
            manifests = dag.run(stages, folder, run.only or "card", announce)
        finally:
            for line in losses_so_far(folder, stages):
                tell(line)
    if "card" in manifests:
        tell(closing_line(folder, run.output))
    return 3 if manifests["ingest"].result.failed else 0


def tell(line: str) -> None:
    print(printable(line), file=sys.stderr)


def announce(stage: dag.Stage, done: bool) -> None:
    if done:
        tell(f"{stage.name}: already done")


def losses_so_far(folder: str, stages: Mapping[str, dag.Stage]) -> list[str]:
    """What the stages that are done have lost."""
    lines = []
    if ingested := dag.read_manifest(folder, stages["ingest"]):
        lines += losses.in_ingest(ingested.result)
    if cleaned := dag.read_manifest(folder, stages["clean"]):
        lines += losses.in_clean(cleaned.result)
    if labelled := dag.read_manifest(folder, stages["labels"]):
        tasks = labelled.result.tasks
        label_sets = [build_folder.read_label_set(folder, task, key) for key in sorted(tasks) for task in tasks[key]]
        lines += losses.in_labels(label_sets, [key for key in sorted(tasks) if not tasks[key]])
    return lines


def closing_line(folder: str, name: str) -> str:
    statistics = build_reports.read_statistics(folder)
    total = figures.row_count(statistics.instructions)
    tasks = ", ".join(statistics.instructions)
    sources = sum(any(splits for splits in by_task.values()) for by_task in statistics.instructions_by_source.values())
    opens = f'datasets.load_dataset("{name}") opens it' if not is_pattern(name) else unopened(name)
    return (
        f"{name}: {total:,} instructions ({tasks}) from {sources} sources; {opens}, "
        f"{name.rstrip('/')}/README.md describes it, {name.rstrip('/')}/reports/report.html shows it"
    )


def is_pattern(name: str) -> bool:
    """Whether `datasets` takes the folder's name for a pattern of names (huggingface/datasets#7468) or an address."""
    return any(mark in files.absolute(name) for mark in ("[", "]", "*", "?", "::", "://"))


def unopened(name: str) -> str:
    if "://" in name:
        return "datasets.load_dataset opens a local copy of it"
    return f"datasets.load_dataset cannot open a folder with brackets or wildcards in its path: rename {name} for it"


def check_inputs(config: Config, located: Sequence[registry.Located]) -> None:
    """Raises ConfigError for settings, prompts or a dictionary that cannot be used, and where no source has a task that
    is asked for: before anything is built.
    """
    possible = {task for source in located for task in source.source.tasks}
    if possible and possible.isdisjoint(config.instruct.tasks):
        have = ", ".join(task for task in TASKS if task in possible)
        raise ConfigError(
            f"--tasks {','.join(config.instruct.tasks)}: no source here has one of them; they have {have}"
        )
    ask_options(config)
    load_prompts(config, located)
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
            print_row(source.key, "missing", "", source.problem)
            continue
        tasks = ",".join(task for task in source.source.tasks if task in config.instruct.tasks)
        for split, group in sorted(source.found.splits.items()):
            more = f", ... ({len(group)} files)" if len(group) > 3 else ""
            print_row(source.key, split, tasks, ", ".join(file.name for file in group[:3]) + more)
    print_row(f"output: {folder}")
    print(json.dumps(config.model_dump(mode="json", exclude={"sources"}), indent=1))
    return 0


def print_row(*cells: str) -> None:
    print("\t".join(map(printable, cells)))


def print_status(stages: dict[str, dag.Stage], folder: str) -> int:
    """Stage, state, files and bytes, on stdout. A stage is outdated too where one that it needs is to be run."""
    states: dict[str, str] = {}
    for name, fingerprint in dag.fingerprints(stages).items():
        stage = stages[name]
        manifest = dag.read_manifest(folder, stage)
        fresh = all(states[need] == "done" for need in stage.needs) and dag.is_done(folder, stage, fingerprint)
        states[name] = "done" if fresh else "outdated" if manifest else "to do"
        sizes = list(manifest.completion.files.values()) if manifest else []
        print(f"{name}\t{states[name]}\t{len(sizes)} files\t{sum(sizes):,} bytes")
    return 0
