"""What all commands of IEForge share: the flag parser, exit codes, signals, and one line on stderr per error.

Exit codes: 0 success, 1 machine error, 2 configuration error, 3 a source failed, 4 a suite failed, 5 publishing
refused, 130 interrupted. This module imports only light modules, so that `--help` starts fast.
"""

import argparse
import io
import itertools
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from schemas.errors import ConfigError, IEForgeError, MachineError, did_you_mean, printable

PROGRAM = "ieforge"
INTERRUPTED = 128 + signal.SIGINT
STDOUT = 1

RESUME_HINT = "run the same command again to resume"
"""The hint of an interrupted command that keeps its finished work."""


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises ConfigError for wrong flags instead of printing the usage and exiting."""

    def parse_args(  # type: ignore[override]  # the result is a Namespace, whatever `namespace` is
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        """Raises ConfigError for a wrong flag before one for a missing flag, which may be the same one, mistyped."""
        flags = list(sys.argv[1:] if args is None else args)
        for flag in itertools.takewhile(lambda flag: flag != "--", flags):
            name = flag.partition("=")[0]
            if name.startswith("--") and " " not in name and name not in self._option_string_actions:
                refuse_flag(flag, self._option_string_actions)
        return super().parse_args(flags)

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see --help")


def refuse_flag(flag: str, known: Iterable[str], otherwise: str = "see --help") -> NoReturn:
    """Raises ConfigError for an unknown flag, with the `known` ones that are similar, or else the hint `otherwise`."""
    name = flag.partition("=")[0]
    raise ConfigError(f"unknown flag {name}; {did_you_mean(name, sorted(known)) or otherwise}")


def parser(module: str, docstring: str, epilog: str = "", guide: str = "") -> Parser:
    """A parser for the flags of a command, with `--debug`. `%(prog)s` in `epilog` is replaced by the program name.
    `guide`: the page in docs/ about the command.
    """
    created = Parser(
        prog=program(module),
        description=summary(docstring),
        epilog=f"{epilog}Guide: docs/{guide}" if guide else epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    created.add_argument(
        "--debug", action="store_true", help="show the traceback of an error, and the logs of the libraries"
    )
    return created


def program(module: str) -> str:
    """The command as the user started it: `ieforge build` or `python -m pipelines.build`."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else f"python -m {module}"


def summary(docstring: str) -> str:
    """The one-line description of a command: the first line of the docstring of its module."""
    return docstring.partition("\n")[0]


def run(
    parse: Callable[[Sequence[str] | None], argparse.Namespace],
    work: Callable[[argparse.Namespace], int],
    flags: Sequence[str] | None = None,
    *,
    after_interrupt: str = "",
    on_interrupt: Callable[[], None] | None = None,
    silent: bool = False,
) -> int:
    """Parses `flags` (None: those of the process) with `parse`, runs `work` on the result and returns the exit code.

    An IEForgeError, an OSError and a MemoryError are reported in one line on stderr, after the traceback if the
    arguments have `debug`. SIGINT and SIGTERM interrupt the command: the signal handler calls `on_interrupt`, and
    `after_interrupt` is the hint after "interrupted" (`{name}` in it is replaced by that argument). If the reader of
    stdout (such as `head`) has closed it, the command ends quietly with 0. `silent`: print no line; for all but one of
    the processes that a launcher starts.
    """
    arguments = None
    try:
        handle_signals(on_interrupt)
        open_stderr()
        escape_on_stdout()
        arguments = parse(flags)
        code = work(arguments)
        print(end="", flush=True)
        return code
    except KeyboardInterrupt:
        hint = f"; {after_interrupt.format_map(vars(arguments))}" if arguments and after_interrupt else ""
        lines, code = (f"interrupted{hint}",), INTERRUPTED
    except IEForgeError as error:
        show_traceback(arguments)
        lines, code = (f"error: {error.args[0]}", *error.args[1:]), error.exit_code
    except OSError as error:
        is_quiet = isinstance(error, BrokenPipeError) and has_reader_gone()
        discard_stdout()
        if is_quiet:
            return 0
        show_traceback(arguments)
        where = f"{error.filename}: " if error.filename else ""
        lines, code = (f"error: {where}{error.strerror or error}; check the path and the disk",), MachineError.exit_code
    except MemoryError:
        show_traceback(arguments)
        lines, code = ("error: out of memory; end other programs, or use a larger machine",), MachineError.exit_code
    if not silent:
        print("\n".join(map(printable, lines)), file=sys.stderr)
    return code


def handle_signals(on_interrupt: Callable[[], None] | None) -> None:
    """Makes SIGTERM raise KeyboardInterrupt as SIGINT does. Both call `on_interrupt` first, if it is given."""
    if on_interrupt is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # a shell ignores SIGINT for commands in the background
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        INTERRUPTS.append(signum)
        on_interrupt()
        raise KeyboardInterrupt

    INTERRUPTS.clear()
    for number in ENDING:
        signal.signal(number, interrupt)


ENDING = (signal.SIGINT, signal.SIGTERM)
"""The signals that end a command."""


@contextmanager
def hold_signals() -> Iterator[None]:
    """Delivers the signals of ENDING only after the block: for starting a process, which inherits that they are held
    until it has handlers of its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


INTERRUPTS: list[int] = []
"""The signals that interrupted this command."""


def check_interrupted() -> None:
    """Raises KeyboardInterrupt again, after a signal: Python discards it in its hooks of imports and forks."""
    if INTERRUPTS:
        raise KeyboardInterrupt


def open_stderr() -> None:
    """Discards what is printed on stderr if it is closed: `print` would take stdout."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process


def escape_on_stdout() -> None:
    """Makes stdout escape characters that its encoding lacks, as stderr does, instead of raising an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def has_reader_gone() -> bool:
    """Whether the reader of stdout has closed the pipe. A BrokenPipeError may come from other pipes and sockets."""
    stdout = select.poll()
    stdout.register(STDOUT, 0)
    return any(events & select.POLLERR for _, events in stdout.poll(0))


def discard_stdout() -> None:
    """Discards what stdout did not accept: the interpreter would try to write it at exit and report an error."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)


def show_traceback(arguments: argparse.Namespace | None) -> None:
    if arguments and arguments.debug:
        traceback.print_exc()
