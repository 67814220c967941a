"""The files of this package that decide what is read of a raw file: a change of one makes a build read again."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The folder that holds the packages."""

BESIDE_READERS = {
    "pipelines": ("ingest", "judge", "licences", "reading", "registry", "summary", "unified"),
    "schemas": ("arrow", "errors", "example", "label"),
    "transforms": (
        "decontaminate",
        "deduplicate",
        "draw",
        "files",
        "local_tree",
        "normal_forms",
        "normalize",
        "shards",
        "spelling",
        "yaml_values",
    ),
}
"""Package → its modules that every reader is used with."""


def reading_modules() -> list[str]:
    """Paths below ROOT: of the readers, of the sources with their tables, and of BESIDE_READERS."""
    paths = [*ROOT.glob("transforms/formats/*.py"), *ROOT.glob("pipelines/sources/*.*")]
    paths += [ROOT / package / f"{name}.py" for package, names in BESIDE_READERS.items() for name in names]
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)
