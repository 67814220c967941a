"""The statistics of a subset of the sources, as needed by a card of this subset."""

import msgspec
import pytest
from msgspec.structs import replace

from pipelines.build_reports import read_statistics
from pipelines.describe import figures
from pipelines.describe.token_estimate import CONTEXTS, EDGES, stratum
from schemas.manifests import InstructionCounts, TokenCounts


@pytest.fixture(scope="module")
def counts(built):
    statistics = read_statistics(str(built))
    strata = {
        "phee": {"EE": {"train": stratum(100, [500, 700], [50, 50])}},
        "clue_ner": {"NER": {"train": stratum(4, [1, 2, 3, 4], [0, 0, 0, 0])}},
    }
    return replace(statistics, tokens=figures.token_totals(TokenCounts("words", CONTEXTS, EDGES, strata)))


def test_the_subset_of_all_sources_is_unchanged(counts):
    assert figures.subset(counts, counts.sources) == counts


def test_subsets_add_up_to_all_sources(counts):
    keys = sorted(counts.sources)
    one, other = (figures.subset(counts, part) for part in (keys[::2], keys[1::2]))
    for task, splits in counts.instructions.items():
        for split, rows in splits.items():
            assert rows == sum(part.instructions.get(task, {}).get(split, 0) for part in (one, other))
    assert one.sources.keys() | other.sources.keys() == counts.sources.keys()
    assert one.leakage | other.leakage == counts.leakage


def test_sources_left_out_do_not_count(counts):
    part = figures.subset(counts, ["clue_ner"])
    assert list(part.instructions) == ["NER"]
    assert part.tokens.total.tokens == 10 and part.tokens.in_full
    assert not counts.tokens.in_full
    assert part.build == counts.build
    assert "phee" not in msgspec.json.encode(replace(part, build=None)).decode()


def test_splits_without_instructions_are_omitted():
    counts = {
        "a": {"NER": {"train": InstructionCounts(0), "test": InstructionCounts(2)}, "RE": {"dev": InstructionCounts(0)}}
    }
    assert figures.instructions(counts.values()) == {"NER": {"test": 2}}
