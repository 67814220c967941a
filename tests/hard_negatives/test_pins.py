"""Pairs that a user pins or forbids change the neighbours of their labels only."""

import pytest

from hard_negatives.dictionary import Dictionary, Neighbour, Ranking, as_mapping
from hard_negatives.pins import apply_pins, pairs_for
from schemas.errors import ConfigError
from schemas.label import Label, LabelSet


def label_set(task: str = "NER") -> LabelSet:
    return LabelSet(task, "towns", "Towns", "en", tuple(Label(name) for name in ("city", "hamlet", "river", "village")))


RANKING = Ranking((Neighbour("village", 0.9, {"name": 2.0}), Neighbour("hamlet", 0.5)), (Neighbour("river", -0.2),))
MINED = Dictionary(
    "NER", "towns", "Towns", "en", "lexical", {"city": RANKING, "river": Ranking((Neighbour("city", 0.1),))}
)


def test_pairs_match_by_key_and_by_published_name():
    pairs = {"NER": {"towns": {"city": ["river"]}, "Towns": {"city": ["river", "hamlet"]}, "Else": {"x": ["y"]}}}
    assert pairs_for(pairs, label_set(), "mine.pin") == {"city": ["river", "hamlet"]}
    assert pairs_for(pairs, label_set("RE"), "mine.pin") == {}


@pytest.mark.parametrize("task", ["EE", "EET", "EEA"])
def test_event_tasks_share_their_pairs(task):
    pairs = {"EE": {"towns": {"city": ["river"]}}, "EET": {"towns": {"city": ["hamlet"]}}}
    assert pairs_for(pairs, label_set(task), "mine.pin") == {"city": ["river", "hamlet"]}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"citty": ["river"]}, "mine.pin.NER.towns: no label is called 'citty'; did you mean city"),
        ({"city": ["river", "lake"]}, "no label is called 'lake'; known: city, hamlet, river, village"),
        ({"city": ["city"]}, "'city' is paired with itself"),
    ],
)
def test_invalid_pairs_are_refused(pairs, message):
    with pytest.raises(ConfigError, match=message):
        pairs_for({"NER": {"towns": pairs}}, label_set(), "mine.pin")


def test_pinned_labels_are_first_and_have_no_score():
    ranking = apply_pins(MINED, {"city": ["river", "village"]}, {}, 20).labels["city"]
    assert ranking == Ranking((Neighbour("river"), Neighbour("village"), Neighbour("hamlet", 0.5)))


def test_forbidden_labels_are_removed_and_not_replaced():
    ranking = apply_pins(MINED, {}, {"city": ["village"]}, 20).labels["city"]
    assert ranking == Ranking((Neighbour("hamlet", 0.5),), (Neighbour("river", -0.2),))
    assert as_mapping(apply_pins(MINED, {}, {"river": ["city"]}, 20))["river"] == []


def test_pins_displace_the_last_neighbours():
    assert apply_pins(MINED, {"city": ["river"]}, {}, 2).labels["city"] == Ranking(
        (Neighbour("river"), Neighbour("village", 0.9, {"name": 2.0})), (Neighbour("hamlet", 0.5),)
    )
    assert len(apply_pins(MINED, {"city": ["river"]}, {}, None).labels["city"].neighbours) == 3


def test_a_label_without_neighbours_can_be_pinned():
    assert as_mapping(apply_pins(MINED, {"hamlet": ["city"]}, {}, 20))["hamlet"] == ["city"]


def test_other_labels_are_unchanged():
    changed = apply_pins(MINED, {"city": ["river"]}, {"city": ["hamlet"]}, 20)
    assert changed.labels["river"] == MINED.labels["river"] and list(changed.labels) == ["city", "river"]
    assert apply_pins(MINED, {}, {}, 1) == MINED


def test_a_pair_both_pinned_and_forbidden_is_refused():
    with pytest.raises(ConfigError, match="both contain 'city': 'river'"):
        apply_pins(MINED, {"city": ["river"]}, {"city": ["river"]}, 20)


def test_more_pins_than_neighbours_are_refused():
    with pytest.raises(ConfigError, match=r"2 labels for 'city', but mine\.max_neighbours=1"):
        apply_pins(MINED, {"city": ["river", "hamlet"]}, {}, 1)
