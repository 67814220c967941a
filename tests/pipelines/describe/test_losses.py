"""Messages about the losses of a build: one line per source, or one line for many sources."""

import pytest

from pipelines.describe.losses import in_clean, in_ingest, in_labels
from schemas.errors import Reason
from schemas.label import Label, LabelSet
from schemas.manifests import Cleaned, ExampleShard, Ingested, LeakCounts, SplitRead
from tests.manifests import example_shard, layer_counts, split_read


def split(key: str, records: int = 0, parts: int = 0) -> SplitRead:
    return split_read(
        key,
        read=layer_counts(9, 9),
        rejected=({Reason.BROKEN_JSON: records} if records else {}) | {Reason.ONE_PAIR_UNITED: 7},
        lost={Reason.OFFSET_MISMATCH: parts} if parts else {},
        first_rejects=(*(("f:1: broken",) if records else ()), "f:3: united"),
        first_lost=("f:2: off",) if parts else (),
    )


def ingested(*splits: SplitRead, failed: dict | None = None, absent: tuple = ()) -> Ingested:
    return Ingested({}, {}, splits, failed or {}, absent, {})


WHERE = "; see rejects/ingest/ for place and reason"


@pytest.mark.parametrize(
    ("manifest", "lines"),
    [
        (ingested(split("a")), []),  # rows dropped by a rule are not a loss
        (ingested(split("a", 1)), [f"note: a: 1 bad record, first f:1: broken{WHERE}"]),
        (ingested(split("a", 0, 1)), [f"note: a: 1 lost part of records, first f:2: off{WHERE}"]),
        (
            ingested(split("a", 1200, 2), split("a", 34)),
            [f"note: a: 1,234 bad records and 2 lost parts of records, first f:1: broken{WHERE}"],
        ),
        (
            ingested(*(split(key, 2, 1) for key in "abcdef")),
            [f"note: 12 bad records and 6 lost parts of records in 6 sources{WHERE}"],
        ),
        (ingested(failed={"a": "why"}, absent=("b", "c")), [
            "error: source a: why", "note: the files contain no text for b, c; skipped",
        ]),
    ],
)  # fmt: skip
def test_losses_of_reading_are_reported(manifest, lines):
    assert in_ingest(manifest) == lines


@pytest.mark.parametrize(
    ("key", "lost", "warned"),
    [
        ("mine", {Reason.OFFSET_MISMATCH: 6, Reason.UNKNOWN_LABEL: 5}, True),
        ("mine", {Reason.OFFSET_MISMATCH: 5, Reason.UNKNOWN_LABEL: 5}, False),  # half
        ("mine", {Reason.OFFSET_MISMATCH: 6, Reason.NOT_CHOSEN: 99}, False),
        ("scierc", {Reason.OFFSET_MISMATCH: 11}, False),
    ],
)
def test_a_source_that_loses_most_of_its_annotations(key, lost, warned):
    splits = [
        split_read(key, read=layer_counts(9, 4, 3, 2)),
        split_read(key, "test", read=layer_counts(1, 1), lost=lost),
    ]
    warning = (
        "warning: mine: 11 of 21 annotations cannot be used, most because their offsets do not fit the text, which may "
        "have been changed after it was annotated"
    )
    assert [line for line in in_ingest(ingested(*splits)) if "warning" in line] == [warning] * warned


def test_cleaning_names_splits_with_large_losses_and_their_leaks():
    def cleaned(*shards: ExampleShard) -> Cleaned:
        return Cleaned(shards)

    def shard(kept: int, **rejected: int) -> ExampleShard:
        rows = kept + sum(rejected.values())
        leaks = (
            {"b": LeakCounts(1), "a, c": LeakCounts(2, 1), "d": LeakCounts(contained=1)}
            if "leakage" in rejected
            else {}
        )
        reasons = {Reason(reason): n for reason, n in rejected.items()}
        return example_shard(windows=rows, kept=layer_counts(kept), rejected=reasons, leaks_into=leaks)

    assert in_clean(cleaned(shard(5, duplicate=5))) == []
    assert in_clean(cleaned(shard(1, duplicate=1), shard(0, leakage=3, low_quality=1))) == [
        "note: a/train: cleaning kept 1 of 6 rows (duplicate 1, leakage 3 into the test split of a, c, b, "
        "low_quality 1); rejects/clean/ lists the others"
    ]
    assert in_clean(cleaned(shard(0, duplicate=2)))[0].startswith(
        "warning: a/train: cleaning kept 0 of 2 rows (duplicate 2);"
    )


def test_unused_label_sets_and_sources_are_reported():
    def labels(key: str, **counts: int) -> LabelSet:
        return LabelSet("NER", key, key, "en", (Label("x"),), {"x": counts})

    assert in_labels([labels("a", train=1)], []) == []
    assert in_labels([labels("a", train=1), labels("b")], ["c"]) == [
        "warning: no text has a label of b NER; all its answers are empty",
        "note: c: none of the requested tasks; texts are only used to detect leaks",
    ]
