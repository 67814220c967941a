"""A build of IEPile's unified sample answers as the published rows do, wherever both ask the same label of a text."""

import json

import pytest

from pipelines import build
from schemas.example import TASKS
from tests.transforms.test_published import EXPECTED, REFERENCE, answers, differences, published
from transforms.shards import read_shard

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="the published samples are not here")

ASKED_BY_BOTH = {"NER": 18, "RE": 40, "SPO": 30, "EE": 40, "EET": 40, "EEA": 7, "KG": 5}
"""At least so many answers are compared; which negative labels a build asks follows from its hard negatives."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    output = tmp_path_factory.mktemp("sample") / "build"
    flags = ["--data_root", str(REFERENCE / "unified"), "--output", str(output), "--embedding_model", "lexical"]
    assert build.main(flags) == 0
    return output


@pytest.mark.parametrize("task", TASKS)
def test_every_answer_to_what_both_ask(sample, task):
    rows = read_shard(str(sample / f"data/{task}/train-00000-of-00001.parquet")).to_pylist()
    own = [row for row in rows if row["example_id"].startswith(f"IE-zh/{task}/sample/")]
    mine = answers((row["instruction"], row["output"]) for row in own)
    theirs = published("unified", "converted", f"{task}.jsonl")
    both = {key: value for key, value in theirs.items() if key in mine}
    assert len(both) >= ASKED_BY_BOTH[task]
    assert {cause for _, cause in differences(task, both, mine)} <= {cause for _, cause in EXPECTED[task]}
    positives = {key for key, (_, answer) in theirs.items() if answer}
    assert positives <= mine.keys()
    assert all(json.loads(row["output"]) for row in own)
