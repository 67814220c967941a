"""A runner's order to start a worker → that worker: what the boot program in Beam's worker image does, in small.

The container contract (https://beam.apache.org/documentation/runtime/environments/ and beam_provision_api.proto): ask
the runner for the options and the staged files, install the packages among them, become the SDK harness. A pool calls
this file once for each worker, with the flags below.
"""

import argparse
import os
import subprocess
import sys
import tempfile
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
from apache_beam.runners.worker.worker_id_interceptor import WorkerIdInterceptor
from google.protobuf import json_format, text_format


def provision_info(endpoint: str, worker_id: str) -> beam_provision_api_pb2.ProvisionInfo:
    """What the runner tells this worker: options, further endpoints, staged files."""
    channel = grpc.intercept_channel(grpc.insecure_channel(endpoint), WorkerIdInterceptor(worker_id))
    stub = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
    return stub.GetProvisionInfo(beam_provision_api_pb2.GetProvisionInfoRequest()).info


def fetch(endpoint: str, artifacts, folder: Path) -> list[Path]:
    """The staged files under their staged names in `folder`."""
    stub = beam_artifact_api_pb2_grpc.ArtifactRetrievalServiceStub(grpc.insecure_channel(endpoint))
    resolved = stub.ResolveArtifacts(beam_artifact_api_pb2.ResolveArtifactsRequest(artifacts=artifacts)).replacements
    paths = []
    for artifact in resolved:
        path = folder / beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(artifact.role_payload).staged_name
        blocks = stub.GetArtifact(beam_artifact_api_pb2.GetArtifactRequest(artifact=artifact))
        path.write_bytes(b"".join(block.data for block in blocks))
        paths.append(path)
    return paths


def install(wheels: list[Path], site: Path) -> None:
    """The wheels alone, offline, into a folder that no other worker sees."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site)]
    subprocess.run([*pip, *map(str, wheels)], check=True)


def descriptor(url: str) -> str:
    return text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url))


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--id", required=True)
    for endpoint in ("logging", "artifact", "provision", "control"):
        parser.add_argument(f"--{endpoint}_endpoint", required=True)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"{arguments.id}-"))
    with (folder / "log").open("w") as log:  # nobody reads a worker's standard streams
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    info = provision_info(arguments.provision_endpoint, arguments.id)
    staged, site = folder / "staged", folder / "site"
    staged.mkdir()
    files = fetch(info.artifact_endpoint.url or arguments.artifact_endpoint, info.dependencies, staged)
    wheels = [path for path in files if path.suffix == ".whl"]
    if wheels:
        install(wheels, site)
    os.environ |= {
        "WORKER_ID": arguments.id,
        "LOGGING_API_SERVICE_DESCRIPTOR": descriptor(info.logging_endpoint.url or arguments.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": descriptor(info.control_endpoint.url or arguments.control_endpoint),
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        "SEMI_PERSISTENT_DIRECTORY": str(folder),
        "PYTHONPATH": str(site),
    }
    os.execv(sys.executable, [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"])


if __name__ == "__main__":
    main()
