"""What clusters on this machine need: downloads that are kept, and processes that end with the test.

Downloads go into $IEFORGE_CLUSTER_CACHE (default: ~/.cache/ieforge-cluster) once.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).parent
STARTED_S = 120
LOG_LINES = 200

Cluster = TypeVar("Cluster")


class Unavailable(Exception):
    """Why there can be no cluster here."""


def require_programs(*programs: str) -> None:
    """Raises Unavailable without one of these programs."""
    for program in programs:
        if shutil.which(program) is None:
            raise Unavailable(f"no {program}")


def python_package(name: str, version: str) -> Path:
    """The folder of an installed Python package that holds jars. Raises Unavailable if it cannot be downloaded."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    return cached(f"{name}-{version}", lambda folder: [*pip, "--target", str(folder), f"{name}=={version}"])


def job_server(name: str) -> Path:
    """The folder with the jars of the job server in `name`.xml. Raises Unavailable if they cannot be downloaded."""
    mvn = ["mvn", "-q", "-f", str(HERE / f"{name}.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    return cached(name, lambda folder: [*mvn, f"-DoutputDirectory={folder}"])


def one_jar(name: str) -> Path:
    """The jar that `name`.xml builds: Flink takes a tenth of a second for each jar of a job, however small.

    Raises Unavailable if what it needs cannot be downloaded.
    """
    mvn = ["mvn", "-q", "-f", str(HERE / f"{name}.xml"), "package"]
    return cached(f"{name}-jar", lambda folder: [*mvn, f"-Dfolder={folder}"]) / f"{name}-1.jar"


def cached(name: str, download: Callable[[Path], list[str]]) -> Path:
    """A folder of the cache, filled by the command that `download` returns if it does not exist yet."""
    folder = Path(os.environ.get("IEFORGE_CLUSTER_CACHE", Path.home() / ".cache/ieforge-cluster")) / name
    if not folder.exists():
        temporary = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        done = subprocess.run(download(temporary), capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"{name} cannot be downloaded: {(done.stderr or done.stdout).strip()[-300:]}")
        temporary.rename(folder)
    return folder


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


def java(opened: Sequence[str], *options: str) -> list[str]:
    """The command `java`, with these packages of java.base open to reflection, and quick to start: it runs briefly."""
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return ["java", *quick, *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened), *options]


def stop(process: subprocess.Popen) -> None:
    """Ends a process of `Processes` with the workers that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Processes:
    """Processes in sessions of their own, with a log each in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.started: list[subprocess.Popen] = []

    def start(self, name: str, command: Sequence[str], environment: dict[str, str] | None = None) -> subprocess.Popen:
        with (self.folder / f"{name}-{len(self.started)}.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        self.started.append(process)
        return process

    def wait(self, condition: Callable[[], bool], seconds: float = STARTED_S) -> None:
        """Waits until the condition holds; an OSError means that a process does not serve yet."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {seconds} s: see the logs in {self.folder}")
            time.sleep(0.5)

    def wait_for_port(self, port: int) -> None:
        self.wait(lambda: socket.create_connection(("localhost", port), 1).close() is None)

    def stop(self) -> None:
        for process in self.started:
            stop(process)

    def log_tails(self) -> list[tuple[str, str]]:
        """The log of each process with its exit code, if it has ended, and its last lines."""
        logs = []
        for number, process in enumerate(self.started):
            (log,) = self.folder.glob(f"*-{number}.log")
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            ended = "" if process.poll() is None else f" (ended with code {process.returncode})"
            logs.append((f"{log.name}{ended}", "\n".join(lines)))
        return logs


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Starts a Flink or a Spark, and ends all of its processes with the block, also if one of them does not start."""
    try:
        cluster.start_all()
        yield cluster
    finally:
        cluster.processes.stop()
