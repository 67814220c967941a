from itertools import chain
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Example, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.strategies import SPANNED_MENTIONS, assert_references_hold, examples, raw_examples
from transforms.deduplicate import Decision, SameText, annotation_items, decide, text_key, unite, united

TEXT = "Ann met Bob in Bonn"
ANN, MET, BOB, BONN = (
    Mention("Ann", ((0, 3),)),
    Mention("met", ((4, 7),)),
    Mention("Bob", ((8, 11),)),
    Mention("Bonn", ((15, 19),)),
)


def made(entities=(), relations=(), events=(), tasks=("NER",)) -> Example:
    return Example("made/train/0", "Made", "train", "en", TEXT, tasks, entities, relations, events)


def decided(same_text: SameText, *rows: Example) -> list[Decision]:
    """Row n is (100 + n, n, items)."""
    return decide([(100 + n, n, annotation_items(row)) for n, row in enumerate(rows)], same_text)


def drops(*rows: Example) -> list[Decision]:
    """The decisions if rows with different annotations are kept."""
    return [decision for decision in decided("report", *rows) if not decision.stays]


def test_text_key_depends_on_the_exact_text():
    assert len(text_key("Straße 𝒜")) == 16
    assert len({text_key(text) for text in ("ab", "a b", "Ab", "ab ")}) == 4


def test_the_first_of_exact_duplicates_is_kept():
    row = made((Entity("person", ANN), Entity("person", BOB)))
    turned = made((Entity("person", BOB), Entity("person", ANN), Entity("person", ANN)))
    assert drops(row, turned, row) == [Decision(101, Reason.DUPLICATE, 0), Decision(102, Reason.DUPLICATE, 0)]
    turned = [(5, 9, []), (6, 2, []), (7, 4, [])]
    expected = [Decision(5, Reason.DUPLICATE, 2), Decision(7, Reason.DUPLICATE, 2)]
    assert all(decide(turned, same_text) == expected for same_text in get_args(SameText))


def test_rows_with_contradicting_labels_are_all_dropped():
    row = made((Entity("person", ANN), Entity("place", BONN)))
    other = made((Entity("name", ANN),))
    third = made((Entity("place", BONN),))
    assert drops(row, third, other, other) == [
        Decision(100, Reason.CONTRADICTION, 2),
        Decision(102, Reason.CONTRADICTION, 0),
        Decision(103, Reason.DUPLICATE, 2),
    ]


def test_a_contradiction_names_the_earliest_other_row():
    first = made((Entity("place", BONN),))
    second = made((Entity("person", ANN),))
    third = made((Entity("name", ANN), Entity("town", BONN)))
    assert drops(first, second, third) == [
        Decision(100, Reason.CONTRADICTION, 2),
        Decision(101, Reason.CONTRADICTION, 2),
        Decision(102, Reason.CONTRADICTION, 0),
    ]
    assert drops(second, first, third)[2] == Decision(102, Reason.CONTRADICTION, 0)


def test_several_labels_in_one_row_are_a_set():
    both = made((Entity("person", ANN), Entity("name", ANN)))
    turned = made((Entity("name", ANN), Entity("person", ANN)))
    one = made((Entity("name", ANN),))
    assert drops(both) == []
    assert drops(both, turned) == [Decision(101, Reason.DUPLICATE, 0)]
    assert [drop.reason for drop in drops(both, one)] == [Reason.CONTRADICTION] * 2


def test_labels_at_different_positions_do_not_contradict():
    assert drops(made((Entity("person", ANN),)), made((Entity("person", BOB),)), made(())) == []
    # The same string at another offset, and without an offset, are different positions.
    bare, moved = Mention("Ann"), Mention("Ann", ((4, 7),))
    assert drops(made((Entity("a", ANN),)), made((Entity("b", bare),)), made((Entity("c", moved),))) == []


def test_relations_contradict_by_pair_in_order():
    def row(label, head=ANN, tail=BOB, kind=None):
        return made((), (Relation(label, head, tail, kind, None),))

    assert [drop.reason for drop in drops(row("knows"), row("likes"))] == [Reason.CONTRADICTION] * 2
    assert [drop.reason for drop in drops(row("knows"), row("knows", kind="person"))] == [Reason.CONTRADICTION] * 2
    assert drops(row("knows"), row("likes", BOB, ANN)) == []


