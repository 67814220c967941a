"""Lengths by task and source: exact figures, loud where max_length leaves out much, sources that vanish are named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.train.conftest import ner_row, write_rows
from train.tuning import lengths
from train.tuning.lengths import Lengths


@given(st.lists(st.tuples(st.sampled_from(["NER", "RE"]), st.sampled_from("ab"), st.integers(1, 99)), min_size=1))
def test_the_figures_of_a_group_are_those_of_its_rows(rows):
    sizes = [size for *_, size in rows]
    seen = [n for n, size in enumerate(sizes) if size <= 50 for _ in range(1 + n % 3)]
    result = lengths.measure([row[:2] for row in rows], sizes, seen, 50)
    assert [(each.task, each.source) for each in result] == sorted({row[:2] for row in rows})
    for each in result:
        group = sorted(size for *key, size in rows if tuple(key) == (each.task, each.source))
        assert (each.rows, each.longest) == (len(group), group[-1])
        assert (each.median, each.p95) == (group[(len(group) - 1) // 2], group[-(-len(group) * 95 // 100) - 1])
        assert each.too_long == sum(size > 50 for size in group)
    assert sum(each.trained for each in result) == len(seen)
    assert sum(each.tokens for each in result) == sum(sizes[n] for n in seen)


def group(source: str, sizes: list[int], max_length: int) -> Lengths:
    (result,) = lengths.measure([("NER", source)] * len(sizes), sizes, np.flatnonzero(sizes), max_length)
    return result


def test_a_row_without_tokens_is_in_no_group():
    assert group("a", [0, 7], 9).rows == 1


@pytest.mark.parametrize(("above", "is_loud"), [(5, False), (6, True)])
def test_more_than_five_per_cent_are_loud(above, is_loud):
    several = [group("a", [10] * (100 - above) + [90] * above, 50)]
    lines = lengths.warnings(several, 50)
    assert bool(lines) is is_loud
    if is_loud:
        assert lines == [
            "6% of the rows (6 of 100) have more than 50 tokens and are left out (NER a 6%); "
            "training.max_length=90 keeps 95 % of each task and source"
        ]


def test_a_source_that_vanishes_is_named():
    first, second = lengths.warnings([group("a", [10] * 9, 50), group("b", [60, 70], 50)], 50)
    assert first.startswith("NER b: none of its 2 rows has at most 50 tokens")
    assert first.endswith("training.max_length=70 would keep 95 % of them")
    assert second.startswith("18% of the rows (2 of 11) have more than 50 tokens")


def test_the_table_has_a_line_per_group():
    text = lengths.table([group("a", [10, 20, 60], 50), group("longer", [7], 50)], 50)
    header, first, second = text.splitlines()
    assert header.split() == [
        "task",
        "source",
        "rows",
        "tokens",
        "p50",
        "p95",
        "max",
        "over",
        "50",
        "share",
        "trained",
        "on",
    ]
    assert first.split() == ["NER", "a", "3", "20", "60", "60", "1", "33.33", "3"]
    assert second.startswith("NER   longer")


def test_training_reports_its_lengths(tiny_base, tmp_path, capsys):
    import json

    from tests.train.test_sft import flags
    from train import sft

    long = {**ner_row(1), "source": "essays"}
    long["instruction"] = long["instruction"].replace("sailed", "sailed " * 400)
    data = write_rows(tmp_path / "rows.jsonl", [*map(ner_row, range(24)), long])
    output = tmp_path / "adapter"
    assert (
        sft.main(flags(tiny_base, data, output, "--set", "training.max_length=300", "--set", "validation_share=0")) == 0
    )
    error = capsys.readouterr().err
    assert "warning: NER essays: none of its 1 rows has at most 300 tokens" in error
    assert "\nNER   weather " in error
    by_source = {each["source"]: each for each in json.loads((output / "sft.json").read_text())["lengths"]}
    assert by_source["essays"]["too_long"] == 1 and by_source["harbour"]["trained"] == 19
