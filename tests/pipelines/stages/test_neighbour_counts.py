"""How often confusable labels occur in the same instruction, on rows counted by hand, and the report of a build."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.build_reports import read_statistics
from pipelines.report.hard_negatives import report, together_by_chance
from pipelines.stages.neighbour_counts import neighbour_counts
from schemas.arrow import INSTRUCTIONS
from schemas.label import Label, typed_label

NAMES = ("split", "task", "example_id", "labels", "positives", "hard_negatives")
SCHEMA = pa.schema([INSTRUCTIONS.field(name) for name in NAMES])
DICTIONARY = {"a": ["b", "c"], "b": ["a", "d"], "e": []}


def rows(split: str, *content: tuple[str, list[str], list[str]], task: str = "NER") -> pa.Table:
    """Rows that ask for their positive labels, their hard negatives and the label z."""
    made = [(split, task, example, [*positives, *hard, "z"], positives, hard) for example, positives, hard in content]
    return pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in made], SCHEMA)


def test_pairs_and_pairs_in_one_row_are_counted():
    made = rows(
        "train",
        ("1", ["a"], ["c"]),  # a and c in one row
        ("1", ["e"], ["b"]),  # b is in another row than a, and is not a neighbour of e
        ("2", ["a", "b"], ["d"]),  # b and d in one row; a and b are both positive, so no pair; c is in no row
        ("3", [], []),
    )
    assert neighbour_counts(made, DICTIONARY) == {
        "neighbour_pairs": 2 + 2,
        "neighbours_together": 1 + 1,
        "positives_with_neighbour": 1 + 2,  # not e
        "positives_beside_neighbour": 1 + 2,  # a and b of example 2 are beside each other
    }


def test_a_positive_label_may_have_no_neighbour_beside_it():
    apart = rows("train", ("1", ["a"], []), ("1", [], ["b", "c"]))
    counts = neighbour_counts(apart, DICTIONARY)
    assert (counts["positives_with_neighbour"], counts["positives_beside_neighbour"]) == (1, 0)
    one_way = rows("train", ("1", ["c"], ["a"]))  # a has the neighbour c, and c has none
    assert neighbour_counts(one_way, DICTIONARY)["positives_with_neighbour"] == 0


LABELS = st.sampled_from("abcdef")
ROWS = st.tuples(st.sampled_from("123"), st.lists(LABELS, max_size=3, unique=True), st.lists(LABELS, unique=True))


@given(st.dictionaries(LABELS, st.lists(LABELS, unique=True)), st.lists(ROWS, min_size=1, max_size=8))
def test_counts_follow_their_definition(dictionary, made):
    made = [(example, positives, [h for h in hard if h not in positives]) for example, positives, hard in made]
    pairs = {label: set(near) - {label} for label, near in dictionary.items()}
    positive = {example: {p for one, labels, _ in made if one == example for p in labels} for example, _, _ in made}
    once = {(example, p): [*labels, *hard] for example, labels, hard in made for p in labels if pairs.get(p)}
    assume(len(once) == sum(bool(pairs.get(p)) for _, labels, _ in made for p in labels))  # each label is in one row
    assert neighbour_counts(rows("train", *made), dictionary) == +Counter(
        neighbour_pairs=sum(len(pairs.get(p, set()) - labels) for labels in positive.values() for p in labels),
        neighbours_together=sum(h in pairs.get(p, ()) for _, labels, hard in made for p in labels for h in hard),
        positives_with_neighbour=len(once),
        positives_beside_neighbour=sum(not pairs[p].isdisjoint(labels) for (_, p), labels in once.items()),
    )


@pytest.mark.parametrize(("split", "dictionary"), [("test", DICTIONARY), ("train", None)])
def test_test_rows_and_missing_dictionaries_are_not_counted(split, dictionary):
    assert not neighbour_counts(rows(split, ("1", ["a"], ["c"])), dictionary)
    assert not neighbour_counts(rows("train"), DICTIONARY)
    assert not neighbour_counts(rows("train", ("1", ["a"], ["c"]), task="EEA"), DICTIONARY)


@pytest.mark.parametrize(
    ("labels", "size", "share"),
    [
        (4, 4, 1),
        (4, -1, 1),
        (4, 2, 1 / 3),  # 2 of 6 pairs
        (6, 4, 7 / 15),  # batches of 4 and 2: 6 + 1 of 15 pairs
        (5, 4, 1),  # a remainder of one joins the previous batch
        (1, 4, 0),
        (0, 4, 0),
    ],
)
def test_share_of_pairs_in_random_batches(labels, size, share):
    assert together_by_chance([Label(str(n)) for n in range(labels)], size) == pytest.approx(share)


def test_labels_of_one_predicate_are_never_in_one_batch():
    assert together_by_chance([typed_label("x", "is", "y"), typed_label("y", "is", "x")], 4) == 0


def test_report_of_a_build(built):
    html = (built / "reports/hard_negatives.html").read_text()
    assert html == report(str(built), {})
    counts = read_statistics(str(built)).instructions_by_source["clue_ner"]["NER"]
    both = [counts[split] for split in ("train", "validation")]
    assert 0 < sum(n.neighbours_together for n in both) <= sum(n.neighbour_pairs for n in both)
    assert 0 < sum(n.positives_beside_neighbour for n in both) <= sum(n.positives_with_neighbour for n in both)
    assert counts["test"].neighbour_pairs == counts["test"].positives_with_neighbour == 0
    assert 'href="#NER/clue_ner"' in html and 'href="#EE/duee1"' in html and "#EET/" not in html
