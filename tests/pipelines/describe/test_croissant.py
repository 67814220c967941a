"""croissant.json is valid to MLCommons' own reader, which loads the rows by it."""

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


def test_it_is_valid(built, caplog):
    with caplog.at_level(logging.WARNING):
        found = mlcroissant.Dataset(str(built / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    # A date of publication would make two builds of the same files differ.
    assert [w for w in found.metadata.ctx.issues.warnings if "datePublished" not in w] == []
    assert not [record for record in caplog.records if "not standard" in record.getMessage()]
    assert [record_set.id for record_set in found.metadata.record_sets] == list(TASKS)


def test_it_loads_the_rows_of_a_task(built, dataset):
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
        got = by_id[row["id"]]
        for column in INSTRUCTIONS.names:
            value = got[f"KG/{column}"]
            assert (None if value is None else plain(value)) == row[column]


def test_every_shard_stands_there_with_its_checksum(built):
    content = json.loads((built / "croissant.json").read_text())
    listed = {part["contentUrl"]: part for part in content["distribution"] if part["@type"] == "cr:FileObject"}
    assert {path: part["sha256"] for path, part in listed.items()} == checksums(built, "data/**/*.parquet")
    assert all(part["contentSize"] == f"{(built / path).stat().st_size} B" for path, part in listed.items())


def test_a_part_is_described_alone(built, tmp_path):
    counts = figures.subset(read_statistics(str(built)), ["phee"])
    of_build = read_result(str(built), Instructed).shards
    shards = croissant.shards_of(str(built), [shard for shard in of_build if shard.task == "EE"])
    content = json.loads(croissant.render(counts, shards, "https://example.org/c"))
    assert [part["@id"] for part in content["recordSet"]] == ["EE", "EET", "EEA"]
    assert content["url"] == "https://example.org/c" and content["license"] == ["mit"]
    assert "sun2022phee" in content["citeAs"] and content["inLanguage"] == ["en"]
