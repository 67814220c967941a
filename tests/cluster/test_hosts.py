"""Builds on hosts with addresses, names and disks of their own: same bytes as a local build, what they must share."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster.commands import finish, portable_flags, run, started, wait_for_ingest
from tests.cluster.flink import Flink
from tests.cluster.hosts import Host, Hosts
from tests.cluster.processes import Unavailable, running
from tests.conftest import ROOT, SMALL, checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


class Cluster(NamedTuple):
    """A Flink cluster with a TaskManager on each host. `shared`: the folder that all see. `build`: the flags of a
    build. `flags`: the same, on the hosts.
    """

    flink: Flink
    hosts: list[Host]
    shared: Path
    build: list[str]
    flags: list[str]


@pytest.fixture(scope="module")
def cluster(jars, worker, tmp_path_factory) -> Iterator[Cluster]:
    shared = tmp_path_factory.mktemp("shared")
    shutil.copytree(ROOT / "pipelines/samples", shared / "raw")
    needed = [shared, worker.parents[2], jars.flink, Path(sys.prefix), Path(sys.base_prefix)]
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(Hosts(2, [path for path in needed if path.is_relative_to("/tmp")]))
        except Unavailable as error:
            pytest.skip(str(error))
        flink = stack.enter_context(running(Flink(jars, shared / "flink", hosts=hosts)))
        build = [*SMALL, "--only=clean", f"--data_root={shared / 'raw'}"]
        on_hosts = [*portable_flags(flink.jobs, worker), f"--flink_master={flink.master}", "--parallelism=2"]
        yield Cluster(flink, hosts.hosts, shared, build, [*build, *on_hosts])


def test_an_output_that_one_host_does_not_see(cluster):
    output = cluster.shared / "unseen"
    output.mkdir()
    with cluster.hosts[1].hidden(output):
        code, lines = run("pipelines.build", output, cluster.flags)
    message = f"error: worker on host2: does not see {output}; choose an --output that this machine and all workers"
    assert (code, lines[-1]) == (2, f"{message} share")


def test_a_data_root_that_one_host_does_not_see(cluster):
    with cluster.hosts[0].hidden(cluster.shared / "raw"):
        code, lines = run("pipelines.build", cluster.shared / "build", cluster.flags)
    assert code == 2, lines
    assert lines[-1].startswith("error: worker on host1: does not see ")
    assert lines[-1].endswith(f" more in {cluster.shared}/raw; put it where all workers can read it")


def test_a_full_disk_and_a_lost_job_server_then_the_same_bytes(cluster, tmp_path):
    output = cluster.shared / "build"
    with cluster.hosts[0].full_disk():
        code, lines = run("pipelines.build", output, cluster.flags)
    full = "error: the disk of a worker is full; free space there, and run the same command again to resume"
    assert (code, lines[-1]) == (1, full)

    with started("pipelines.build", output, cluster.flags) as build:
        wait_for_ingest(build, output)
        cluster.flink.job_server.kill()
        code, lines = finish(build)
    lost = "error: the job service or a worker cannot be reached any more; run the same command again to resume"
    assert (code, lines[-1]) == (1, lost)
    assert not (output / "examples/manifest.json").exists()
    assert cluster.flink.jobs_since()[-1]["state"] == "CANCELED"

    cluster.flink.start_job_server()
    code, lines = run("pipelines.build", output, cluster.flags)
    assert code == 0, lines
    assert "workers: 2 on host1, host2" in lines
    code, lines = run("pipelines.build", tmp_path / "local", cluster.build)
    assert code == 0, lines
    assert checksums(output) == checksums(tmp_path / "local")
