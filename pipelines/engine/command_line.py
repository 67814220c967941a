"""What the commands that run stages share: flags for Beam, quiet logs, worker processes, running out of memory.

It imports no Beam, so that wrong flags are reported at once.
"""

import argparse
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker, util
from typing import Any

from schemas import command
from schemas.errors import ConfigError, MachineError
from transforms.local_tree import as_utf8


def parse(parser: argparse.ArgumentParser, flags: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with the flags that the parser does not know in `beam_flags`. Raises ConfigError.

    The word after such a flag is its value, not an argument `path`, which may be anywhere else.
    """
    try:
        decoded = [as_utf8(flag) for flag in (sys.argv[1:] if flags is None else flags)]
    except UnicodeError as error:
        raise ConfigError(
            "a flag is not valid UTF-8; rename the file, or check the encoding of the terminal"
        ) from error
    known = option_names(parser)
    given = with_values(decoded, known)
    # argparse would take an unknown flag whose value contains a blank for a word, thus for `path`
    spaced = [flag for flag in given if flag.startswith("--") and " " in flag and flag.partition("=")[0] not in known]
    arguments, unknown = parser.parse_known_args([flag for flag in given if flag not in spaced])
    unknown += spaced
    words = [flag for flag in unknown if not flag.startswith("-")]
    if words and getattr(arguments, "path", "") is None:  # argparse takes it only before the first flag
        arguments.path = words.pop(0)
    if words:
        raise ConfigError(f"unexpected argument {words[0]}; see --help")
    arguments.beam_flags = [*(flag for flag in unknown if flag.startswith("-")), f"--runner={arguments.runner}"]
    return arguments


def with_values(flags: Sequence[str], known: Container[str]) -> list[str]:
    """`flags`, with the word after a flag that is not `known` joined to it as its value."""
    joined: list[str] = []
    for flag in flags:
        before = joined[-1] if joined else ""
        is_unknown = before.startswith("--") and "=" not in before and before not in known
        if is_unknown and not flag.startswith("-"):
            joined[-1] = f"{before}={flag}"
        else:
            joined.append(flag)
    return joined


def option_names(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    return tuple(name for action in parser._actions for name in action.option_strings)


def silence_logs(arguments: argparse.Namespace) -> None:
    """Silences Beam's logs unless `--debug` is set. Call it before Beam is imported, which may log a warning."""
    if not arguments.debug:  # Beam also raises the errors that it logs
        logging.basicConfig(level=logging.CRITICAL)  # the root logger too: a job service logs there
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)


def check_stage(name: str | None, stages: Sequence[str]) -> None:
    """Raises ConfigError for a `--only` that is not in `stages`."""
    if name not in (None, *stages):
        raise ConfigError(f"--only {name}: the stages are {', '.join(stages)}")


@contextmanager
def loading(arguments: argparse.Namespace, stages: Sequence[str]) -> Iterator[None]:
    """For the imports of Beam and the modules `stages`, whose code is parsed meanwhile. Then starts the fork server if
    the run has workers.
    """
    may_fork = "grpc" not in sys.modules and threading.active_count() == 1  # channels and threads do not survive a fork
    is_run = not (arguments.status or arguments.dry_run)
    if is_run and may_fork:
        from pipelines.engine import code  # imports Arrow

        code.parse_ahead(stages)
    gc.disable()  # an import creates no garbage, and collecting takes a fifth of its time
    yield
    gc.freeze()
    gc.enable()
    if is_run and any("multi_processing" in flag for flag in arguments.beam_flags):
        start_fork_server(may_fork)
    command.check_interrupted()


@contextmanager
def out_of_memory(smaller_shards: str) -> Iterator[None]:
    """Turns a MemoryError into one line. `smaller_shards`: the flags that make shards smaller."""
    try:
        yield
    except MemoryError as error:
        raise MachineError(
            "out of memory; run the same command again to resume, with fewer workers (--direct_num_workers) "
            f"or smaller shards ({smaller_shards})"
        ) from error


def start_fork_server(may_fork: bool = False) -> None:
    """Starts the process that workers are forked from: a fork of this one, or a new Python, which imports their modules
    while this process continues.
    """
    forkserver.set_forkserver_preload(["pipelines.preload"])
    resource_tracker.ensure_running()  # first, as it would deliver the signals that are held
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        path for path in sys.path if isinstance(path, str)
    )  # else it may import no IEForge, or another one
    spawn = util.spawnv_passfds
    if may_fork:
        util.spawnv_passfds = fork
    with command.hold_signals():  # `preload` has the handlers of the new process
        forkserver.ensure_running()
    util.spawnv_passfds = spawn
    del os.environ["PYTHONPATH"]
    if before is not None:
        os.environ["PYTHONPATH"] = before


def fork(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
    """Like `multiprocessing.util.spawnv_passfds` for `python -c CODE`, but runs the code in a fork of this process, so
    that nothing is imported twice.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None if the descriptor was closed at the start
        stream.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        first = 3
        for descriptor in (*sorted(passfds), os.sysconf("SC_OPEN_MAX")):
            os.closerange(first, descriptor)
            first = descriptor + 1
        exec(args[-1], {})
    finally:
        os._exit(0)


def end_workers() -> None:
    """Kills the worker processes of an interrupted run, because Beam would wait for them."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the signal by which `engine.workers` reports a dead worker
    for worker in multiprocessing.active_children():
        worker.kill()
