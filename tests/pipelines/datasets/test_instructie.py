"""InstructIE: a source per theme and language, typed heads and tails, alternative types in either order."""

import json

import pytest

from pipelines.sources.datasets.instructie import RELATIONS, SOURCES, THEMES
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from transforms.files import list_files
from transforms.normalize import normalize


def read_rows(tmp_path, key: str, *rows: dict) -> list:
    source = SOURCES[key]
    (tmp_path / f"test_{source.lang}.json").write_text("\n".join(map(json.dumps, rows)))
    source_files = find(source, list_files(str(tmp_path)))
    records = source_files.form.read(source_files.splits["test"])
    return [
        r if isinstance(r, BadRecord) else normalize(r, source.entity_labels, source.relation_labels, {}, {})
        for r in records
    ]


def row(cate: str, *triples: tuple[str, str, str, str, str]) -> dict:
    keys = ("head", "head_type", "relation", "tail", "tail_type")
    return {
        "id": "x",
        "cate": cate,
        "text": f"{cate} A B",
        "relation": [dict(zip(keys, t, strict=True)) for t in triples],
    }


def test_a_theme_has_only_its_texts(tmp_path):
    birth = ("A", "human", "place of birth", "B", "geographic region")
    rows = [
        row("Person", birth),
        row("Geographic_Location", ("A", "geographic region", "capital", "B", "geographic region")),
        row("Geographic Location"),
        row("Building"),
        {"text": "C", "cate": "Person"},
    ]
    person, unknown = read_rows(tmp_path, "en_person", *rows)
    (relation,) = person.relations
    assert (relation.head_label, relation.label, relation.tail_label) == (
        "human",
        "place of birth",
        "geographic region",
    )
    assert unknown.relations is None
    places = read_rows(tmp_path, "en_location", *rows)
    assert [[relation.label for relation in place.relations] for place in places] == [["capital"], []]


def test_the_label_set_depends_on_the_theme(tmp_path):
    birth = ("A", "human", "place of birth", "B", "geographic region")
    (bad,) = read_rows(tmp_path, "en_event", row("Event", birth))
    assert bad.reason == Reason.UNKNOWN_LABEL
    counts = {key: len(source.relation_labels) for key, source in SOURCES.items()}
    assert [counts[f"zh_{key}"] for key, *_ in THEMES] == [15, 8, 10, 21, 9, 8, 7, 8, 10, 11, 8, 8]
    assert all(counts[f"en_{key}"] == counts[f"zh_{key}"] for key, *_ in THEMES)
    assert set(SOURCES["en_astronomy"].relation_labels) == {
        *("alternative name", "of", "time of discovery", "discoverer or inventor", "named after"),
        *("absolute magnitude", "diameter", "mass"),
    }


@pytest.mark.parametrize("cate", ["建筑", "建筑结构"])
@pytest.mark.parametrize("raw", ["组织/人物", "人物/组织"])
def test_variants_of_theme_and_type_names_are_accepted(tmp_path, cate, raw):
    (example,) = read_rows(tmp_path, "zh_building", row(cate, ("A", "建筑结构", "创建者", "B", raw)))
    (relation,) = example.relations
    assert (relation.head_label, relation.label, relation.tail_label) == ("建筑结构", "创建者", "组织/人物")


def test_a_triple_may_lack_types(tmp_path):
    triples = [
        {"head": "A", "relation": "父母", "tail": "B"},
        {"head": "A", "head_type": "", "relation": "配偶", "tail": "C"},
    ]
    (example,) = read_rows(tmp_path, "zh_person", {"cate": "人物", "text": "A B C", "relation": triples})
    assert [(r.label, r.head_label, r.tail_label) for r in example.relations] == [
        ("父母", None, None),
        ("配偶", None, None),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cate": "其他"}, Reason.UNKNOWN_LABEL),
        ({"cate": None}, Reason.MISSING_FIELD),
        ({"relation": [{"head": "A", "relation": "父母"}]}, Reason.MISSING_FIELD),
        ({"relation": [{"head": "A", "head_type": "石头", "relation": "父母", "tail": "B"}]}, Reason.UNKNOWN_LABEL),
    ],
)
def test_a_broken_row_is_rejected_alone(tmp_path, change, reason):
    bad, good = read_rows(tmp_path, "zh_person", row("人物") | change, row("人物"))
    assert bad.reason == reason and good.relations == ()


def test_files_are_split_by_language_and_extended_ones_ignored(tmp_path):
    for name in ("train_zh", "train_zh_plus", "dev_zh", "test_zh", "train_en", "schema_zh", "schema_en"):
        (tmp_path / f"{name}.json").write_text("{}")
    source_files = find(SOURCES["zh_works"], list_files(str(tmp_path)))
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == {
        "train": ["train_zh.json"],
        "validation": ["dev_zh.json"],
        "test": ["test_zh.json"],
    }
    assert [file.name for file in source_files.ignored] == ["train_zh_plus.json"]


def test_every_relation_belongs_to_a_theme():
    used = {name for *_, relations in THEMES for name in relations.split()}
    assert used == {chinese for chinese, *_ in RELATIONS}
    assert len({english for _, english, *_ in RELATIONS}) == len(RELATIONS) == 90
