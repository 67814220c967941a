"""What a worker of a cluster asks its runner for, and the wheels that it installs."""

import os
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from apache_beam.portability.api import (
    beam_artifact_api_pb2,
    beam_artifact_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    beam_runner_api_pb2,
)

from pipelines.engine import worker
from tests.conftest import ROOT


class Runner(beam_provision_api_pb2_grpc.ProvisionServiceServicer, beam_artifact_api_pb2_grpc.ArtifactRetrievalService):
    """The services of a runner for one worker. `staged`: staged name → content, which is sent in blocks of 3 bytes."""

    def __init__(self, staged: dict[str, bytes]):
        self.staged = staged
        self.worker_ids: list[str] = []
        self.server = grpc.server(ThreadPoolExecutor(2))
        beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(self, self.server)
        beam_artifact_api_pb2_grpc.add_ArtifactRetrievalServiceServicer_to_server(self, self.server)
        self.address = f"localhost:{self.server.add_insecure_port('localhost:0')}"
        self.server.start()

    def GetProvisionInfo(self, request, context):
        self.worker_ids.append(dict(context.invocation_metadata())["worker_id"])
        info = beam_provision_api_pb2.ProvisionInfo(
            dependencies=[
                beam_runner_api_pb2.ArtifactInformation(type_payload=f"before {name}".encode()) for name in self.staged
            ],
        )
        info.pipeline_options["beam:option:parallelism:v1"] = "2"
        info.artifact_endpoint.url = self.address
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=info)

    def ResolveArtifacts(self, request, context):
        names = [artifact.type_payload.decode().removeprefix("before ") for artifact in request.artifacts]
        return beam_artifact_api_pb2.ResolveArtifactsResponse(
            replacements=[
                beam_runner_api_pb2.ArtifactInformation(
                    type_payload=name.encode(),
                    role_payload=beam_runner_api_pb2.ArtifactStagingToRolePayload(staged_name=name).SerializeToString(),
                )
                for name in names
            ]
        )

    def GetArtifact(self, request, context):
        content = self.staged[request.artifact.type_payload.decode()]
        for start in range(0, len(content), 3):
            yield beam_artifact_api_pb2.GetArtifactResponse(data=content[start : start + 3])


@pytest.fixture
def serve():
    runners: list[Runner] = []

    def start(staged: dict[str, bytes]) -> Runner:
        runners.append(Runner(staged))
        return runners[-1]

    yield start
    for runner in runners:
        runner.server.stop(None)


def test_the_runner_is_asked_in_the_name_of_the_worker(serve):
    runner = serve({})
    info = worker.provision_info(runner.address, "worker-1")
    assert info.pipeline_options["beam:option:parallelism:v1"] == "2"
    assert runner.worker_ids == ["worker-1"]


def test_staged_files_are_read_whole_and_keep_only_the_last_part_of_their_names(serve):
    runner = serve({"a.whl": b"0123456789", "../../b.txt": b"", "c/d.whl": b"d"})
    info = worker.provision_info(runner.address, "worker-1")
    staged = worker.staged_files(info.artifact_endpoint.url, info.dependencies)
    assert staged == {"a.whl": b"0123456789", "b.txt": b"", "d.whl": b"d"}


def test_without_staged_files_the_artifact_service_is_not_asked():
    assert worker.staged_files("localhost:1", []) == {}


def start(runner: Runner, *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pipelines.engine.worker", *flags, f"--provision_endpoint={runner.address}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_worker_refuses_a_tarball_and_takes_its_id_out_of_quotes(serve):
    runner = serve({"workflow.tar.gz": b"a"})
    done = start(runner, "--id='worker-1'")
    assert runner.worker_ids == ["worker-1"]
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "error: ieforge-worker installs wheels only, not workflow.tar.gz; build a wheel with pip wheel"
    )


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_only_wheels_are_installed(name):
    with pytest.raises(SystemExit, match=rf"^error: ieforge-worker installs wheels only, not {name}; "):
        worker.install({"b.whl": b"", name: b""})


def wheel(folder: Path, value: int) -> dict[str, bytes]:
    """A staged wheel whose module `staged_module` has this VALUE."""
    about = "staged_module-1.dist-info"
    content = {
        "staged_module.py": f"VALUE = {value}\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: staged-module\nVersion: 1\nRequires-Dist: no-such-package\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*content, f"{about}/RECORD"])
    path = folder / "staged_module-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return {path.name: path.read_bytes(), "extra_packages.txt": path.name.encode()}


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_wheel_is_installed_once_for_all_workers_of_a_machine(tmp_path, temporary, monkeypatch):
    first = wheel(tmp_path, 1)
    with ThreadPoolExecutor(2) as pool:  # two workers that start at the same time
        sites = set(pool.map(worker.install, [first, first]))
    assert sites == set(temporary.iterdir())  # and nothing else remains
    (site,) = sites
    assert (site / "staged_module.py").read_text() == "VALUE = 1\n"
    other = worker.install(wheel(tmp_path, 2))
    assert other != site
    assert (other / "staged_module.py").read_text() == "VALUE = 2\n"
    monkeypatch.setattr(sys, "executable", "/no/python")
    assert worker.install(first) == site  # pip was not called


def test_without_a_wheel_nothing_is_installed(temporary):
    assert worker.install({"submission_environment_dependencies.txt": b"a==1"}) is None
    assert list(temporary.iterdir()) == []


def test_a_wheel_that_pip_refuses_is_one_line_and_nothing_remains(temporary):
    with pytest.raises(SystemExit, match=r"^error: ieforge-worker: pip cannot install a-1-py3-none-any\.whl; "):
        worker.install({"a-1-py3-none-any.whl": b"no archive"})
    assert list(temporary.iterdir()) == []


def test_packages_of_another_user_are_not_used(temporary, monkeypatch):
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    wheels = {"a-1-py3-none-any.whl": b"a"}
    worker.site_folder(wheels).mkdir()
    with pytest.raises(SystemExit, match="belongs to another user"):
        worker.install(wheels)
