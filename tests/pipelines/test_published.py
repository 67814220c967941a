"""A build of IEPile's unified sample has the answers of the published rows for the labels that both ask for."""

import json

import pytest

from pipelines import build
from schemas.example import TASKS
from tests.transforms.test_published import EXPECTED, REFERENCE, answers, differences, published
from transforms.shards import read_shard

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="needs the published samples")

ASKED_BY_BOTH = {"NER": 18, "RE": 40, "SPO": 30, "EE": 40, "EET": 40, "EEA": 7, "KG": 5}
"""Minimum number of compared answers; the negative labels of a build depend on its hard negatives."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    output = tmp_path_factory.mktemp("sample") / "build"
    flags = ["--data_root", str(REFERENCE / "unified"), "--output", str(output), "--embedding_model", "lexical"]
    assert build.main(flags) == 0
    return output


@pytest.mark.parametrize("task", TASKS)
def test_answers_for_labels_in_both_are_equal(sample, task):
    rows = read_shard(str(sample / f"data/{task}/train-00000-of-00001.parquet")).to_pylist()
    sample_rows = [row for row in rows if row["example_id"].startswith(f"IE-zh/{task}/sample/")]
    built = answers((row["instruction"], row["output"]) for row in sample_rows)
    expected = published("unified", "converted", f"{task}.jsonl")
    both = {key: value for key, value in expected.items() if key in built}
    assert len(both) >= ASKED_BY_BOTH[task]
    assert {cause for _, cause in differences(task, both, built)} <= {cause for _, cause in EXPECTED[task]}
    positives = {key for key, (_, answer) in expected.items() if answer}
    assert positives <= built.keys()
    assert all(json.loads(row["output"]) for row in sample_rows)
