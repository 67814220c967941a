"""Estimates from a sample: exact if all rows are counted, additive, and with a correct confidence interval."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.describe.token_estimate import CONTEXTS, EDGES, joined, stratum, summary
from schemas.build_statistics import ShareAbove

LENGTHS = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 900)), min_size=1, max_size=40)


def counted(lengths, rows=None):
    prompts, answers = zip(*lengths, strict=True)
    return stratum(rows or len(lengths), prompts, answers)


def test_three_of_six_rows_are_estimated_as_by_hand():
    # 3 of 6 rows, of 10, 20 and 600 tokens: mean 210, variance (200² + 190² + 390²) / 2 = 114,100; 1 - 3/6 = 1/2.
    # Total 6 * 210 = 1,260, its variance 36 * 1/2 * 114,100 / 3 = 684,600; 1.96 * sqrt of it = 1,621.7.
    estimate = summary(stratum(6, [8, 15, 500], [2, 5, 100]))
    assert (estimate.tokens, estimate.prompt, estimate.answer, estimate.margin) == (1260, 1046, 214, 1622)
    assert (estimate.rows, estimate.counted, estimate.mean, estimate.longest) == (6, 3, 210.0, 600)
    assert estimate.histogram == (4, 0, 0, 0, 0, 0, 2, *[0] * (len(EDGES) - 6))
    # One of three is above 512: the estimate is 2 rows, its variance 36 * 1/2 * (1/3 * 2/3) / 2 = 2.
    above = estimate.above["512"]
    assert above.share == pytest.approx(1 / 3, abs=1e-6)
    assert above.margin == pytest.approx(1.96 * math.sqrt(2) / 6, abs=1e-6)
    assert estimate.above["1024"] == ShareAbove(0, 0.5)


def test_a_length_unseen_in_300_rows_has_a_share_below_one_percent():
    estimate = summary(stratum(10_000, [100] * 300, [0] * 300))
    assert estimate.above["512"] == ShareAbove(0, 0.0097)  # of the 9,700 rows that were not counted
    some = summary(joined([stratum(10_000, [100] * 300, [0] * 300), stratum(2, [600, 1], [0, 0])]))
    assert some.above["512"].share == pytest.approx(1 / 10_002, abs=1e-6)
    assert some.above["512"].margin == pytest.approx(0.00963, abs=1e-5)


@given(LENGTHS)
def test_full_counts_are_exact(lengths):
    estimate = summary(counted(lengths))
    sums = [prompt + answer for prompt, answer in lengths]
    assert estimate.tokens == sum(sums) and estimate.longest == max(sums)
    assert estimate.margin == 0 and sum(estimate.histogram) == len(lengths)
    for context in CONTEXTS:
        share = sum(n > context for n in sums) / len(sums)
        assert estimate.above[str(context)] == ShareAbove(pytest.approx(share, abs=1e-6), 0)


@given(LENGTHS, LENGTHS)
def test_a_context_is_exceeded_by_the_bins_after_its_edge(one, other):
    record = joined([counted(one, 100), counted(other, 50)])
    for context in CONTEXTS:
        after = sum(record.histogram[EDGES.index(context) + 1 :])
        assert record.above[str(context)] == pytest.approx(after, abs=0.01)


@given(LENGTHS, LENGTHS, LENGTHS)
def test_strata_add_up_in_any_grouping(a, b, c):
    parts = [counted(part, 60) for part in (a, b, c)]
    assert summary(joined(parts)) == summary(joined([joined(parts[2:]), joined(parts[1::-1])]))


def test_the_interval_covers_the_true_value_in_95_percent():
    draw = random.Random(7)
    strata = [[round(draw.lognormvariate(5, 0.6)) for _ in range(rows)] for rows in (3000, 400, 50)]
    true_total = sum(map(sum, strata))
    true_share = sum(n > 512 for rows in strata for n in rows) / sum(map(len, strata))
    covered = {"tokens": 0, "above": 0}
    for _ in range(400):
        records = []
        for rows in strata:
            lengths = draw.sample(rows, max(10, len(rows) // 10))
            records.append(stratum(len(rows), lengths, [0] * len(lengths)))
        estimate = summary(joined(records))
        covered["tokens"] += abs(estimate.tokens - true_total) <= estimate.margin
        above = estimate.above["512"]
        covered["above"] += abs(above.share - true_share) <= above.margin
    assert 0.92 * 400 <= covered["tokens"] <= 0.98 * 400
    assert 0.9 * 400 <= covered["above"] <= 0.98 * 400