def test_events_contradict_by_trigger_and_arguments_by_mention():
    def row(label, *arguments, trigger=MET):
        return made((), (), (Event(label, trigger, tuple(Argument(role, mention) for role, mention in arguments)),))

    contradiction = [Reason.CONTRADICTION] * 2
    assert [drop.reason for drop in drops(row("meet"), row("fight"))] == contradiction
    assert [drop.reason for drop in drops(row("meet", ("a", ANN)), row("meet", ("b", ANN)))] == contradiction
    assert drops(row("meet", ("a", ANN)), row("meet", ("b", BOB))) == []
    assert drops(row("meet", trigger=None), row("fight", trigger=None)) == []
    untyped = row("meet", ("a", ANN), trigger=None), row("meet", ("b", ANN), trigger=None)
    assert [drop.reason for drop in drops(*untyped)] == contradiction


def test_layers_are_compared_separately():
    entity, event = made((Entity("x", MET),)), made((), (), (Event("y", MET),))
    assert drops(entity, event) == []
    assert {len(part) for item in annotation_items(entity) for part in item} == {8}


def test_an_empty_layer_is_not_a_duplicate_of_an_unknown_layer():
    unknown = made((Entity("person", ANN),), None, None)
    assert drops(unknown, made((Entity("person", ANN),))) == []
    assert drops(made(tasks=("NER",)), made(tasks=("RE",))) == []
    assert drops(made(None, None, None), made(None, None, None)) == [Decision(101, Reason.DUPLICATE, 0)]


def test_three_differing_annotations_of_one_text():
    first, second, third = made((Entity("person", ANN),)), made((Entity("person", BOB),)), made()
    taken_up = [Decision(101, Reason.SAME_TEXT_UNITED, 0), Decision(102, Reason.SAME_TEXT_UNITED, 0)]
    others = [(100, 1), (101, 0), (102, 0)]
    assert decided("unite", first, second, third) == taken_up
    assert decided("drop", first, second, third) == [Decision(n, Reason.SAME_TEXT, other) for n, other in others]
    assert decided("report", first, second, third) == [
        Decision(n, Reason.SAME_TEXT, other, stays=True) for n, other in others
    ]


def test_a_majority_does_not_decide_a_contradiction():
    one, other, silent = made((Entity("person", ANN),)), made((Entity("name", ANN),)), made()
    contradictions = [Decision(100, Reason.CONTRADICTION, 2), Decision(102, Reason.CONTRADICTION, 0)]
    assert decided("unite", one, one, other) == [
        contradictions[0], Decision(101, Reason.DUPLICATE, 0), contradictions[1],
    ]  # fmt: skip
    whole = [*contradictions, Decision(103, Reason.SAME_TEXT, 0)]
    assert decided("unite", one, one, other, silent)[::2] == [contradictions[0], contradictions[1]]
    assert decided("unite", one, one, other, silent)[3] == whole[2]  # it would contradict the annotations of Ann
    assert decided("drop", one, one, other, silent)[3] == whole[2]
    assert [decision.ordinal for decision in decided("report", one, one, other, silent)] == [100, 101, 102]


ITEMS = st.lists(st.tuples(st.sampled_from([b"p", b"q", b"r"]), st.sampled_from([b"1", b"2"])), max_size=4)


@given(
    st.lists(ITEMS.map(lambda items: sorted(set(items))), max_size=6), st.sampled_from(get_args(SameText)), st.randoms()
)
def test_kept_rows_do_not_contradict_other_rows(items, same_text, random):
    rows = [(n, n, annotated) for n, annotated in enumerate(items)]
    assert decide(random.sample(rows, len(rows)), same_text) == decide(rows, same_text)
    out = {decision.ordinal: decision for decision in decide(rows, same_text)}
    assert len(out) == len(decide(rows, same_text))

    def contradict(one, other):
        labels = [{place: {lab for p, lab in pairs if p == place} for place, _ in pairs} for pairs in (one, other)]
        return any(labels[0][place] != labels[1][place] for place in labels[0].keys() & labels[1].keys())

    unlike = [annotated for n, annotated in enumerate(items) if annotated not in items[:n]]
    disagree = any(contradict(one, other) for one in unlike for other in unlike)
    for n, annotated in enumerate(items):
        if annotated in items[:n]:
            assert out[n] == Decision(n, Reason.DUPLICATE, items.index(annotated))
        elif any(contradict(annotated, other) for other in items):
            assert out[n].reason == Reason.CONTRADICTION and contradict(annotated, items[out[n].position])
        elif len(unlike) == 1:
            assert n not in out
        elif same_text == "drop" or (same_text == "unite" and disagree):
            assert out[n].reason == Reason.SAME_TEXT and items[out[n].position] != annotated
        elif same_text == "unite":
            assert (n not in out) if n == 0 else (out[n] == Decision(n, Reason.SAME_TEXT_UNITED, 0))
        else:
            alone = sum(not any(contradict(one, other) for other in unlike) for one in unlike) == 1
            assert (n not in out) if alone else (out[n].reason == Reason.SAME_TEXT and out[n].stays)
    kept = [n for n in range(len(items)) if n not in out or out[n].stays]
    if same_text != "report":
        assert len(kept) <= 1
        assert bool(kept) == (len(unlike) == 1 or (same_text == "unite" and len(unlike) > 0 and not disagree))


