"""The NYT datasets: full names are preferred to last words, splits of files, and published names."""

import json
from pathlib import Path

import pytest

from pipelines.sources.datasets import nyt, nyt11_hrl
from pipelines.sources.source_files import find
from transforms.files import list_files

COPYRE = {"sentText": "Bo Ek left Rye .", "relationMentions": [{"em1Text": "Bo Ek", "em2Text": "Rye", "label": "None"}]}
TRIPLES = [{"text": "Bo Ek left Rye .", "triple_list": [["Ek", "/people/person/place_lived", "Rye"]]}]
REFERENCE = Path(__file__).resolve().parents[3] / ".." / "shared" / "reference" / "label_names.json"


def find_files(tmp_path, source, *names: str):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(TRIPLES if "triple" in name else COPYRE))
    return find(source, list_files(str(tmp_path)))


@pytest.mark.parametrize(
    ("names", "read", "ignored"),
    [
        (["raw_train.json", "raw_test.json"], {"train": ["raw_train.json"], "test": ["raw_test.json"]}, []),
        (
            ["exact_data/valid.json", "casrel_data/new_valid.json", "triples_json/test.json", "rel2id.json"],
            {"validation": ["exact_data/valid.json"], "test": ["triples_json/test.json"]},
            ["casrel_data/new_valid.json"],
        ),
        (
            ["new_test.json", "train_triples.json", "dev_triples.json", "test_split_by_num/test_triples_1.json"],
            {"train": ["train_triples.json"], "validation": ["dev_triples.json"], "test": ["new_test.json"]},
            [],
        ),
        (["casrel_data/new_train.json"], {"train": ["casrel_data/new_train.json"]}, []),
    ],
)
def test_the_form_with_full_names_is_preferred(tmp_path, names, read, ignored):
    source_files = find_files(tmp_path, nyt.SOURCE, *names)
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == read
    assert sorted(file.name for file in source_files.ignored) == ignored
    assert source_files.unassigned == []
    for split in source_files.splits:
        assert [record.text for record in source_files.read(split)] == ["Bo Ek left Rye ."]


def test_the_label_none_is_not_a_relation(tmp_path):
    assert nyt.SOURCE.relation_labels["None"] is None
    assert nyt11_hrl.SOURCE.relation_labels["None"] is None


@pytest.mark.parametrize("source", [nyt.SOURCE, nyt11_hrl.SOURCE])
def test_label_names_are_the_published_ones(source):
    if not REFERENCE.exists():
        pytest.skip("needs the published label names")
    published = json.loads(REFERENCE.read_text())["RE"][source.name]
    assert sorted(label.name for label in source.relation_labels.values() if label) == sorted(published)
