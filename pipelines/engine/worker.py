"""Starts a worker of a Beam runner that starts no containers: Flink, Spark, a job service, a worker pool.

It does what the boot program in Beam's worker image does (https://beam.apache.org/documentation/runtime/environments/,
beam_provision_api.proto): it asks the runner for the options and the staged files, installs the wheels among them, and
becomes the SDK harness. The command is `ieforge-worker`:

    --environment_type=PROCESS --environment_config='{"command": "ieforge-worker"}'
    python -m apache_beam.runners.worker.worker_pool_main --service_port=50000 --container_executable=ieforge-worker

Its standard output and error are those of the runner or the pool that starts it.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import grpc
from apache_beam.portability.api import (
    beam_artifact_api_pb2,
    beam_artifact_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    beam_runner_api_pb2,
    endpoints_pb2,
)
from apache_beam.runners.worker import sdk_worker_main
from apache_beam.runners.worker.worker_id_interceptor import WorkerIdInterceptor
from google.protobuf import json_format, text_format

ENDPOINTS = ("logging", "artifact", "provision", "control")


def main(flags: Sequence[str] | None = None) -> None:
    """Runs the SDK harness until the job ends. Exits with one line if the staged files cannot be used."""
    parser = argparse.ArgumentParser("ieforge-worker", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--id", required=True, help="the worker's id, which the runner chooses")
    for endpoint in ENDPOINTS:
        parser.add_argument(
            f"--{endpoint}_endpoint",
            default="",
            required=endpoint == "provision",
            metavar="HOST:PORT",
            help="set by the runner" if endpoint == "provision" else "set by a pool; a runner names it when asked",
        )
    arguments = parser.parse_args(flags)
    arguments.id = arguments.id.strip("'")  # Prism puts it in quotes, although it starts no shell
    os.dup2(2, 1)  # a pool does not read what its workers print, so that they would block
    info = provision_info(arguments.provision_endpoint, arguments.id)
    artifacts = staged_files(info.artifact_endpoint.url or arguments.artifact_endpoint, info.dependencies)
    site = install(artifacts)
    os.environ |= {
        "WORKER_ID": arguments.id,
        "LOGGING_API_SERVICE_DESCRIPTOR": descriptor(info.logging_endpoint.url or arguments.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": descriptor(info.control_endpoint.url or arguments.control_endpoint),
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }
    if not site:  # a new process would import Beam again, which takes a second
        sdk_worker_main.main([])
        return
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    os.execv(sys.executable, [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"])


def provision_info(endpoint: str, worker_id: str) -> beam_provision_api_pb2.ProvisionInfo:
    """The options, endpoints and staged files that the runner has for this worker."""
    with grpc.insecure_channel(endpoint) as channel:
        intercepted = grpc.intercept_channel(channel, WorkerIdInterceptor(worker_id))
        stub = beam_provision_api_pb2_grpc.ProvisionServiceStub(intercepted)
        return stub.GetProvisionInfo(beam_provision_api_pb2.GetProvisionInfoRequest()).info


def staged_files(endpoint: str, artifacts: Iterable[beam_runner_api_pb2.ArtifactInformation]) -> dict[str, bytes]:
    """Staged name → content of the files that were staged with the job."""
    request = beam_artifact_api_pb2.ResolveArtifactsRequest(artifacts=artifacts)
    if not request.artifacts:
        return {}
    staged = {}
    with grpc.insecure_channel(endpoint) as channel:
        stub = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(channel)
        for artifact in stub.ResolveArtifacts(request).replacements:
            name = beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(artifact.role_payload).staged_name
            blocks = stub.GetArtifact(beam_artifact_api_pb2.GetArtifactRequest(artifact=artifact))
            staged[Path(name).name] = b"".join(block.data for block in blocks)
    return staged


def install(staged: dict[str, bytes]) -> Path | None:
    """Installs the wheels, without their dependencies and without a network; returns the folder, None without wheels.

    Later workers on the machine use the folder again. Beam also stages lists of packages, and a tarball for
    `--setup_file`: the workers' environment has to have these packages.
    """
    wheels = {name: content for name, content in sorted(staged.items()) if name.endswith(".whl")}
    refused = [name for name in staged if name.endswith((".tar", ".tar.gz", ".zip"))]
    if refused:
        sys.exit(f"error: ieforge-worker installs wheels only, not {', '.join(refused)}; build a wheel with pip wheel")
    if not wheels:
        return None
    site = site_folder(wheels)
    if not site.exists():
        with tempfile.TemporaryDirectory(prefix="ieforge-worker-") as temporary:
            folder = Path(temporary)
            paths = [folder / name for name in wheels]
            for path in paths:
                path.write_bytes(wheels[path.name])
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
            if subprocess.run([*pip, str(folder / "site"), *map(str, paths)]).returncode:
                sys.exit(f"error: ieforge-worker: pip cannot install {', '.join(wheels)}; the lines above say why")
            try:
                (folder / "site").rename(site)
            except OSError:
                if not site.exists():  # else another worker was faster
                    raise
    if site.stat().st_uid != os.getuid():
        sys.exit(f"error: ieforge-worker: {site} belongs to another user; delete it, or set TMPDIR to another folder")
    return site


def site_folder(wheels: dict[str, bytes]) -> Path:
    """The folder for the packages of these wheels, named by their content."""
    digest = hashlib.sha256()
    for name, content in wheels.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return Path(tempfile.gettempdir(), f"ieforge-worker-{os.getuid()}-{digest.hexdigest()[:16]}")


def descriptor(url: str) -> str:
    return text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url))


if __name__ == "__main__":
    main()