ONE_TEXT = st.lists(examples(st.just("a rat. Bo"), SPANNED_MENTIONS), min_size=1, max_size=4)


@given(ONE_TEXT)
def test_a_united_row_has_exactly_the_annotations_of_its_rows(rows):
    both = united(rows)
    tasks = {item for task in ("NER", "RE", "SPO", "EE", "EET", "EEA", "KG")
             for item in annotation_items(replace(made(None, None, None), tasks=(task,)))}  # fmt: skip
    assert set(annotation_items(both)) - tasks == set(chain.from_iterable(map(annotation_items, rows))) - tasks
    assert (both.id, both.text, both.split) == (rows[0].id, rows[0].text, rows[0].split)
    assert united([both, *rows]) == both
    assert_references_hold(both)
    assert set(both.unknown_labels) == {label for row in rows for label in row.unknown_labels}
    again = united([rows[0], *reversed(rows[1:])])
    assert [set(layer) for layer in plain_layers(again)] == [set(layer) for layer in plain_layers(both)]
    assert named_concepts([again]) == named_concepts([both]) == named_concepts(rows)


def plain_layers(row) -> list[list]:
    """The entities and relations of a row, without ids, concepts, references and scores."""
    entities = [replace(entity, id=None, concepts=()) for entity in row.entities or ()]
    return [entities, [replace(r, head_entity=None, tail_entity=None, score=None) for r in row.relations or ()]]


def named_concepts(rows) -> set[tuple]:
    return {(e.label, e.mention, concept) for row in rows for e in row.entities or () for concept in e.concepts}


@pytest.mark.parametrize("references", [(None, "T1"), ("T1", None)])
def test_a_repeated_argument_keeps_its_entity_reference(references):
    entity = Entity("person", ANN, "T1")
    rows = [made((entity,), None, (Event("meet", MET, (Argument("who", ANN, name),)),)) for name in references]
    (event,) = united(rows).events
    assert event.arguments == (Argument("who", ANN, "T1"),)


@pytest.mark.parametrize(
    ("scores", "highest"), [((0.25, 0.75), 0.75), ((0.75, 0.25), 0.75), ((None, 0.0), 0.0), ((0.5, None), 0.5)]
)
def test_a_united_relation_has_its_highest_score(scores, highest):
    rows = [made(None, (Relation("knows", ANN, BOB, score=score),), None) for score in scores]
    assert united(rows).relations == (Relation("knows", ANN, BOB, score=highest),)


def test_united_rows_have_unique_ids_and_valid_references():
    rows = [
        made(
            (Entity("person", ANN, "T1", ("Q1",)), Entity("person", BOB, "T1_2")), (Relation("knows", ANN, BOB),), None
        ),
        made(
            (Entity("person", BOB, "T1"), Entity("place", BONN, "T1_2"), Entity("person", ANN, "T7", ("Q2",))),
            (Relation("knows", ANN, BOB, None, None, "T7", "T1"), Relation("in", BOB, BONN, None, None, "Q2", "T1_2")),
            (Event("meet", MET, (Argument("who", BOB, "T1"),)),),
        ),
        made((Entity("person", MET, "T1"),), (), (Event("meet", MET, (Argument("who", MET, "T1"),)),)),
    ]
    both = united(rows)
    assert both.entities == (
        Entity("person", ANN, "T1", ("Q1", "Q2")),
        Entity("person", BOB, "T1_2"),
        Entity("place", BONN, "T1_2_2"),
        Entity("person", MET, "T1_3"),
    )
    assert both.relations == (
        Relation("knows", ANN, BOB, None, None, "T1", "T1_2"),
        Relation("in", BOB, BONN, None, None, "Q2", "T1_2_2"),
    )
    assert both.events == (Event("meet", MET, (Argument("who", BOB, "T1_2"), Argument("who", MET, "T1_3"))),)


