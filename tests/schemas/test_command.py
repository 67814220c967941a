"""How commands end: exit code and line for each kind of error, signals, a closed or full stdout, any locale."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from schemas import command, errors
from tests.conftest import ROOT

DOCSTRING = "Counts ships.\n\nBut no boats."


def run(work, *flags, **options) -> int:
    return command.run(command.parser("harbour.count", DOCSTRING).parse_args, work, flags, **options)


def raising(error: BaseException):
    def work(arguments):
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (errors.MachineError("no permission"), 1, "error: no permission\n"),
        (errors.ConfigError("no such flag"), 2, "error: no such flag\n"),
        (errors.SourceError("a.txt:3: no tag"), 3, "error: a.txt:3: no tag\n"),
        (errors.SuiteError("ids: failed"), 4, "error: ids: failed\n"),
        (
            errors.PublishError("refused:", "- one\nreason", "- another"),
            5,
            "error: refused:\n- one\\nreason\n- another\n",
        ),
        (errors.ConfigError("\x1b[2Ja\nb"), 2, "error: \\x1b[2Ja\\nb\n"),
        (FileNotFoundError(2, "No such file", "a\nb"), 1, "error: a\\nb: No such file; check the path and the disk\n"),
        (OSError(28, "No space left"), 1, "error: No space left; check the path and the disk\n"),
        (ConnectionError("lost"), 1, "error: lost; check the path and the disk\n"),
        (
            BrokenPipeError(32, "Broken pipe"),
            1,
            "error: Broken pipe; check the path and the disk\n",
        ),  # not stdout
        (MemoryError(), 1, "error: out of memory; end other programs, or use a larger machine\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(error, code, printed, capsys):
    assert run(raising(error)) == code
    assert capsys.readouterr() == ("", printed)
    assert run(raising(error), silent=True) == code
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_not_caught(capsys):
    with pytest.raises(ZeroDivisionError):
        run(lambda arguments: 1 // 0)


def test_the_exit_code_is_the_result_of_the_work():
    assert run(lambda arguments: 3) == 3


@pytest.mark.parametrize("error", [errors.ConfigError("wrong"), OSError(28, "full"), MemoryError()])
def test_debug_shows_the_traceback_before_the_line(error, capsys):
    run(raising(error), "--debug")
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "Traceback (most recent call last):" and shown[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--ships", "1", "--nets", "3"], "error: unknown flag --nets; see --help\n"),
        (["--ships", "1", "--deb"], "error: unknown flag --deb; did you mean --debug?\n"),
        (["--shisp=1"], "error: unknown flag --shisp; did you mean --ships, --help?\n"),
        (["--ships", "1", "--", "--deb"], "error: unrecognized arguments: -- --deb; see --help\n"),
        (["--ships", "many"], "error: argument --ships: invalid int value: 'many'; see --help\n"),
        ([], "error: the following arguments are required: --ships; see --help\n"),
        (["--ships", "1", "\x1b[2J"], "error: unrecognized arguments: \\x1b[2J; see --help\n"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_2(flags, line, capsys):
    parser = command.parser("harbour.count", DOCSTRING)
    parser.add_argument("--ships", type=int, required=True)
    assert command.run(parser.parse_args, lambda arguments: 0, flags) == 2
    assert capsys.readouterr() == ("", line)


def test_help_names_the_program_that_was_called(monkeypatch):
    parser = command.parser("harbour.count", DOCSTRING, "example:\n  %(prog)s --ships 3")
    assert parser.format_help().startswith("usage: python -m harbour.count [-h] [--debug]\n\nCounts ships.\n")
    assert "\n  python -m harbour.count --ships 3" in parser.format_help()
    monkeypatch.setattr(sys, "argv", ["ieforge count"])
    assert command.parser("harbour.count", DOCSTRING).format_help().startswith("usage: ieforge count ")


def test_the_hint_after_an_interrupt_may_name_arguments(capsys):
    parser = command.parser("harbour.count", DOCSTRING)
    parser.add_argument("--output")
    hint = "{output} is incomplete"
    work = raising(KeyboardInterrupt())
    assert command.run(parser.parse_args, work, ["--output", "{a}\n"], after_interrupt=hint) == 130
    assert capsys.readouterr().err == "interrupted; {a}\\n is incomplete\n"
    assert command.run(raising(KeyboardInterrupt()), work, [], after_interrupt=hint) == 130
    assert capsys.readouterr().err == "interrupted\n"


SCRIPT = """
import sys, time
from schemas import command
def work(arguments):
    {work}
    return 0
sys.exit(command.run(command.parser("harbour.count", "Counts.").parse_args, work, [], {options}))
"""


def start(work: str, options: str = "", **settings) -> subprocess.Popen:
    code = SCRIPT.format(work=textwrap.indent(textwrap.dedent(work), "    ").strip(), options=options)
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **settings)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("options", "printed"),
    [("", "interrupted\n"), ("on_interrupt=lambda: print('stopped', file=sys.stderr)", "stopped\ninterrupted\n")],
)
def test_a_signal_interrupts(number, options, printed):
    process = start("print('ready', flush=True); time.sleep(60)", options)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30) == ("", printed)
    assert process.returncode == 130


def test_sigint_stays_ignored_in_the_background():
    process = start(
        "print('ready', flush=True); time.sleep(0.3)",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("work", ["print('x' * 100_000)", "print('short')"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_closes_stdout_ends_the_command_quietly(work, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    process = start(f"sys.stdin.readline(); {work}", stdin=subprocess.PIPE, env=environment)
    process.stdout.close()
    process.stdin.write("\n")
    process.stdin.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_under_stdout_is_one_line(unbuffered):
    with open("/dev/full", "w") as full:
        process = start("print('x')", stdout=full, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert process.stderr.read() == "error: No space left on device; check the path and the disk\n"
    assert process.wait(timeout=30) == 1


def test_stdout_shows_any_text_in_any_locale():
    ascii_locale = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = start(r"print('\u6ca1\u6709 \xe9 \udce4')", env=ascii_locale)
    assert process.communicate(timeout=30) == ("\\u6ca1\\u6709 \\xe9 \\udce4\n", "")


def test_nothing_meant_for_a_closed_stderr_is_on_stdout():
    process = start("print('a note', file=sys.stderr); print(sys.stderr.isatty())", preexec_fn=lambda: os.close(2))
    assert (process.communicate(timeout=60)[0], process.returncode) == ("False\n", 0)


def test_an_interrupt_that_python_discards_is_not_forgotten():
    discard = """
        import contextlib, signal
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        command.check_interrupted()
    """
    process = start(discard, "on_interrupt=lambda: None")
    assert (process.communicate(timeout=60), process.returncode) == (("", "interrupted\n"), 130)
