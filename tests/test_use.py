"""The examples in docs/use.md work on the bundled build."""

import json
import re

import datasets
import yaml
from pytest import fixture

from tests.conftest import ROOT

USE = (ROOT / "docs/use.md").read_text()


@fixture
def shown(built, tmp_path, monkeypatch):
    """Runs the Python blocks one after another in a folder with `build`; returns the resulting variables."""
    (tmp_path / "build").symlink_to(built)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", USE, re.DOTALL):
        exec(block, names)
    return names


def test_the_python_shown_runs(shown, built):
    rows = json.loads((built / "reports/stats.json").read_text())["instructions"]["RE"]
    assert shown["relations"].num_rows == rows["train"]
    assert next(iter(shown["everything"]["test"]))["output"] is None
    assert shown["rows"].column_names == ["prompt", "completion"]
    assert shown["rows"].num_rows == rows["train"]
    first, chat = shown["rows"][0], shown["chat"][0]
    assert json.loads(first["prompt"])["input"] and json.loads(first["completion"])
    assert chat["prompt"] == [{"role": "user", "content": first["prompt"]}]
    assert chat["completion"] == [{"role": "assistant", "content": first["completion"]}]
    assert next(iter(shown["records"]))["RE/task"] == b"RE"


def test_the_card_and_the_docs_show_the_same_two_lines(built):
    lines = re.findall(r"^rows = .*$", "".join(re.findall(r"```python\n(.*?)```", USE, re.DOTALL)), re.MULTILINE)
    card = (built / "README.md").read_text().replace('"corpus", "NER"', '"build", "RE"')
    assert len(lines) == 2 and "\n".join(lines) in card


def test_the_dataset_names_for_llama_factory_exist(built):
    (block,) = re.findall(r"```yaml\n(.*?)```", USE, re.DOTALL)
    settings = yaml.safe_load(block)
    entries = json.loads((built / "dataset_info.json").read_text())
    assert set(settings["dataset"].split(",")) | {settings["eval_dataset"]} <= entries.keys()
