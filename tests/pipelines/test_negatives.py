"""How often confusable labels are asked together, from rows worked out by hand, and the page of a build."""

import json

import pyarrow as pa
import pytest

from pipelines.negatives import neighbour_counts, report, together_by_chance
from schemas.label import Label, typed_label

DICTIONARY = {"a": ["b", "c"], "b": ["a", "d"], "e": []}


def rows(split: str, *of: tuple[str, list[str], list[str]]) -> pa.Table:
    names = ("example_id", "positives", "hard_negatives")
    return pa.table({"split": [split] * len(of)} | {name: [row[n] for row in of] for n, name in enumerate(names)})


def test_pairs_and_those_in_one_row():
    made = rows(
        "train",
        ("1", ["a"], ["c"]),  # a and c together
        ("1", ["e"], ["b"]),  # b is in another row than a, and no neighbour of e
        ("2", ["a", "b"], ["d"]),  # b and d together; a and b are both positive, so no pair; c was not asked here
        ("3", [], []),
    )
    assert neighbour_counts(made, DICTIONARY) == {"neighbour_pairs": 2 + 2, "neighbours_together": 1 + 1}


@pytest.mark.parametrize(("split", "dictionary"), [("test", DICTIONARY), ("train", None)])
def test_nothing_is_counted(split, dictionary):
    assert not neighbour_counts(rows(split, ("1", ["a"], ["c"])), dictionary)
    assert not neighbour_counts(rows("train"), DICTIONARY)


@pytest.mark.parametrize(
    ("labels", "size", "share"),
    [
        (4, 4, 1),
        (4, -1, 1),
        (4, 2, 1 / 3),  # of 6 pairs 2
        (6, 4, 7 / 15),  # batches of 4 and 2: 6 + 1 of 15
        (5, 4, 1),  # the rest of one joins the batch before it
        (1, 4, 0),
        (0, 4, 0),
    ],
)
def test_together_by_chance(labels, size, share):
    assert together_by_chance([Label(str(n)) for n in range(labels)], size) == pytest.approx(share)


def test_labels_of_one_predicate_are_never_together():
    assert together_by_chance([typed_label("x", "is", "y"), typed_label("y", "is", "x")], 4) == 0


def test_page_of_a_build(built):
    html = (built / "reports/hard_negatives.html").read_text()
    assert html == report(str(built), {})
    counts = json.loads((built / "reports/stats.json").read_text())["instructions_by_source"]["clue_ner"]["NER"]
    both = [counts[split] for split in ("train", "validation")]
    assert 0 < sum(n["neighbours_together"] for n in both) <= sum(n["neighbour_pairs"] for n in both)
    assert "neighbour_pairs" not in counts["test"]
    assert 'href="#NER/clue_ner"' in html and 'href="#EE/duee1"' in html and "#EET/" not in html
