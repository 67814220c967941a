"""Imports go one way between the top-level packages, and what is heavy is loaded only by what needs it."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

MAY_IMPORT = {
    "schemas": set(),
    "transforms": {"schemas"},
    "hard_negatives": {"schemas", "transforms"},
    "validation": {"schemas", "transforms"},
    "pipelines": {"schemas", "transforms", "hard_negatives", "validation"},
    "train": {"schemas", "transforms"},
    "benchmarks": {"schemas", "transforms", "hard_negatives", "validation", "pipelines", "train"},
    "ieforge": {"schemas"},  # and by their names, once one is called, the modules of all commands
}
MAY_IMPORT_TORCH = {"hard_negatives/embed.py", "benchmarks/sft.py"}


def imported(source: str) -> set[str]:
    """Top-level names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package):
    for path in (ROOT / package).rglob("*.py"):
        ours = imported(path.read_text()) & MAY_IMPORT.keys()
        assert ours <= MAY_IMPORT[package] | {package}, path


def test_torch_is_imported_by_the_encoder_and_by_training_alone():
    for package in MAY_IMPORT.keys() - {"train"}:
        for path in (ROOT / package).rglob("*.py"):
            if str(path.relative_to(ROOT)) not in MAY_IMPORT_TORCH:
                assert "torch" not in imported(path.read_text()), path


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ieforge.__main__", ("argparse", "schemas")),
        ("ieforge.commands", ("pydantic", "yaml", "numpy", "apache_beam", "torch")),
        ("schemas.command", ("pydantic", "yaml", "numpy")),
        ("pipelines.build", ("apache_beam", "great_expectations", "pyarrow", "torch")),
        ("pipelines.publish", ("apache_beam", "huggingface_hub", "pyarrow")),
        ("pipelines.rebuild", ("apache_beam", "great_expectations")),
        ("pipelines.diff", ("apache_beam", "pyarrow")),
        ("hard_negatives.evaluate", ("apache_beam", "great_expectations", "torch")),
        ("validation.check", ("apache_beam", "great_expectations")),
        ("train.sft", ("apache_beam", "datasets", "torch", "transformers")),
        ("train.export", ("apache_beam", "datasets", "torch", "transformers")),
        ("train.tuning.run", ("apache_beam", "great_expectations", "torch")),
    ],
)
def test_heavy_modules_are_loaded_late(module, unwanted):
    code = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
