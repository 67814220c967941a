"""The command `ieforge`: its names, its help, its version, and that it runs the modules like `python -m`."""

import os
import re
import signal
import subprocess
import sys
import tomllib

import pytest

from ieforge import commands as ieforge
from tests.conftest import ROOT

NAMES = {
    "build": "pipelines.build",
    "knowledge": "pipelines.knowledge",
    "inspect": "pipelines.inspect",
    "rejects": "pipelines.rejects",
    "sources": "pipelines.sources",
    "publish": "pipelines.publish",
    "rebuild": "pipelines.rebuild",
    "diff": "pipelines.diff",
    "export": "pipelines.export",
    "preferences": "pipelines.preferences",
    "evaluate": "hard_negatives.evaluate",
    "describe": "hard_negatives.describe",
    "train sft": "train.sft",
    "train tune": "train.tune",
    "train predict": "train.predict",
    "train score": "train.score",
    "train compare": "train.compare",
    "train export": "train.export",
}


def test_names_of_commands():
    assert ieforge.COMMANDS == NAMES


def test_every_runnable_module_is_a_command():
    runnable = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        for package in ("pipelines", "hard_negatives", "validation", "train")
        for path in (ROOT / package).rglob("*.py")
        if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")
    }
    assert runnable == {*ieforge.MODULES, "pipelines.engine.worker"}  # the latter is ieforge-worker


@pytest.mark.parametrize("flags", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_has_a_line_for_each_command(flags, capsys):
    assert ieforge.main(flags) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: ieforge COMMAND [FLAGS]" and max(map(len, lines)) <= 120
    until_steps = lines[: lines.index("first steps:")] if "first steps:" in lines else lines
    described = dict(line.strip().split("  ", 1) for line in until_steps if line.startswith("  "))
    assert list(described) == list(NAMES)
    assert all(text.strip().endswith(".") for text in described.values())


@pytest.mark.parametrize("flags", [["train"], ["train", "--help"], ["help", "train"]])
def test_the_overview_of_a_group(flags, capsys):
    assert ieforge.main(flags) == 0
    shown = capsys.readouterr().out
    assert "  train sft  " in shown and "  build" not in shown


def test_the_version_is_that_of_the_package(capsys):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert ieforge.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ieforge {version}\n"


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["biuld", "--output", "x"], "error: ieforge biuld: no such command; did you mean build, rebuild?\n"),
        (["train", "stf"], "error: ieforge train stf: no such command; did you mean train sft"),
        (["sft"], "error: ieforge sft: no such command; did you mean train sft?\n"),
        (["trian", "sft"], "error: ieforge trian: no such command; did you mean train?\n"),
        (["xyzzy\n"], "error: ieforge xyzzy\\n: no such command; ieforge --help lists them\n"),
        (["--output", "x"], "error: unknown flag --output; the command comes first: ieforge COMMAND\n"),
        (["version"], "error: ieforge version: no such command; did you mean --version?\n"),
        (["--verison"], "error: unknown flag --verison; did you mean --version?\n"),
        (["train", "--hepl"], "error: unknown flag --hepl; did you mean --help?\n"),
        (["train", "--output", "x"], "error: unknown flag --output; the command comes first: ieforge train COMMAND\n"),
        (["help", "biuld"], "error: ieforge biuld: no such command; did you mean build, rebuild?\n"),
    ],
)
def test_an_unknown_name_is_a_one_line_error(flags, line, capsys):
    assert ieforge.main(flags) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith(line) and shown.err.count("\n") == 1


@pytest.mark.parametrize("name", ["build", "sources", "train score"])
def test_help_of_a_command_names_the_program_ieforge(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/ieforge"])
    with pytest.raises(SystemExit) as ended:
        ieforge.main([*name.split(), "--help"])
    assert ended.value.code == 0 and sys.argv == ["/usr/bin/ieforge"]
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: ieforge {name} ") and "python -m" not in shown


def test_flags_exit_code_and_error_equal_those_of_the_module(tmp_path, capsys):
    assert ieforge.main(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert "neither a validated build nor a release" in capsys.readouterr().err
    assert ieforge.main(["diff", "--debug", str(tmp_path), str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Traceback")


def test_an_interrupt_during_imports_gives_one_line(tmp_path):
    (tmp_path / "slow.py").write_text("import sys, time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    code = "from ieforge import commands as m; import sys; m.COMMANDS['slow'] = 'slow'; sys.exit(m.main(['slow']))"
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "interrupted\n")
    assert process.returncode == 130


def test_an_interrupt_before_the_first_import_gives_no_traceback(tmp_path):
    (tmp_path / "argparse.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-m", "ieforge"],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == -signal.SIGINT


def test_ieforge_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "ieforge", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("ieforge ")


@pytest.mark.parametrize("name", NAMES)
def test_help_of_every_command_has_an_example_and_its_guide(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/ieforge"])
    with pytest.raises(SystemExit):
        ieforge.main([*name.split(), "--help"])
    shown = capsys.readouterr().out
    assert re.search(rf"^examples?:\n.*^  ieforge {name} ", shown, re.MULTILINE | re.DOTALL)
    (guide,) = re.findall(r"^Guide: (docs/\w+\.md)$", shown, re.MULTILINE)
    assert name.split()[-1] in (ROOT / guide).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_suggests_a_flag_for_a_mistyped_one(name, capsys):
    """Before it complains that another one is missing."""
    assert ieforge.main([*name.split(), "--debgu"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown flag --debgu; did you mean --debug")


def test_help_of_one_command(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/ieforge"])
    with pytest.raises(SystemExit) as ended:
        ieforge.main(["help", "train", "score"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("usage: ieforge train score ")


def test_pipelines_as_a_module_lists_the_commands():
    done = subprocess.run([sys.executable, "-m", "pipelines"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.startswith("usage: ieforge COMMAND")
