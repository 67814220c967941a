"""A build on Prism, Beam's engine in Go, with workers as processes of their own: the bytes of a local build."""

import shutil
from pathlib import Path

import apache_beam as beam
import pytest

from tests.cluster.commands import process_flags, run
from tests.cluster.processes import Unavailable, cached
from tests.conftest import checksums

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def prism() -> Path:
    """Prism of the installed version of Beam, built from its Go module."""
    if shutil.which("go") is None:
        pytest.skip("no Prism: no go")
    version = beam.__version__
    module = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{version}"
    try:
        return cached(f"prism-{version}", lambda folder: ["env", f"GOBIN={folder}", "go", "install", module]) / "prism"
    except Unavailable as error:
        pytest.skip(f"no Prism: {error}")


def test_the_build_has_the_same_bytes(prism, worker, built, tmp_path):
    flags = ["--runner=PrismRunner", f"--prism_location={prism}", *process_flags(worker)]
    code, lines = run("pipelines.build", tmp_path / "build", flags)
    assert code == 0, lines
    assert checksums(tmp_path / "build") == checksums(built)
