"""Runs a build with a checked configuration: finds the sources, runs the stages that are not done, reports losses."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from apache_beam.options.pipeline_options import DirectOptions

from hard_negatives import contrast_file, dictionary, embed, mistakes
from pipelines import build_folder, build_reports, claim
from pipelines.config import Config, idle_settings
from pipelines.describe import figures, losses
from pipelines.describe.plural import counted
from pipelines.describe.stats import read_counts
from pipelines.engine import cluster, dag, runner, workers
from pipelines.engine.options import parse_options
from pipelines.report.page import html
from pipelines.report.payload import losses as losses_payload
from pipelines.sources import registry
from pipelines.sources.source import NO_TEST, SHARES
from pipelines.sources.unread import FOR_PEOPLE, unread_files
from pipelines.sources.user_forms import form_named, other_forms, possible_forms
from pipelines.stages import mine, tokens
from pipelines.stages.ingest_result import NothingRead
from pipelines.stages.instruct import ask_options, load_prompts
from pipelines.stages.label_descriptions import load_contrasts
from pipelines.stages.labels import NothingLabelled
from pipelines.stages.plan import plan_stages
from schemas import manifest_file
from schemas.errors import ConfigError, names_hint, printable
from schemas.example import TASKS
from schemas.manifest_file import Manifest
from schemas.manifests import Cleaned, Ingested, Instructed
from transforms import files, language

KEYS_SHOWN = 3
"""How many sources of a build that is replaced are named."""


@dataclass(frozen=True)
class BuildOptions:
    """How to run a build, in addition to its configuration.

    `only`: the last stage to run (None: all stages). `status`, `dry_run`: print and return without building. `debug`:
    show Beam's logs. `beam_flags`: flags for Beam, including `--runner`. `known_flags`: other flags, which may be
    suggested instead of an unknown one.
    """

    output: str
    only: str | None = None
    status: bool = False
    dry_run: bool = False
    debug: bool = False
    beam_flags: tuple[str, ...] = ()
    known_flags: tuple[str, ...] = ()


def build(config: Config, run: BuildOptions) -> int:
    """Runs the build, or prints its status or plan; returns the exit code: 0, or 3 if a source failed."""
    options = parse_options(run.beam_flags, run.known_flags, run.debug)
    runner.select_runner(options)  # refuses an unusable runner before any file is read
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        workers.register()
    if not run.output:
        raise ConfigError("--output is empty; choose a folder")
    folder = files.absolute(run.output.rstrip("/") or "/")
    if files.exists(folder) and not files.is_folder(folder):
        raise ConfigError(f"--output {run.output}: is a file; choose a folder")
    listing = registry.list_root(config.data_root)
    everything = registry.locate_all(listing)
    located = registry.select(everything, config.sources, listing.root)
    check_inputs(config, located)
    mine.check_sources(config.mine, {name for source in everything for name in source.names})
    if run.status:
        previous = build_folder.last_configuration(folder)
        model = config.mine.embedding_model or (previous and previous.mine.embedding_model) or embed.DEFAULT_MODEL
        model = model if config.mine.hard_negatives == "mine" else None  # as in `resolve_embedding_model`
        return print_status(plan_stages(with_embedding_model(config, model), located, options), folder)
    for unread in unread_files(listing, everything, located if config.sources else None):
        if unread.reason != FOR_PEOPLE:  # `python -m pipelines.sources` lists these too
            log(f"note: {unread}")
    for line in formats_taken(located):
        log(f"note: {line}")
    for lang, keys in languages_taken(located).items():
        log(f"note: {', '.join(keys)}: {language.note(lang)}")
    tasks = [task for task in config.instruct.tasks if any(task in source.source.tasks for source in located)]
    for line in idle_settings(config.instruct, tasks):
        log(f"note: {line}")
    if run.dry_run:
        return print_plan(config, folder, located)
    given = (config.instruct.prompts, config.mine.contrasts, config.mine.confusions)
    inputs = [path for path in (config.data_root, *given) if path]
    inputs += [config.mine.hard_negatives] if config.mine.hard_negatives not in ("mine", "none") else []
    config = resolve_embedding_model(config)
    stages = plan_stages(config, located, options)
    encoder, last = config.mine.embedding_model, run.only or "card"
    if encoder and encoder != embed.LEXICAL and dag.is_due(stages, folder, "mine", last):
        embed.load(encoder)  # a damaged one is refused now, not after the stages before
    claim.check(folder, [name for stage in stages.values() for name in stage.folders], inputs)
    if before := replaced_sources(folder, located):
        log(f"note: {run.output}: contains a build of {shown_keys(before)}; this build replaces it")

    def prepare() -> None:
        cluster.check(options, folder, worker_inputs(config), run.known_flags)
        claim.write_record(folder, config)

    with claim.claimed(folder):
        try:
            cluster.clear(folder)
            manifests = run_stages(stages, folder, last, prepare)
        except NothingRead as error:
            dag.remove_later(stages, folder, "ingest")
            write_losses(folder, run.output, config, error.ingested)
            raise
        except NothingLabelled:
            dag.remove_later(stages, folder, "labels")
            write_losses(folder, run.output, config, build_folder.read_result(folder, Ingested))
            raise
    ingested = manifests["ingest"].result
    for key in without_test(located, ingested):
        log(f"note: {key}: {NO_TEST}")
    if "instruct" in manifests:
        for (key, task), rows in without_positive(manifests["instruct"].result).items():
            log(f"note: {key}: all answers of its {rows:,} {task} training rows are empty; raise --limit if it is set")
    if "card" in manifests:
        log(closing_line(folder, run.output))
    return 3 if ingested.failed else 0


def run_stages(
    stages: Mapping[str, dag.Stage], folder: str, last: str, prepare: Callable[[], None]
) -> dict[str, Manifest]:
    """Runs the stages up to `last`, and reports the losses in those that ended, even after an error."""
    try:
        return dag.run(stages, folder, last, announce, prepare)
    finally:
        for line in loss_lines(folder, stages):
            log(line)


def write_losses(folder: str, name: str, config: Config, ingested: Ingested) -> None:
    """Writes the report on a build without instructions. `name`: the folder as the user wrote it."""
    is_clean = files.exists(manifest_file.path(folder, Cleaned))
    cleaned = build_folder.read_result(folder, Cleaned).shards if is_clean else ()
    statistics = read_counts(ingested, cleaned, config)
    page = html(losses_payload(folder, ingested, cleaned, statistics))
    files.write_text(f"{folder}/{build_reports.REPORT}", page)
    shown = f"{name.rstrip('/')}/{build_reports.REPORT}"
    log(f"note: {name}: there are no instructions; {shown} shows what was left out, and why")


def without_positive(instructed: Instructed) -> dict[tuple[str, str], int]:
    """(Source key, task) → training rows, where none of these rows has a positive label."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for shard in instructed.shards:
        for key, counts in shard.sources.items() if shard.split == "train" else ():
            total = totals.setdefault((key, shard.task), Counter())
            total.update(training=counts.instructions, negative=counts.all_negative)
    return {at: total["training"] for at, total in sorted(totals.items()) if 0 < total["training"] == total["negative"]}


