"""Makes a themed corpus from a knowledge graph and an encyclopaedia: texts with their facts."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.engine import allocators, command_line
from schemas import command
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.engine.dag import Stage
    from pipelines.knowledge.config import Config
    from schemas.knowledge_manifests import Exported, Matched

STAGES = ("entities", "types", "pages", "link", "match", "score", "export")
MARKER = "knowledge_run.json"
"""Every run writes this file; a folder without it was not made by this command."""

EPILOG = """\
examples:
  %(prog)s                                    the bundled sample, into knowledge/
  %(prog)s --wikidata wikidata-20260831-all.json.bz2 --wikipedia enwiki-20260901-*.xml.bz2 --output corpus
  %(prog)s ... --lang zh --themes themes.yaml --set export.min_score=0.75
  %(prog)s ... --status                       which stages are done

The result in DIR/export is a data root: python -m pipelines.build --data_root DIR/export.
All other flags are passed to Apache Beam, for example --direct_running_mode=multi_processing --direct_num_workers=2.
Exit codes: 1 the machine, 2 configuration, 3 an input cannot be read, 130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.knowledge", __doc__, EPILOG, "knowledge.md")
    data = parser.add_argument_group("data")
    data.add_argument(
        "--wikidata",
        metavar="FILE",
        nargs="+",
        help="dumps of the knowledge graph in Wikidata's JSON form: plain, gz or bz2",
    )
    data.add_argument(
        "--wikipedia",
        metavar="FILE",
        nargs="+",
        help="MediaWiki XML dumps, pages of HTML or wikitext, or JSON lines of paragraphs: plain, gz or bz2",
    )
    data.add_argument("--lang", metavar="en|zh", help="language of the texts; default: en")
    data.add_argument("--output", metavar="DIR", default="knowledge", help="default: knowledge/")
    data.add_argument("--limit", metavar="N", help="at most N pages, or lines of JSON, per file")
    settings = parser.add_argument_group("settings")
    settings.add_argument("--themes", metavar="FILE", help="a YAML file of themes; default: the bundled twelve")
    settings.add_argument(
        "--theme", metavar="NAME", help="this theme for all texts; default: that of their page's item"
    )
    settings.add_argument("--config", metavar="FILE", help="a YAML file of settings")
    settings.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        help="set one value; may be repeated. --dry_run lists all",
    )
    settings.add_argument("--seed", metavar="N", help="seed of all random choices; default: 42")
    run = parser.add_argument_group("run")
    run.add_argument("--runner", default="DirectRunner", help="a Beam runner; default: DirectRunner, in this process")
    run.add_argument("--only", metavar="STAGE", help=f"stop after this stage: {', '.join(STAGES)}")
    run.add_argument("--status", action="store_true", help="print which stages are done, and exit")
    run.add_argument("--dry_run", action="store_true", help="print what would be read, with which settings, and exit")
    return parser


FLAG_SETTINGS = {
    "wikidata": "wikidata",
    "wikipedia": "wikipedia",
    "lang": "lang",
    "seed": "seed",
    "limit": "pages.limit",
    "themes": "match.themes",
    "theme": "match.theme",
}
"""Flag → the setting that it sets."""


def configuration(arguments: argparse.Namespace) -> "Config":
    """The configuration from --config, --set and the other flags; later ones override earlier ones.

    Without any input, the bundled sample in the language is the input. Raises ConfigError.
    """
    from pipelines.knowledge import config
    from transforms import files, settings
    from transforms.settings import Settings

    hint = "--config takes a YAML file of settings"
    raw = settings.read(arguments.config, config.Config, hint) if arguments.config else Settings()
    for setting in arguments.set:
        raw = raw.with_setting(setting)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(arguments, flag)
        if value is not None:
            raw = raw.with_value(key.split("."), value, f"--{flag}")
    raw = raw.over({"lang": "en"})
    inputs = ("wikidata", "wikipedia")
    if not any(raw.values.get(key) for key in inputs):
        samples = {"wikidata": "wikidata.json", "wikipedia": f"{raw.values['lang']}wiki.xml"}
        for key, name in samples.items():
            raw = raw.with_value([key], [str(config.SAMPLES / name)], "the bundled sample")
    for key in inputs:
        if not raw.values.get(key):
            raise ConfigError(f"{raw.place(key)}no {key}; give --{key} FILE")
    checked = settings.check(config.Config, raw)
    absolute = {key: tuple(files.absolute(path) for path in getattr(checked, key)) for key in inputs}
    return checked.model_copy(update=absolute)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, make, flags, after_interrupt=command.RESUME_HINT, on_interrupt=command_line.end_workers)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    return command_line.parse(argument_parser(), flags)


