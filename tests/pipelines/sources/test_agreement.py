"""How far the annotators of texts agree."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.sources.agreement import LISTED, Comparison, _tokens_inside
from schemas.agreement import Agreement, Annotators, Confusion, Disagreement, Votes, kappa
from schemas.example import Entity, Mention, RawExample, Relation
from tests.annotated_texts import ADA, BO, MET, ROME, annotated, bare, relation


def compared(*texts: list[RawExample]) -> Annotators:
    comparison = Comparison()
    for records in texts:
        comparison.add(records)
    return comparison.annotators()


def test_agreement_by_hand():
    """Of the six tokens Ada met Bo in Rome (the full stop is the sixth), PER: ann has Ada and Bo, ben has Ada."""
    ann = annotated("ann", ("PER", ADA), ("PER", BO), ("LOC", ROME))
    ben = annotated("ben", ("PER", ADA), ("ORG", ROME))
    made = compared([ann, ben], [annotated("ann", ("PER", ADA), item="2"), bare("ben", "2")])
    assert made.texts == {"ann": 2, "ben": 1}
    (pair,) = made.pairs
    assert (pair.first, pair.second, pair.texts, pair.tokens) == ("ann", "ben", 1, 6)
    assert pair.places == {"entities": Votes(3, 2, 2)}
    assert pair.places["entities"].f1 == pytest.approx(4 / 5)
    assert pair.confusions == (Confusion("entities", "LOC", "ORG", 1),)
    by_label = {label.label: label for label in pair.labels}
    votes = {name: each.votes for name, each in by_label.items()}
    assert votes == {"LOC": Votes(1, 0, 0), "ORG": Votes(0, 1, 0), "PER": Votes(2, 1, 1)}
    assert by_label["PER"].votes.f1 == pytest.approx(2 / 3)
    # 5 of 6 tokens agree; by chance (2*1 + 4*5) / 36 = 22/36; (30/36 - 22/36) / (36/36 - 22/36) = 8/14
    assert pair.kappa(by_label["PER"]) == pytest.approx(8 / 14)
    assert pair.kappa(by_label["LOC"]) == pytest.approx(0)
    assert pair.disagreement_count == 3
    assert pair.disagreements == (
        Disagreement("f:ann", "1", "entities", "ann", "'PER': 'Bo'", ""),
        Disagreement("f:ann", "1", "entities", "ann", "'LOC': 'Rome'", "'ORG': 'Rome'"),
        Disagreement("f:ben", "1", "entities", "ben", "'ORG': 'Rome'", "'LOC': 'Rome'"),
    )


def test_a_place_with_two_labels_is_one_place():
    (pair,) = compared([annotated("a", ("PER", ADA), ("ORG", ADA)), annotated("b", ("PER", ADA), ("LOC", ADA))]).pairs
    assert pair.places == {"entities": Votes(1, 1, 1)}
    assert pair.confusions == (Confusion("entities", "ORG", "LOC", 1),)


def test_agreement_on_relations_has_no_kappa():
    records = [
        annotated(name, ("PER", ADA), ("LOC", ROME), relations=(relation("0", "1", label),))
        for name, label in (("a", "lives"), ("b", "lives"), ("c", "works"))
    ]
    made = {(each.first, each.second): each for each in compared(records).pairs}
    assert list(made) == [("a", "b"), ("a", "c"), ("b", "c")]
    lives = next(label for label in made["a", "b"].labels if label.layer == "relations")
    assert (lives.votes.f1, made["a", "b"].kappa(lives)) == (1, None)
    assert made["a", "c"].places["relations"] == Votes(1, 1, 1)
    assert made["a", "c"].confusions == (Confusion("relations", "lives", "works", 1),)
    assert made["a", "c"].disagreements[0].other == "'works': 'Ada', 'Rome'"


def test_relations_have_the_same_place_if_both_ends_are_the_same():
    ends = [("PER", ADA), ("LOC", ROME), ("PER", BO)]
    other = Relation("lives", ADA, BO, "PER", "PER", "0", "2")
    records = [annotated("a", *ends, relations=(relation("0", "1"),)), annotated("b", *ends, relations=(other,))]
    (pair,) = compared(records).pairs
    assert pair.places["relations"] == Votes(1, 1, 0)
    assert pair.disagreements[0].other == ""


def test_two_empty_annotations_have_no_f1():
    (pair,) = compared([annotated("a"), annotated("b")]).pairs
    assert (pair.places["entities"].f1, pair.labels) == (None, ())


def test_names_and_labels_that_are_not_unicode_are_written():
    made = compared([annotated("a\ud83d", ("P\ud83d", ADA)), annotated("b", ("PER", ADA))])
    assert msgspec.json.decode(msgspec.json.encode(made), type=Annotators) == made
    assert made.pairs[0].confusions[0].first == "P\\ud83d"


def test_most_pairs_of_many_annotators_are_only_counted():
    made = compared([annotated(f"{n:02}", ("PER", ADA)) for n in range(20)], [annotated("18"), annotated("19")])
    assert (len(made.pairs), made.pair_count) == (100, 190)
    assert (made.pairs[0].first, made.pairs[0].second, made.pairs[0].texts) == ("18", "19", 2)


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


ENTITIES = st.lists(st.tuples(st.sampled_from(["PER", "LOC"]), st.sampled_from([ADA, MET, BO, ROME])), max_size=4)
TEXTS = st.lists(st.dictionaries(st.sampled_from(["ann", "ben", "eve"]), ENTITIES), max_size=12)


@given(TEXTS, st.integers(0, 12))
def test_counts_of_parts_add_up(texts, cut):
    """Files of different splits are compared by different workers."""
    records = [
        [annotated(name, *items, item=str(n)) for name, items in text.items()] for n, text in enumerate(texts) if text
    ]
    total = Comparison()
    for part in (records[:cut], records[cut:]):
        total.add_texts(compared(*part))
    assert total.annotators() == compared(*records)


@given(TEXTS)
def test_the_order_of_annotators_does_not_matter(texts):
    records = [[annotated(name, *items) for name, items in text.items()] for text in texts if text]
    swap = {"ann": "eve", "ben": "ben", "eve": "ann"}
    swapped = [[replace(record, annotator=swap[record.annotator]) for record in text] for text in records]
    scores = [
        {frozenset((pair.first, pair.second)): pair_scores(pair) for pair in compared(*each).pairs}
        for each in (records, swapped)
    ]
    assert scores[0] == {frozenset(map(swap.get, names)): each for names, each in scores[1].items()}


def pair_scores(pair: Agreement) -> tuple:
    assert len(pair.disagreements) == min(LISTED, pair.disagreement_count)
    assert pair.disagreement_count == sum(e.votes.first + e.votes.second - 2 * e.votes.both for e in pair.labels)
    labels = {each.label: (each.votes.f1, pair.kappa(each)) for each in pair.labels}
    return pair.texts, pair.places["entities"].f1, labels, pair.disagreement_count


SPANS = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(SPANS, max_size=4))
def test_tokens_inside_mentions(spans):
    tokens = [(0, 3), (4, 7), (7, 8), (10, 14), (20, 21), (21, 25)]
    inside = _tokens_inside(tokens, [Entity("PER", Mention("", tuple(spans)))])
    assert inside["PER"] == {
        n for n, (first, last) in enumerate(tokens) for start, end in spans if first < end and start < last
    }
