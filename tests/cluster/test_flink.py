"""Builds on a Flink cluster of two TaskManagers: same bytes as a local build, lost machines, failures in one line."""

import socket
from pathlib import Path

import pytest

from tests.cluster.commands import (
    check_interrupted,
    check_refused,
    finish,
    portable_flags,
    run,
    started,
    wait_for_ingest,
)
from tests.cluster.flink import Flink
from tests.cluster.processes import free_port, running
from tests.conftest import SMALL, checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


FIRST_STAGES = [*SMALL, "--only=clean"]


def on_flink(flink: Flink, worker: Path | str, *flags: str) -> list[str]:
    return [*portable_flags(flink.jobs, worker), f"--flink_master={flink.master}", "--parallelism=2", *flags]


def test_the_build_has_the_same_bytes(flink, worker, small, tmp_path):
    before = len(flink.jobs_since())
    flags = on_flink(flink, worker, "--max_bundle_size=100", "--object_reuse")
    code, lines = run("pipelines.build", tmp_path / "build", [*SMALL, *flags])
    assert code == 0, lines
    assert any(line.startswith("workers: 2 on ") for line in lines)
    assert checksums(tmp_path / "build") == checksums(small)
    jobs = flink.jobs_since(before)
    assert {job["state"] for job in jobs} == {"FINISHED"}
    assert len(flink.task_managers_of(jobs)) == 2


def test_the_knowledge_pipeline_has_the_same_bytes(flink, worker, tmp_path):
    code, lines = run("pipelines.knowledge", tmp_path / "here", ())
    assert code == 0, lines
    code, lines = run("pipelines.knowledge", tmp_path / "there", on_flink(flink, worker))
    assert code == 0, lines
    for pattern in ("**/*.parquet", "export/**/*.json*"):
        here = checksums(tmp_path / "here", pattern)
        assert here
        assert checksums(tmp_path / "there", pattern) == here


def test_a_job_goes_on_with_another_task_manager(flink, worker, small, tmp_path):
    before, output = len(flink.jobs_since()), tmp_path / "build"
    with started("pipelines.build", output, [*FIRST_STAGES, *on_flink(flink, worker)]) as build:
        wait_for_ingest(build, output)  # on both TaskManagers
        flink.task_managers.pop().kill()
        flink.start_task_manager()
        code, lines = finish(build)
    assert code == 0, lines
    check, ingest, *_ = flink.jobs_since(before)
    assert not flink.has_restarted(check)
    assert flink.has_restarted(ingest)
    for folder in ("examples/**/*.parquet", "clean/**/*.parquet"):
        expected = checksums(small, folder)
        assert expected
        assert checksums(output, folder) == expected


def test_an_interrupt_cancels_the_job(flink, worker, tmp_path):
    before = len(flink.jobs_since())
    check_interrupted(tmp_path / "build", on_flink(flink, worker, "--job_name=team"))
    check, ingest = flink.jobs_since(before)
    assert (check["state"], ingest["state"]) == ("FINISHED", "CANCELED")


def shell_script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_the_job_of_a_killed_command_ends_before_the_next_build(flink, worker, tmp_path):
    before, output = len(flink.jobs_since()), tmp_path / "build"
    stuck = f"test -e {output}/.workers || exec sleep 300"  # workers of the check still start
    command = shell_script(tmp_path / "worker", stuck, f'exec {worker} "$@"')
    with started("pipelines.build", output, on_flink(flink, command, "--parallelism=1")) as build:
        flink.processes.wait(lambda: [job["state"] for job in flink.jobs_since(before)][1:] == ["RUNNING"])
        build.kill()
    assert (output / ".job.json").exists()
    flags = [*on_flink(flink, worker), "--sources=clue_ner", "--only=ingest"]
    code, lines = run("pipelines.build", output, flags)
    assert code == 0, lines
    check, orphan, *others = flink.jobs_since(before)
    assert orphan["state"] == "CANCELED"
    assert {job["state"] for job in (check, *others)} == {"FINISHED"}
    assert f"the job {orphan['name']} of a command that was killed has ended" in lines
    assert not (output / ".job.json").exists()


def test_a_command_of_workers_that_ends(flink, tmp_path):
    command = shell_script(tmp_path / "worker", "exit 3")
    message = "error: the command of the workers (--environment_config) has ended with code 3 "
    check_refused(tmp_path / "build", on_flink(flink, command), 1, message)


def test_workers_with_another_pyarrow(flink, worker, tmp_path):
    (tmp_path / "first/pyarrow-24.0.0.dist-info").mkdir(parents=True)
    metadata = "Metadata-Version: 2.1\nName: pyarrow\nVersion: 24.0.0\n"
    (tmp_path / "first/pyarrow-24.0.0.dist-info/METADATA").write_text(metadata)
    command = shell_script(tmp_path / "worker", f'PYTHONPATH={tmp_path}/first exec {worker} "$@"')
    message = f"error: worker on {socket.gethostname()}: has pyarrow 24.0.0, this command "
    check_refused(tmp_path / "build", on_flink(flink, command), 2, message)


def test_a_misspelt_flag_of_the_job_server(flink, worker, tmp_path):
    message = "error: unknown flag --max_bundel_size; did you mean --max_bundle_size"
    check_refused(tmp_path / "build", on_flink(flink, worker, "--max_bundel_size=9"), 2, message)


def test_no_job_server(tmp_path):
    port = free_port()
    flags = ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
    message = f"error: --job_endpoint=localhost:{port}: no job service answers there"
    check_refused(tmp_path / "build", flags, 1, message)


def test_workers_without_ieforge(flink, tmp_path):
    check_refused(tmp_path / "build", on_flink(flink, tmp_path / "none"), 1, "error: the command of the workers ")


def test_a_cluster_without_slots(jars, worker, tmp_path):
    with running(Flink(jars, tmp_path / "flink", task_managers=0)) as empty:
        check_refused(tmp_path / "build", on_flink(empty, worker), 1, "error: the cluster has no free slot")
