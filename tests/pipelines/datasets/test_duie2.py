"""DuIE 2.0: objects in slots, typed predicates, files in folders of the same name; SKE2020 has the same reader."""

import json

import pytest

from pipelines.sources.datasets import duie2, ske2020
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File, list_files
from transforms.normalize import normalize


def read_row(tmp_path, row: dict) -> RawExample | BadRecord:
    (tmp_path / "duie_dev.json").write_text(json.dumps(row, ensure_ascii=False))
    source = duie2.SOURCE
    (record,) = source.forms[0].read([File(str(tmp_path / "duie_dev.json"), "duie_dev.json")])
    if isinstance(record, BadRecord):
        return record
    return normalize(record, source.entity_labels, source.relation_labels, {}, {})


def triple(subject_type: str, predicate: str, object_type: str, **slots: str) -> dict:
    return {
        "predicate": predicate,
        "object_type": {**dict.fromkeys(slots, "影视作品"), "@value": object_type},
        "subject_type": subject_type,
        "object": {**slots, "@value": "乙"},
        "subject": "甲",
    }


def test_the_main_slot_is_kept(tmp_path):
    row = {"text": "甲在《丙》中演乙", "spo_list": [triple("娱乐人物", "饰演", "人物", inWork="丙")]}
    (relation,) = read_row(tmp_path, row).relations
    assert (relation.head_label, relation.head.text) == ("娱乐人物", "甲")
    assert (relation.label, relation.tail.text, relation.tail_label) == ("饰演", "乙", "人物")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject_type": "人物"}, Reason.UNKNOWN_LABEL),
        ({"predicate": "演过"}, Reason.UNKNOWN_LABEL),
        ({"object": "乙"}, Reason.MISSING_FIELD),
        ({"object": {"inWork": "丙"}}, Reason.MISSING_FIELD),
        ({"object": {"@value": ""}}, Reason.MISSING_FIELD),
    ],
)
def test_a_text_with_a_triple_outside_the_schema_is_rejected(tmp_path, change, reason):
    row = {"text": "甲演乙", "spo_list": [triple("娱乐人物", "饰演", "人物") | change]}
    assert read_row(tmp_path, row).reason == reason


def test_a_test_row_is_not_annotated(tmp_path):
    assert read_row(tmp_path, {"text": "甲演乙"}).relations is None
    assert read_row(tmp_path, {"text": "甲演乙", "spo_list": []}).relations == ()


def test_there_are_49_typed_predicates():
    names = {label.name for label in duie2.SOURCE.relation_labels.values()}
    assert len(names) == len(duie2.SOURCE.typed_labels) == len(duie2.SOURCE.relation_labels) == 49
    ends = {end for label in duie2.SOURCE.typed_labels for end in (label.subject_type, label.object_type)}
    assert ends == set(duie2.SOURCE.entity_labels)


def test_files_in_folders_of_the_same_name_are_read(tmp_path):
    for name in ("duie_train.json", "duie_dev.json", "duie_test2.json", "duie_schema.json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("{}")
    source_files = find(duie2.SOURCE, list_files(str(tmp_path)))
    assert {split: [file.name for file in files] for split, files in source_files.splits.items()} == {
        "train": ["duie_train.json/duie_train.json"],
        "validation": ["duie_dev.json/duie_dev.json"],
        "test": ["duie_test2.json/duie_test2.json"],
    }
    assert (source_files.ignored, source_files.unassigned) == ([], [])
    assert list(find(ske2020.SOURCE, list_files(str(tmp_path))).splits) == ["test"]
