"""A Spark standalone cluster on this machine, each part a process of its own: master, workers, Beam's job server.

Spark's jars come from the Python package pyspark, those of the job server from Maven Central.
"""

import json
import os
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.processes import Processes, free_port, java, job_server, python_package, require_programs

SPARK = "3.5.7"
OPENED = ("java.io", "java.lang", "java.lang.invoke", "java.lang.reflect", "java.net", "java.nio", "java.util")
OPENED += ("java.util.concurrent", "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action")
OPENED += ("sun.util.calendar",)
"""Packages of java.base that a driver of Spark reads by reflection on Java 17."""

LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1"}


class Jars:
    """The folders of Spark and of the job server, and the jar of Beam's runner.

    Raises Unavailable without java, mvn or the downloads.
    """

    def __init__(self) -> None:
        require_programs("java", "mvn")
        self.spark = python_package("pyspark", SPARK) / "pyspark"
        self.job_server = job_server("spark-job-server")
        (self.runner,) = self.job_server.glob("beam-runners-spark-3-*.jar")


class Spark:
    """A cluster that `running` starts and ends. `jobs`: the address of the job server."""

    def __init__(self, jars: Jars, folder: Path, workers: int = 2):
        self.jars, self.count = jars, workers
        self.processes = Processes(folder)
        self.master, self.master_ui, self.driver_ui, self.job_port = (free_port() for _ in range(4))
        self.jobs = f"localhost:{self.job_port}"
        self.workers: list[subprocess.Popen] = []
        self.addresses: dict[int, str] = {}  # process id of a worker → where it serves the logs of its executors

    def start_all(self) -> None:
        ports = ["--host", "localhost", "--port", str(self.master), "--webui-port", str(self.master_ui)]
        self.start("master", "org.apache.spark.deploy.master.Master", *ports)
        self.processes.wait(lambda: self.state()["status"] == "ALIVE")
        self.start_job_server()
        self.restore()
        self.processes.wait_for_port(self.job_port)

    def start_job_server(self) -> None:
        """Starts the job server, which is the driver of all applications: their settings are its system properties."""
        folder, classes = self.processes.folder, f"{self.jars.job_server}/*"
        (folder / "events").mkdir()
        settings = {
            "spark.executor.memory": "700m",
            "spark.executor.extraClassPath": classes,
            "spark.cores.max": self.count,
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",  # start with an executor on each worker
            "spark.ui.port": self.driver_ui,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": folder / "events",
        }
        command = [
            *java(OPENED, "-Xmx900m", *(f"-D{key}={value}" for key, value in settings.items())),
            *("-cp", f"{classes}:{self.jars.spark}/jars/*", "org.apache.beam.runners.spark.SparkJobServerDriver"),
            *(f"--spark-master-url=spark://localhost:{self.master}", f"--job-port={self.job_port}"),
            *(f"--artifact-port={free_port()}", "--expansion-port=0", f"--artifacts-dir={folder / 'artifacts'}"),
        ]
        self.processes.start("jobserver", command, LOCAL)

    def start(self, name: str, main: str, *flags: str) -> subprocess.Popen:
        """Starts a process of Spark itself."""
        environment = {**LOCAL, "SPARK_HOME": str(self.jars.spark), "SPARK_DAEMON_MEMORY": "400m"}
        return self.processes.start(name, [f"{self.jars.spark}/bin/spark-class", main, *flags], environment)

    def start_worker(self) -> None:
        """Adds a worker with one core."""
        port = free_port()
        folder = self.processes.folder / f"work-{len(self.processes.started)}"
        size = ["--cores", "1", "--memory", "1g", "--webui-port", str(port), "--work-dir", str(folder)]
        main, master = "org.apache.spark.deploy.worker.Worker", f"spark://localhost:{self.master}"
        worker = self.start("worker", main, "--host", "localhost", *size, master)
        self.workers.append(worker)
        self.addresses[worker.pid] = f"localhost:{port}"

    def kill_busy_worker(self) -> None:
        """Ends a worker in the middle of a task, with its executor and the Python worker, as a lost machine does."""
        busy: list[str] = []
        self.processes.wait(lambda: bool(busy.extend(self.busy_workers()) or busy))
        worker = next(worker for worker in self.workers if self.addresses[worker.pid] in busy)
        os.killpg(worker.pid, signal.SIGKILL)
        self.workers.remove(worker)

    def busy_workers(self) -> list[str]:
        """The addresses of the workers that run a task of the application. Raises OSError if none is running."""
        root = f"http://localhost:{self.driver_ui}/api/v1/applications"
        executors = get(f"{root}/{get(root)[0]['id']}/executors")
        return [address(each["executorLogs"]) for each in executors if each["id"] != "driver" and each["activeTasks"]]

    def restore(self) -> None:
        """Starts the workers that are missing, and waits until all of them are free."""
        while len(self.workers) < self.count:
            self.start_worker()
        self.processes.wait(self.is_free)

    def is_free(self) -> bool:
        state = self.state()
        return state["aliveworkers"] == self.count and not state["activeapps"]

    def state(self) -> dict:
        """The workers and the applications that the master knows: one application per job of Beam."""
        return get(f"http://localhost:{self.master_ui}/json/")

    def applications(self) -> list[dict]:
        """The ended applications, oldest first."""
        return sorted(self.state()["completedapps"], key=lambda application: application["starttime"])

    def events(self, application: dict) -> list[dict]:
        """The event log of an ended application."""
        lines = (self.processes.folder / "events" / application["id"]).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def task_ends(self, applications: Iterable[dict]) -> list[tuple[str, str]]:
        """(Address of the worker, reason: Success, ExecutorLostFailure, …) of each task of these applications."""
        ends = []
        for application in applications:
            executors = {}
            for event in self.events(application):
                if event["Event"] == "SparkListenerExecutorAdded":
                    executors[event["Executor ID"]] = address(event["Executor Info"]["Log Urls"])
                if event["Event"] == "SparkListenerTaskEnd":
                    worker = executors[event["Task Info"]["Executor ID"]]
                    ends.append((worker, event["Task End Reason"]["Reason"]))
        return ends


def address(log_urls: dict[str, str]) -> str:
    """The address of the worker that serves the logs of an executor."""
    return urllib.parse.urlsplit(log_urls["stdout"]).netloc


def get(url: str):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
