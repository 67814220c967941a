"""Mined neighbours: the cut-off, the weights of the kinds of evidence, and bounds for any label set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives import mine as mining
from hard_negatives import vectors as vectors_module
from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, as_mapping
from hard_negatives.evidence import Evidence, evidence
from hard_negatives.mine import MAX_NEIGHBOURS, cut, drawn_at_random, mine, second_order
from schemas.label import Label, LabelSet


def label_set(*names: str) -> LabelSet:
    return LabelSet("NER", "toy", "Toy", "en", tuple(Label(name) for name in sorted(names)))


def mined(labels: LabelSet, **options):
    return mine(labels, evidence(labels, {}, {}, None), "lexical", **options)


@pytest.mark.parametrize(
    ("scores", "most", "kept"),
    [
        ([0.9, 0.8, 0.3, 0.2], 20, 2),
        ([0.9, 0.2, 0.1], 20, 1),
        ([0.9, 0.8, 0.7], 20, 1),  # cut-offs after the first and the second are equally good: the first is taken
        ([0.5, 0.5, 0.5], 20, 1),
        ([0.9, 0.85, 0.6, 0.5, 0.1, 0.05, 0.0], 20, 4),  # not the largest drop, but the most coherent halves
        ([0.9, 0.8, 0.7, 0.1], 2, 1),  # scores after the third are not used
        ([0.9, 0.8, 0.1], 2, 2),
        ([-0.3], 20, 1),
        ([], 20, 0),
    ],
)
def test_cut(scores, most, kept):
    assert cut(scores, most) == kept


def test_second_order_by_hand():
    # Three unit vectors with mean (2/3, 1/3): after centring, all are on one line, two on one side of the mean
    rows = second_order(np.array([[1, 0], [1, 0], [0, 1]]))
    assert np.round(rows @ rows.T, 4).tolist() == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]


def second_order_similarity(vectors: np.ndarray) -> np.ndarray:
    """The definition: similarity of centred rows of the similarity matrix."""

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    vectors = unit(vectors - vectors.mean(axis=0))
    rows = unit(vectors @ vectors.T)
    rows = unit(rows - rows.mean(axis=0))
    return rows @ rows.T


@pytest.mark.parametrize(("n", "d"), [(12, 40), (40, 12), (13, 13)])
def test_second_order_follows_the_definition(n, d):
    vectors = np.random.default_rng(5).normal(size=(n, d)) + 1
    rows = second_order(vectors)
    assert rows.shape == (n, min(n, d)) and rows.dtype == np.float32
    assert rows @ rows.T == pytest.approx(second_order_similarity(vectors), abs=1e-5)


def test_axes_of_rounding_error_are_dropped():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 12))
    rows = second_order(vectors)
    assert rows.shape == (40, 3)
    assert rows @ rows.T == pytest.approx(second_order_similarity(vectors), abs=1e-5)
    assert second_order(np.zeros((5, 2))).tolist() == [[0, 0]] * 5


@settings(max_examples=60)
@given(
    st.lists(st.text("abc 人地", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=30, unique=True),
    st.integers(1, 25),
)
def test_rankings_are_ordered_and_bounded(names, most):
    labels = label_set(*names)
    dictionary = mined(labels, max_neighbours=most)
    assert list(dictionary.labels) == [label.name for label in labels.labels]
    for name, ranking in dictionary.labels.items():
        spellings = {other for other in names if " ".join(other.split()) == " ".join(name.split())}
        ranked = [n.label for n in ranking.neighbours + ranking.below_cut]
        assert sorted(ranked) == sorted(set(names) - spellings)
        assert min(1, len(ranked)) <= len(ranking.neighbours) <= most
        order = [(-n.score, n.label) for n in ranking.neighbours + ranking.below_cut]
        assert order == sorted(order)
        assert all(-1.0001 <= n.score <= 1.0001 for n in ranking.neighbours)


def test_neighbours_are_the_related_labels():
    labels = label_set(
        "出生日期", "出生地点", "逝世日期", "逝世地点", "公司成立日期", "公司总部地点", "主演电影", "导演电影"
    )
    neighbours = as_mapping(mined(labels))
    assert neighbours["主演电影"] == ["导演电影"]
    assert neighbours["导演电影"] == ["主演电影"]


@pytest.mark.parametrize(("names", "expected"), [((), {}), (("a",), {"a": []}), (("a", "b"), {"a": ["b"], "b": ["a"]})])
def test_small_label_sets(names, expected):
    assert as_mapping(mined(label_set(*names))) == expected


def test_labels_that_differ_in_case_are_not_neighbours():
    neighbours = as_mapping(mined(label_set("Person", "person", "ＰＥＲＳＯＮ", "place", "persons")))
    assert neighbours["Person"][0] == "persons"
    assert not {"Person", "person", "ＰＥＲＳＯＮ"} & set(neighbours["person"])
    assert as_mapping(mined(label_set("Person", "person"))) == {"Person": [], "person": []}


def test_spellings_of_one_label_do_not_displace_other_labels():
    spellings = ["a" + " " * n for n in range(60)]
    neighbours = as_mapping(mined(label_set(*spellings, "b")))
    assert [neighbours[spelling] for spelling in spellings] == [["b"]] * 60


def test_names_without_letters_and_very_long_ones():
    long, longer = "长" * 10_000, "长" * 10_001
    neighbours = as_mapping(mined(label_set("?", "!", long, longer, "place")))
    assert all(neighbours.values())
    assert neighbours[long] == [longer] and neighbours[longer] == [long]


def test_a_ranking_has_at_most_fifty_labels():
    ranking = mined(label_set(*(f"label {n:03}" for n in range(80)))).labels["label 000"]
    assert len(ranking.neighbours) <= MAX_NEIGHBOURS
    assert len(ranking.neighbours + ranking.below_cut) == 50


def test_a_wrong_number_of_vectors_is_an_error():
    with pytest.raises(ValueError, match="2 labels, but 1 vectors of name"):
        mine(label_set("a", "b"), {"name": Evidence(np.ones((1, 3)))}, "lexical")


def test_every_kind_has_the_same_weight_at_any_scale():
    rng = np.random.default_rng(1)
    labels = label_set(*"abcdefgh")
    one, two = rng.normal(size=(8, 3)), rng.normal(size=(8, 50))
    both = mine(labels, {"wording": Evidence(one), "mentions": Evidence(two)}, "x")
    assert both == mine(labels, {"wording": Evidence(one * 100), "mentions": Evidence(two * 0.01)}, "x")
    assert both.labels != mine(labels, {"wording": Evidence(one)}, "x").labels


def test_a_kind_is_weighted_by_its_reliability():
    rng = np.random.default_rng(1)
    labels = label_set(*"abcdefgh")
    one, two = Evidence(rng.normal(size=(8, 3))), rng.normal(size=(8, 50))
    alone = mine(labels, {"wording": one}, "x").labels
    scores = [
        mine(labels, {"wording": one, "mentions": Evidence(two, reliability)}, "x")
        for reliability in (0.0, 0.0001, 0.5, 1.0)
    ]
    assert scores[0].labels == alone
    assert scores[0].evidence == {"wording": 1.0} and scores[2].evidence == {"wording": 1.0, "mentions": 0.5}

    def distance(dictionary):
        by_label = {
            label: {n.label: n.score for n in r.neighbours + r.below_cut} for label, r in dictionary.labels.items()
        }
        expected = {label: {n.label: n.score for n in r.neighbours + r.below_cut} for label, r in alone.items()}
        return sum(
            abs(score - expected[label][other]) for label, others in by_label.items() for other, score in others.items()
        )

    assert distance(scores[1]) < 0.1 < distance(scores[2]) < distance(scores[3])


def test_evidence_for_a_neighbour():
    # Similar are a and b, c and d by the first kind; a and c by the second; e and f are similar to no label
    first = np.eye(6)[[0, 0, 1, 1, 2, 3]]
    second = np.eye(6)[[0, 1, 0, 2, 3, 4]]
    rankings = mine(label_set(*"abcdef"), {"wording": Evidence(first), "types": Evidence(second)}, "x").labels
    reasons = {n.label: n.evidence for n in rankings["a"].neighbours}
    assert list(reasons["b"]) == ["wording"] and reasons["b"]["wording"] > 1
    assert list(reasons.get("c", {"types": 3})) == ["types"]
    assert all(n.evidence == {} for ranking in rankings.values() for n in ranking.below_cut)


def test_labels_without_evidence_get_neighbours():
    rankings = mine(label_set("a", "b", "c"), {}, "x").labels
    assert {label: [n.label for n in ranking.neighbours] for label, ranking in rankings.items()} == {
        "a": ["b"],
        "b": ["a"],
        "c": ["a"],
    }


def test_dropped_dimensions_do_not_change_the_neighbours(monkeypatch):
    rng = np.random.default_rng(3)
    centres = np.repeat(rng.normal(size=(10, 64)), 20, axis=0)
    vectors = {"wording": Evidence(centres + rng.normal(size=centres.shape) * 0.1)}
    labels = label_set(*(f"{n:03}" for n in range(200)))
    expected = as_mapping(mine(labels, vectors, "x"))
    monkeypatch.setattr(mining, "MAX_DIMENSIONS", 16)
    fewer = as_mapping(mine(labels, vectors, "x"))
    assert all(set(expected[label]) == set(fewer[label]) for label in expected)


def test_blocks_of_labels_do_not_change_the_neighbours(monkeypatch):
    vectors = {"wording": Evidence(np.random.default_rng(4).normal(size=(60, 8)).astype(np.float32))}
    labels = label_set(*(f"{n:02}" for n in range(60)))
    expected = mine(labels, vectors, "x")
    monkeypatch.setattr(vectors_module, "BLOCK", 7)
    assert mine(labels, vectors, "x") == expected


def test_random_neighbours_are_as_many_as_the_mined_ones():
    names = [f"l{number:02}" for number in range(30)] + ["L00"]
    rankings = {
        name: Ranking(tuple(Neighbour(n, 0.5) for n in names[: at % 5] if n != name)) for at, name in enumerate(names)
    }
    mined = Dictionary("NER", "a", "A", "en", "lexical", rankings, {"wording": 1.0})
    drawn = [drawn_at_random(mined, seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert not drawn[0].evidence
    for label, others in as_mapping(drawn[0]).items():
        assert len(others) == len(set(others)) == len(rankings[label].neighbours)
        assert not {other.casefold() for other in others} & {label.casefold()}
    everything = [other for others in as_mapping(drawn[0]).values() for other in others]
    assert len(set(everything)) > 20  # the mined ones are four


def test_random_neighbours_of_a_small_set_are_all_other_labels():
    rankings = {"a": Ranking((Neighbour("b"), Neighbour("c"))), "b": Ranking((Neighbour("a"),)), "c": Ranking(())}
    drawn = as_mapping(drawn_at_random(Dictionary("NER", "a", "A", "en", "", rankings), 1))
    assert (sorted(drawn["a"]), len(drawn["b"]), drawn["c"]) == (["b", "c"], 1, [])
