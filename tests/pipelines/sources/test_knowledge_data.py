"""Corpora exported by pipelines.knowledge as sources of a build."""

import json
from pathlib import Path

import msgspec
import pytest

from pipelines.sources import knowledge_data, reading, registry
from pipelines.sources.unread import unread_files
from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import Entity, Mention, Relation
from schemas.knowledge_corpus import Dump, ExportedEntity, ExportedRelation, ExportedText
from schemas.label import UnknownLabel
from tests.pipelines.knowledge.corpora import CORPUS

TEXT = "Ada Marrow was born in Coal Quay on 4 May 1921."
ROW = ExportedText(
    "7",
    TEXT,
    (
        ExportedEntity("Ada Marrow", 0, 10, "human", "Q990000001"),
        ExportedEntity("Coal Quay", 23, 32, "geographic_region", "Q990000002"),
        ExportedEntity("4 May 1921", 36, 46, "time"),
    ),
    (
        ExportedRelation(0, 1, "birth_place", "P19", "human", "geographic_region", 0.75),
        ExportedRelation(0, 2, "birth_date", "P569", "human", "time"),
    ),
    "Ada Marrow",
    "Q990000001",
    ("spouse",),
)


def write(folder: Path, about=CORPUS, **splits) -> Path:
    folder.mkdir(parents=True)
    content = about if isinstance(about, bytes) else msgspec.json.format(msgspec.json.encode(about))
    (folder / "knowledge.json").write_bytes(content)
    for split, rows in (splits or {"train": [ROW]}).items():
        lines = (row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows)
        (folder / f"{split}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def located(root: Path) -> registry.Located:
    (source,) = registry.select(registry.locate_all(registry.list_root(str(root))), [], str(root))
    return source


def records(root: Path, split: str = "train") -> list:
    source = located(root)
    assert registry.source_at(str(root), source.key).name == source.source.name
    return list(reading.records(source.source, source.files.form, source.files.splits[split]))


def test_a_row_becomes_entities_with_items_and_relations_with_scores(tmp_path):
    write(tmp_path / "en_person")
    (record,) = records(tmp_path)
    ada, quay, day = (Mention(TEXT[start:end], ((start, end),)) for start, end in ((0, 10), (23, 32), (36, 46)))
    assert record.entities == (
        Entity("human", ada, "T0", ("Q990000001",)),
        Entity("geographic region", quay, "T1", ("Q990000002",)),
        Entity("time", day, "T2"),
    )
    assert record.relations == (
        Relation("place of birth", ada, quay, "human", "geographic region", "T0", "T1", 0.75),
        Relation("date of birth", ada, day, "human", "time", "T0", "T2"),
    )
    assert record.unknown_labels == (UnknownLabel("relations", "spouse"),)


@pytest.mark.parametrize("place", ["", "en_person", "some/where/en_person"])
def test_a_folder_is_a_source_wherever_it_is(tmp_path, place):
    root = tmp_path / "export"
    write(root / place, train=[ROW], validation=[ROW], test=[ROW])
    source = located(root)
    assert source.key == (place or "export")
    assert sorted(source.files.splits) == ["test", "train", "validation"]
    assert source.source.tasks == ("RE", "SPO", "KG")
    assert [label.name for label in source.source.typed_labels] == [
        "human_place of birth_geographic region",
        "human_date of birth_time",
        "human_spouse_human",
    ]
    assert [label.role_names for label in source.source.graph_labels] == [("place of birth", "date of birth", "spouse")]
    assert [file.name for file in source.settings] == ["knowledge.json"]
    assert source.source.title.endswith(
        "scored by the built-in lexical score, at least 0.5, seed 7, export.alpha 1.0, match.theme null"
    )


BROKEN = [
    (lambda row: row["relation"][0].update(relation="murders"), Reason.UNKNOWN_LABEL),
    (lambda row: row["relation"][0].update(tail_type="time"), Reason.UNKNOWN_LABEL),
    (lambda row: row["relation"][0].update(tail=3), Reason.MISSING_FIELD),
    (lambda row: row["relation"][0].update(tail=-1), Reason.MISSING_FIELD),
    (lambda row: row["relation"][0].update(score=1.5), Reason.MISSING_FIELD),
    (lambda row: row["entity"][2].update(type="number"), Reason.UNKNOWN_LABEL),
    (lambda row: row["entity"][0].update(mention="Eve Marsh"), Reason.OFFSET_MISMATCH),
    (lambda row: row.update(unknown=["murders"]), Reason.UNKNOWN_LABEL),
    (lambda row: row.pop("text"), Reason.MISSING_FIELD),
]


@pytest.mark.parametrize(("change", "reason"), BROKEN)
def test_a_broken_row_is_a_bad_record_with_its_line(tmp_path, change, reason):
    row = msgspec.to_builtins(ROW)
    change(row)
    write(tmp_path / "en_person", train=[ROW, json.dumps(row).encode(), ROW])
    first, bad, last = records(tmp_path)
    assert not isinstance(first, BadRecord) and not isinstance(last, BadRecord)
    assert isinstance(bad, BadRecord) and bad.reason == reason and bad.place == "train.jsonl:2", bad


def changed(**values) -> bytes:
    return msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(CORPUS) | values), indent=1)


