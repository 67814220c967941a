"""A virtual environment for workers: the packages of this one, except this project."""

import importlib.metadata
import sys
import venv
from pathlib import Path, PurePath


def create(folder: Path, with_pip: bool = False) -> Path:
    """Creates the environment `folder`/workers and returns its Python."""
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for site in [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]:
        distributions = importlib.metadata.distributions(name="ieforge", path=[site])
        ours = {PurePath(file).parts[0] for each in distributions for file in each.files}
        for entry in Path(site).iterdir():
            if entry.name not in ours and not (dependencies / entry.name).exists():
                (dependencies / entry.name).symlink_to(entry)
    venv.create(folder / "workers", symlinks=True, with_pip=with_pip)
    (site,) = (folder / "workers").glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "workers/bin/python"
