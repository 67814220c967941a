"""The predicates of CMeIE: names in the files are mapped to the published names."""

import json

import pytest

from pipelines.sources.datasets.cmeie import SOURCE
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.normalize import normalize


def read_row(tmp_path, row: dict) -> RawExample | BadRecord:
    (tmp_path / "CMeIE_dev.json").write_text(json.dumps(row, ensure_ascii=False))
    (example,) = SOURCE.forms[0].read([File(str(tmp_path / "CMeIE_dev.json"), "CMeIE_dev.json")])
    return normalize(example, SOURCE.entity_labels, SOURCE.relation_labels, {}, {})


def triple(subject_type: str, predicate: str, object_type: str) -> dict:
    return {
        "Combined": True,
        "predicate": predicate,
        "subject": "甲病",
        "subject_type": subject_type,
        "object": {"@value": "乙"},
        "object_type": {"@value": object_type},
    }


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (("疾病", "同义词", "疾病"), "同义词（疾病）"),
        (("手术治疗", "同义词", "手术治疗"), "同义词（手术治疗）"),
        (("疾病", "相关（导致）", "疾病"), "相关（导致）"),
        (("疾病", "预防", "其他"), "预防"),
    ],
)
def test_a_predicate_has_its_published_name(tmp_path, raw, name):
    example = read_row(tmp_path, {"text": "甲病@又名乙。", "spo_list": [triple(*raw)]})
    (relation,) = example.relations
    assert (relation.head_label, relation.label, relation.tail_label) == (raw[0], name, raw[2])
    assert f"{raw[0]}_{name}_{raw[2]}" in {label.name for label in SOURCE.typed_labels}
    assert (relation.head.text, relation.head.spans, relation.tail.text) == ("甲病", (), "乙")
    assert example.text == "甲病@又名乙。"


@pytest.mark.parametrize("raw", [("疾病", "同义词", "药物"), ("疾病", "预防", "药物"), ("疾病", "合并症", "疾病")])
def test_a_triple_outside_the_schema_is_an_unknown_label(tmp_path, raw):
    bad = read_row(tmp_path, {"text": "甲病@又名乙。", "spo_list": [triple(*raw)]})
    assert isinstance(bad, BadRecord) and bad.reason == Reason.UNKNOWN_LABEL
    assert "_".join(raw) in bad.detail


def test_no_list_is_unannotated_and_an_empty_list_has_no_relation(tmp_path):
    assert read_row(tmp_path, {"text": "甲病"}).relations is None
    assert read_row(tmp_path, {"text": "甲病", "spo_list": []}).relations == ()


def test_there_are_53_triples_and_predicates():
    names = {label.name for label in SOURCE.relation_labels.values()}
    assert len(SOURCE.relation_labels) == len(SOURCE.typed_labels) == len(names) == 53
    assert {label.predicate for label in SOURCE.typed_labels} == names
