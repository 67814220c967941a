"""Builds on a Spark standalone cluster of two workers: same bytes as a local build, lost workers, interrupts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.commands import check_interrupted, check_refused, finish, portable_flags, started, wait_for_ingest
from tests.cluster.processes import Unavailable, running
from tests.cluster.spark import Jars, Spark
from tests.conftest import SMALL, checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def spark_cluster(tmp_path_factory) -> Iterator[Spark]:
    try:
        jars = Jars()
    except Unavailable as error:
        pytest.skip(f"no Spark: {error}")
    with running(Spark(jars, tmp_path_factory.mktemp("spark"))) as spark:
        yield spark


@pytest.fixture
def spark(spark_cluster) -> Spark:
    """The cluster with two workers, none of which works on a job."""
    spark_cluster.restore()
    return spark_cluster


def on_spark(spark: Spark, worker: Path) -> list[str]:
    """Without the cache, each task would start a Python worker of its own."""
    flags = portable_flags(spark.jobs, worker)
    return [*flags, f"--files_to_stage={spark.jars.runner}", "--environment_cache_millis=60000"]


def test_a_build_that_loses_a_worker_has_the_same_bytes(spark, worker, small, tmp_path):
    before, output = len(spark.applications()), tmp_path / "build"
    with started("pipelines.build", output, [*SMALL, *on_spark(spark, worker)]) as build:
        wait_for_ingest(build, output)
        spark.kill_busy_worker()
        spark.start_worker()
        code, lines = finish(build)
    assert code == 0, lines
    assert any(line.startswith("workers: 2 on ") for line in lines)
    assert checksums(output) == checksums(small)
    ends = spark.task_ends(spark.applications()[before:])
    assert "ExecutorLostFailure" in {reason for _, reason in ends}
    assert len({worker for worker, reason in ends if reason == "Success"}) == 3  # the lost one in the check of workers


def test_an_interrupt_cancels_the_job(spark, worker, tmp_path):
    check_interrupted(tmp_path / "build", on_spark(spark, worker))
    spark.processes.wait(spark.is_free)


def test_a_command_of_workers_that_does_not_exist(spark, tmp_path):
    check_refused(tmp_path / "build", on_spark(spark, tmp_path / "none"), 1, "error: the command of the workers ")
