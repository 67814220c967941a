"""Which sources fail because of their records, and which merely have no text."""

from dataclasses import replace

import pytest

from pipelines.sources import Form, Licence, Source, keys, load
from pipelines.sources.judge import SplitOutcome, judge
from schemas.errors import Reason
from schemas.label import OpenLabels
from tests.manifests import layer_counts, split_read
from transforms.formats import columns

USER_DATA = Source(
    "a", "t", ("NER",), "en", "d", Licence.OPEN, "l", "h", "a column of tags", "c", (Form(columns.read, ("*",)),)
)
SOURCES = {key: load(key) for key in keys()} | {"a": USER_DATA, "a/b": USER_DATA}


def part(
    key="a", good=0, split="train", bad=0, reason="broken_json", annotated=1, beyond_limit=0, events=0
) -> SplitOutcome:
    counts = split_read(
        key,
        split,
        read=layer_counts(good, events=events),
        annotated=annotated,
        beyond_limit=beyond_limit,
        rejected={Reason(reason): bad} if bad else {},
        first_rejects=("f:1: x",) * bool(bad),
    )
    return SplitOutcome(key, split, counts)


@pytest.mark.parametrize(
    ("good", "bad", "rate", "fails"),
    [
        (97, 3, 0.02, False),  # too few for a rate
        (39, 1, 0.02, False),
        (970, 30, 0.03, False),
        (970, 30, 0.02, True),
        (990, 11, 0.02, False),
        (2, 10, 0.02, True),
        (1, 1, 0.02, False),
        (0, 1, 0.02, True),
        (0, 0, 0.02, False),
        (99, 1, 0.0, True),  # none allowed
        (1, 99, 1.0, False),
    ],
)
def test_too_many_bad_records_fail_a_source(good, bad, rate, fails):
    failed = judge([part(good=good, bad=bad)], SOURCES, rate).failed
    assert bool(failed) == fails
    if fails:
        assert (
            failed["a"].startswith(f"train: {bad} of {good + bad} records rejected") and "first f:1: x" in failed["a"]
        )


def test_splits_are_judged_separately():
    parts = [part(good=1000), part(good=0, bad=1, split="test")]
    assert judge(parts, SOURCES, 0.02).failed["a"].startswith("test: 1 of 1 records rejected")
    assert not judge([part(good=1000, bad=1), part(good=1, bad=1, split="test")], SOURCES, 0.02).failed


def test_records_beyond_a_limit_count_but_not_drops_by_rules():
    assert not judge([part(good=1, bad=20, beyond_limit=979)], SOURCES, 0.02).failed
    assert not judge([part(good=10, bad=900, reason="one_pair_united")], SOURCES, 0.0).failed


def test_an_unreadable_or_empty_split_fails_its_source_alone():
    parts = [part(good=9), SplitOutcome("a", "test", empty="test.json: no record in it"), part("a/b", 9)]
    assert judge(parts, SOURCES, 0.02).failed == {"a": "test.json: no record in it"}
    parts = [part(good=9), part("a/b", 9), SplitOutcome("a/b", "test", failed="test.json: cannot be read")]
    assert judge(parts, SOURCES, 0.02).failed == {"a/b": "test.json: cannot be read"}


def test_unannotated_texts_are_accepted_only_as_test_data():
    failed = judge([part(good=9, annotated=0), part(good=9, split="test", annotated=0)], SOURCES, 0.02).failed
    assert failed["a"] == (
        "none of its records has entities, so nothing can be learnt from it; expected: a column of tags"
    )
    assert not judge([part(good=9, split="test", annotated=0)], SOURCES, 0.02).failed
    assert not judge([part(good=9, annotated=0), part(good=9, split="test")], SOURCES, 0.02).failed


def test_texts_of_open_labels_are_annotated_in_some_split():
    """Without any annotation there is no label to ask for, not even of test data."""
    by_key = {"a": replace(USER_DATA, entity_labels=OpenLabels())}
    failed = judge([part(good=9, split="test", annotated=0)], by_key, 0.02).failed
    assert failed["a"].startswith(
        "none of its texts has entities, relations or events, so nothing can be learnt from it; "
    )
    assert judge([part(good=9, split="test", annotated=1)], by_key, 0.02).failed == failed
    assert not judge([part(good=9, split="test", annotated=1, beyond_limit=1)], by_key, 0.02).failed
    assert not judge([part(good=9, split="test", annotated=1, events=1)], by_key, 0.02).failed


def test_a_source_whose_records_are_all_left_out_by_rules_fails():
    parts = [part(bad=2, reason="ignored_annotation"), part(bad=1, reason="ignored_annotation", split="test")]
    assert judge(parts, SOURCES, 0.02).failed == {"a": "none of its 3 records is a text, first f:1: x"}
    assert not judge([part(good=1), parts[1]], SOURCES, 0.02).failed


def test_a_cut_without_texts_is_absent_if_its_siblings_have_some():
    nothing = SplitOutcome("instructie_en_person", "train", empty="train_en.json: no record in it")
    sibling = part("instructie_en_event", 2, bad=3)
    verdict = judge([sibling, nothing, part("instructie_en_artifact", 0, bad=3)], SOURCES, 0.02)
    assert verdict.absent == ["instructie_en_artifact", "instructie_en_person"]
    assert "instructie_en_event" in verdict.failed  # three of five records are bad
    verdict = judge(
        [part("instructie_en_event", 200, bad=3), nothing, part("instructie_en_artifact", 1, bad=3)], SOURCES, 0.02
    )
    assert (verdict.failed, verdict.absent) == ({}, ["instructie_en_person"])
    assert judge([nothing], SOURCES, 0.02).failed == {"instructie_en_person": "train_en.json: no record in it"}
