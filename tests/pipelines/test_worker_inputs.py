"""The files and folders that must be visible to the workers of a cluster, whose working folder is another one."""

from pathlib import Path

import pytest

from pipelines import driver
from pipelines.config import Config
from pipelines.knowledge import __main__ as knowledge


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("raw", "model", "lexical"):
        (tmp_path / name).mkdir()
    for name in ("tokenizer.json", "pairs.json", "prompts.yaml", "dump-1.json", "dump-2.json"):
        (tmp_path / name).touch()
    return tmp_path


def config(**sections: dict) -> Config:
    return Config.model_validate({"data_root": "raw", **sections})


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        ({}, ["raw"]),
        ({"mine": {"hard_negatives": "none"}}, ["raw"]),
        ({"mine": {"hard_negatives": "pairs.json"}}, ["raw", "pairs.json"]),
        ({"mine": {"embedding_model": "./model"}}, ["raw", "model"]),
        ({"mine": {"embedding_model": "lexical"}}, ["raw"]),
        ({"mine": {"embedding_model": "organization/model"}, "tokens": {"tokenizer": "gpt2"}}, ["raw"]),
        ({"tokens": {"tokenizer": "tokenizer.json"}}, ["raw", "tokenizer.json"]),
        ({"instruct": {"prompts": "prompts.yaml"}}, ["raw"]),
    ],
)
def test_workers_of_a_build_read_data_dictionaries_and_models_at_absolute_paths(here, sections, names):
    assert driver.worker_inputs(config(**sections)) == [str(here / name) for name in names]


def test_a_bucket_stays_a_bucket():
    assert driver.worker_inputs(Config(data_root="s3://bucket/raw")) == ["s3://bucket/raw"]


def test_workers_of_a_corpus_read_the_folders_of_globs(here):
    flags = ["--wikidata", "dump-*.json", "--wikipedia", "raw", "dump-1.json", "--themes", "prompts.yaml"]
    settings = knowledge.configuration(knowledge.parse(flags))
    assert knowledge.worker_inputs(settings) == [str(here), str(here / "raw"), str(here / "dump-1.json")]
