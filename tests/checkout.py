"""A copy of the checkout as the Dockerfile's COPY makes it, and a wheel built from it."""

import fnmatch
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def copy_checkout(target: Path) -> Path:
    """Copies the checkout to `target`, which must not exist, without the files in .dockerignore. Returns `target`."""
    patterns = ignore_patterns((ROOT / ".dockerignore").read_text())

    def ignored(folder: str, names: list[str]) -> list[str]:
        below = Path(folder).relative_to(ROOT)
        return [name for name in names if is_ignored((below / name).as_posix(), patterns)]

    shutil.copytree(ROOT, target, ignore=ignored)
    return target


def ignore_patterns(text: str) -> list[str]:
    """The patterns of a .dockerignore file. Raises ValueError for an exception (`!`)."""
    patterns = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if any(pattern.startswith("!") for pattern in patterns):
        raise ValueError("exceptions in .dockerignore are not supported")
    return patterns


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether a pattern matches this path (not a folder above it), from the top, or at any depth after `**/`."""
    for pattern in patterns:
        name = path.rpartition("/")[2]
        if pattern.startswith("**/"):
            if fnmatch.fnmatch(name, pattern[3:]):
                return True
        elif pattern.count("/") == path.count("/") and fnmatch.fnmatch(path, pattern):
            return True
    return False


def build_wheel(checkout: Path, folder: Path) -> Path:
    """The wheel, built from the copy `checkout` with the setuptools of this environment, without a download."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, *offline, "--wheel-dir", str(folder), str(checkout)], check=True)
    (wheel,) = folder.glob("ieforge-*.whl")
    return wheel
