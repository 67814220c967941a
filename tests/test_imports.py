"""Imports go one way between packages and within pipelines/, and heavy modules are loaded only where needed."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from pipelines.engine import code
from tests.conftest import ROOT

MAY_IMPORT = {
    "schemas": set(),
    "transforms": {"schemas"},
    "hard_negatives": {"schemas", "transforms"},
    "validation": {"schemas", "transforms"},
    "pipelines": {"schemas", "transforms", "hard_negatives", "validation"},
    "train": {"schemas", "transforms"},
    "benchmarks": {"schemas", "transforms", "hard_negatives", "validation", "pipelines", "train"},
    "ieforge": {"schemas"},  # and, by name when it is called, the module of a command
}
PARTS = {
    "engine": (),
    "sources": (),
    "build_folder": (),
    "describe": ("build_folder", "sources"),
    "report": ("build_folder", "sources", "describe"),
    "stages": ("build_folder", "sources", "describe", "report", "engine"),
    "knowledge": ("build_folder", "engine"),
    "release": ("build_folder", "sources", "describe", "report", "engine"),
    "commands": ("build_folder", "sources", "describe", "report", "engine", "stages", "release", "knowledge"),
}
"""Part of pipelines/ → the parts that it may import. Most are sub-packages; FILES assigns the other modules."""

FILES = {
    **dict.fromkeys(("config", "build_folder", "build_dictionaries", "build_reports", "claim"), "build_folder"),
    **dict.fromkeys(
        (
            "build",
            "publish",
            "diff",
            "export",
            "exporting",
            "preferences",
            "preferring",
            "inspect",
            "inspecting",
            "inspecting_json",
            "inspecting_text",
            "rejects",
            "rebuild",
            "driver",
            "preload",
            "sources.__main__",
            "knowledge.__main__",
        ),
        "commands",
    ),
}
MAY_IMPORT_NO_MORE = {"engine": {"schemas", "transforms"}, "sources": {"schemas", "transforms"}}
"""Parts of pipelines/ that may import fewer of the other packages than pipelines/ may."""

BESIDE = {
    "clean": {"cut_files", "leak_search", "shard_leaks", "text_keys", "unions"},
    "ingest": {"ingest_result", "parts", "split_writer"},
    "instruct": {"label_descriptions", "neighbour_counts"},
    "leak_search": {"cut_files", "shard_leaks"},
    "parts": {"split_writer"},
    "repeats": {"text_keys"},
    "split_writer": {"reject_lines"},
    "validate": {"corpus_facts", "familiarity", "leak_search", "repeats", "torn_documents"},
}
"""Module of pipelines/stages/ → those that it may import, besides `build_settings`; `plan` imports all stages."""

MAY_IMPORT_TORCH = {"hard_negatives/embed.py", "validation/cross_encoder.py", "benchmarks/sft.py"}


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


def imports() -> dict[str, set[str]]:
    """Module of IEForge → the modules of IEForge that it imports, anywhere in it, without the packages above them."""
    graph = {}
    for package in code.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            names = {other for other in code.parse(path.read_bytes()).imports if code.module_path(other, ROOT)}
            graph[name] = {other for other in names if not any(longer.startswith(f"{other}.") for longer in names)}
    return graph


def part_of(module: str) -> str:
    """The part of pipelines/ with this module, which is named relative to pipelines/."""
    return FILES.get(module) or module.partition(".")[0]


def is_allowed(importer: str, imported: str) -> bool:
    """Both names are relative to pipelines/."""
    part, other = part_of(importer), part_of(imported)
    if part != other:
        return other in PARTS[part]
    if part != "stages" or importer == "stages.plan" or imported == "stages.build_settings":
        return True
    return imported.removeprefix("stages.") in BESIDE.get(importer.removeprefix("stages."), ())


def test_imports_go_one_way_within_pipelines():
    forbidden = set()
    for module, others in imports().items():
        if module.startswith("pipelines."):
            importer = module.removeprefix("pipelines.")
            inside = {other.removeprefix("pipelines.") for other in others if other.startswith("pipelines.")}
            forbidden |= {(importer, imported) for imported in inside if not is_allowed(importer, imported)}
            outside = {other.partition(".")[0] for other in others} - {"pipelines"}
            assert outside <= MAY_IMPORT_NO_MORE.get(part_of(importer), outside), module
    assert not forbidden


def test_imports_have_no_cycle():
    TopologicalSorter(PARTS).prepare()
    TopologicalSorter(imports()).prepare()


def test_only_the_list_of_datasets_uses_import_module():
    """Modules imported by name elsewhere would be missing in the fingerprints of code."""
    for package in code.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path != ROOT / "pipelines/sources/datasets/__init__.py":
                assert "import_module" not in path.read_text(encoding="utf-8"), path


def test_torch_is_imported_only_by_the_encoder_and_by_training():
    for package in MAY_IMPORT.keys() - {"train"}:
        for path in (ROOT / package).rglob("*.py"):
            if str(path.relative_to(ROOT)) not in MAY_IMPORT_TORCH:
                assert "torch" not in imported(path.read_text()), path


def modules_in(part: str) -> str:
    """The modules of a part of pipelines/, as in an import statement."""
    return ", ".join(f"pipelines.{part}.{path.stem}" for path in sorted((ROOT / "pipelines" / part).glob("[a-z]*.py")))


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ieforge.__main__", ("argparse", "schemas")),
        ("ieforge.commands", ("pydantic", "yaml", "numpy", "apache_beam", "torch")),
        ("schemas.command", ("pydantic", "yaml", "numpy")),
        ("pipelines.build", ("apache_beam", "great_expectations", "pyarrow", "torch")),
        ("pipelines.knowledge.__main__", ("apache_beam", "great_expectations", "pyarrow")),
        ("pipelines.publish", ("apache_beam", "huggingface_hub", "pyarrow")),
        ("pipelines.rebuild", ("apache_beam", "great_expectations")),
        ("pipelines.diff", ("apache_beam", "pyarrow")),
        ("pipelines.export", ("apache_beam", "pyarrow", "pydantic")),
        ("pipelines.preferences", ("apache_beam", "pyarrow", "pydantic")),
        ("pipelines.inspect", ("apache_beam", "pyarrow", "pydantic")),
        ("pipelines.rejects", ("apache_beam", "pyarrow", "pydantic")),
        ("pipelines.preferring", ("apache_beam", "great_expectations")),
        ("pipelines.exporting", ("apache_beam", "great_expectations")),
        ("pipelines.release.contents, pipelines.release.recipes", ("apache_beam", "great_expectations")),
        (modules_in("describe"), ("apache_beam", "great_expectations")),
        (modules_in("report"), ("apache_beam", "great_expectations")),
        ("train.corpus", ("apache_beam", "pandas", "datasets")),
        ("hard_negatives.evaluate", ("apache_beam", "great_expectations", "torch")),
        ("hard_negatives.describe", ("apache_beam", "great_expectations", "torch", "faiss")),
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
