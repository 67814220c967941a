"""The fingerprint of code changes only with the behaviour of a module and its imports."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.engine import code
from schemas.errors import MachineError

CLEAN = '''"""Cleans."""

from pipelines.engine.gather import read
from pipelines.stages import labels
from transforms.windows import windows

LIMIT = 3
"""A limit."""


def run(text: str) -> str:
    """Cuts."""
    from transforms import late

    # first
    return windows(text)[:LIMIT]
'''


def tree(root: Path, **changed: str) -> Path:
    """Creates a folder of packages. `changed`: name of a file → its text."""
    texts = {"clean": CLEAN, "labels": "import sentencex", "windows": "WIDTH = 1", "late": "", "gather": "", "far": ""}
    places = {"windows": "transforms", "late": "transforms", "gather": "pipelines/engine", "far": "transforms"}
    for name, text in (texts | changed).items():
        folder = root / places.get(name, "pipelines/stages")
        folder.mkdir(parents=True, exist_ok=True)
        for package in (folder, *folder.relative_to(root).parents):
            (root / package / "__init__.py").touch()
        (folder / f"{name}.py").write_text(text)
    (root / "pipelines/table.yaml").write_text("a: 1\n")
    return root


def fingerprint(root: Path) -> str:
    return code.fingerprint(["pipelines.stages.clean"], ["pipelines/table.yaml"], root)


def test_the_closure_has_all_imports_and_their_packages(tmp_path):
    assert set(code.closure(["pipelines.stages.clean"], tree(tmp_path))) == {
        "pipelines",
        "pipelines.stages",
        "pipelines.stages.clean",
        "pipelines.stages.labels",
        "transforms",
        "transforms.late",
        "transforms.windows",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"clean": CLEAN.replace("Cuts.", "Cuts a text.").replace("Cleans.", "Cleans text.")},
        {"clean": CLEAN.replace('    """Cuts."""\n', "").replace('"""A limit."""\n', "")},
        {"clean": CLEAN.replace("# first", "# first of all\n    # and more")},
        {"clean": CLEAN.replace("windows(text)[:LIMIT]", "windows(\n        text\n    )[:LIMIT]")},
        {"windows": "# how many\nWIDTH = 1\n"},
        {"gather": "def read(): ..."},
        {"far": "WIDTH = 1"},
    ],
)
def test_changes_without_effect_on_results_do_not_count(tmp_path, changed):
    assert fingerprint(tree(tmp_path / "after", **changed)) == fingerprint(tree(tmp_path / "before"))


@pytest.mark.parametrize(
    "changed",
    [
        {"clean": CLEAN.replace("LIMIT = 3", "LIMIT = 4")},
        {"clean": CLEAN.replace("LIMIT = 3", 'LIMIT = "3"')},
        {"clean": CLEAN.replace("windows(text)[:LIMIT]", "windows(text[:LIMIT])")},
        {"clean": CLEAN.replace("[:LIMIT]", "")},
        {"labels": ""},
        {"windows": "WIDTH = 2"},
        {"late": "pass"},
    ],
)
def test_changes_that_may_affect_results_count(tmp_path, changed):
    assert fingerprint(tree(tmp_path / "after", **changed)) != fingerprint(tree(tmp_path / "before"))


def test_tables_and_versions_of_libraries_with_rules_count(tmp_path, monkeypatch):
    root = tree(tmp_path)
    before = fingerprint(root)
    (root / "pipelines/table.yaml").write_text("a: 2\n")
    with_table = fingerprint(root)
    monkeypatch.setitem(code.RULES, "sentencex", lambda name: "1000.0")
    assert len({before, with_table, fingerprint(root)}) == 3


def test_missing_modules_and_files_are_refused(tmp_path):
    root = tree(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"pipelines\.stages\.cleaning"):
        code.fingerprint(["pipelines.stages.cleaning"], root=root)
    with pytest.raises(MachineError, match=r"table\.json"):
        code.fingerprint([], ["pipelines/table.json"], root)


def test_what_another_process_has_parsed_is_taken_over(monkeypatch):
    expected = code.closure(["pipelines.stages.clean"])
    code.PARSED.clear()
    code.parse_ahead(["pipelines.stages.clean"])
    with monkeypatch.context() as patched:
        patched.setattr(code, "collect", None)  # nothing is left to do for this process
        assert code.closure(["pipelines.stages.clean"]) == expected


@pytest.mark.parametrize("message", [b"", b"\x00\x00\x10\x00cut"])
def test_a_process_that_was_killed_leaves_its_work_to_this_one(monkeypatch, message):
    expected = code.closure(["pipelines.stages.clean"])
    code.PARSED.clear()
    monkeypatch.setattr(
        code, "send_parsed", lambda modules, receiver, sender: os.write(sender.fileno(), message) and os._exit(1)
    )
    code.parse_ahead(["pipelines.stages.clean"])
    assert code.closure(["pipelines.stages.clean"]) == expected


SCRIPT = """
import os, signal, sys, time
from pipelines.engine import code

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, interrupt)
code.parse_ahead(["pipelines.stages.clean"])
time.sleep(0.1)
if sys.argv[1] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_the_other_process_prints_nothing_if_this_one_ends_first(end):
    command = [sys.executable, "-c", SCRIPT, end]
    done = subprocess.run(command, cwd=code.ROOT, capture_output=True, text=True, timeout=60)  # both have closed stderr
    assert (done.returncode, done.stderr) == (0 if end == "exit" else -signal.SIGKILL, "")
