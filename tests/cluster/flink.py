"""A Flink cluster on this machine, each part a process of its own: JobManager, TaskManagers, Beam's job server.

Flink's jars come from the Python package apache-flink-libraries, those of the job server from Maven Central. Both are
downloaded once, into $IEFORGE_CLUSTER_CACHE (default: ~/.cache/ieforge-cluster).
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

FLINK = "1.19.3"
HERE = Path(__file__).parent
STARTED_S = 90
OPENED = ("java.io", "java.net", "java.nio", "java.text", "java.time", "java.util", "sun.nio.ch")
OPENED += ("java.lang", "java.lang.reflect", *(f"java.util.concurrent{part}" for part in ("", ".atomic", ".locks")))
"""Packages of java.base that Flink reads by reflection on Java 17."""


class Unavailable(Exception):
    """Why there can be no cluster here."""


class Jars:
    """The class paths of Flink and of the job server. Raises Unavailable without java, mvn or the downloads."""

    def __init__(self) -> None:
        for program in ("java", "mvn"):
            if shutil.which(program) is None:
                raise Unavailable(f"no {program}")
        cache = Path(os.environ.get("IEFORGE_CLUSTER_CACHE", Path.home() / ".cache/ieforge-cluster"))
        self.flink = cached(cache / f"flink-{FLINK}", download_flink) / "pyflink"
        self.job_server = cached(cache / "flink-job-server", download_job_server)


def cached(folder: Path, download: Callable[[Path], list[str]]) -> Path:
    """The folder, filled by the command that `download` returns if it does not exist yet."""
    if not folder.exists():
        temporary = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        done = subprocess.run(download(temporary), capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"{folder.name} cannot be downloaded: {(done.stderr or done.stdout).strip()[-300:]}")
        temporary.rename(folder)
    return folder


def download_flink(folder: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    return [*pip, "--target", str(folder), f"apache-flink-libraries=={FLINK}"]


def download_job_server(folder: Path) -> list[str]:
    copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    return ["mvn", "-q", "-f", str(HERE / "flink-job-server.xml"), *copy]


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


class Flink:
    """A cluster that runs inside a `with` block. `master` and `jobs`: the addresses of Flink and of the job server."""

    def __init__(self, jars: Jars, folder: Path, task_managers: int = 2):
        self.jars, self.folder, self.count = jars, folder, task_managers
        self.master, self.jobs = f"localhost:{free_port()}", f"localhost:{free_port()}"
        self.processes: list[subprocess.Popen] = []
        self.task_managers: list[subprocess.Popen] = []

    def __enter__(self) -> "Flink":
        try:
            self.start_all()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start_all(self) -> None:
        folder = self.folder
        (folder / "conf").mkdir(parents=True)
        settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": free_port(),
            "jobmanager.memory.process.size": "1024m",
            "taskmanager.host": "localhost",
            "taskmanager.numberOfTaskSlots": 1,
            "taskmanager.memory.process.size": "1400m",
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": self.master.partition(":")[2],
            "slot.request.timeout": 20_000,
            "heartbeat.interval": 1_000,
            "heartbeat.timeout": 30_000,
            "io.tmp.dirs": folder,
        }
        lines = [f"{key}: {value}\n" for key, value in settings.items()]
        (folder / "conf/flink-conf.yaml").write_text("".join(lines))
        self.start("jobmanager", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m")
        main = [
            *java("-Xmx700m", "-Dorg.slf4j.simpleLogger.showDateTime=true"),
            "-cp",
            f"{self.jars.job_server}/*",
            "org.apache.beam.runners.flink.FlinkJobServerDriver",
        ]
        job_port = self.jobs.partition(":")[2]
        ports = [f"--job-port={job_port}", f"--artifact-port={free_port()}", "--expansion-port=0"]
        artifacts = f"--artifacts-dir={folder / 'artifacts'}"
        self.run("jobserver", [*main, f"--flink-master={self.master}", *ports, artifacts])
        self.wait(lambda: self.get("/overview")["slots-total"] == 0)  # it serves
        self.restore()
        self.wait(lambda: socket.create_connection(("localhost", int(job_port)), 1).close() is None)

    def start(self, name: str, main: str, *options: str, flags: tuple[str, ...] = ()) -> subprocess.Popen:
        command = [*java(*options), "-cp", f"{self.jars.flink}/lib/*", main, "--configDir", "conf", *flags]
        return self.run(name, command)

    def run(self, name: str, command: list[str]) -> subprocess.Popen:
        with (self.folder / f"{name}-{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def start_task_manager(self) -> None:
        """Adds a TaskManager. Flink computes its options for Java from its settings."""
        classes = f"{self.jars.flink}/bin/bash-java-utils.jar:{self.jars.flink}/lib/*"
        compute = [*java(), "-cp", classes, "org.apache.flink.runtime.util.bash.BashJavaUtils"]
        done = subprocess.run(
            [*compute, "GET_TM_RESOURCE_PARAMS", "--configDir", "conf"],
            cwd=self.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        options, flags = (line.partition("EXEC_RESULT:")[2].split() for line in done.stdout.splitlines()[-2:])
        main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
        self.task_managers.append(self.start("taskmanager", main, *options, flags=tuple(flags)))

    def restore(self) -> None:
        """Starts the TaskManagers that are missing, and waits until all slots are free."""
        while len(self.task_managers) < self.count:
            self.start_task_manager()
        self.wait(lambda: self.get("/overview")["slots-available"] == self.count)

    def get(self, path: str):
        """The answer of Flink's REST interface."""
        with urllib.request.urlopen(f"http://{self.master}{path}", timeout=10) as answer:
            return json.load(answer)

    def wait(self, condition: Callable[[], bool], seconds: float = STARTED_S) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass  # does not serve yet
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {seconds} s: see the logs in {self.folder}")
            time.sleep(0.5)

    def jobs_since(self, count: int = 0) -> list[dict]:
        """All jobs but the first `count`, oldest first."""
        return sorted(self.get("/jobs/overview")["jobs"], key=lambda job: job["start-time"])[count:]

    def task_managers_of(self, jobs: Iterable[dict]) -> set[str]:
        """The TaskManagers that finished a subtask of these jobs."""
        ids = set()
        for job in jobs:
            for vertex in self.get(f"/jobs/{job['jid']}")["vertices"]:
                subtasks = self.get(f"/jobs/{job['jid']}/vertices/{vertex['id']}")["subtasks"]
                ids |= {task["taskmanager-id"] for task in subtasks if task["status"] == "FINISHED"}
        return ids

    def stop(self) -> None:
        """Ends all processes with the workers that they started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def java(*options: str) -> list[str]:
    return ["java", *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED), *options]
