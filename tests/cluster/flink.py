"""A Flink cluster on this machine, each part a process of its own: JobManager, TaskManagers, Beam's job server.

Flink's jars come from the Python package apache-flink-libraries, those of the job server from Maven Central.
"""

import json
import subprocess
import urllib.request
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from pipelines.engine.flink import ENDED
from tests.cluster.hosts import Host, Hosts
from tests.cluster.processes import HERE, Processes, free_port, java, one_jar, python_package, require_programs, stop

FLINK = "1.19.3"
OPENED = ("java.io", "java.net", "java.nio", "java.text", "java.time", "java.util", "sun.nio.ch")
OPENED += ("java.lang", "java.lang.reflect", *(f"java.util.concurrent{part}" for part in ("", ".atomic", ".locks")))
"""Packages of java.base that Flink reads by reflection on Java 17."""


class Jars:
    """The folder of Flink and the jar of the job server. Raises Unavailable without a JDK, mvn or the downloads."""

    def __init__(self) -> None:
        require_programs("java", "javac", "mvn")
        self.flink = python_package("apache-flink-libraries", FLINK) / "pyflink"
        self.job_server = one_jar("flink-job-server")


class Flink:
    """A cluster that `running` starts and ends. `master` and `jobs`: the addresses of Flink and of the job server.

    `hosts`: where the TaskManagers run, one on each (None: `task_managers` of them run here).
    """

    def __init__(self, jars: Jars, folder: Path, task_managers: int = 2, hosts: Hosts | None = None):
        self.jars, self.folder = jars, folder
        self.hosts = hosts.hosts if hosts else [None] * task_managers
        self.address = hosts.address if hosts else "localhost"
        self.master, self.jobs = f"{self.address}:{free_port()}", f"localhost:{free_port()}"
        self.processes = Processes(folder)
        self.task_managers: list[subprocess.Popen] = []

    def start_all(self) -> None:
        folder = self.folder
        (folder / "conf").mkdir(parents=True)
        settings = {
            "jobmanager.rpc.address": self.address,
            "jobmanager.rpc.port": free_port(),
            "jobmanager.memory.process.size": "1024m",
            "taskmanager.host": "localhost",
            "taskmanager.numberOfTaskSlots": 1,
            "taskmanager.memory.process.size": "1400m",
            "rest.address": self.address,
            "rest.bind-address": self.address,
            "rest.port": self.master.partition(":")[2],
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 3,
            "slot.request.timeout": 120_000 if self.hosts else 20_000,  # a TaskManager may be slow to start
            "blob.service.cleanup.interval": 1,
            "heartbeat.interval": 1_000,
            "heartbeat.timeout": 120_000,
            "io.tmp.dirs": folder,
        }
        lines = [f"{key}: {value}\n" for key, value in settings.items()]
        (folder / "conf/flink-conf.yaml").write_text("".join(lines))
        self.start("jobmanager", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "-Xmx512m")
        self.start_job_server()
        self.processes.wait(lambda: self.get("/overview")["slots-total"] == 0)  # it serves
        self.restore()

    def start_job_server(self) -> None:
        main = [
            *java(OPENED, "-Xmx700m", "-Dorg.slf4j.simpleLogger.showDateTime=true"),
            *("-cp", str(self.jars.job_server), str(HERE / "JobServer.java")),
        ]
        job_port = self.jobs.partition(":")[2]
        ports = [f"--job-port={job_port}", f"--artifact-port={free_port()}", "--expansion-port=0"]
        artifacts = f"--artifacts-dir={self.folder / 'artifacts'}"
        command = [*main, f"--flink-master={self.master}", *ports, artifacts]
        self.job_server = self.processes.start("jobserver", command)
        self.processes.wait_for_port(int(job_port))

    def start(
        self, name: str, main: str, *options: str, flags: Sequence[str] = (), host: Host | None = None
    ) -> subprocess.Popen:
        command = [
            *java(OPENED, *options),
            f"-Dlog4j.configurationFile={HERE / 'log4j.properties'}",
            "-cp",
            f"{self.jars.flink}/lib/*:{self.jars.job_server}",
            main,
            "--configDir",
            f"{self.folder}/conf",
            *flags,
        ]
        return self.processes.start(name, [*host.enter, *command] if host else command)

    def start_task_manager(self) -> None:
        host = self.hosts[len(self.task_managers)]
        options, flags = self.task_manager_options
        main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
        if host:
            flags = [*flags, "-D", f"taskmanager.host={host.address}", "-D", "io.tmp.dirs=/tmp"]
        self.task_managers.append(self.start("taskmanager", main, *options, flags=flags, host=host))

    @cached_property
    def task_manager_options(self) -> tuple[list[str], list[str]]:
        """The options for Java, and those of a TaskManager itself, that Flink computes from its settings."""
        classes = f"{self.jars.flink}/bin/bash-java-utils.jar:{self.jars.flink}/lib/*"
        compute = [*java(OPENED), "-cp", classes, "org.apache.flink.runtime.util.bash.BashJavaUtils"]
        done = subprocess.run(
            [*compute, "GET_TM_RESOURCE_PARAMS", "--configDir", "conf"],
            cwd=self.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        options, flags = (line.partition("EXEC_RESULT:")[2].split() for line in done.stdout.splitlines()[-2:])
        return options, flags

    def restore(self) -> None:
        """Ends what an earlier test left, starts the TaskManagers that are missing, and waits until all slots are free.

        What an earlier test left: jobs, and TaskManagers that have ended or do not give their slots free.
        """
        for job in self.jobs_since():
            if job["state"] not in ENDED:
                self.request(f"/jobs/{job['jid']}?mode=cancel", "PATCH")
        self.task_managers = [each for each in self.task_managers if each.poll() is None]
        try:
            self.wait_for_slots()
        except TimeoutError:
            for each in self.task_managers:
                stop(each)
            self.task_managers.clear()
            self.wait_for_slots()

    def wait_for_slots(self) -> None:
        while len(self.task_managers) < len(self.hosts):
            self.start_task_manager()
        self.processes.wait(self.is_free)

    def is_free(self) -> bool:
        overview = self.get("/overview")
        return overview["slots-total"] == overview["slots-available"] == len(self.hosts)

    def get(self, path: str):
        """The answer of Flink's REST interface."""
        return json.loads(self.request(path))

    def request(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://{self.master}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def jobs_since(self, count: int = 0) -> list[dict]:
        """All jobs but the first `count`, oldest first."""
        return sorted(self.get("/jobs/overview")["jobs"], key=lambda job: job["start-time"])[count:]

    def has_restarted(self, job: dict) -> bool:
        return self.get(f"/jobs/{job['jid']}")["timestamps"]["RESTARTING"] > 0

    def task_managers_of(self, jobs: Iterable[dict]) -> set[str]:
        """The TaskManagers that finished a subtask of these jobs."""
        ids = set()
        for job in jobs:
            for vertex in self.get(f"/jobs/{job['jid']}")["vertices"]:
                subtasks = self.get(f"/jobs/{job['jid']}/vertices/{vertex['id']}")["subtasks"]
                ids |= {task["taskmanager-id"] for task in subtasks if task["status"] == "FINISHED"}
        return ids
