"""IPRE: sentences and relations are joined by id, and blanks between Chinese words removed."""

import pytest

from pipelines.sources.datasets.ipre import SEGMENTS, SOURCE
from pipelines.sources.source_files import find
from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import list_files
from transforms.normalize import normalize


def read_files(tmp_path, **files: str) -> list[RawExample | BadRecord]:
    for name, content in files.items():
        (tmp_path / f"{name}.txt").write_text(content, newline="")
    source_files = find(SOURCE, list_files(str(tmp_path)))
    assert source_files.unassigned == []
    return [
        record if isinstance(record, BadRecord) else normalize(record, {}, SOURCE.relation_labels, {}, {})
        for record in source_files.form.read(source_files.splits["test"])
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("罗敏 与 丈夫 周大勇 。", "罗敏与丈夫周大勇。"),
        ("他 看 John Smith 的 画展", "他看John Smith的画展"),
        ("第 07 期 （ Mr . J ）", "第07期（Mr.J）"),
        ("阿诺 · 莱恩", "阿诺·莱恩"),
        ("a b", "a b"),
    ],
)
def test_blanks_are_kept_only_between_latin_words(written, text):
    assert SEGMENTS.sub("", written) == text


def test_sentences_have_any_number_of_relations_by_id(tmp_path):
    records = read_files(
        tmp_path,
        sent_test='A\t罗敏\t周大勇\t罗敏 与 周大勇 说 ： " 好\nB\t甲\t乙\t甲 和 乙\n'
        "C\t甲\t乙\t甲 见 乙\nD\t甲\t乙\t乙 来 了\n",
        sent_relation_test="C\t0\r\nB\t0 10\r\nA\t1\r\n",
        bag_relation_test="X\t甲\t乙\tA B\t1\r\n",
        relation2id="NA\t0\n",
    )
    assert [example.text for example in records] == ['罗敏与周大勇说："好', "甲和乙", "甲见乙", "乙来了"]
    names = [
        None if example.relations is None else [relation.label for relation in example.relations] for example in records
    ]
    assert names == [["现夫"], ["生父"], [], None]
    assert (records[0].relations[0].head.text, records[0].relations[0].tail.text) == ("罗敏", "周大勇")


def test_relations_without_sentences_are_one_bad_record(tmp_path):
    bad, good = read_files(
        tmp_path,
        sent_train_1="T1\t甲\t乙\t甲 和 乙\n",
        sent_relation_train="T1\t4\nT2\t0\r\nT3\t0\r\n",
        sent_relation_dev="D1\t0\r\n",  # without a file of sentences: skipped
    )
    assert (bad.place, bad.reason) == ("sent_relation_train.txt:2", Reason.BROKEN_RECORD)
    assert [relation.label for relation in good.relations] == ["现妻"]


@pytest.mark.parametrize(
    ("sentence", "relation", "reason"),
    [
        ("T1\t甲\t甲 和 乙", "T1\t4", Reason.WRONG_COLUMNS),
        ("T1\t甲\t乙\t甲 和 乙", "T1\t", Reason.WRONG_COLUMNS),
        ("T1\t甲\t乙\t甲 和 乙", "T1\t35", Reason.UNKNOWN_LABEL),
        ("T1\t\t乙\t甲 和 乙", "T1\t4", Reason.MISSING_FIELD),
    ],
)
def test_a_broken_row_is_rejected(tmp_path, sentence, relation, reason):
    (bad,) = read_files(tmp_path, sent_test=sentence, sent_relation_test=relation)
    assert bad.reason == reason


def test_test_files_are_preferred_to_the_others(tmp_path):
    files = {"sent_train_1": "T1\t甲\t乙\t甲 和 乙\n", "sent_test": "E1\t丙\t丁\t丙 和 丁\n"}
    assert [example.text for example in read_files(tmp_path, **files)] == ["丙和丁"]


def test_there_are_34_relations():
    names = [label.name for label in SOURCE.relation_labels.values() if label]
    assert len(names) == len(set(names)) == 34
    assert [SOURCE.relation_labels[raw].name for raw in ("1", "10", "17", "33", "34")] == [
        "现夫",
        "生父",
        "弟弟",
        "老师",
        "学生",
    ]
