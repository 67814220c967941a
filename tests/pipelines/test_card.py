"""The card: YAML that loaders read, tables that people read, nothing claimed that is not so."""

import re

import yaml

from pipelines import build
from pipelines.card import size_category, table
from pipelines.sources import load
from tests.unified import NER_SCHEMA, ner, write_source


def head_and_body(text: str) -> tuple[dict, str]:
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_configs_name_every_task_and_one_default(built):
    head, _ = head_and_body((built / "README.md").read_text())
    names = [config["config_name"] for config in head["configs"]]
    assert names == ["default", "NER", "RE", "SPO", "EE", "EET", "EEA", "KG"]
    assert [config.get("default", False) for config in head["configs"]] == [True] + [False] * 7
    for config in head["configs"]:
        for files in config["data_files"]:
            assert list(built.glob(files["path"])), files


def test_every_source_stands_there_with_licence_and_counts(built):
    _, body = head_and_body((built / "README.md").read_text())
    for key in ("conll2003", "phee", "duee1"):
        assert f"| {key} | {load(key).name} |" in body
        assert load(key).licence_text in body
    assert "| conll2003 | train | 16 | 29 | 0 | 0 | 16 | 15 | leakage 1, wrong_columns 1 |" in body
    assert "| clue_ner/train | clue_ner/test | 1 |" in body
    assert "`lexical`" in body


def test_a_build_without_a_source_or_a_split_says_so(tmp_path):
    write_source(tmp_path / "data/a", "NER", NER_SCHEMA, train=[ner("Ada went to Rome.", person="Ada")])
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build"), "--hard_negatives", "none"]
    assert build.main([*flags, "--sources", "a,scierc"]) == 3
    head, body = head_and_body((tmp_path / "build/README.md").read_text())
    assert "**Incomplete.**" in body and "`scierc`: no file of it" in body
    assert str(tmp_path) not in body
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/*/train-*.parquet"}]
    assert "None were used" in body and "lexical" not in body


def test_no_path_of_the_machine_is_published(built):
    text = (built / "README.md").read_text() + (built / "reports/data_docs/index.html").read_text()
    assert str(built) not in text
    assert not re.search(r"/(home|root|tmp|Users)/", text)


def test_table_escapes_and_groups():
    made = table(["a|b", "n"], [["x|y", 12345]])
    assert made.splitlines() == ["| a\\|b | n |", "| :-- | --: |", "| x\\|y | 12,345 |"]


def test_size_category():
    assert [size_category(n) for n in (999, 1_000, 2_000_000, 10**9)] == ["n<1K", "1K<n<10K", "1M<n<10M", "100M<n<1B"]
