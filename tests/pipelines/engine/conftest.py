"""Beam's own job service, in this process."""

import pytest
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from pipelines.engine.options import parse_options


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    jobs = LocalJobServicer(str(tmp_path_factory.mktemp("staging")))
    address = f"localhost:{jobs.start_grpc_server()}"
    yield address
    jobs.stop()


def on(service: str, *flags: str):
    return parse_options(
        [
            "--runner=PortableRunner",
            f"--job_endpoint={service}",
            "--environment_type=beam:env:embedded_python:v1",
            *flags,
        ]
    )
