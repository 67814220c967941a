"""Runs the commands of a comparison one after the other, each once, in a folder that only one comparison uses."""

import fcntl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import TextIO

import msgspec

from schemas.errors import ConfigError, IEForgeError
from train.comparing.comparison import Step
from transforms import files

REMEDY = "delete it, and the step is repeated"


class Done(msgspec.Struct):
    """The file that marks a step as finished. `seconds`: those of the run that finished it."""

    command: list[str]
    seconds: float


class StepError(IEForgeError):
    """A command of the comparison failed. It has printed its own message."""

    def __init__(self, step: Step, code: int):
        super().__init__(f"{step.name}: the command ended with {code}: {' '.join(step.command)}")
        self.exit_code = code if 0 < code < 6 else 1


def marker(name: str, output: Path) -> Path:
    return output / "done" / name.replace("/", "-")


def seconds(name: str, output: Path) -> float:
    """How long a finished step took."""
    return files.read_json(str(marker(name, output)), Done, REMEDY).seconds


@contextmanager
def locked(output: Path) -> Iterator[TextIO]:
    """Locks the folder. Commands inherit the lock, so that a command that outlives a killed comparison keeps it.

    Raises ConfigError if another comparison, or a command of one, has locked the folder.
    """
    output.mkdir(parents=True, exist_ok=True)
    with (output / ".lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise ConfigError(
                f"{output}: a comparison is running in this folder ({lock.read() or 'it is starting'}); wait until it "
                "has finished, or end it"
            ) from error
        yield lock


def run(step: Step, output: Path, lock: TextIO) -> bool:
    """Runs a step unless it is done, and returns whether it ran. Its output goes to stderr. Raises StepError."""
    if marker(step.name, output).exists():
        return False
    started = time.monotonic()
    process = Popen(step.command, stdout=DEVNULL if step.is_quiet else sys.stderr, pass_fds=[lock.fileno()])
    lock.truncate(0)
    lock.write(f"{step.name}, process {process.pid}")
    lock.flush()
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise StepError(step, code)
    done = Done(list(step.command), round(time.monotonic() - started, 1))
    files.write_text(str(marker(step.name, output)), msgspec.json.encode(done).decode() + "\n")
    print(f"{step.name}: done in {done.seconds:.0f} s", file=sys.stderr)
    return True
