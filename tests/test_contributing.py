"""The example in CONTRIBUTING.md works: its files are a source that builds."""

import json
import re
import shutil
import subprocess
import sys

from tests.conftest import ROOT

SHOWN = re.compile(r"^`(pipelines/[\w/.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PACKAGES = ("schemas", "transforms", "hard_negatives", "validation", "pipelines")


def test_the_example_in_contributing_builds(tmp_path):
    """The example is one module and one folder of samples."""
    shown = dict(SHOWN.findall((ROOT / "CONTRIBUTING.md").read_text()))
    assert {path.split("/")[1] for path in shown} == {"sources", "samples"}
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in shown.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    flags = ["--sources", "harbour_ner", "--output", str(tmp_path / "build"), "--set", "ingest.max_reject_rate=0.5"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.build", *flags], cwd=tmp_path, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    stats = json.loads((tmp_path / "build/reports/stats.json").read_text())
    assert stats["sources"]["harbour_ner"]["train"]["read"] == {
        "examples": 2, "entities": 2, "relations": 0, "events": 0,
    }  # fmt: skip
    assert stats["sources"]["harbour_ner"]["train"]["rejected"] == {"wrong_columns": 1}
    label_set = json.loads((tmp_path / "build/labels/NER/harbour_ner.json").read_text())
    assert [label["name"] for label in label_set["labels"]] == ["quay", "ship"]