def make(arguments: argparse.Namespace) -> int:
    command_line.silence_logs(arguments)
    allocators.return_freed_memory()
    config = configuration(arguments)
    if not arguments.output:
        raise ConfigError("--output is empty; choose a folder")
    command_line.check_stage(arguments.only, STAGES)
    modules = [f"pipelines.knowledge.{name}" for name in STAGES]
    with command_line.loading(arguments, modules):  # imports Beam, so only after the flags have been checked
        from pipelines.knowledge import plan  # noqa: F401
    with command_line.out_of_memory("--set pages.paragraphs_per_shard=500"):
        return run_stages(config, arguments)


def run_stages(config: "Config", arguments: argparse.Namespace) -> int:
    """Runs the stages that are not done, or prints their status or the plan; returns the exit code."""
    from apache_beam.options.pipeline_options import DirectOptions

    from pipelines import claim, driver
    from pipelines.engine import cluster, dag, runner, workers
    from pipelines.engine.options import parse_options
    from pipelines.knowledge.plan import plan_stages
    from transforms import files

    flag_names = command_line.option_names(argument_parser())
    options = parse_options(arguments.beam_flags, flag_names, arguments.debug)
    runner.select_runner(options)  # refuses an unusable runner before any file is read
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        workers.register()
    folder = files.absolute(arguments.output.rstrip("/") or "/")
    if files.exists(folder) and not files.is_folder(folder):
        raise ConfigError(f"--output {arguments.output}: is a file; choose a folder")
    stages = plan_stages(config, options)
    if arguments.status:
        code = driver.print_status(stages, folder)
        report_losses(folder, stages, config.match.themes)
        return code
    if arguments.dry_run:
        return print_plan(config, folder)
    inputs = [*config.wikidata, *config.wikipedia, *([config.match.themes] if config.match.themes else [])]
    claim.check(folder, [name for stage in stages.values() for name in stage.folders], inputs, MARKER)

    def prepare() -> None:
        cluster.check(options, folder, worker_inputs(config), flag_names)
        claim.write_record(folder, config, MARKER)

    with claim.claimed(folder):
        try:
            cluster.clear(folder)
            manifests = dag.run(stages, folder, arguments.only or "export", driver.announce, prepare)
        finally:
            report_losses(folder, stages, config.match.themes)
    if "export" in manifests:
        driver.log(closing_line(manifests["export"].result, manifests["match"].result, arguments.output))
    return 0


def worker_inputs(config: "Config") -> list[str]:
    """The files and folders that workers read: of a glob its folder. Themes are read in this process."""
    from transforms import files

    paths = (*config.wikidata, *config.wikipedia)
    return [path if files.exists(path) else path.rpartition("/")[0] for path in paths]


def report_losses(folder: str, stages: "Mapping[str, Stage]", themes_file: str | None) -> None:
    """Prints on stderr what the finished stages left out."""
    from pipelines import driver
    from pipelines.engine import dag
    from pipelines.knowledge import losses

    lines = []
    if entities := dag.read_manifest(folder, stages["entities"]):
        lines += losses.in_entities(entities.result, themes_file)
    if pages := dag.read_manifest(folder, stages["pages"]):
        lines += losses.in_pages(pages.result)
    for line in lines:
        driver.log(line)


def print_plan(config: "Config", folder: str) -> int:
    """Prints the files that would be read and the configuration on stdout; returns the exit code."""
    from pipelines.driver import print_row
    from transforms import files
    from transforms.files import File

    for kind in ("wikidata", "wikipedia"):
        for path in getattr(config, kind):
            print_row(kind, path, f"{files.total_bytes([File(path, path)]):,} bytes")
    print_row(f"output: {folder}")
    print(json.dumps(config.model_dump(mode="json", exclude={"wikidata", "wikipedia"}), indent=1))
    return 0


def closing_line(result: "Exported", matched: "Matched", name: str) -> str:
    """The last line of a run: its size, and the next command. `name`: the folder as the user wrote it."""
    from pipelines.describe import shell

    texts, facts = sum(split.texts for split in result.splits), sum(split.facts for split in result.splits)
    if not texts:
        paragraphs = sum(shard.rows for shard in matched.shards)
        by_theme = [counts for shard in matched.shards for counts in shard.themes.values()]
        with_theme, matches = sum(c.texts for c in by_theme), sum(sum(c.facts.values()) for c in by_theme)
        return (
            f"{name}: no text is exported: {with_theme:,} of {paragraphs:,} paragraphs have a theme, with {matches:,} "
            "facts. A paragraph has the theme of its page's item (--theme NAME: that theme for all), and a fact is a "
            "statement of the dump with a property of the theme"
        )
    themes = len({split.corpus for split in result.splits})
    program = "ieforge build" if sys.argv[0].startswith(f"{command.PROGRAM} ") else "python -m pipelines.build"
    root = shell.quote(f"{name.rstrip('/')}/export")
    return (
        f"{name}: {count(texts, 'text')} with {count(facts, 'fact')} in {count(themes, 'theme')}. "
        f"Build it with {program} --data_root {root}"
    )


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


if __name__ == "__main__":
    sys.exit(main())
