"""Shared by several test modules: one build of the bundled samples, and functions that run and compare builds."""

import contextlib
import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines import build
from tests import beam_memory, expectation_memory

beam_memory.remember_arguments()
beam_memory.remember_states()
beam_memory.remember_options()
expectation_memory.remember_expectations()

# No deadline: a loaded machine is slow, not wrong. The same examples each time, so that a failure belongs to the change
# that it was seen with; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, max_examples=1000)
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from the current build")


def pytest_xdist_auto_num_workers(config) -> int:
    """Half as many test processes again as processors, as many tests wait for processes that they start."""
    return (os.cpu_count() or 2) * 3 // 2


def pytest_collection_modifyitems(items):
    """One of the files that need `built` is first, the others are last, so that few processes wait while one builds."""
    builds = dict.fromkeys(item.path for item in items if "built" in item.fixturenames)
    first = next(iter(builds), None)
    items.sort(key=lambda item: (item.path != first, item.path in builds))


def build_here(*flags: str) -> subprocess.CompletedProcess:
    """`python -m pipelines.build` with these flags in this process, which has loaded Beam and Great Expectations."""
    with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
        code = build.main(list(flags))
    return subprocess.CompletedProcess(flags, code, stdout.getvalue(), stderr.getvalue())


def build_again(base: Path, output: Path, *flags: str) -> Path:
    """A build into a copy of `base`, so that the stages that the flags do not change need not run. Returns `output`."""
    done = build_here("--output", str(shutil.copytree(base, output)), *flags)
    assert done.returncode == 0, done.stderr
    return output


def run_build(*flags: str, **environment: str) -> subprocess.CompletedProcess:
    """`python -m pipelines.build` with these flags in a new process."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.build", *flags],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


def checksums(output: Path, pattern: str = "**/*.parquet") -> dict[str, str]:
    """Path below the output folder → SHA-256, of all files that match the pattern."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.glob(pattern))
    }


def build_once(tmp_path_factory, name: str, *flags: str) -> Path:
    """A copy of a build that all test processes share: one makes it, and the others that need it wait for its end."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    with open(f"{shared}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            output = tmp_path_factory.mktemp(name) / "build"
            done = build_here("--output", str(output), *flags)
            assert done.returncode == 0, done.stderr
            shutil.copytree(output, shared)
            return output
    return Path(shutil.copytree(shared, tmp_path_factory.mktemp(name) / "build"))


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The bundled samples, built once. Tests only read it; a test that changes something copies it first."""
    return build_once(tmp_path_factory, "built")


SMALL = ("--sources", "IE-en/KG/lighthouses,ade_corpus,anatem,clue_ner,duee1,semeval_re")
"""Flags of a quick build with every task, kind of split and layer."""


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """Like `built`, with the SMALL sources."""
    return build_once(tmp_path_factory, "small", *SMALL)


@pytest.fixture
def words(tmp_path) -> str:
    """A tokenizer.json with one token per word, truncation to three tokens and padding to five."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=5)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return str(path)
