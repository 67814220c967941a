"""What a stage's result depends on is among its inputs: a change of any module that reads makes ingest read again."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pipelines.config import Config
from pipelines.stages import plan, reading_modules
from tests.test_imports import MAY_IMPORT

COMMAND = "pipelines/sources/__main__.py"
"""The list of sources, which stands in their folder and reads nothing for a build."""


def imported(path: Path) -> Iterator[str]:
    """The files of our own modules that a module names in its imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            module = f"{name.replace('.', '/')}.py"
            if name.partition(".")[0] in MAY_IMPORT and (reading_modules.ROOT / module).exists():
                yield module


def test_ingest_depends_on_every_module_that_it_reads_with():
    readers = {name for name in reading_modules.reading_modules() if name.endswith(".py")} - {COMMAND}
    seen, waiting = set(), ["pipelines/stages/ingest.py", "pipelines/stages/judge.py", *readers]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += imported(reading_modules.ROOT / module)
    assert seen == readers


def test_a_change_of_such_a_module_is_another_input(tmp_path, monkeypatch):
    for name in reading_modules.reading_modules():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((reading_modules.ROOT / name).read_bytes())
    monkeypatch.setattr(reading_modules, "ROOT", tmp_path)

    def inputs() -> list:
        return plan.ingest_inputs(Config(data_root="raw"), (), "1", {})

    before = inputs()
    for name in ("transforms/normalize.py", "pipelines/sources/user_data.py", "transforms/formats/unified.py"):
        with (tmp_path / name).open("a") as module:
            module.write("# changed\n")
        assert inputs() != before
        before = inputs()
