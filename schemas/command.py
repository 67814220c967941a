"""How a command line of IEForge reads its flags and how it ends: an exit code and, where it fails, one line on stderr.

Exit codes: 0 done, 1 the machine, 2 configuration, 3 a source failed, 4 a suite failed, 5 publishing refused,
130 interrupted. Only light modules are imported here, so that `--help` answers at once.
"""

import argparse
import io
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from schemas.errors import ConfigError, IEForgeError, MachineError, printable

PROGRAM = "ieforge"
INTERRUPTED = 128 + signal.SIGINT
STDOUT = 1

GOES_ON = "the same command goes on where this one stopped"
"""What an interrupted command says of itself where it keeps what it has done."""


class Parser(argparse.ArgumentParser):
    """argparse's parser, which raises ConfigError for wrong flags instead of printing the usage and exiting."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see --help")


def parser(module: str, docstring: str, epilog: str = "") -> Parser:
    """A parser for the flags of a command's module, with `--debug`. `%(prog)s` in `epilog` is the program's name."""
    created = Parser(
        prog=program(module),
        description=summary(docstring),
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    created.add_argument(
        "--debug", action="store_true", help="show the traceback of an error, and the logs of the libraries"
    )
    return created


def program(module: str) -> str:
    """What the user typed to start the command: `ieforge build`, or `python -m pipelines.build`."""
    return sys.argv[0] if sys.argv[0].startswith(f"{PROGRAM} ") else f"python -m {module}"


def summary(docstring: str) -> str:
    """What a command does, in one line: the first of its module's docstring."""
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
    """Runs `work` on the arguments that `parse` makes of `flags` (None: those of the process); returns the exit code.

    An IEForgeError, what the operating system refuses and memory that runs out are one line on stderr each, after the
    traceback where the arguments have `debug`. SIGINT and SIGTERM interrupt the command: `on_interrupt` is called in
    the signal's handler, and `after_interrupt` is the hint that follows "interrupted" (`{name}` in it is an argument).
    Where the reader of stdout (`head`, say) has closed it, the command ends quietly with 0. `silent`: no line is
    printed, for all processes but one of those that a launcher starts.
    """
    arguments = None
    try:
        handle_signals(on_interrupt)
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
    """Makes SIGTERM raise KeyboardInterrupt as SIGINT does, both after a call of `on_interrupt` if there is one."""
    if on_interrupt is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as of a shell's command in the background
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        on_interrupt()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def escape_on_stdout() -> None:
    """Prints characters that the encoding of stdout lacks escaped, as on stderr, instead of raising an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def has_reader_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more; other pipes and sockets break too."""
    stdout = select.poll()
    stdout.register(STDOUT, 0)
    return any(events & select.POLLERR for _, events in stdout.poll(0))


def discard_stdout() -> None:
    """Drops what stdout does not take: the interpreter would try again when it exits, and report that."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)


def show_traceback(arguments: argparse.Namespace | None) -> None:
    if arguments and arguments.debug:
        traceback.print_exc()