def without_test(located: Sequence[registry.Located], ingested: Ingested) -> list[str]:
    """The keys of users' sources that were divided by a hash, into the default shares, and have no test texts."""
    tested = {read.key for read in ingested.splits if read.split == "test"}
    return [
        each.key
        for each in located
        if each.key in ingested.user_sources and each.key not in tested
        if "all" in ingested.raw[each.key] and each.source.shares is SHARES
    ]


def replaced_sources(folder: str, located: Sequence[registry.Located]) -> list[str]:
    """The sources of the build in the folder, if none of them is built now. A build that cannot be read has none."""
    if not files.exists(manifest_file.path(folder, Ingested)):
        return []
    with suppress(ConfigError):
        before = build_folder.read_result(folder, Ingested).sources
        return [] if before.keys() & {source.key for source in located} else list(before)
    return []


def shown_keys(keys: Sequence[str]) -> str:
    """At most KEYS_SHOWN keys, and how many more there are."""
    more = f" and {len(keys) - KEYS_SHOWN} more" if len(keys) > KEYS_SHOWN else ""
    return ", ".join(keys[:KEYS_SHOWN]) + more


def worker_inputs(config: Config) -> list[str]:
    """The files and folders that workers read. Prompts are read in this process."""
    given = config.mine.hard_negatives
    paths = [config.data_root, given if given not in ("mine", "none") else None]
    models = (config.mine.embedding_model, config.tokens.tokenizer)
    paths += [model for model in models if model and model != embed.LEXICAL and files.exists(model)]
    return [files.absolute(path) for path in paths if path]


