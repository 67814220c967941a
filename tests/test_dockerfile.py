"""The Dockerfile of a Beam worker image with IEForge: its instructions, and its install steps without Docker.

The image cannot be built without a Docker engine. The steps on top of Beam's image, which copy the checkout and install
it with the pinned versions, are run here in a fresh virtual environment.
"""

import re
import shlex
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from tests.checkout import build_wheel, copy_checkout, ignore_patterns, is_ignored
from tests.conftest import ROOT, checksums
from tests.test_imports import MAY_IMPORT


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of each line of a Dockerfile without continued lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert not [line for line in lines if line.endswith("\\")]
    return [(line.split()[0].upper(), line.split(maxsplit=1)[1]) for line in lines]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text())


def test_the_base_image_has_the_pinned_beam():
    (pinned,) = re.findall(r"^apache-beam==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert DOCKERFILE[0] == ("FROM", f"apache/beam_python3.11_sdk:{pinned}")


def test_beams_entry_point_is_kept():
    """A runner starts a worker with the boot program of Beam's image; this image only adds files and packages."""
    assert [name for name, _ in DOCKERFILE[1:]] == ["WORKDIR", "COPY", "RUN"]


def test_only_installed_files_of_the_checkout_are_copied(tmp_path):
    checkout = copy_checkout(tmp_path / "checkout")
    names = {path.name for path in checkout.iterdir()}
    assert {"pyproject.toml", "constraints.txt", "pipelines", "schemas"} <= names
    assert not names & {".git", ".venv", "tests", "build", "ieforge.egg-info"}
    assert not list(checkout.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".venv", True),
        (".venv-3.12", True),
        ("build", True),
        ("pipelines/build", False),  # only at the top
        ("ieforge.egg-info", True),
        ("tests", True),
        ("pipelines/sources/__pycache__", True),
        ("__pycache__", True),
        ("pipelines/samples/scierc", False),
    ],
)
def test_ignored_paths(path, ignored):
    patterns = ignore_patterns(".git\n# a comment\n\n.venv*\n*.egg-info\nbuild\ntests\n**/__pycache__\n")
    assert is_ignored(path, patterns) == ignored


PACKAGES = MAY_IMPORT.keys() - {"benchmarks"}
"""The packages that are installed."""


def package_files(folder: Path) -> set[str]:
    """The files that are not code, below the packages of a checkout or of site-packages."""
    return {
        path.relative_to(folder).as_posix()
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }


def test_the_wheel_has_all_data_files_but_no_tests_or_benchmarks(tmp_path):
    checkout = copy_checkout(tmp_path / "checkout")
    planted = checkout / "pipelines/samples/planted/train.json/part.txt"  # a folder with the name of a file
    planted.parent.mkdir(parents=True)
    planted.write_text("sample")
    with zipfile.ZipFile(build_wheel(checkout, tmp_path)) as wheel:
        wheel.extractall(tmp_path / "wheel")
    assert package_files(tmp_path / "wheel") == package_files(checkout)
    assert (tmp_path / "wheel" / planted.relative_to(checkout)).read_text() == "sample"
    top = {path.name for path in (tmp_path / "wheel").iterdir() if path.suffix != ".dist-info"}
    assert top == PACKAGES
    assert all((tmp_path / "wheel" / package / "py.typed").exists() for package in PACKAGES)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The bin folder of a fresh virtual environment after the steps of the Dockerfile."""
    folder = tmp_path_factory.mktemp("image")
    venv.create(folder / "venv", with_pip=True)
    tools = folder / "venv/bin"
    for name, arguments in DOCKERFILE:
        if name == "COPY":
            assert arguments == ". ."
            checkout = copy_checkout(folder / "workdir")
        elif name == "RUN":
            command, *flags = shlex.split(arguments)
            done = subprocess.run([tools / command, *flags], cwd=checkout, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return tools


def python(installed: Path, folder: Path, *arguments: str) -> str:
    """Runs the environment's Python in a folder and returns its output."""
    done = subprocess.run([installed / "python", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.registry
@pytest.mark.timeout(1800)
def test_an_installed_worker_builds_the_same_bytes(built, installed, tmp_path):
    imported = python(installed, tmp_path, "-c", "import pipelines.build; print(pipelines.build.__file__)").strip()
    site = Path(imported).parents[1]
    assert site.name == "site-packages"
    assert site.is_relative_to(installed.parent)
    assert "--runner" in python(installed, tmp_path, "-m", "pipelines.build", "--help")
    assert package_files(site) == package_files(copy_checkout(tmp_path / "checkout"))
    python(installed, tmp_path, "-m", "pipelines.build", "--output", "out")
    assert checksums(tmp_path / "out") == checksums(built)
