"""The rejects of the report: with their texts, and those that they repeat, contradict or leak into."""

import json

import pytest

from pipelines import build
from pipelines.build_reports import read_statistics
from pipelines.describe import figures
from pipelines.report import rejects as report_rejects
from pipelines.report.payload import payload
from tests.unified import write_source

SCHEMA = (["person", "place"], [], {})
LONG = " ".join(f"Sentence {n} of the long letter says that Ada was in Rome once more." for n in range(6))


def ner(text: str, **mentions: str) -> dict:
    entities = [{"entity": mention, "entity_type": label} for label, mention in mentions.items()]
    return {"text": text, "entity": entities}


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """A build with a duplicate, a contradiction, leaks in other spelling, in part, by window and into another source,
    and a bad record.
    """
    folder = tmp_path_factory.mktemp("letters")
    near = "Eve Holm wrote from the old harbour town of Veer about three ships and their captains"
    train = [
        ner("Ada went to Rome.", person="Ada"),
        ner("Ada went to Rome.", person="Ada"),
        ner("Bo saw the Tiber.", place="Tiber"),
        ner("Bo saw the Tiber.", person="Tiber"),
        ner("cy and DI met .", person="cy"),
        ner(LONG, place="Rome"),
        ner(f"{near}.", person="Eve Holm"),
        ner("Fay left Genoa.", person="Fay"),
        {"text": 7},
    ]
    write_source(folder / "data/b", "NER", SCHEMA, train=[ner("Gil stayed.")], test=[ner("Fay left Genoa.")])
    write_source(
        folder / "data/a", "NER", SCHEMA,
        train=train, test=[ner("Cy and Di met.", person="Cy"), ner(LONG), ner(f"{near} yesterday.")],
    )  # fmt: skip
    flags = ["--data_root", str(folder / "data"), "--output", str(folder / "build"), "--embedding_model", "lexical"]
    settings = ["clean.max_chars=150", "clean.partial_leaks=drop", "ingest.max_reject_rate=0.5"]
    assert build.main([*flags, *(part for each in settings for part in ("--set", each))]) == 0
    return str(folder / "build")


@pytest.fixture(scope="module")
def rows(letters):
    return {(row[3], row[5] or row[4]): row for row in payload(letters, read_statistics(letters))["rejects"]}


def test_a_duplicate_is_shown_with_its_twin(rows):
    *_, record, example, twin = rows["duplicate", "a/train/1"]
    assert example == ["a/train/1", "Ada went to Rome.", [["person", "Ada"]], None, None] and record == ""
    assert twin == ["a/train/0", None, [["person", "Ada"]], None, None]  # None: the same text


def test_contradictions_are_shown_with_both_labels(rows):
    *_, example, twin = rows["contradiction", "a/train/2"]
    assert (example[2], twin[0], twin[2]) == ([["place", "Tiber"]], "a/train/3", [["person", "Tiber"]])


def test_leaks_are_shown_with_the_test_text(rows):
    *_, example, twin = rows["leakage", "a/train/4"]
    assert (example[1], twin[:2]) == ("cy and DI met .", ["a/test/0", "Cy and Di met."])
    *_, example, twin = rows["near_leak", "a/train/6"]
    assert twin[0] == "a/test/2" and example[1].rstrip(".") in twin[1]


def test_windows_are_shown_alone(rows):
    windows = [row for (reason, id_), row in rows.items() if id_.startswith("a/train/5/")]
    assert len(windows) > 2
    for row in windows:
        assert row[8][0] == row[5] and len(row[8][1]) <= 150 and row[8][1] in LONG and row[9]


def test_a_bad_record_is_shown_as_it_is_in_its_file(rows):
    (row,) = [row for row in rows.values() if row[0] == "ingest"]
    assert '{"text": 7' in row[7] and row[8:] == [None, None]


def test_a_lost_part_is_shown_with_its_text(small):
    lost = [row for row in payload(str(small), read_statistics(str(small)))["rejects"] if row[0] == "ingest"]
    assert lost and all(row[7] for row in lost)


def test_a_twin_of_a_source_that_is_left_out_is_not_shown(letters, rows):
    assert rows["leakage", "a/train/7"][9][0] == "b/test/0"
    some = payload(letters, figures.subset(read_statistics(letters), {"a"}))["rejects"]
    assert {row[5]: row[9] for row in some}["a/train/7"] is None
    assert [row[:9] for row in some] == [row[:9] for row in rows.values()]


def test_reasons_take_turns(rows):
    reasons = [reason for reason, _ in rows]
    first = len(set(reasons))
    assert len(set(reasons[:first])) == first > 4 and len(reasons) > first


def test_the_sample_is_bounded(letters, rows, monkeypatch):
    monkeypatch.setattr(report_rejects, "REJECTS_PER_REASON", 1)
    one = payload(letters, read_statistics(letters))["rejects"]
    assert len(one) == len({(row[0], row[3]) for row in one}) == len({(row[0], row[3]) for row in rows.values()})
    monkeypatch.setattr(report_rejects, "REJECT_BYTES", 300)
    assert len(json.dumps(payload(letters, read_statistics(letters))["rejects"])) < 400
