"""Commands that run on a cluster: started, waited for, with their exit code and lines."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

BUILD_S = 600
WORKER_TIMEOUT_S = 240


def process_flags(worker: Path | str) -> list[str]:
    """The flags for a runner that starts its workers with the command `worker`."""
    return ["--environment_type=PROCESS", f"--environment_config={json.dumps({'command': str(worker)})}"]


def portable_flags(jobs: str, worker: Path | str) -> list[str]:
    """The flags for a job server at the address `jobs`, whose cluster starts workers with the command `worker`."""
    runner = ["--runner=PortableRunner", f"--job_endpoint={jobs}", f"--worker_timeout={WORKER_TIMEOUT_S}"]
    return [*runner, *process_flags(worker)]


@contextmanager
def started(module: str, output: Path, flags: Sequence[str]) -> Iterator[subprocess.Popen]:
    """A command that is running; it is ended with the block."""
    command = [sys.executable, "-m", module, "--output", str(output), *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=output.parent, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(process: subprocess.Popen) -> tuple[int, list[str]]:
    """The exit code and the lines on stderr, which are printed, as pytest shows all that a failed test prints."""
    _, errors = process.communicate(timeout=BUILD_S)
    print(errors)
    return process.returncode, errors.splitlines()


def run(module: str, output: Path, flags: Sequence[str]) -> tuple[int, list[str]]:
    with started(module, output, flags) as process:
        return finish(process)


def wait_for_ingest(build: subprocess.Popen, output: Path) -> None:
    """Waits until workers write the files of the first stage."""
    while not (output / "examples").exists():
        assert build.poll() is None, build.stderr.read()
        time.sleep(0.2)


def check_refused(output: Path, flags: Sequence[str], code: int, message: str) -> None:
    """Runs a build, which must end with this code and one line that starts like this, not by waiting for a worker."""
    begin = time.monotonic()
    actual, lines = run("pipelines.build", output, flags)
    assert (actual, lines[-1][: len(message)]) == (code, message)
    assert not any(line.startswith("Traceback") for line in lines)
    assert time.monotonic() - begin < WORKER_TIMEOUT_S
    assert not (output / "examples").exists()


def check_interrupted(output: Path, flags: Sequence[str]) -> None:
    """Interrupts a build while workers write the files of its first stage, which must not count as done."""
    with started("pipelines.build", output, flags) as build:
        wait_for_ingest(build, output)
        build.send_signal(signal.SIGINT)
        code, lines = finish(build)
    assert (code, lines[-1]) == (130, "interrupted; run the same command again to resume")
    assert not (output / "examples/manifest.json").exists()
