import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives.dictionary import as_mapping
from hard_negatives.embed import embed
from hard_negatives.mine import MAX_NEIGHBOURS, cut, mine, second_order, text, texts
from schemas.errors import SourceError
from schemas.label import Label, LabelSet, typed_label


def label_set(*names: str) -> LabelSet:
    return LabelSet("NER", "toy", "Toy", "en", tuple(Label(name) for name in sorted(names)))


def mined(labels: LabelSet, **options):
    return mine(labels, embed(texts(labels), "lexical"), "lexical", **options)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (Label("city"), "city"),
        (Label("city", "a town with walls"), "city: a town with walls"),
        (Label("attack", "an act of force", ("attacker", "place")), "attack: an act of force (attacker, place)"),
        (Label("attack", roles=("attacker",)), "attack (attacker)"),
        (typed_label("drug", "treats", "disease"), "drug treats disease"),
    ],
)
def test_text(label, expected):
    assert text(label) == expected


@pytest.mark.parametrize("name", ["", " \t"])
def test_empty_name(name):
    with pytest.raises(SourceError, match="toy: a NER label has an empty name"):
        mined(label_set("city", name))


def test_name_twice():
    with pytest.raises(SourceError, match="toy: NER label 'city' stands twice"):
        mined(label_set("city", "city", "river"))


@pytest.mark.parametrize(
    ("scores", "most", "kept"),
    [
        ([0.9, 0.8, 0.3, 0.2], 20, 2),
        ([0.9, 0.2, 0.1], 20, 1),
        ([0.9, 0.8, 0.7], 20, 1),  # two equal drops: the first
        ([0.5, 0.5, 0.5], 20, 1),  # no drop
        ([0.9, 0.8, 0.7, 0.1], 2, 1),  # the drop after 0.7 lies beyond two neighbours
        ([0.9, 0.8, 0.1], 2, 2),
        ([-0.3], 20, 1),
        ([], 20, 0),
    ],
)
def test_cut(scores, most, kept):
    assert cut(scores, most) == kept


def test_second_order_by_hand():
    # Three unit vectors with mean (2/3, 1/3): less it, all three lie on one line, two on one side of the mean
    rows = second_order(np.array([[1, 0], [1, 0], [0, 1]]))
    assert np.round(rows @ rows.T, 4).tolist() == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]


def rows_of_similarities(vectors: np.ndarray) -> np.ndarray:
    """The definition, with the whole matrix."""

    def unit(rows):
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    vectors = unit(vectors - vectors.mean(axis=0))
    rows = unit(vectors @ vectors.T)
    rows = unit(rows - rows.mean(axis=0))
    return rows @ rows.T


@pytest.mark.parametrize(("n", "d"), [(12, 40), (40, 12), (13, 13)])
def test_second_order_is_the_likeness_of_the_rows_of_similarities(n, d):
    vectors = np.random.default_rng(5).normal(size=(n, d)) + 1
    rows = second_order(vectors)
    assert rows.shape == (n, min(n, d)) and rows.dtype == np.float32
    assert rows @ rows.T == pytest.approx(rows_of_similarities(vectors), abs=1e-5)


@settings(max_examples=60)
@given(
    st.lists(st.text("abc 人地", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=30, unique=True),
    st.integers(1, 25),
)
def test_bounds(names, most):
    labels = label_set(*names)
    dictionary = mined(labels, max_neighbours=most)
    assert list(dictionary.labels) == [label.name for label in labels.labels]
    for name, ranking in dictionary.labels.items():
        alike = {other for other in names if " ".join(other.split()) == " ".join(name.split())}
        listed = [n.label for n in ranking.neighbours + ranking.below_cut]
        assert sorted(listed) == sorted(set(names) - alike)
        assert min(1, len(listed)) <= len(ranking.neighbours) <= most
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
def test_small_sets(names, expected):
    assert as_mapping(mined(label_set(*names))) == expected


def test_labels_equal_but_for_case_are_no_neighbours():
    neighbours = as_mapping(mined(label_set("Person", "person", "ＰＥＲＳＯＮ", "place", "persons")))
    assert neighbours["Person"][0] == "persons"
    assert not {"Person", "person", "ＰＥＲＳＯＮ"} & set(neighbours["person"])
    assert as_mapping(mined(label_set("Person", "person"))) == {"Person": [], "person": []}


def test_many_spellings_of_one_label_leave_room_for_the_others():
    spellings = ["a" + " " * n for n in range(60)]
    neighbours = as_mapping(mined(label_set(*spellings, "b")))
    assert [neighbours[spelling] for spelling in spellings] == [["b"]] * 60


def test_names_without_letters_and_very_long_ones():
    long, longer = "长" * 10_000, "长" * 10_001
    neighbours = as_mapping(mined(label_set("?", "!", long, longer, "place")))
    assert all(neighbours.values())
    assert neighbours[long] == [longer] and neighbours[longer] == [long]


def test_ranking_stops_at_fifty():
    ranking = mined(label_set(*(f"label {n:03}" for n in range(80)))).labels["label 000"]
    assert len(ranking.neighbours) <= MAX_NEIGHBOURS
    assert len(ranking.neighbours + ranking.below_cut) == 50


def test_wrong_number_of_vectors():
    with pytest.raises(ValueError, match="2 labels, but 1 vectors"):
        mine(label_set("a", "b"), np.ones((1, 3), np.float32), "lexical")