@pytest.mark.parametrize(
    ("same_text", "reasons"),
    [
        ("unite", [Reason.SAME_TEXT_UNITED]),
        ("drop", [Reason.SAME_TEXT] * 2),
        ("report", [Reason.SAME_TEXT] * 2),
    ],
)
def test_unknown_labels_are_neither_duplicates_nor_contradictions(same_text, reasons):
    known = made((Entity("person", ANN),))
    unknown = replace(known, unknown_labels=(UnknownLabel("entities", "person"),))
    assert [decision.reason for decision in decided(same_text, known, unknown)] == reasons
    assert united([known, unknown]) == united([unknown, known]) == unknown
    assert [decision.reason for decision in decided(same_text, unknown, unknown)] == [Reason.DUPLICATE]


def test_rows_that_differ_only_in_ids_and_concepts_are_duplicates():
    rows = made((Entity("person", ANN, "T1", ("Q1",)),)), made((Entity("person", ANN, "T2"),))
    assert [decision.reason for decision in decided("unite", *rows)] == [Reason.DUPLICATE]


@pytest.mark.parametrize(
    ("rows", "tasks", "known"),
    [
        ([made((), None, None, ("NER",)), made(None, (), None, ("RE",))], ("NER", "RE"), [True, True, False]),
        ([made(None, None, None, ("NER", "RE")), made((), None, None, ("NER",))], ("NER",), [True, False, False]),
        ([made(None, None, None, ("NER", "RE"))] * 2, ("NER", "RE"), [False, False, False]),
    ],
)
def test_a_layer_is_unknown_if_unknown_in_every_row(rows, tasks, known):
    both = united(rows)
    assert both.tasks == tasks
    assert [layer is not None for layer in (both.entities, both.relations, both.events)] == known


def test_events_with_one_trigger_are_merged_if_unambiguous():
    def event(label, *mentions, trigger=MET):
        return Event(label, trigger, tuple(Argument("who", mention) for mention in mentions))

    def events(*rows):
        return united([made((), (), row) for row in rows]).events

    assert events([event("meet", ANN)], [event("meet", BOB, ANN)], []) == (event("meet", ANN, BOB),)
    assert events([event("meet", ANN)], [event("fight", BOB)]) == (event("meet", ANN), event("fight", BOB))
    two = (event("meet", ANN), event("meet", BOB))
    assert events(two, [event("meet", ANN, BOB)]) == (*two, event("meet", ANN, BOB))
    bare = [event("meet", ANN, trigger=None)], [event("meet", BOB, trigger=None)]
    assert events(*bare) == (*bare[0], *bare[1])


def test_lost_parts_are_kept_when_rows_are_united():
    lost = [BadRecord(f"f:{n}", Reason.OFFSET_MISMATCH, "an argument") for n in (1, 2)]
    rows = [RawExample(f"f:{n}", TEXT, lost=(bad,)) for n, bad in enumerate(lost, 1)]
    assert unite(rows) == [RawExample("f:1", TEXT, lost=tuple(lost))]


def test_unite_joins_the_rows_of_a_sentence():
    knows, likes = Relation("knows", ANN, BOB), Relation("likes", BOB, ANN)
    rows = [
        RawExample("f:1", TEXT, None, (knows,)),
        RawExample("f:2", "Another sentence .", None, ()),
        RawExample("f:3", TEXT, (Entity("person", ANN),), (likes, knows)),
    ]
    assert unite(rows) == [RawExample("f:1", TEXT, (Entity("person", ANN),), (knows, likes)), rows[1]]


def annotations(rows) -> set[tuple]:
    """(text, annotation) of all rows; arguments are separate, with the label and trigger of their event."""
    items = {(row.text, item) for row in rows for layer in plain_layers(row) for item in layer}
    for row in rows:
        for event in row.events or ():
            items.add((row.text, event.label, event.trigger))
            arguments = [(argument.role, argument.mention) for argument in event.arguments]
            items.update((row.text, event.label, event.trigger, *argument) for argument in arguments)
    return items


@settings(max_examples=50)
@given(st.lists(raw_examples(text=st.sampled_from(["a b", "c d e"]), max_size=2), max_size=4))
def test_unite_loses_no_annotation(rows):
    united = unite(rows)
    assert [row.text for row in united] == list(dict.fromkeys(row.text for row in rows))
    assert annotations(united) == annotations(rows)
    assert unite(united) == united
    assert unite([replace(row, text=f"{n}") for n, row in enumerate(rows)]) == [
        replace(row, text=f"{n}") for n, row in enumerate(rows)
    ]
