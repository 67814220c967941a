import pytest

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, as_mapping
from hard_negatives.pins import amended, pairs_for
from schemas.errors import ConfigError
from schemas.label import Label, LabelSet


def label_set(task: str = "NER") -> LabelSet:
    return LabelSet(task, "towns", "Towns", "en", tuple(Label(name) for name in ("city", "hamlet", "river", "village")))


RANKING = Ranking((Neighbour("village", 0.9, {"name": 2.0}), Neighbour("hamlet", 0.5)), (Neighbour("river", -0.2),))
MINED = Dictionary(
    "NER", "towns", "Towns", "en", "lexical", {"city": RANKING, "river": Ranking((Neighbour("city", 0.1),))}
)


def test_pairs_by_key_and_by_published_name():
    pairs = {"NER": {"towns": {"city": ["river"]}, "Towns": {"city": ["river", "hamlet"]}, "Else": {"x": ["y"]}}}
    assert pairs_for(pairs, label_set(), "mine.pin") == {"city": ["river", "hamlet"]}
    assert pairs_for(pairs, label_set("RE"), "mine.pin") == {}


@pytest.mark.parametrize("task", ["EE", "EET", "EEA"])
def test_event_tasks_share_their_pairs(task):
    pairs = {"EE": {"towns": {"city": ["river"]}}, "EET": {"towns": {"city": ["hamlet"]}}}
    assert pairs_for(pairs, label_set(task), "mine.pin") == {"city": ["river", "hamlet"]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"citty": ["river"]}, "mine.pin.NER.towns: no label is called 'citty'; did you mean: city"),
        ({"city": ["river", "lake"]}, "no label is called 'lake'; did you mean: city, hamlet, river, village"),
        ({"city": ["city"]}, "'city' is paired with itself"),
    ],
)
def test_labels_that_cannot_be_paired(given, said):
    with pytest.raises(ConfigError, match=said):
        pairs_for({"NER": {"towns": given}}, label_set(), "mine.pin")


def test_pinned_labels_stand_first_without_a_score():
    ranking = amended(MINED, {"city": ["river", "village"]}, {}, 20).labels["city"]
    assert ranking == Ranking((Neighbour("river"), Neighbour("village"), Neighbour("hamlet", 0.5)))


def test_forbidden_labels_are_gone_and_nothing_takes_their_place():
    ranking = amended(MINED, {}, {"city": ["village"]}, 20).labels["city"]
    assert ranking == Ranking((Neighbour("hamlet", 0.5),), (Neighbour("river", -0.2),))
    assert as_mapping(amended(MINED, {}, {"river": ["city"]}, 20))["river"] == []


def test_pins_push_out_the_last_ones():
    assert amended(MINED, {"city": ["river"]}, {}, 2).labels["city"] == Ranking(
        (Neighbour("river"), Neighbour("village", 0.9, {"name": 2.0})), (Neighbour("hamlet", 0.5),)
    )
    assert len(amended(MINED, {"city": ["river"]}, {}, None).labels["city"].neighbours) == 3


def test_a_label_that_had_no_neighbours():
    assert as_mapping(amended(MINED, {"hamlet": ["city"]}, {}, 20))["hamlet"] == ["city"]


def test_others_stay_as_they_were():
    changed = amended(MINED, {"city": ["river"]}, {"city": ["hamlet"]}, 20)
    assert changed.labels["river"] == MINED.labels["river"] and list(changed.labels) == ["city", "river"]
    assert amended(MINED, {}, {}, 1) == MINED


def test_pinned_and_forbidden():
    with pytest.raises(ConfigError, match="both hold 'city': 'river'"):
        amended(MINED, {"city": ["river"]}, {"city": ["river"]}, 20)


def test_more_pins_than_neighbours():
    with pytest.raises(ConfigError, match=r"2 labels for 'city', but mine\.max_neighbours=1"):
        amended(MINED, {"city": ["river", "hamlet"]}, {}, 1)