def log(line: str) -> None:
    print(printable(line), file=sys.stderr)


def announce(stage: dag.Stage, done: bool) -> None:
    if done:
        log(f"{stage.name}: already done")


def formats_taken(located: Sequence[registry.Located]) -> list[str]:
    """A line for each format that users' sources are taken to have."""
    keys: dict[str, list[str]] = {}
    for source in located:
        if source.files and source.files.form.is_guess and not source.problem:
            form = form_named(source.files.form.user_form)
            files_read = [file for group in source.files.splits.values() for file in group]
            line = f"read as {form.title}; {possible_forms(other_forms(form, files_read))}"
            keys.setdefault(line, []).append(source.key)
    return [f"{', '.join(names)}: {line}" for line, names in keys.items()]


def languages_taken(located: Sequence[registry.Located]) -> dict[str, list[str]]:
    """Language → the keys of the sources for which it is a guess."""
    keys: dict[str, list[str]] = {}
    for source in located:
        if source.source.lang_is_guess and not source.problem:
            keys.setdefault(source.source.lang, []).append(source.key)
    return keys


def loss_lines(folder: str, stages: Mapping[str, dag.Stage]) -> list[str]:
    """Lines that report the rows and labels lost in the finished stages."""
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
    """The last line of a build: its size, and how to load it. `name`: the folder as the user wrote it."""
    statistics = build_reports.read_statistics(folder)
    total = figures.row_count(statistics.instructions)
    tasks = ", ".join(statistics.instructions)
    sources = sum(any(splits for splits in by_task.values()) for by_task in statistics.instructions_by_source.values())
    build = name.rstrip("/")
    return (
        f"{name}: {counted(total, 'instructions')} ({tasks}) from {counted(sources, 'sources')}. {loading_hint(name)}; "
        f"see {build}/README.md and {build}/reports/report.html"
    )


def is_pattern(name: str) -> bool:
    """Whether `datasets` would read the name of the folder as a glob pattern (huggingface/datasets#7468) or a URL."""
    return any(mark in files.absolute(name) for mark in ("[", "]", "*", "?", "::", "://"))


def loading_hint(name: str) -> str:
    """How to load the build in the folder `name`."""
    if not is_pattern(name):
        return f'Load it with datasets.load_dataset("{name}")'
    if "://" in name:
        return "Copy it to a local folder to load it with datasets.load_dataset"
    return f"Rename {name} to load it: datasets.load_dataset cannot load a path with brackets or wildcards"


