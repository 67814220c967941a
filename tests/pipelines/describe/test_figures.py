"""The statistics of a part of the sources are those that a card of that part would need."""

import json

import pytest

from pipelines.describe import figures
from pipelines.describe.token_estimate import BINS, stratum


@pytest.fixture(scope="module")
def counts(built):
    found = json.loads((built / "reports/stats.json").read_text())
    strata = {
        "phee": {"EE": {"train": stratum(100, [500, 700], [50, 50])}},
        "clue_ner": {"NER": {"train": stratum(4, [1, 2, 3, 4], [0, 0, 0, 0])}},
    }
    return {**found, "tokens": figures.token_totals({"tokenizer": "words", **BINS, "by_source": strata})}


def test_all_sources_are_the_whole(counts):
    assert figures.subset(counts, counts["sources"]) == counts


def test_parts_add_up_to_the_whole(counts):
    keys = sorted(counts["sources"])
    one, other = (figures.subset(counts, part) for part in (keys[::2], keys[1::2]))
    for task, splits in counts["instructions"].items():
        for split, rows in splits.items():
            assert rows == sum(part["instructions"].get(task, {}).get(split, 0) for part in (one, other))
    assert one["sources"].keys() | other["sources"].keys() == counts["sources"].keys()
    assert one["leakage"] | other["leakage"] == counts["leakage"]


def test_what_is_left_out_counts_nowhere(counts):
    part = figures.subset(counts, ["clue_ner"])
    assert list(part["instructions"]) == ["NER"]
    assert part["tokens"]["total"]["tokens"] == 10 and part["tokens"]["in_full"]
    assert not counts["tokens"]["in_full"]
    assert part["build"] == counts["build"]
    assert "phee" not in json.dumps({name: value for name, value in part.items() if name != "build"})


def test_a_source_of_which_nothing_was_kept_gives_no_empty_split():
    asked = {
        "a": {"NER": {"train": {"instructions": 0}, "test": {"instructions": 2}}, "RE": {"dev": {"instructions": 0}}}
    }
    assert figures.instructions(asked.values()) == {"NER": {"test": 2}}
