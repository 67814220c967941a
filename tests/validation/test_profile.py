"""The counts of frames that the corruption tests of the suites do not cover."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EXAMPLES, INSTRUCTIONS
from schemas.errors import SuiteError
from schemas.example import Mention
from schemas.label import LabelSet
from tests.validation import good
from tests.validation.cases import CASES
from tests.validation.corruption import IDS, NER, edit
from tests.validation.profiles import FRAMES, SPLIT_NUM, examples, instructions
from validation import profile
from validation.check import check


def batches(sizes, task="EE"):
    """An instructions frame of one example whose batches have these sizes."""
    return pd.DataFrame({"example_id": "k/train/0", "task": task, "batch_size": sizes})


@pytest.mark.parametrize(
    ("task", "sizes"),
    [
        ("EE", [5]),
        ("EE", [4, 2]),
        ("EE", [4, 5]),
        ("EE", [4, 4, 5]),
        ("EE", [2, 4]),  # a batch may be missing: all-negative ones are cut
        ("EE", [1]),
        ("NER", [8]),
        ("NER", [6, 3]),
        ("NER", [6, 8]),
        ("KG", [1, 1, 1]),
        ("SPO", [4, 1, 1]),  # one predicate in six triples
    ],
)
def test_batches_that_follow_the_wire_format(task, sizes):
    frame = batches(sizes, task)
    profile.batch_faults(frame, SPLIT_NUM)
    assert not frame[["batch_out_of_bounds", "batch_not_full"]].to_numpy().any()


@pytest.mark.parametrize(
    ("task", "sizes", "out_of_bounds", "not_full"),
    [
        ("EE", [6], [1], [0]),  # [4, 2]
        ("EE", [4, 1], [0, 1], [0, 0]),  # [5]
        ("EE", [3, 4, 2], [0, 0, 0], [1, 0, 0]),
        ("EE", [0], [1], [0]),
        ("NER", [9], [1], [0]),
        ("NER", [6, 2], [0, 1], [0, 0]),
        ("KG", [2], [1], [0]),
        ("SPO", [6], [1], [0]),
    ],
)
def test_batches_that_violate_the_wire_format(task, sizes, out_of_bounds, not_full):
    frame = batches(sizes, task)
    profile.batch_faults(frame, SPLIT_NUM)
    assert frame["batch_out_of_bounds"].tolist() == out_of_bounds
    assert frame["batch_not_full"].tolist() == not_full


def test_minus_one_puts_all_labels_into_one_batch():
    frame = batches([50, 3])
    profile.batch_faults(frame, {"EE": -1})
    assert frame["batch_not_full"].tolist() == [1, 0]
    assert frame["batch_out_of_bounds"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("positives", "ratio", "excess"),
    [
        ([1, 0, 0], 2.0, [0, 0, 0]),
        ([0, 0, 0, 1], 2.0, [0, 0, 1, 0]),
        ([0, 0, 1], 0.0, [1, 1, 0]),
        ([0], 0.0, [0]),  # an example without a positive keeps one
        ([0, 0], 5.0, [0, 1]),
        ([1, 1, 0, 0], 0.5, [0, 0, 0, 1]),
    ],
)
def test_excess_negatives(positives, ratio, excess):
    frame = pd.DataFrame({"example_id": "k/train/0", "task": "RE", "split": "train", "has_positive": positives})
    assert profile.excess_negatives(frame, ratio).tolist() == excess
    assert not profile.excess_negatives(frame.assign(split="test"), ratio).any()


def test_negative_counts_leave_out_examples_without_a_positive():
    frame = pd.DataFrame(
        {"example_id": ["a", "a", "a", "b", "c"], "task": "RE", "has_positive": [1, 0, 0, 0, 1]},
    )
    assert profile.negative_counts(frame) == (2, 2)


def test_good_examples_are_counted():
    frame = examples(good.examples())
    assert frame["id"].tolist() == [f"{good.KEY}/{rest}" for rest in ("train/0", "train/1", "validation/2/0", "test/0")]
    assert frame[["entities", "relations", "events"]].to_numpy().tolist() == [
        [4, 2, 2],
        [0, 0, 0],
        [1, 0, 0],
        [0, 0, 0],
    ]
    assert frame["text_chars"].tolist() == [69, 18, 5, 31]


@pytest.mark.parametrize(
    ("mention", "fault"),
    [
        (Mention("ab", ((0, 2),)), None),
        (Mention("a c", ((0, 1), (2, 3))), None),
        (Mention("elsewhere"), None),
        (Mention("AB", ((0, 2),)), "offset_mismatches"),
        (Mention("c", ((-1, 3),)), "bad_spans"),
        (Mention("c", ((2, 4),)), "bad_spans"),
        (Mention("b", ((1, 1),)), "bad_spans"),
        (Mention("c a", ((2, 3), (0, 1))), "bad_spans"),
        (Mention("ab b", ((0, 2), (1, 2))), "bad_spans"),
        (Mention(" ", ((1, 1),)), "blank_mentions"),
    ],
)
def test_mention_faults(mention, fault):
    assert profile.mention_fault("abc", mention) == fault


@given(st.text(min_size=1), st.data())
def test_a_mention_cut_from_the_text_has_no_fault(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    mention = Mention(text[start:end], ((start, end),))
    assert profile.mention_fault(text, mention) == (None if mention.text.strip() else "blank_mentions")


def test_answers_outside_the_text_are_counted_but_not_faults():
    rows = good.instructions()
    frame = instructions(rows).set_index("id")["mentions_outside_text"]
    # EE answers "She", EEA "She", KG "it"; NAN is not a mention.
    assert frame[frame > 0].to_dict() == {
        f"{good.KEY}/train/0/EE/0": 1,
        f"{good.KEY}/train/0/EEA/0": 1,
        f"{good.KEY}/train/0/KG/0": 1,
    }
    edit(rows[NER], "output", lambda answer: answer["person"].append("Olga Dahl"))
    assert instructions(rows).set_index("id")["mentions_outside_text"][IDS[NER]] == 1


@pytest.mark.parametrize("column", ["spans", "text"])
def test_a_mention_without_a_required_value_is_a_broken_record(column):
    rows = good.examples()
    rows[0]["entities"][0]["mention"][column] = None
    assert examples(rows)["broken_record"].tolist() == [1, 0, 0, 0]


def test_a_table_with_another_schema_is_an_error():
    table = pa.Table.from_pylist(good.examples(), schema=EXAMPLES)
    with pytest.raises(SuiteError, match=r"suite examples: .*\(lang\); write it as schemas.arrow.EXAMPLES"):
        profile.examples_profile(table.drop_columns("lang"), {}, None)
    wrong = table.set_column(2, "split", pa.array([1, 2, 3, 4]))
    with pytest.raises(SuiteError, match=r"\(split\)"):
        profile.examples_profile(wrong, {}, None)
    with pytest.raises(SuiteError, match="suite instructions"):
        profile.instructions_profile(table, [], SPLIT_NUM, 2)


def test_untyped_graph_relations_fit_any_entity_type():
    labels = LabelSet("KG", "k", "K", "en", (good.PERSON,))
    rows = good.examples()
    table = pa.Table.from_pylist(rows, schema=EXAMPLES)
    assert (
        not profile.examples_profile(table, {"KG": labels}, None)[["unknown_labels", "unknown_roles"]].to_numpy().any()
    )
    rows[0]["relations"][1]["label"] = "seat"
    table = pa.Table.from_pylist(rows, schema=EXAMPLES)
    assert profile.examples_profile(table, {"KG": labels}, None)["unknown_roles"].tolist() == [1, 0, 0, 0]


def test_chunks_do_not_change_the_profile():
    rows = good.instructions()
    tables = [pa.Table.from_pylist([row], schema=INSTRUCTIONS) for row in rows]
    table = pa.Table.from_pylist(rows, schema=INSTRUCTIONS)
    arguments = good.label_sets(), SPLIT_NUM, 2
    chunked = profile.instructions_profile(pa.concat_tables(tables), *arguments)
    pd.testing.assert_frame_equal(chunked, profile.instructions_profile(table, *arguments))


CORRUPTED = [case for case in CASES if case.suite in ("examples", "instructions") and case.corrupt]


@pytest.mark.parametrize("case", CORRUPTED, ids=str)
def test_all_rows_that_may_fail_are_selected(case):
    make_output, make_frame = FRAMES[case.suite]
    rows = make_output()
    case.corrupt(rows)
    frame = make_frame(rows)
    selected = profile.rows_to_check(frame, 1)
    failed = [(e.name, e.column, e.unexpected) for e in check(case.suite, selected).expectations if not e.success]
    assert failed == [(case.name, case.column, case.count)]  # like all rows in test_suites
    assert len(selected) < len(frame)


def test_only_the_first_rows_without_faults_are_selected():
    frame = instructions(good.instructions())
    assert profile.rows_to_check(frame, 2)["id"].tolist() == frame["id"].tolist()[:2]
