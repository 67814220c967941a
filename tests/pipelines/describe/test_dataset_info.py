"""dataset_info.json tells LLaMA-Factory how to load the columns; the tests make the same calls of `datasets`."""

import json

import datasets
import pytest

from pipelines.build_reports import read_statistics
from pipelines.describe import dataset_info


def load_as_llama_factory(entry: dict, dataset_dir: str, cache_dir: str) -> list[dict]:
    """Loads the rows of an entry as LLaMA-Factory does: path, config, split, and the columns of prompt and answer."""
    assert entry["formatting"] == "alpaca"
    assert entry.keys() <= {"script_url", "hf_hub_url", "subset", "split", "formatting", "columns"}
    path = entry.get("hf_hub_url") or f"{dataset_dir}/{entry['script_url']}"
    rows = datasets.load_dataset(path, name=entry["subset"], split=entry["split"], cache_dir=cache_dir)
    return [{role: row[column] for role, column in entry["columns"].items()} for row in rows]


@pytest.mark.parametrize(
    "name, task, split", [("ieforge_kg", "KG", "train"), ("ieforge_ee_validation", "EE", "validation")]
)
def test_an_entry_loads_prompts_and_answers(built, tmp_path, name, task, split):
    entries = json.loads((built / "dataset_info.json").read_text())
    rows = load_as_llama_factory(entries[name], str(built), str(tmp_path))
    assert len(rows) == read_statistics(str(built)).instructions[task][split]
    for row in rows:
        assert json.loads(row["prompt"]).keys() == {"instruction", "schema", "input"}
        assert isinstance(json.loads(row["response"]), dict)


def test_every_split_with_answers_has_an_entry():
    counts = {"NER": {"train": 3, "test": 2}, "EE": {"validation": 1}}
    entries = json.loads(dataset_info.render(counts))
    assert list(entries) == ["ieforge_ner", "ieforge_ee_validation"]
    assert entries["ieforge_ner"]["script_url"] == "."
    assert json.loads(dataset_info.render(counts, "org/name"))["ieforge_ner"]["hf_hub_url"] == "org/name"
