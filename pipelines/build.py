"""Builds a corpus: reads original dataset files, writes validated instruction shards and a dataset card."""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing import forkserver
from typing import TYPE_CHECKING

from schemas import command, key_list
from schemas.errors import ConfigError, MachineError
from schemas.example import TASKS
from schemas.manifests import STAGES
from transforms.local_tree import as_utf8

if TYPE_CHECKING:
    from pipelines.config import Config

EPILOG = """\
examples:
  %(prog)s --runner=DirectRunner            the bundled samples, into build/
  %(prog)s --data_root raw --output corpus  every source below raw/
  %(prog)s --data_root raw --sources conll2003,scierc --tasks NER,RE --limit 1000
  %(prog)s ... --status                     which stages are done

All other flags are passed to Apache Beam, for example --direct_running_mode=multi_processing --direct_num_workers=2.
Exit codes: 1 the machine, 2 configuration, 3 a source failed (the others were built), 4 a suite failed,
130 interrupted.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = command.parser("pipelines.build", __doc__, EPILOG)
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data_root", metavar="DIR", help="a folder with one folder of original files per source, named by source key"
    )
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
            if flag in ("sources", "tasks"):
                value = key_list.split(value, f"--{flag}")
            raw = raw.with_value(key.split("."), value, f"--{flag}")
    if raw.values.get("data_root") == "":
        raise ConfigError(f"{raw.place('data_root')}data_root is empty; name a folder")
    if raw.values.get("data_root") is None:
        samples = config.read_recipe(config.RECIPES / "samples.yaml")
        raw = raw.over(samples.values).with_value(["data_root"], str(config.SAMPLES), "the bundled samples")
    return config.check(raw)


def main(flags: Sequence[str] | None = None) -> int:
    return command.run(parse, build, flags, after_interrupt=command.RESUME_HINT, on_interrupt=end_workers)


def parse(flags: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with the unknown flags in `beam_flags`. Raises ConfigError."""
    try:
        decoded = [as_utf8(flag) for flag in (sys.argv[1:] if flags is None else flags)]
    except UnicodeError as error:
        raise ConfigError(
            "a flag is not valid UTF-8; rename the file, or check the encoding of the terminal"
        ) from error
    arguments, beam_flags = argument_parser().parse_known_args(decoded)
    arguments.beam_flags = [*beam_flags, f"--runner={arguments.runner}"]
    return arguments


def build(arguments: argparse.Namespace) -> int:
    settings = configuration(arguments)
    if arguments.only not in (None, *STAGES):
        raise ConfigError(f"--only {arguments.only}: the stages are {', '.join(STAGES)}")
    is_run = not (arguments.status or arguments.dry_run)
    if is_run and any("multi_processing" in flag for flag in arguments.beam_flags):
        start_fork_server()
    if not arguments.debug:  # Beam also raises the errors that it logs
        logging.basicConfig(level=logging.CRITICAL)  # the root logger too: a job service logs there
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    from pipelines import driver  # imports Beam, so only after the flags have been checked

    try:
        run = driver.BuildOptions(
            arguments.output,
            arguments.only,
            arguments.status,
            arguments.dry_run,
            arguments.debug,
            tuple(arguments.beam_flags),
            option_names(argument_parser()),
        )
        return driver.build(settings, run)
    except MemoryError as error:
        raise MachineError(
            "out of memory; run the same command again to resume, with fewer workers (--direct_num_workers) "
            "or smaller shards (--set ingest.examples_per_shard=2000 "
            "--set instruct.instructions_per_shard=20000)"
        ) from error


def start_fork_server() -> None:
    """Starts the process that workers are forked from. It imports their modules while this process continues."""
    forkserver.set_forkserver_preload(["pipelines.preload"])
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited by the workers, which the build ends itself
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # else it may import no IEForge, or another one
    forkserver.ensure_running()
    del os.environ["PYTHONPATH"]
    if before is not None:
        os.environ["PYTHONPATH"] = before
    signal.signal(signal.SIGINT, handler)


def end_workers() -> None:
    """Kills the worker processes of an interrupted build, because Beam would wait for them."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the signal by which `engine.workers` reports a dead worker
    for worker in multiprocessing.active_children():
        worker.kill()


def option_names(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    return tuple(name for action in parser._actions for name in action.option_strings)


if __name__ == "__main__":
    sys.exit(main())
