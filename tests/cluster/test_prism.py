"""A build on Prism, Beam's engine in Go, with workers as processes of their own: the bytes of a local build."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest

from tests.cluster.flink import Unavailable, cached
from tests.conftest import ROOT, checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

BUILD_S = 300


@pytest.fixture(scope="module")
def prism() -> Path:
    """Prism of the installed version of Beam, built from its Go module."""
    if shutil.which("go") is None:
        pytest.skip("no Prism: no go")

    def install(folder: Path) -> list[str]:
        module = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam.__version__}"
        return ["env", f"GOBIN={folder}", "go", "install", module]

    cache = Path(os.environ.get("IEFORGE_CLUSTER_CACHE", Path.home() / ".cache/ieforge-cluster"))
    try:
        return cached(cache / f"prism-{beam.__version__}", install) / "prism"
    except Unavailable as error:
        pytest.skip(f"no Prism: {error}")


@pytest.mark.parametrize("environment", ["PROCESS", "LOOPBACK"])
def test_the_build_has_the_same_bytes(prism, worker, built, tmp_path, environment):
    flags = ["--runner=PrismRunner", f"--prism_location={prism}", f"--environment_type={environment}"]
    if environment == "PROCESS":
        flags.append(f"--environment_config={json.dumps({'command': str(worker)})}")
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.build", "--output", str(tmp_path / "build"), *flags],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    assert done.returncode == 0, done.stderr
    assert checksums(tmp_path / "build") == checksums(built)
