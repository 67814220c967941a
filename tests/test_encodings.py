"""Files are read and written as UTF-8, and commands run, in any locale."""

import ast
import os
import subprocess
import sys

import pytest

from pipelines import build
from tests.conftest import ROOT, checksums
from tests.test_imports import MAY_IMPORT
from tests.unified import NER_SCHEMA, ner, write_source

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""With these variables Python uses ASCII for files, file names and output."""


def locale_dependent_lines(source: str) -> list[int]:
    """The numbers of the lines that read or write text in the encoding of the locale."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = node.func.value.id if isinstance(getattr(node.func, "value", None), ast.Name) else ""
        if name not in ("open", "read_text", "write_text", "fdopen", "TextIOWrapper", "NamedTemporaryFile"):
            continue
        if owner in ("os", "files", "user_files", "opener", "tarfile", "FileSystems", "page") and name != "fdopen":
            continue  # descriptors, bytes, addresses, pages of a browser, or our own functions
        values = [value.value for value in (*node.args, *(k.value for k in node.keywords)) if hasattr(value, "value")]
        binary = any(isinstance(value, str) and "b" in value and len(value) < 4 for value in values)
        named = any(keyword.arg == "encoding" for keyword in node.keywords)
        if not (binary or named or {"utf-8", "ascii"} & set(map(str, values))):
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_text_file_is_opened_with_an_encoding(package):
    places = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / package).rglob("*.py")
        for line in locale_dependent_lines(path.read_text(encoding="utf-8"))
    }
    assert places == set()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("open(path)\nopen(path, 'r')\npath.read_text()", [1, 2, 3]),
        ("open(path, 'rb'), open(path, encoding=x), path.read_text('utf-8'), os.open(path, 1)", []),
        ("path.write_text(text)", [1]),
    ],
)
def test_lines_without_an_encoding_are_detected(source, lines):
    assert locale_dependent_lines(source) == lines


def command(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env={**os.environ, **ASCII}, capture_output=True, timeout=120
    )


def test_sources_are_listed_under_an_ascii_locale():
    for more in ([], ["--json"]):
        done = command("pipelines.sources", *more)
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()
        assert done.stderr == b""


def test_a_build_is_the_same_under_an_ascii_locale(tmp_path):
    """The names of folders, the settings and the texts are Chinese."""
    for folder in ("语料/来源", "语料/duee1"):
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        rows = [ner("莫渡在东港。", person="莫渡", place="东港"), ner("无人来过。")]
        write_source(tmp_path / folder, "NER", NER_SCHEMA, lang="zh", train=rows)
    (tmp_path / "提示.yaml").write_text("NER: {en: [Find them.], zh: [找出实体。]}\n", encoding="utf-8")
    (tmp_path / "语料/来源/source.yaml").write_text("name: 来源\ntask: NER\nlang: zh\n", encoding="utf-8")
    flags = ["--data_root", f"{tmp_path}/语料", "--sources", "来源", "--prompts", f"{tmp_path}/提示.yaml"]
    flags += ["--embedding_model", "lexical", "--set", "mine.pin={NER: {来源: {person: [place]}}}"]
    dry = command("pipelines.build", *flags, "--dry_run")
    assert dry.returncode == 0, dry.stderr
    assert build.main([*flags, "--output", f"{tmp_path}/一", "--only", "instruct"]) == 0
    done = command("pipelines.build", *flags, "--output", f"{tmp_path}/二")
    assert done.returncode == 0, done.stderr
    assert done.stderr.isascii()
    usual = checksums(tmp_path / "一")
    assert len(usual) == 3
    assert usual.items() <= checksums(tmp_path / "二").items()
