"""python -m pipelines.build: original dataset files in, validated instruction shards and their card out."""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from multiprocessing import forkserver

from pipelines import config
from schemas import key_list
from schemas.errors import ConfigError, IEForgeError, escape_on_stdout, printable
from schemas.example import TASKS
from schemas.manifests import STAGES
from transforms.local_tree import as_utf8

EPILOG = """\
examples:
  python -m pipelines.build --runner=DirectRunner            the bundled samples, into build/
  python -m pipelines.build --data_root raw --output corpus  every source found below raw/
  python -m pipelines.build --data_root raw --sources conll2003,scierc --tasks NER,RE --limit 1000
  python -m pipelines.build ... --status                     what is done, without building

Every other flag goes to Apache Beam, for example --direct_running_mode=multi_processing --direct_num_workers=2.
Exit codes: 1 the machine, 2 configuration, 3 a source failed (the others were built), 4 a suite failed.
"""


def argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.build",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data_root", metavar="DIR", help="folders named by source key, original files in them")
    data.add_argument(
        "--sources",
        metavar="A,B",
        help='source keys ("a, b",c where a comma is in one); default: all found',
    )
    data.add_argument("--tasks", metavar="T,T", help=f"default: {','.join(TASKS)}")
    data.add_argument("--output", metavar="DIR", default="build", help="default: build/")
    data.add_argument(
        "--limit",
        metavar="N",
        help="N examples of each source and split, drawn by a hash of their text; files are read whole",
    )
    settings = parser.add_argument_group("settings")
    settings.add_argument("--recipe", metavar="FILE", help="a YAML file of settings")
    settings.add_argument(
        "--set", metavar="SECTION.KEY=VALUE", action="append", default=[], help="one setting; may be repeated"
    )
    settings.add_argument("--seed", metavar="N", help="feeds every random choice; default: 42")
    settings.add_argument("--hard_negatives", metavar="mine|none|FILE|DIR", help="default: mine")
    settings.add_argument(
        "--embedding_model",
        metavar="NAME|PATH|lexical",
        help="a sentence-transformers model, or the built-in lexical encoder (no download)",
    )
    settings.add_argument("--prompts", metavar="FILE", help="own instruction texts (YAML: task, language, list)")
    settings.add_argument(
        "--tokenizer",
        metavar="NAME|PATH",
        help="count tokens by it, of a sample (--set tokens.sample=null: of all); a tokenizer.json, a folder or a name",
    )
    run = parser.add_argument_group("run")
    run.add_argument("--runner", default="DirectRunner", help="a Beam runner; default: DirectRunner, in this process")
    run.add_argument("--only", metavar="STAGE", help=f"build up to one of {', '.join(STAGES)}")
    run.add_argument("--status", action="store_true", help="print which stages are done, and stop")
    run.add_argument("--dry_run", action="store_true", help="print what would be read and built, and stop")
    run.add_argument("--debug", action="store_true", help="show the traceback of an error, and Beam's log")
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
"""Flag → the setting that it is short for."""


def configuration(arguments: argparse.Namespace) -> config.Config:
    """The recipe, then --set, then flags. Without data the bundled samples and their recipe are the start."""
    content: dict = {}
    origin = "flags"
    if arguments.recipe:
        content, origin = config.read_recipe(arguments.recipe), arguments.recipe
    for setting in arguments.set:
        content = config.with_setting(content, setting)
    for flag, key in FLAG_SETTINGS.items():
        value = getattr(arguments, flag)
        if value is not None:
            if flag in ("sources", "tasks"):
                value = key_list.split(value, f"--{flag}")
            content = config.with_value(content, key, value)
    if not content.get("data_root"):
        samples = config.read_recipe(config.RECIPES / "samples.yaml")
        content = config.merged({**samples, "data_root": str(config.SAMPLES)}, content)
    return config.check(content, origin)


def main(flags: Sequence[str] | None = None) -> int:
    parser = argument_parser()
    escape_on_stdout()
    try:
        arguments, beam_flags = parser.parse_known_args(list(map(as_utf8, sys.argv[1:] if flags is None else flags)))
    except UnicodeError:
        print("error: a flag is no UTF-8; rename the file, or check what the terminal sends", file=sys.stderr)
        return ConfigError.exit_code
    except argparse.ArgumentError as error:
        print(f"error: {printable(str(error))}; see --help", file=sys.stderr)
        return ConfigError.exit_code
    beam_flags.append(f"--runner={arguments.runner}")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, interrupt)
    try:
        settings = configuration(arguments)
        if arguments.only not in (None, *STAGES):
            raise ConfigError(f"--only {arguments.only}: the stages are {', '.join(STAGES)}")
        if any("multi_processing" in flag for flag in beam_flags) and not (arguments.status or arguments.dry_run):
            start_fork_server()
        if not arguments.debug:  # the engine's own log is for debugging; what it logs of errors is raised as well
            logging.basicConfig(level=logging.CRITICAL)  # the root's too: a job service's messages are logged there
            logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
        from pipelines import driver  # Beam is loaded only once the flags are known to be good

        run = driver.BuildOptions(
            arguments.output,
            arguments.only,
            arguments.status,
            arguments.dry_run,
            arguments.debug,
            tuple(beam_flags),
            own_flags(parser),
        )
        return driver.build(settings, run)
    except IEForgeError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def start_fork_server() -> None:
    """Starts the process that workers are forked from: it loads what they need while this one does the same."""
    forkserver.set_forkserver_preload(["pipelines.preload"])
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: the build ends its workers itself
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # else it may find no modules, or those of another IEForge
    forkserver.ensure_running()
    del os.environ["PYTHONPATH"]
    if before is not None:
        os.environ["PYTHONPATH"] = before
    signal.signal(signal.SIGINT, handler)


def interrupt(signum, frame) -> None:
    """Ends the worker processes, for which the engine would wait, then the build."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # by which their deaths would be told (`workers`)
    for worker in multiprocessing.active_children():
        worker.kill()
    raise KeyboardInterrupt


def own_flags(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    return tuple(name for action in parser._actions for name in action.option_strings)


if __name__ == "__main__":
    sys.exit(main())
