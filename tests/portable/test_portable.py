"""The bundled samples give the same bytes on workers that have only the wheel staged with each job."""

import contextlib
import functools
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.config import SAMPLES
from pipelines.knowledge import __main__ as knowledge
from tests import worker_environment
from tests.checkout import build_wheel, copy_checkout
from tests.conftest import ROOT, SMALL, build_here, checksums
from tests.portable import worker_pools
from tests.test_reproducible import CAN_CUT_THE_NETWORK

TIMEOUT_S = 540
HERE = Path(__file__).parent
WORKER = ROOT / "pipelines/engine/worker.py"
PACK = ROOT.parent / "shared" / "kg"
"""Real dumps and pages, if they are present."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("portable")


@pytest.fixture(scope="module")
def wheel(folder) -> Path:
    return build_wheel(copy_checkout(folder / "checkout"), folder)


@pytest.fixture(scope="module")
def workers_python(folder) -> Path:
    """Python of a second virtual environment with the packages of this one, except this project."""
    return worker_environment.create(folder)


@pytest.fixture(scope="module")
def boot(folder, workers_python) -> Path:
    """The executable that a pool calls to start a worker."""
    path = folder / "boot"
    path.write_text(f'#!/bin/sh\nexec "{workers_python}" -P "{WORKER}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def run_on_pools(folder, workers_python, boot, wheel) -> Callable[..., tuple[int, str]]:
    """Runs a command in a folder as consecutive jobs on two pools in another folder, without a network except the
    loopback if the machine supports that. Returns exit code and output; all processes have ended.
    """
    return functools.partial(run, folder, workers_python, boot, wheel)


def run(
    folder: Path,
    python: Path,
    boot: Path,
    wheel: Path,
    driver_folder: Path,
    *flags: str,
    module: str = "pipelines.build",
) -> tuple[int, str]:
    pool = shlex.join([str(python), str(HERE / "worker_pools.py"), str(boot)])
    build = [sys.executable, "-m", module, *flags, "--runner=PortableRunner", "--job_endpoint={jobs}"]
    build += ["--environment_type=EXTERNAL", "--environment_config={workers}", f"--extra_package={wheel}"]
    around = [sys.executable, "-m", "tests.portable.jobservice", "--pool", pool, "--pool", pool]
    command = [*around, "--folder", str(folder), "--", *build]
    if CAN_CUT_THE_NETWORK:
        command = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=driver_folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        with contextlib.suppress(ProcessLookupError):  # all have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode, output


def test_the_workers_environment_lacks_our_code_and_has_the_rest(folder, workers_python):
    def imports(module: str) -> subprocess.CompletedProcess:
        command = [workers_python, "-c", f"import {module}"]
        environment = worker_pools.environment(folder)
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    assert "No module named 'schemas'" in imports("schemas").stderr
    assert imports("pyarrow").returncode == 0


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_two_pools_build_the_same_bytes(small, folder, run_on_pools, tmp_path):
    code, output = run_on_pools(tmp_path, "--output", "build", *SMALL)
    assert code == 0, output
    assert checksums(tmp_path / "build") == checksums(small)
    pools = json.loads((folder / "pools.json").read_text())
    assert len(pools) == 2
    for did in pools.values():
        assert did["workers"] == 7  # one for each stage that is a pipeline, and one for the check before them
        assert did["elements"] > 100


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_two_pools_make_the_same_themed_corpus(run_on_pools, tmp_path):
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        assert knowledge.main(["--lang", "zh", "--output", str(tmp_path / "here")]) == 0, errors.getvalue()
    code, output = run_on_pools(tmp_path, "--lang", "zh", "--output", "there", module="pipelines.knowledge")
    assert code == 0, output
    for pattern in ("**/*.parquet", "export/**/*.json*"):
        assert checksums(tmp_path / "there", pattern) == checksums(tmp_path / "here", pattern)


@pytest.mark.slow
@pytest.mark.skipif(not PACK.is_dir(), reason="the real dumps and pages are not present")
@pytest.mark.timeout(4 * TIMEOUT_S)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_two_pools_make_the_same_corpus_of_real_pages(run_on_pools, folder, tmp_path, lang):
    dumps = [str(PACK / "wikidata" / f"{name}_items.json.gz") for name in ("rebuilt", "real")]
    shards = "pages.paragraphs_per_shard=300"  # several, so that both workers have some
    flags = ["--lang", lang, "--wikidata", *dumps, "--wikipedia", str(PACK / "wikipedia" / lang), "--set", shards]
    corpus, build = tmp_path / "here", tmp_path / "here_build"
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        assert knowledge.main([*flags, "--output", str(corpus)]) == 0, errors.getvalue()
    local = build_here("--data_root", str(corpus / "export"), "--output", str(build))
    assert local.returncode == 0, local.stderr
    code, output = run_on_pools(tmp_path, *flags, "--output", "there", module="pipelines.knowledge")
    assert code == 0, output
    assert all(pool["elements"] > 100 for pool in json.loads((folder / "pools.json").read_text()).values())
    code, output = run_on_pools(tmp_path, "--data_root", "there/export", "--output", "there_build")
    assert code == 0, output
    for ours, theirs, pattern in (
        (corpus, "there", "**/*.parquet"),
        (corpus, "there", "export/**/*.json*"),
        (build, "there_build", "**/*.parquet"),
        (build, "there_build", "**/labels/**/*.json"),
    ):
        assert checksums(ours, pattern)
        assert checksums(tmp_path / theirs, pattern) == checksums(ours, pattern)


@pytest.mark.timeout(TIMEOUT_S + 60)
def test_an_error_on_a_worker_is_one_line_and_its_exit_code(run_on_pools, tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build/build.json").write_text('{"ieforge": {}}')
    (tmp_path / "build/examples").write_text("a file where the workers want a folder")
    (tmp_path / "raw").symlink_to(SAMPLES)
    source = ("--data_root", "raw", "--sources", "IE-en/KG/lighthouses")
    code, output = run_on_pools(tmp_path, "--output", "build", *source, "--hard_negatives", "none")
    assert code == 1
    lines = [line for line in output.splitlines() if not line.startswith(("note: ", "workers: "))]
    assert len(lines) == 1, output
    assert lines[0].startswith(f"error: {tmp_path}/build/examples/IE-en/KG/lighthouses/")
