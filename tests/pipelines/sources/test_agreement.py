"""How far the annotators of texts agree."""

import pytest

from pipelines.sources.agreement import Disagreement, agreement, kappa
from tests.annotated_texts import ADA, BO, ROME, annotated, bare, relation


def test_agreement_by_hand():
    """Of the six tokens Ada met Bo in Rome (the full stop is the sixth), PER: ann has Ada and Bo, ben has Ada."""
    ann = annotated("ann", ("PER", ADA), ("PER", BO), ("LOC", ROME))
    ben = annotated("ben", ("PER", ADA), ("ORG", ROME))
    (made,) = agreement([[ann, ben], [annotated("ann", ("PER", ADA), item="2"), bare("ben", "2")]])
    assert (made.first, made.second, made.texts, made.disagreement_count) == ("ann", "ben", 1, 3)
    by_label = {label.label: label for label in made.labels}
    assert {name: (each.first, each.second, each.both) for name, each in by_label.items()} == {
        "LOC": (1, 0, 0), "ORG": (0, 1, 0), "PER": (2, 1, 1),
    }  # fmt: skip
    assert by_label["PER"].f1 == pytest.approx(2 / 3)
    # 5 of 6 tokens agree; by chance (2*1 + 4*5) / 36 = 22/36; (30/36 - 22/36) / (36/36 - 22/36) = 8/14
    assert by_label["PER"].kappa == pytest.approx(8 / 14)
    assert by_label["LOC"].kappa == pytest.approx(0)
    assert made.disagreements == (
        Disagreement("f:ann", "entities", "ann", "'PER': 'Bo'", ""),
        Disagreement("f:ann", "entities", "ann", "'LOC': 'Rome'", "'ORG': 'Rome'"),
        Disagreement("f:ben", "entities", "ben", "'ORG': 'Rome'", "'LOC': 'Rome'"),
    )


def test_agreement_on_relations_has_no_kappa():
    records = [
        annotated(name, ("PER", ADA), ("LOC", ROME), relations=(relation("0", "1", label),))
        for name, label in (("a", "lives"), ("b", "lives"), ("c", "works"))
    ]
    made = {(each.first, each.second): each for each in agreement([records])}
    assert list(made) == [("a", "b"), ("a", "c"), ("b", "c")]
    lives = next(label for label in made["a", "b"].labels if label.layer == "relations")
    assert (lives.f1, lives.kappa) == (1, None)
    assert made["a", "c"].disagreements[0].other == "'works': 'Ada', 'Rome'"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((10, 5, 5, 5), 1),
        ((50, 25, 30, 20), 0.4),  # 20 yes and 15 no of 50 agree, as in the article on Cohen's kappa of Wikipedia
        ((4, 2, 2, 0), -1),
        ((4, 0, 0, 0), None),
        ((4, 4, 4, 4), None),
        ((0, 0, 0, 0), None),
    ],
)
def test_kappa(counts, expected):
    assert kappa(*counts) == (None if expected is None else pytest.approx(expected))
