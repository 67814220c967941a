from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.errors import Reason
from schemas.example import Argument, Entity, Event, Example, Mention, RawExample, Relation
from tests.strategies import raw_examples
from transforms.deduplicate import Drop, annotation_items, decide, text_key, unite

TEXT = "Ann met Bob in Bonn"
ANN, MET, BOB, BONN = (
    Mention("Ann", ((0, 3),)),
    Mention("met", ((4, 7),)),
    Mention("Bob", ((8, 11),)),
    Mention("Bonn", ((15, 19),)),
)


def made(entities=None, relations=None, events=None) -> Example:
    return Example("made/train/0", "Made", "train", "en", TEXT, ("NER",), entities, relations, events)


def drops(*rows: Example) -> list[Drop]:
    """Row n is (100 + n, n, items)."""
    return decide([(100 + n, n, annotation_items(row)) for n, row in enumerate(rows)])


def test_text_key_is_of_the_exact_text():
    assert len(text_key("Straße 𝒜")) == 16
    assert len({text_key(text) for text in ("ab", "a b", "Ab", "ab ")}) == 4


def test_exact_duplicates_keep_the_first():
    row = made((Entity("person", ANN), Entity("person", BOB)))
    turned = made((Entity("person", BOB), Entity("person", ANN), Entity("person", ANN)))
    assert drops(row, turned, row) == [Drop(101, Reason.DUPLICATE, 0), Drop(102, Reason.DUPLICATE, 0)]
    assert decide([(5, 9, []), (6, 2, []), (7, 4, [])]) == [Drop(5, Reason.DUPLICATE, 2), Drop(7, Reason.DUPLICATE, 2)]


def test_rows_that_label_one_place_differently_are_all_dropped():
    row = made((Entity("person", ANN), Entity("place", BONN)))
    other = made((Entity("name", ANN),))
    third = made((Entity("place", BONN),))
    assert drops(row, third, other, other) == [
        Drop(100, Reason.CONTRADICTION, 2),
        Drop(102, Reason.CONTRADICTION, 0),
        Drop(103, Reason.DUPLICATE, 2),
    ]


def test_the_row_named_is_the_earliest_that_contradicts():
    first = made((Entity("place", BONN),))
    second = made((Entity("person", ANN),))
    third = made((Entity("name", ANN), Entity("town", BONN)))
    assert drops(first, second, third) == [
        Drop(100, Reason.CONTRADICTION, 2),
        Drop(101, Reason.CONTRADICTION, 2),
        Drop(102, Reason.CONTRADICTION, 0),
    ]
    assert drops(second, first, third)[2] == Drop(102, Reason.CONTRADICTION, 0)


def test_several_labels_in_one_row_are_a_set():
    both = made((Entity("person", ANN), Entity("name", ANN)))
    turned = made((Entity("name", ANN), Entity("person", ANN)))
    one = made((Entity("name", ANN),))
    assert drops(both) == []
    assert drops(both, turned) == [Drop(101, Reason.DUPLICATE, 0)]
    assert [drop.reason for drop in drops(both, one)] == [Reason.CONTRADICTION] * 2


def test_what_differs_elsewhere_is_kept():
    assert drops(made((Entity("person", ANN),)), made((Entity("person", BOB),)), made(())) == []
    # The same string at another place, and as a string only, are other places.
    bare, moved = Mention("Ann"), Mention("Ann", ((4, 7),))
    assert drops(made((Entity("a", ANN),)), made((Entity("b", bare),)), made((Entity("c", moved),))) == []


def test_relations_contradict_by_pair_in_order():
    def row(label, head=ANN, tail=BOB, kind=None):
        return made(None, (Relation(label, head, tail, kind, None),))

    assert [drop.reason for drop in drops(row("knows"), row("likes"))] == [Reason.CONTRADICTION] * 2
    assert [drop.reason for drop in drops(row("knows"), row("knows", kind="person"))] == [Reason.CONTRADICTION] * 2
    assert drops(row("knows"), row("likes", BOB, ANN)) == []


def test_events_contradict_by_trigger_and_arguments_by_trigger_and_mention():
    def row(label, *arguments, trigger=MET):
        return made(None, None, (Event(label, trigger, tuple(Argument(role, mention) for role, mention in arguments)),))

    contradiction = [Reason.CONTRADICTION] * 2
    assert [drop.reason for drop in drops(row("meet"), row("fight"))] == contradiction
    assert [drop.reason for drop in drops(row("meet", ("a", ANN)), row("meet", ("b", ANN)))] == contradiction
    assert drops(row("meet", ("a", ANN)), row("meet", ("b", BOB))) == []
    assert drops(row("meet", trigger=None), row("fight", trigger=None)) == []
    untyped = row("meet", ("a", ANN), trigger=None), row("meet", ("b", ANN), trigger=None)
    assert [drop.reason for drop in drops(*untyped)] == contradiction


def test_layers_and_unknown_ones_do_not_mix():
    assert annotation_items(made(None)) == annotation_items(made(())) == []
    entity, event = made((Entity("x", MET),)), made(None, None, (Event("y", MET),))
    assert drops(entity, event) == []
    assert {len(part) for item in annotation_items(entity) for part in item} == {8}


ITEMS = st.lists(st.tuples(st.sampled_from([b"p", b"q", b"r"]), st.sampled_from([b"1", b"2"])), max_size=4)


@given(st.lists(ITEMS.map(lambda items: sorted(set(items))), max_size=6), st.randoms())
def test_what_stays_is_unique_and_free_of_contradiction(items, random):
    rows = [(n, n, found) for n, found in enumerate(items)]
    assert decide(random.sample(rows, len(rows))) == decide(rows)
    out = {drop.ordinal: drop for drop in decide(rows)}

    def contradict(one, other):
        labels = [{place: {lab for p, lab in found if p == place} for place, _ in found} for found in (one, other)]
        return any(labels[0][place] != labels[1][place] for place in labels[0].keys() & labels[1].keys())

    for n, found in enumerate(items):
        expected = None
        if found in items[:n]:
            expected = Reason.DUPLICATE
        elif any(contradict(found, other) for other in items):
            expected = Reason.CONTRADICTION
        assert (out[n].reason if n in out else None) == expected


def test_unite_joins_the_rows_of_a_sentence():
    knows, likes = Relation("knows", ANN, BOB), Relation("likes", BOB, ANN)
    rows = [
        RawExample("f:1", TEXT, None, (knows,)),
        RawExample("f:2", "Another sentence .", None, ()),
        RawExample("f:3", TEXT, (Entity("person", ANN),), (likes, knows)),
    ]
    assert unite(rows) == [RawExample("f:1", TEXT, (Entity("person", ANN),), (knows, likes)), rows[1]]


@settings(max_examples=50)
@given(st.lists(raw_examples(text=st.sampled_from(["a b", "c d e"]), max_size=2), max_size=4))
def test_unite_loses_no_annotation(rows):
    united = unite(rows)
    assert [row.text for row in united] == list(dict.fromkeys(row.text for row in rows))
    for name in ("entities", "relations", "events"):
        before = {(row.text, item) for row in rows for item in getattr(row, name) or ()}
        after = [(row.text, item) for row in united for item in getattr(row, name) or ()]
        assert set(after) == before
    assert unite(united) == united
    assert unite([replace(row, text=f"{n}") for n, row in enumerate(rows)]) == [
        replace(row, text=f"{n}") for n, row in enumerate(rows)
    ]
