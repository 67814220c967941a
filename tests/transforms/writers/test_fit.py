"""What is left out or changed for a format, counted by kind."""

import dataclasses
from collections import Counter

import pytest
from msgspec.structs import replace

from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from schemas.label import UnknownLabel
from transforms.writers import brat, fit
from transforms.writers.fit import Capacity, Labels

TEXT = "Ada Marrow of Coal Quay wrote to Ada."


def mention(string: str, start: int | None = None) -> Mention:
    start = TEXT.index(string) if start is None else start
    return Mention(string, ((start, start + len(string)),))


PERSON = Entity("person", mention("Ada Marrow"), "a", ("Q1", "wiki:Q1"))
PLACE = Entity("place", mention("Coal Quay"), "b")
BARE = Example("k/train/0", "K", "train", "en", TEXT, ("NER",), (PERSON, PLACE), None, None)
ALL = Capacity(relations=True, events=True, discontinuous=True, overlapping=True, concepts=True)


def fitted(example: Example, capacity: Capacity = ALL) -> tuple[Example, dict[str, int]]:
    counts: fit.Counts = Counter()
    return fit.fit(example, capacity, Labels(), counts), {kind: number for kind, number in counts.items() if number}


@pytest.mark.parametrize(
    ("entity", "capacity", "reason"),
    [
        (Entity("x", Mention("Ada")), ALL, fit.WITHOUT_OFFSETS),
        (Entity("x", Mention("Ada Coal", ((0, 3), (14, 18)))), Capacity(overlapping=True), fit.DISCONTINUOUS),
        (Entity("x", Mention("Ada Coal", ((0, 3), (14, 18)))), Capacity(offsets=False), fit.NOT_IN_TEXT),
        (Entity("x", mention(" ", 3)), ALL, fit.BLANK),
        (Entity("x", mention("Marrow")), Capacity(), fit.OVERLAPPING),
    ],
)
def test_a_mention_that_cannot_be_carried_is_left_out_and_counted(entity, capacity, reason):
    example, counts = fitted(replace(BARE, entities=(entity, replace(PERSON, concepts=()), PLACE)), capacity)
    assert [item.label for item in example.entities] == ["person", "place"] and counts == {reason: 1}


def test_the_longest_of_overlapping_mentions_is_kept_and_ties_go_to_the_first():
    entities = [
        Entity(string, mention(string)) for string in ("Ada", "Ada Marrow", "Marrow of", "of Coal", "Quay wrote")
    ]
    example, counts = fitted(replace(BARE, entities=tuple(entities)), Capacity())
    assert [item.label for item in example.entities] == ["Ada Marrow", "of Coal", "Quay wrote"]
    assert counts == {fit.OVERLAPPING: 2}


def test_concepts_need_the_form_of_the_format():
    example, counts = fitted(BARE)
    assert example.entities[0].concepts == ("wiki:Q1",) and counts == {fit.CONCEPTS: 1}
    assert fitted(BARE, Capacity())[1] == {fit.CONCEPTS: 2}


def test_ends_refer_to_entities_by_id_by_concept_or_by_place_or_become_entities():
    head = mention("Ada Marrow")
    relations = (
        Relation("by id", head, mention("Coal Quay"), None, None, "a", "b"),
        Relation("by concept", Mention("Ada"), Mention("Coal Quay"), None, None, "Q1", "b"),
        Relation("by place", head, mention("Coal Quay"), "person", "place"),
        Relation("new", head, mention("Ada", 33), "person", "author"),
        Relation("lost", head, Mention("Ada")),
    )
    example, counts = fitted(replace(BARE, relations=relations))
    ends = {item.label: (item.head_entity, item.tail_entity, item.tail_label) for item in example.relations}
    assert ends == {
        "by id": ("T1", "T2", "place"),
        "by concept": ("T1", "T2", "place"),
        "by place": ("T1", "T2", "place"),
        "new": ("T1", "T3", "author"),
    }
    assert example.entities[2] == Entity("author", mention("Ada", 33), "T3")
    assert counts == {fit.CONCEPTS: 1, fit.ADDED: 1, fit.WITHOUT_END: 1}


def test_layers_that_the_format_lacks_are_counted_by_item():
    relation = Relation("r", PERSON.mention, PLACE.mention, score=0.5)
    events = (Event("e", mention("wrote")), Event("e", None))
    unknown = (UnknownLabel("entities", "date"),)
    full = replace(BARE, entities=None, relations=(relation,), events=events, unknown_labels=unknown)
    example, counts = fitted(full, Capacity())
    assert (example.entities, example.relations, example.events) == (None, None, None)
    assert counts == {fit.RELATIONS: 1, fit.EVENTS: 2, fit.UNKNOWN_LABELS: 1}
    example, counts = fitted(full)
    assert len(example.events) == 1 and len(example.entities) == 2
    assert counts == {fit.SCORES: 1, fit.ADDED: 2, fit.WITHOUT_TRIGGER: 1, fit.UNKNOWN_LABELS: 1}


def test_labels_that_are_respelled_stay_different():
    labels, counts = Labels(), Counter()
    names = ["a b", "a_b", "a-b", "a/b", "x1", "x1", "人名", "地名", "é-"]
    spelled = [labels.spell(name, brat.respell, counts) for name in names]
    assert spelled == ["a_b", "a_b_2_", "a-b", "a_b_3_", "x1_", "x1_", "label", "label_2_", "e"]
    assert counts == {fit.RESPELLED: 7}
    assert labels.original["a_b_2_"] == "a_b"


def test_the_configuration_of_brat_names_types_and_their_uses():
    events = (Event("letter", mention("wrote"), (Argument("from", PERSON.mention, "a"),)),)
    relation = Relation("lives in", PERSON.mention, PLACE.mention, None, None, "a", "b")
    labels: Labels = Labels()
    capacity = dataclasses.replace(ALL, respell=brat.respell)
    example = fit.fit(replace(BARE, relations=(relation,), events=events), capacity, labels, Counter())
    assert brat.annotation_conf(labels) == (
        "[entities]\nperson\nplace\n\n[relations]\nlives_in\tArg1:person, Arg2:place\n\n"
        "[events]\nletter\tfrom*:person\n\n[attributes]\n"
    )
    assert "lives_in | lives in" in brat.visual_conf(labels)
    assert brat.annotations(example) == (
        "T1\tperson 0 10\tAda Marrow\nT2\tplace 14 23\tCoal Quay\nN1\tReference T1 wiki:Q1\tAda Marrow\n"
        "R1\tlives_in Arg1:T1 Arg2:T2\nT3\tletter 24 29\twrote\nE1\tletter:T3 from:T1\n"
    )
