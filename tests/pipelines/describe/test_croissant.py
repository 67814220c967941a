"""croissant.json is valid for the reference implementation of MLCommons, which loads the rows with it."""

import json
import logging

import mlcroissant
import pytest

from pipelines.build_folder import read_result
from pipelines.build_reports import read_statistics
from pipelines.describe import croissant, figures
from schemas.arrow import INSTRUCTIONS
from schemas.example import TASKS
from schemas.manifests import Instructed
from tests.conftest import checksums
from transforms.shards import read_shard


@pytest.fixture(scope="module")
def dataset(built):
    return mlcroissant.Dataset(str(built / "croissant.json"))


def test_croissant_json_is_valid(built, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(str(built / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    # A date of publication would make two builds of the same files differ.
    assert [w for w in dataset.metadata.ctx.issues.warnings if "datePublished" not in w] == []
    assert not [record for record in caplog.records if "not standard" in record.getMessage()]
    assert [record_set.id for record_set in dataset.metadata.record_sets] == list(TASKS)


def test_mlcroissant_loads_the_rows_of_a_task(built, dataset):
    loaded = list(dataset.records("KG"))
    rows = [row for path in sorted(built.glob("data/KG/*.parquet")) for row in read_shard(str(path)).to_pylist()]
    assert len(loaded) == len(rows) > 0

    def plain(value):
        return (
            value.decode()
            if isinstance(value, bytes)
            else [plain(v) for v in value]
            if hasattr(value, "__len__")
            else value
        )

    by_id = {plain(row["KG/id"]): row for row in loaded}
    for row in rows:
        record = by_id[row["id"]]
        for column in INSTRUCTIONS.names:
            value = record[f"KG/{column}"]
            assert (None if value is None else plain(value)) == row[column]


def test_every_shard_is_listed_with_its_checksum(built):
    content = json.loads((built / "croissant.json").read_text())
    files = {part["contentUrl"]: part for part in content["distribution"] if part["@type"] == "cr:FileObject"}
    assert {path: part["sha256"] for path, part in files.items()} == checksums(built, "data/**/*.parquet")
    assert all(part["contentSize"] == f"{(built / path).stat().st_size} B" for path, part in files.items())


def test_a_subset_of_sources_is_described_alone(built, tmp_path):
    counts = figures.subset(read_statistics(str(built)), ["phee"])
    built_shards = read_result(str(built), Instructed).shards
    shards = croissant.shards_of(str(built), [shard for shard in built_shards if shard.task == "EE"])
    content = json.loads(croissant.render(counts, shards, "https://example.org/c"))
    assert [part["@id"] for part in content["recordSet"]] == ["EE", "EET", "EEA"]
    assert content["url"] == "https://example.org/c" and content["license"] == ["mit"]
    assert "sun2022phee" in content["citeAs"] and content["inLanguage"] == ["en"]
