"""A build to publish, and helpers of the tests that publish it."""

import json
import shutil
from pathlib import Path

import pytest

from pipelines import publish


@pytest.fixture(scope="module")
def build(small, tmp_path_factory) -> Path:
    """A build that tests may publish: publishing writes its work folder into the build."""
    return Path(shutil.copytree(small, tmp_path_factory.mktemp("publish") / "build"))


def run(build: Path, *flags: str) -> int:
    return publish.main(["--output", str(build), *flags])


def edit_json(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
