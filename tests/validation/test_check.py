"""Checking frames and merging the results of shards."""

import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS
from schemas.errors import SuiteError
from tests.validation import good
from tests.validation.profiles import FRAMES, SPLIT_NUM, instructions
from validation import profile
from validation.check import ExpectationResult, SuiteResult, batch_definition, check, failure_lines, merge
from validation.expectations import Deferred
from validation.suites import SUITES


def test_importing_the_package_imports_no_great_expectations():
    code = (
        "import sys, validation.check, validation.profile, validation.report\n"
        "assert not {'great_expectations', 'apache_beam', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("suite", SUITES)
def test_every_column_is_required(suite):
    make_output, make_frame = FRAMES[suite]
    frame = make_frame(make_output())
    rules = SUITES[suite].rules
    removed = {rule.column for rule in rules if rule.column}
    result = check(suite, frame.drop(columns=list(removed)))
    by_column = {e.column: e for e in result.expectations if not e.success}
    assert removed <= by_column.keys()
    missing = by_column[None]
    assert (missing.name, missing.unexpected) == ("expect_table_columns_to_match_set", len(removed))
    assert set(missing.examples) == set(sorted(removed)[:3])


def test_a_count_that_may_be_null_is_an_error():
    frame = instructions(good.instructions())
    with pytest.raises(SuiteError, match="suite instructions: `wrong_hash` is float64, not int64"):
        check("instructions", frame.assign(wrong_hash=float("nan")))


@pytest.mark.parametrize(
    ("suite", "frame"),
    [
        ("examples", profile.examples_profile(EXAMPLES.empty_table(), {}, 100)),
        ("instructions", profile.instructions_profile(INSTRUCTIONS.empty_table(), [], SPLIT_NUM, 2)),
        ("labels", profile.labels_profile([])),
        ("hard_negatives", profile.hard_negatives_profile({}, good.label_sets()[0], 3)),
    ],
)
def test_an_empty_frame_passes(suite, frame):
    result = check(suite, frame)
    assert (result.success, result.rows) == (True, 0)


def test_an_empty_corpus_fails():
    result = check("corpus", profile.corpus_profile([]))
    assert failure_lines([result]) == [
        "corpus: expect_table_row_count_to_be_between: 1 unexpected: The corpus is not empty."
    ]


def test_every_row_is_counted_and_the_first_three_ids_are_shown():
    frame = instructions(good.instructions())
    result = check("instructions", frame.assign(nulls=1).iloc[::-1])
    failed = [e for e in result.expectations if not e.success]
    assert [(e.column, e.unexpected, e.examples) for e in failed] == [
        ("nulls", len(frame), tuple(sorted(frame["id"])[:3]))
    ]
    assert failure_lines([result]) == [
        "instructions: expect_column_values_to_be_between of nulls: 17 unexpected: No required value and no "
        f"element of a list is null. See {', '.join(sorted(frame['id'])[:3])}."
    ]


def result(rows, unexpected, ids):
    expectations = (
        ExpectationResult("expect_a", "a", "A.", not unexpected, unexpected, tuple(ids)),
        ExpectationResult("expect_b", "b", "B.", True, 0, ()),
    )
    return SuiteResult("examples", rows, expectations)


def test_merging_sums_counts_and_keeps_the_first_three_ids():
    merged = merge([result(10, 2, ["e", "g"]), result(5, 0, []), result(7, 4, ["a", "f", "h"])])
    assert merged == result(22, 6, ["a", "e", "f"])
    assert not merged.success
    assert merge([result(1, 0, [])]).success


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sets(st.text("abc", min_size=1), max_size=3)), min_size=1), st.randoms()
)
def test_merging_does_not_depend_on_order_or_grouping(parts: list, shuffle: random.Random):
    results = [result(rows, len(ids), sorted(ids)) for rows, ids in parts]
    merged = merge(results)
    shuffled = results.copy()
    shuffle.shuffle(shuffled)
    assert merge(shuffled) == merged
    assert merge([merge(results[:1]), *results[1:]]) == merged


@pytest.mark.parametrize("results", [[], [SuiteResult("examples", 1, ()), SuiteResult("labels", 1, ())]])
def test_results_of_different_suites_are_not_merged(results):
    with pytest.raises(ValueError, match="can only merge results of one suite"):
        merge(results)


def test_results_survive_json():
    checked = check("corpus", profile.corpus_profile([]))
    assert msgspec.json.decode(msgspec.json.encode(checked), type=SuiteResult) == checked


def test_what_great_expectations_imports_for_distributions_is_put_off():
    batch_definition()
    from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as module

    assert isinstance(module.alt, Deferred)
    assert not hasattr(module.alt, "__file__")
    assert module.stats.entropy([1]) == 0
