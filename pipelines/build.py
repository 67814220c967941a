"""Builds a corpus: reads original dataset files, writes validated instruction shards and a dataset card."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.engine import command_line
from schemas import command, key_list
from schemas.errors import ConfigError
from schemas.example import TASKS
from schemas.manifests import STAGES

if TYPE_CHECKING:
    from pipelines.config import Config

EPILOG = """\
examples:
  %(prog)s --runner=DirectRunner            the bundled samples, into build/
  %(prog)s export.json --output corpus      one file that an annotation tool exported
  %(prog)s my_folder --output corpus        a folder of such files, or of one folder per source
  %(prog)s raw --sources conll2003,scierc --tasks NER,RE --limit 1000
  %(prog)s ... --status                     which stages are done

All other flags are passed to Apache Beam, for example --direct_running_mode=multi_processing --direct_num_workers=2.
Exit codes: 1 the machine, 2 configuration, 3 a source failed (the others were built), 4 a suite failed,
130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.build", __doc__, EPILOG, "build.md")
    data = parser.add_argument_group("data")
    data.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        help="a file or folder of your own labelled data, or a folder with one folder of original files per source, "
        "named by source key",
    )
    data.add_argument("--data_root", metavar="PATH", help="the same as PATH")
    data.add_argument(
        "--sources",
        metavar="A,B",
        help='source keys, comma-separated (quote a key that contains a comma: "a, b",c); default: all sources present',
    )
    data.add_argument("--tasks", metavar="T,T", help=f"default: {','.join(TASKS)}")
    data.add_argument("--output", metavar="DIR", default="build", help="default: build/")
    data.add_argument(
        "--limit",
        metavar="N",
        help="at most N examples per source and split, sampled by a hash of their text; files are still read in full",
    )
    settings = parser.add_argument_group("settings")
    settings.add_argument("--recipe", metavar="FILE", help="a YAML file of settings")
    settings.add_argument(
        "--set", metavar="SECTION.KEY=VALUE", action="append", default=[], help="set one value; may be repeated"
    )
    settings.add_argument("--seed", metavar="N", help="seed of all random choices; default: 42")
    settings.add_argument(
        "--hold_out_labels",
        metavar="L,L",
        help="labels that only test rows ask for, comma-separated: NAME, or LAYER/NAME with the layer entities, "
        "relations or events",
    )
    settings.add_argument(
        "--hold_out_themes", metavar="T,T", help="themes of sources whose texts are left out of train and validation"
    )
    settings.add_argument("--hard_negatives", metavar="mine|none|FILE|DIR", help="default: mine")
    settings.add_argument(
        "--embedding_model",
        metavar="NAME|PATH|lexical",
        help="a sentence-transformers model, or the built-in lexical encoder (no download)",
    )
    settings.add_argument(
        "--prompts", metavar="FILE", help="custom instruction texts (YAML: task → language → list of texts)"
    )
    settings.add_argument(
        "--tokenizer",
        metavar="NAME|PATH",
        help="count tokens with this tokenizer, on a sample (all rows: --set tokens.sample=null); "
        "a tokenizer.json, a folder or a Hub name",
    )
    run = parser.add_argument_group("run")
    run.add_argument("--runner", default="DirectRunner", help="a Beam runner; default: DirectRunner, in this process")
    run.add_argument("--only", metavar="STAGE", help=f"stop after this stage: {', '.join(STAGES)}")
    run.add_argument("--status", action="store_true", help="print which stages are done, and exit")
    run.add_argument("--dry_run", action="store_true", help="print what would be read and built, and exit")
    return parser


FLAG_SETTINGS = {
    "data_root": "data_root",
    "sources": "sources",
    "seed": "seed",
    "limit": "ingest.limit",
    "tasks": "instruct.tasks",
    "prompts": "instruct.prompts",
    "hold_out_labels": "hold_out.labels",
    "hold_out_themes": "hold_out.themes",
    "hard_negatives": "mine.hard_negatives",
    "embedding_model": "mine.embedding_model",
    "tokenizer": "tokens.tokenizer",
}
"""Flag → the setting that it sets."""


def configuration(arguments: argparse.Namespace) -> "Config":
    """The configuration from the recipe, --set and the other flags; later ones override earlier ones.

    Without a data root, the bundled samples and their recipe are the defaults. Raises ConfigError.
    """
    from pipelines import config
    from transforms.settings import Settings

    raw = config.read_recipe(arguments.recipe) if arguments.recipe else Settings()
    for setting in arguments.set:
        raw = raw.with_setting(setting)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(arguments, flag)
        if value is not None:
            if flag in ("sources", "tasks", "hold_out_labels", "hold_out_themes"):
                value = key_list.split(value, f"--{flag}")
            raw = raw.with_value(key.split("."), value, f"--{flag}")
    if raw.values.get("data_root") == "":
        raise ConfigError(f"{raw.place('data_root')}data_root is empty; name a folder")
    if raw.values.get("data_root") is None:
        samples = config.read_recipe(config.RECIPES / "samples.yaml")
        raw = raw.over(samples.values).with_value(["data_root"], str(config.SAMPLES), "the bundled samples")
    return config.check(raw)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, build, flags, after_interrupt=command.RESUME_HINT, on_interrupt=command_line.end_workers)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with PATH as `data_root`. Raises ConfigError if both are given."""
    arguments = command_line.parse(argument_parser(), flags)
    if arguments.path is not None:
        if arguments.data_root is not None:
            raise ConfigError(f"{arguments.path} and --data_root {arguments.data_root} both name the data; give one")
        arguments.data_root = arguments.path
    return arguments


def build(arguments: argparse.Namespace) -> int:
    command_line.silence_logs(arguments)
    settings = configuration(arguments)
    command_line.check_stage(arguments.only, STAGES)
    modules = [f"pipelines.stages.{name}" for name in STAGES]
    with command_line.loading(arguments, modules):  # imports Beam, so only after the flags have been checked
        from pipelines import driver, sources

        sources.keys()  # imports the modules of all datasets

    with command_line.out_of_memory("--set ingest.examples_per_shard=2000 --set instruct.instructions_per_shard=20000"):
        run = driver.BuildOptions(
            arguments.output,
            arguments.only,
            arguments.status,
            arguments.dry_run,
            arguments.debug,
            tuple(arguments.beam_flags),
            command_line.option_names(argument_parser()),
        )
        return driver.build(settings, run)


if __name__ == "__main__":
    sys.exit(main())
