"""Builds on a Flink cluster of two TaskManagers: same bytes as a local build, failures in one line, resumed."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cluster.flink import Flink, free_port
from tests.conftest import ROOT, checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

BUILD_S = 600


def on_flink(flink: Flink, worker: Path | str, *flags: str) -> list[str]:
    environment = json.dumps({"command": str(worker)})
    runner = ["--runner=PortableRunner", f"--job_endpoint={flink.jobs}", "--parallelism=2"]
    return [*runner, "--environment_type=PROCESS", f"--environment_config={environment}", *flags]


def start(module: str, output: Path, flags: Sequence[str]) -> subprocess.Popen:
    command = [sys.executable, "-m", module, "--output", str(output), *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=output.parent, env=environment, stderr=subprocess.PIPE, text=True)


def run(module: str, output: Path, flags: Sequence[str]) -> tuple[int, list[str]]:
    process = start(module, output, flags)
    _, errors = process.communicate(timeout=BUILD_S)
    return process.returncode, errors.splitlines()


def wait_for(path: Path, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} has not appeared"
        time.sleep(0.2)


def test_the_build_has_the_same_bytes(flink, worker, built, tmp_path):
    flags = on_flink(flink, worker, "--max_bundle_size=100", "--object_reuse")
    code, lines = run("pipelines.build", tmp_path / "build", flags)
    assert code == 0, lines
    assert any(line.startswith("workers: 2 on ") for line in lines)
    assert checksums(tmp_path / "build") == checksums(built)
    assert len(flink.hosts_of_finished_subtasks()) == 2
    assert set(flink.states()) == {"FINISHED"}


def test_the_knowledge_pipeline_has_the_same_bytes(flink, worker, tmp_path):
    code, lines = run("pipelines.knowledge", tmp_path / "here", ())
    assert code == 0, lines
    code, lines = run("pipelines.knowledge", tmp_path / "there", on_flink(flink, worker))
    assert code == 0, lines
    for pattern in ("**/*.parquet", "export/**/*.json*"):
        assert checksums(tmp_path / "there", pattern) == checksums(tmp_path / "here", pattern)


def test_a_lost_task_manager_costs_at_most_one_run(flink, worker, built, tmp_path):
    process = start("pipelines.build", tmp_path / "build", on_flink(flink, worker))
    wait_for(tmp_path / "build/examples")  # ingest is running
    flink.task_managers.pop().kill()
    _, errors = process.communicate(timeout=BUILD_S)
    flink.start_task_manager()
    flink.wait(lambda: flink.get("/overview")["slots-available"] == 2)
    if process.returncode:
        assert process.returncode == 1
        assert errors.splitlines()[-1].startswith("error: ")
        code, lines = run("pipelines.build", tmp_path / "build", on_flink(flink, worker))
        assert code == 0, lines
    assert checksums(tmp_path / "build") == checksums(built)


def test_an_interrupt_cancels_the_job(flink, worker, tmp_path):
    process = start("pipelines.build", tmp_path / "build", on_flink(flink, worker))
    wait_for(tmp_path / "build/examples")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "interrupted; run the same command again to resume"
    flink.wait(lambda: flink.states()[-1] == "CANCELED")
    assert not (tmp_path / "build/examples/manifest.json").exists()


def check_refused(output: Path, flags: Sequence[str], code: int, message: str) -> None:
    """Runs a build, which must end within a minute and a half with this code and one line that starts like this."""
    started = time.monotonic()
    actual, lines = run("pipelines.build", output, flags)
    assert (actual, lines[-1][: len(message)]) == (code, message)
    assert not any(line.startswith("Traceback") for line in lines)
    assert time.monotonic() - started < 90
    assert not (output / "examples").exists()


def test_a_misspelt_flag_of_the_job_server(flink, worker, tmp_path):
    message = "error: unknown flag --max_bundel_size; did you mean --max_bundle_size"
    check_refused(tmp_path / "build", on_flink(flink, worker, "--max_bundel_size=9"), 2, message)


def test_no_job_server(tmp_path):
    port = free_port()
    flags = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
    message = f"error: --job_endpoint=localhost:{port}: no job service answers there"
    check_refused(tmp_path / "build", flags, 1, message)


def test_a_command_of_workers_that_does_not_exist(flink, tmp_path):
    check_refused(tmp_path / "build", on_flink(flink, tmp_path / "none"), 1, "error: the command of the workers ")


def test_workers_without_ieforge(flink, worker, tmp_path):
    bare = tmp_path / "bare"
    python = worker.with_name("python")
    bare.write_text(
        f"#!/bin/sh\nexec {shlex.quote(str(python))} -I -c "
        "'import sys; sys.modules[\"pipelines.engine.cluster\"] = None' \n"
    )
    check_refused(tmp_path / "build", on_flink(flink, bare, "--worker_timeout=30"), 1, "error: ")


def test_a_cluster_without_slots(jars, worker, tmp_path):
    empty = Flink(jars, tmp_path / "flink", task_managers=0)
    try:
        flags = on_flink(empty, worker, "--worker_timeout=30")
        code, lines = run("pipelines.build", tmp_path / "build", flags)
    finally:
        empty.stop()
    assert code == 1
    assert "no free slot" in lines[-1]