ABOUT = msgspec.to_builtins(CORPUS)
WRONG = [
    (b"{", "knowledge.json:1: invalid JSON"),
    (changed(lang="fr"), "knowledge.json:5: made by another version of IEForge, or damaged ($.lang"),
    (changed(version=2), "knowledge.json:2: made by another version"),
    (
        changed(relations=[ABOUT["relations"][0] | {"tail_types": ["town"]}]),
        "'town' of the relation 'birth_place' is no entity type",
    ),
    (changed(relations=[ABOUT["relations"][0]] * 2), "two of the relations have the key 'birth_place'"),
    (changed(relations=[]), "knowledge.json:"),
]


@pytest.mark.parametrize(("about", "problem"), WRONG)
def test_a_broken_description_is_the_problem_of_its_source(tmp_path, about, problem):
    write(tmp_path / "en_person", about)
    source = located(tmp_path)
    assert source.problem.startswith("knowledge.json:") and problem in source.problem
    assert "\n" not in source.problem
    with pytest.raises(SourceError) as error:
        registry.source_at(str(tmp_path), "en_person")
    assert str(error.value) == f"en_person: {source.problem}"


def test_a_dump_of_many_files_is_named_by_its_first_file():
    parts = tuple(Dump(f"enwiki-20240101-{n}.xml.bz2", "2024-01-01") for n in range(1, 61))
    assert knowledge_data.named(parts) == "enwiki-20240101-1.xml.bz2 and 59 other files of 2024-01-01"
    assert knowledge_data.named([*parts[:2], Dump("a.jsonl")]) == (
        "enwiki-20240101-1.xml.bz2 and enwiki-20240101-2.xml.bz2 of 2024-01-01, a.jsonl (undated)"
    )


@pytest.mark.parametrize("folder", ["", "en/"])
def test_only_the_manifest_of_an_export_is_not_reported_as_unread(tmp_path, folder):
    write(tmp_path / f"{folder}en_person", train=[ROW])
    for name in (f"{folder}manifest.json", f"{folder}en_person/manifest.json"):
        (tmp_path / name).write_text("{}")
    listing = registry.list_root(str(tmp_path))
    (unread,) = unread_files(listing, registry.locate_all(listing), None)
    assert f"{unread.folder}/{unread.files[0]}" == f"{folder}en_person/manifest.json" and len(unread.files) == 1


def test_a_description_without_rows_is_no_source(tmp_path):
    write(tmp_path / "en_person")
    write(tmp_path / "en_works", train=[ROW])
    (tmp_path / "en_works/train.jsonl").unlink()
    assert located(tmp_path).key == "en_person"
