"""A source.yaml in the root of the data, and which folders below it are sources of their own."""

import json
from pathlib import Path

import pytest

from pipelines.sources import registry, tool_folders
from pipelines.sources.tool_folders import source_at
from tests.pipelines.sources.test_tool_records import TASKS, UNIFIED


def nested(root: Path, settings: str | None, **folders: str) -> Path:
    """A data root with two batches; `folders`: path of another file → its content."""
    path = root / "data"
    for name, content in {"batch1/a.json": TASKS[:1], "batch2/b.json": TASKS[1:]}.items():
        (path / name).parent.mkdir(parents=True)
        (path / name).write_text(json.dumps(content))
    for name, content in folders.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    if settings is not None:
        (path / "source.yaml").write_text(settings)
    return path


def keys_and_files(root: Path) -> dict[str, list[str]]:
    located = registry.locate_all(registry.list_root(str(root)))
    return {
        each.key: sorted(file.name for group in each.files.splits.values() for file in group)
        for each in located
        if each.files and each.files.splits
    }


def test_a_source_yaml_in_the_root_is_that_of_all_its_folders(tmp_path):
    settings = 'lang: de\nlicense: CC-BY-4.0\nsplits: {train: "batch1/*", test: "batch2/*"}'
    root = nested(tmp_path, settings)
    assert keys_and_files(root) == {"data": ["batch1/a.json", "batch2/b.json"]}
    source = source_at(str(root), "data")
    assert (source.lang, source.licence_text) == ("de", "CC-BY-4.0")
    (located,) = (each for each in registry.locate_all(registry.list_root(str(root))) if each.files)
    assert {split: [file.name for file in group] for split, group in located.files.splits.items()} == {
        "train": ["batch1/a.json"],
        "test": ["batch2/b.json"],
    }


def test_without_a_source_yaml_in_the_root_each_folder_is_a_source(tmp_path):
    assert keys_and_files(nested(tmp_path, None)) == {"batch1": ["a.json"], "batch2": ["b.json"]}


@pytest.mark.parametrize(
    ("path", "content", "key"),
    [
        ("batch2/source.yaml", "lang: de", "batch2"),
        ("train/source.yaml", "lang: de", "train"),
        ("anatem/source.txt", "", None),
    ],
)
def test_folders_that_do_not_belong_to_the_source_of_the_root(tmp_path, path, content, key):
    extra = {f"{path.partition('/')[0]}/c.json": json.dumps(TASKS), path: content}
    root = nested(tmp_path, "lang: fr", **extra)
    batch2 = [] if key == "batch2" else ["batch2/b.json"]
    of_root = {"data": ["batch1/a.json", *batch2]}
    beside = {key: ["b.json", "c.json"] if key == "batch2" else ["c.json"]} if key else {}
    assert keys_and_files(root) == of_root | beside
    assert source_at(str(root), "data").lang == "fr"
    assert [file.name for file in tool_folders.root_files(str(root)) if file.name != "source.yaml"] == of_root["data"]


def test_unified_folders_below_a_root_with_source_yaml_are_sources_of_their_own(tmp_path):
    files = {"deep/er/schema.json": '["PER"]\n[]\n{}\n', "deep/er/train.json": json.dumps(UNIFIED[0])}
    root = nested(tmp_path, "lang: fr", **files, **{"deep/er/source.yaml": "task: NER"})
    assert keys_and_files(root) == {"data": ["batch1/a.json", "batch2/b.json"], "deep/er": ["train.json"]}
    assert {file.name for file in tool_folders.root_files(str(root))} == {
        "source.yaml",
        "batch1/a.json",
        "batch2/b.json",
    }
