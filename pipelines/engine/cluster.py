"""Checks a cluster before the first stage: its job service and flags, and what its workers have and see.

A wrong set-up otherwise shows as a job that waits forever, or as an error in the middle of a build.
"""

import importlib.metadata
import os
import posixpath
import socket
import sys
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import msgspec
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.engine import code, job_service, runner, running_job
from pipelines.engine.distribute import Distribute
from pipelines.engine.options import ClusterOptions, portable_name
from schemas.errors import ConfigError, MachineError
from transforms import files

CHECKS = 16
"""Elements of the check, so that every worker of a small cluster gets one."""

FOLDER = ".workers"
"""Folder below the output in which the submitter and the workers leave a file for each other."""

NO_WORKER = (
    "no worker has answered for {:.0f} s: the cluster may have no free slot, or its workers cannot be started or "
    "reached (--environment_type, --environment_config), or fail because they have no IEForge or not Apache Beam "
    f"{beam.__version__} (see the cluster's logs); --worker_timeout=SECONDS waits longer"
)

FREE_BYTES = 1 << 30
"""Memory that a worker needs for the default sizes of shards."""


class Worker(msgspec.Struct, frozen=True):
    """What a worker leaves for the submitter. `process`: its id on the host. `free_bytes`: free memory there."""

    host: str
    process: int
    free_bytes: int


DISTRIBUTIONS = (
    *("apache-beam", "pyarrow", "numpy", "msgspec", "lxml", "mwparserfromhell", "sentencex", "faiss-cpu", "rensa"),
    *("pandas", "great-expectations", "sentence-transformers", "transformers", "tokenizers", "torch"),
)
"""Packages whose version decides bytes of the output, or whether jobs run at all."""


class Installation(NamedTuple):
    """What submitter and workers must share. `python`: the minor version. `versions`: of those of DISTRIBUTIONS that
    are installed. `code`: as `code.checksums` returns it.
    """

    python: str
    versions: Mapping[str, str]
    code: Mapping[str, str]


@cache
def installation() -> Installation:
    """That of this process."""
    versions = {}
    for name in DISTRIBUTIONS:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return Installation(f"{sys.version_info.major}.{sys.version_info.minor}", versions, code.checksums())


def clear(output: str) -> None:
    """Ends what a command that was killed left on a cluster and in the folder; prints a line about its job.

    Call it before a stage may be done or run. Raises MachineError if the job may still be running.
    """
    files.remove_tree(posixpath.join(output, FOLDER))
    if name := running_job.cancel_earlier(output):
        print(f"the job {name} of a command that was killed has ended", file=sys.stderr)


def check(options: PipelineOptions, output: str, inputs: Sequence[str], known_flags: Sequence[str] = ()) -> None:
    """Connects to the job service of `options`, and has its workers check themselves; prints a line about them.

    Runners in this process need no check, and Dataflow takes minutes for any job: its workers are not checked. Raises
    ConfigError for a flag that the job service does not know, and for workers that cannot be used; MachineError if no
    worker answers in time.
    """
    if not portable_name(options):
        return
    job_service.check_flags(options, known_flags)
    folder = posixpath.join(output, FOLDER)
    token = uuid.uuid4().hex
    files.create_folder(folder)
    try:
        files.write_text(f"{folder}/{token}", token)
        check_worker = beam.ParDo(CheckWorker(installation(), folder, token, entries(inputs)))
        limit = options.view_as(ClusterOptions).worker_timeout
        started = time.monotonic()
        runner.run(
            lambda pipeline: pipeline | Distribute(range(CHECKS)) | "Check" >> check_worker,
            options,
            output,
            lambda: None if time.monotonic() - started < limit else NO_WORKER.format(limit),
        )
        answers = [file.path for file in files.list_files(folder) if file.name.endswith(".json")]
        if not answers:
            raise ConfigError(
                f"{output}: files that the workers write there do not appear here; choose an --output that this "
                "machine and all workers share"
            )
        print(describe([files.read_json(path, Worker, "run the command again") for path in answers]), file=sys.stderr)
    finally:
        files.remove_tree(folder)


def free_bytes() -> int:
    """Memory that is free on this machine."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def describe(workers: Sequence[Worker]) -> str:
    """One line about the workers that answered."""
    hosts = sorted({worker.host for worker in workers})
    processes = len({(worker.host, worker.process) for worker in workers})
    free = min(worker.free_bytes for worker in workers)
    line = f"workers: {processes} on {', '.join(hosts)}"
    if free < FREE_BYTES:
        line += f"; warning: only {free / (1 << 30):.1f} GiB of memory is free there, and each needs about 1 GiB"
    return line


class CheckWorker(beam.DoFn):
    """Compares the worker with the submitter, and leaves a file about it beside the submitter's file."""

    def __init__(self, expected: Installation, folder: str, token: str, inputs: Mapping[str, frozenset[str]]):
        self.expected, self.folder, self.token, self.inputs = expected, folder, token, inputs

    def process(self, number: int):
        host = socket.gethostname()
        about = Worker(host, os.getpid(), free_bytes())
        try:
            for line in problems(self.expected, installation(), f"{self.folder}/{self.token}", self.inputs):
                raise ConfigError(f"worker on {host}: {line}")
            files.write_text(f"{self.folder}/{self.token}-{number}.json", msgspec.json.encode(about).decode())
        except MachineError as error:
            raise MachineError(f"worker on {host}: {error}") from error
        return ()


def entries(paths: Iterable[str]) -> dict[str, frozenset[str]]:
    """Path → the names directly below it; none for a file, and for a path where nothing is."""
    names = {}
    for path in paths:
        is_folder = files.is_folder(path)
        inner = [file.name for file in files.list_files(path, recursive=False)] if is_folder else []
        names[path] = frozenset(inner).union(files.list_folders(path) if is_folder else ())
    return names


def problems(
    expected: Installation, actual: Installation, marker: str, inputs: Mapping[str, frozenset[str]]
) -> list[str]:
    """What keeps a worker from doing the work of the submitter, most fundamental first.

    `inputs`: what the submitter sees, as `entries` returns it.
    """
    lines = []
    if actual.python != expected.python:
        lines.append(f"has Python {actual.python}, this command {expected.python}; use the same minor version")
    for name, version in expected.versions.items():
        if actual.versions.get(name, version) != version:
            lines.append(f"has {name} {actual.versions[name]}, this command {version}; install the same version")
    if different := sorted({name for name, _ in expected.code.items() ^ actual.code.items()}):
        others = len(different) - 1
        what = f"{different[0]} and {others} more" if others else different[0]
        lines.append(
            f"has other code of IEForge ({what}); install the same wheel there, or stage it (--extra_package=WHEEL)"
        )
    if not files.exists(marker):
        output = posixpath.dirname(posixpath.dirname(marker))
        lines.append(f"does not see {output}; choose an --output that this machine and all workers share")
    for path, names in entries(inputs).items():
        missing = sorted(inputs[path] - names)
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        what = f"{missing[0]}{more} in {path}" if missing else path
        if missing or not files.exists(path):
            lines.append(f"does not see {what}; put it where all workers can read it")
    return lines