def check_inputs(config: Config, located: Sequence[registry.Located]) -> None:
    """Checks the inputs before anything is built.

    Raises ConfigError for settings, prompts, a dictionary or a tokenizer that cannot be used, and if no source has any
    of the requested tasks.
    """
    possible = {task for source in located for task in source.source.tasks}
    if possible and possible.isdisjoint(config.instruct.tasks):
        available = ", ".join(task for task in TASKS if task in possible)
        raise ConfigError(
            f"--tasks {','.join(config.instruct.tasks)}: no source has any of these tasks; available: {available}"
        )
    ask_options(config)
    for setting, is_set in (
        ("mine.neighbours random", config.mine.neighbours == "random"),
        (f"mine.confusions {config.mine.confusions}", config.mine.confusions),
    ):
        if is_set and config.mine.hard_negatives != "mine":
            raise ConfigError(
                f"{setting}: changes how hard negatives are mined, but mine.hard_negatives is "
                f"{config.mine.hard_negatives}; remove one of the settings"
            )
    themes = {source.source.theme for source in located} - {""}
    for theme in config.hold_out.themes:
        if theme not in themes:
            hint = names_hint(theme, themes) if themes else "none of them has a theme"
            raise ConfigError(f"hold_out.themes: no source of this build has the theme {theme!r}; {hint}")
    load_prompts(config, located)
    load_contrasts(config)
    if config.mine.hard_negatives not in ("mine", "none"):
        dictionary.load(config.mine.hard_negatives)
    if config.mine.contrasts:
        contrast_file.read(config.mine.contrasts)
    if config.mine.confusions:
        mistakes.read(config.mine.confusions)
    if config.tokens.tokenizer:
        tokens.load(config.tokens.tokenizer)
    collapsible = {source.key for source in located if source.source.collapsed}
    for key in config.ingest.collapse:
        if key not in collapsible:
            available = ", ".join(sorted(collapsible)) or "none of the sources of this build"
            raise ConfigError(f"ingest.collapse: {key!r} cannot be collapsed to one label; possible for: {available}")


def with_embedding_model(config: Config, model: str | None) -> Config:
    return config.model_copy(update={"mine": config.mine.model_copy(update={"embedding_model": model})})


def resolve_embedding_model(config: Config) -> Config:
    """The configuration with the name of its embedding model filled in.

    Without a model in the configuration this is the default model, or the lexical encoder, with a warning, if the
    default model is not available. A model that the user chose is never replaced: ConfigError is raised if it is not
    available.
    """
    model = config.mine.embedding_model
    if config.mine.hard_negatives != "mine":
        return with_embedding_model(config, None)
    if model is None:
        model = embed.DEFAULT_MODEL
        try:
            embed.check(model)
        except ConfigError as error:
            log(f"warning: {error}")
            model = embed.LEXICAL
    elif model != embed.LEXICAL:
        embed.check(model)
    if model == embed.LEXICAL:
        log("note: hard negatives are mined with the lexical encoder, which compares spelling, not meaning")
    return with_embedding_model(config, model)


def print_plan(config: Config, folder: str, located: Sequence[registry.Located]) -> int:
    """Prints the files that would be read and the configuration on stdout; returns the exit code, 3 if a source has a
    problem.
    """
    for source in located:
        if source.problem:
            print_row(source.key, "problem", "", source.problem)
            continue
        tasks = ",".join(task for task in source.source.tasks if task in config.instruct.tasks)
        for split, group in sorted(source.files.splits.items()):
            more = f", ... ({len(group)} files)" if len(group) > 3 else ""
            print_row(source.key, split, tasks, ", ".join(file.name for file in group[:3]) + more)
    print_row(f"output: {folder}")
    print(json.dumps(config.model_dump(mode="json", exclude={"sources"}), indent=1))
    return 3 if any(source.problem for source in located) else 0


def print_row(*cells: str) -> None:
    print("\t".join(map(printable, cells)))


def print_status(stages: dict[str, dag.Stage], folder: str) -> int:
    """Prints stage, state, number of files and bytes on stdout; returns the exit code.

    A stage is also outdated if a stage that it needs is not done.
    """
    states: dict[str, str] = {}
    for name, fingerprint in dag.fingerprints(stages).items():
        stage = stages[name]
        manifest = dag.read_manifest(folder, stage)
        is_done = all(states[need] == "done" for need in stage.needs) and dag.is_done(folder, stage, fingerprint)
        states[name] = "done" if is_done else "outdated" if manifest else "to do"
        sizes = list(manifest.completion.files.values()) if manifest else []
        print(f"{name}\t{states[name]}\t{len(sizes)} files\t{sum(sizes):,} bytes")
    return 0
