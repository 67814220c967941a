"""The relations of KBP37: published names, directions, empty mentions."""

import json
from pathlib import Path

import pytest

from pipelines.sources.datasets import gids, kbp37
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.normalize import normalize

REFERENCE = Path(__file__).resolve().parents[3] / ".." / "shared" / "reference" / "label_names.json"


def read_block(tmp_path, sentence: str, relation: str) -> RawExample | BadRecord:
    (tmp_path / "dev.txt").write_text(f'7\t" {sentence} "\n{relation}\n\n\n')
    (record,) = kbp37.SOURCE.forms[0].read([File(str(tmp_path / "dev.txt"), "dev.txt")])
    return normalize(record, {}, kbp37.SOURCE.relation_labels, {}, {})


@pytest.mark.parametrize(
    ("raw", "triple"),
    [
        ("per:alternate_names(e1,e2)", ("alternate names", "Ada Poe", "the Fox")),
        ("org:alternate_names(e2,e1)", ("alternate names", "the Fox", "Ada Poe")),
        ("org:top_members/employees(e2,e1)", ("top members employees", "the Fox", "Ada Poe")),
    ],
)
def test_the_direction_decides_the_head(tmp_path, raw, triple):
    example = read_block(tmp_path, "<e1> Ada Poe </e1> known as <e2> the Fox </e2> sang .", raw)
    assert example.text == "Ada Poe known as the Fox sang ."
    assert [(r.label, r.head.text, r.tail.text) for r in example.relations] == [triple]


def test_an_empty_mention_rejects_a_row_with_a_relation(tmp_path):
    sentence = "<e1> </e1> The Fox of <e2> Rye </e2> sang ."
    assert read_block(tmp_path, sentence, "per:origin(e1,e2)").reason == Reason.MISSING_FIELD
    assert read_block(tmp_path, sentence, "no_relation").relations == ()


@pytest.mark.parametrize(("source", "none"), [(kbp37.SOURCE, {"else"}), (gids.SOURCE, set())])
def test_label_names_are_the_published_ones(source, none):
    if not REFERENCE.exists():
        pytest.skip("needs the published label names")
    published = json.loads(REFERENCE.read_text())["RE"][source.name]
    assert {label.name for label in source.relation_labels.values() if label} == set(published) - none
