"""The files of a build are read through types: no manifest and no statistics as a plain dict."""

import ast

import msgspec
import pytest

from schemas import build_statistics, manifests, releases
from schemas.arrow import EXAMPLES, INSTRUCTIONS, REJECTS
from tests.conftest import ROOT

READS_OTHER_JSON = {
    "hard_negatives/dictionary.py",  # a custom dictionary
    "pipelines/stages/corpus_facts.py",  # intermediate files between the workers of one stage
    "benchmarks/mutations.py",  # files of datasets
}
FIELDS = {
    name
    for module in (manifests, build_statistics, releases)
    for form in vars(module).values()
    if isinstance(form, type) and issubclass(form, msgspec.Struct)
    for name in form.__struct_fields__
} - {name for schema in (EXAMPLES, INSTRUCTIONS, REJECTS) for name in schema.names}
"""Keys in the manifests and statistics of builds and releases, except those that are also names of table columns."""

READERS = [
    *(path for part in ("describe", "report", "release") for path in (ROOT / "pipelines" / part).glob("*.py")),
    *(ROOT / "pipelines").glob("*.py"),
    *(ROOT / "pipelines/engine").glob("*.py"),
    ROOT / "train/corpus.py",
]


def untyped_reads(source: str) -> list[str]:
    """The calls that decode JSON without a type."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        ast.unparse(call)
        for call in calls
        if ast.unparse(call.func) in ("json.load", "json.loads")
        or (ast.unparse(call.func) == "msgspec.json.decode" and "type" not in [word.arg for word in call.keywords])
        or (ast.unparse(call.func).endswith("read_json") and ast.unparse(call.args[1]) in ("dict", "list", "Any"))
    ]


def string_keys(source: str) -> list[str]:
    """`x["key"]` and `x.get("key")` where the key is one of FIELDS."""
    reads = []
    for node in ast.walk(ast.parse(source)):
        key = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key = node.slice
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and node.args
        ):
            key = node.args[0]
        if isinstance(key, ast.Constant) and key.value in FIELDS:
            reads.append(ast.unparse(node))
    return reads


@pytest.mark.parametrize("package", ["pipelines", "hard_negatives", "validation", "benchmarks"])
def test_json_is_read_through_types(package):
    for path in (ROOT / package).rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name not in READS_OTHER_JSON and not name.startswith("pipelines/sources/"):
            assert not untyped_reads(path.read_text(encoding="utf-8")), name


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_of_a_build_are_not_read_by_string_keys(path):
    keys = string_keys(path.read_text(encoding="utf-8"))
    if path.name == "diff.py":  # it creates the differences that it prints as JSON
        keys = [key for key in keys if not key.startswith(("changes[", "counts["))]
    assert not keys


def test_untyped_reads_and_string_keys_are_detected():
    assert "shards" in FIELDS and "split" not in FIELDS
    assert string_keys('manifest["shards"][0]["split"]') == ["manifest['shards']"]
    assert string_keys('counts.get("rejected", {})') and not string_keys('table["instruction"]')
    assert untyped_reads("json.loads(x)") and untyped_reads("files.read_json(p, dict, r)")
    assert not untyped_reads("msgspec.json.decode(x, type=list[int])")
