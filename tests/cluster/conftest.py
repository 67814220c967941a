"""The cluster, and an environment for its workers that has only the wheel and the pinned packages."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import worker_environment
from tests.checkout import build_wheel, copy_checkout
from tests.cluster.flink import Flink, Jars
from tests.cluster.processes import Unavailable, running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails prints the ends of the logs of its cluster."""
    report = yield
    if report.failed:
        clusters = {id(value): value for value in getattr(item, "funcargs", {}).values() if hasattr(value, "processes")}
        for cluster in clusters.values():
            report.sections.extend(cluster.processes.log_tails())
    return report


@pytest.fixture(scope="session")
def jars() -> Jars:
    try:
        return Jars()
    except Unavailable as error:
        pytest.skip(f"no Flink: {error}")


@pytest.fixture(scope="session")
def cluster(jars, tmp_path_factory) -> Iterator[Flink]:
    with running(Flink(jars, tmp_path_factory.mktemp("flink"))) as flink:
        yield flink


@pytest.fixture
def flink(cluster) -> Flink:
    """The cluster with all its TaskManagers, none of which works on a job."""
    cluster.restore()
    return cluster


@pytest.fixture(scope="session")
def worker(tmp_path_factory) -> Path:
    """The command `ieforge-worker` in the environment of the workers."""
    folder = tmp_path_factory.mktemp("worker")
    python = worker_environment.create(folder, with_pip=True)
    wheel = build_wheel(copy_checkout(folder / "checkout"), folder)
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, cwd=folder)
    return python.with_name("ieforge-worker")
