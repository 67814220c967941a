"""Several annotators of a text: who is chosen, and how votes are counted."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.sources.annotators import by_text, choose
from pipelines.sources.source_yaml import SourceSettings
from pipelines.sources.user_data import source_without_files
from pipelines.stages.ingest import hash_split, hashed_split
from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import Argument, Event, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.annotated_texts import ADA, BO, MET, ROME, annotated, bare, relation


def run(records, **settings) -> tuple[list[RawExample], list[BadRecord]]:
    rows = list(choose(lambda: records, SourceSettings(**settings)))
    return [row for row in rows if isinstance(row, RawExample)], [row for row in rows if isinstance(row, BadRecord)]


ANN, BEN, GOLD = (
    annotated("ann", ("PER", ADA)),
    annotated("ben", ("PER", BO)),
    annotated("eve", ("LOC", ROME), is_gold=True),
)


@pytest.mark.parametrize(
    ("records", "annotators", "kept"),
    [
        ([ANN, BEN, GOLD], "gold", [GOLD]),
        ([ANN, BEN], "gold", [ANN]),
        ([bare("ann"), BEN], "gold", [BEN]),  # the first that annotated it
        ([replace(bare("ann"), is_gold=True), BEN], "gold", [BEN]),  # gold, but without annotations
        ([GOLD, replace(ANN, is_gold=True)], "gold", [GOLD]),
        ([ANN, BEN, GOLD], "first", [ANN]),
        ([bare(), BEN, GOLD], "first", [BEN]),
        ([ANN, BEN, GOLD], "all", [ANN, BEN, GOLD]),
        ([ANN, BEN, GOLD], "ben", [BEN]),
        ([ANN, replace(ANN, is_gold=True), BEN], "ann", [ANN]),
        ([ANN, replace(BEN, item="2")], "ben", [replace(BEN, item="2")]),
        ([ANN, BEN, bare(item="3")], "ben", [BEN, bare(item="3")]),  # nobody annotated text 3
        ([bare()], "gold", [bare()]),
        ([bare(), bare()], "gold", [bare()]),
        ([ANN, replace(ANN, text="Ada left.")], "gold", [ANN, replace(ANN, text="Ada left.")]),  # an id used twice
        ([replace(ANN, item=None), replace(BEN, item=None)], "gold", [replace(ANN, item=None)]),
        ([replace(ANN, item=None, annotator=None)] * 2, "gold", [replace(ANN, item=None, annotator=None)] * 2),
        ([replace(ANN, annotator=None), replace(BEN, annotator=None)], "gold", [replace(ANN, annotator=None)]),
        ([ANN, replace(ANN, item="2"), BEN], "gold", [replace(ANN, item="2"), ANN]),  # in two files
        ([], "gold", []),
    ],
)  # fmt: skip
def test_who_is_chosen(records, annotators, kept):
    chosen, dropped = run(records, annotators=annotators)
    assert chosen == kept
    assert len(chosen) + len(dropped) == len(records)
    assert {row.reason for row in dropped} <= {Reason.NOT_CHOSEN}


def test_bad_records_pass():
    bad = BadRecord("f:1", Reason.BROKEN_JSON, "x")
    assert list(choose(lambda: [ANN, bad, BEN], SourceSettings())) == [
        bad,
        ANN,
        BadRecord(
            "f:ben", Reason.NOT_CHOSEN, "the annotation of 'ben' is not taken (annotators: gold)", group=BEN.text
        ),
    ]


def test_an_annotator_that_nobody_is():
    with pytest.raises(SourceError, match="nobody is called 'bem'; known: 'ann', 'ben'"):
        run([ANN, BEN], annotators="bem")
    with pytest.raises(SourceError, match="the files name no annotator"):
        run([bare()], annotators="bem")


def test_adjacent_records_are_not_kept_in_memory():
    def records():
        yield from (ANN, BEN)
        yield replace(ANN, item="2")
        pytest.fail("read too far")

    rows = choose(records, SourceSettings(), adjacent=True)
    assert next(rows) == ANN


def test_records_without_annotators_are_not_kept_in_memory():
    def records():
        yield from (replace(ANN, annotator=None), replace(ANN, annotator=None, item="2"))
        pytest.fail("read too far")

    assert next(choose(records, SourceSettings())) == replace(ANN, annotator=None)


def test_only_shared_texts_wait_for_their_last_record():
    taken = []

    def records():
        for record in (ANN, replace(ANN, item="2"), replace(GOLD, item=None), BEN, replace(BEN, item="3")):
            taken.append(record)
            yield record

    rows = choose(records, SourceSettings())
    assert next(rows) == replace(ANN, item="2")
    assert len(taken) == 5 + 2  # the second time only as far as needed
    assert next(rows) == replace(GOLD, item=None)
    assert next(rows) == ANN
    assert len(taken) == 5 + 4


def test_texts_of_one_annotator_are_not_kept_in_memory():
    def records():
        return (RawExample("f:1", f"{n}" * 100_000, (), annotator="ann") for n in range(100, 150))

    tracemalloc.start()
    try:
        assert sum(1 for _ in choose(records, SourceSettings())) == 50
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # each text has 300,000 bytes


def test_texts_are_grouped_from_the_first_annotator_on():
    """Records without an annotator are grouped only with their neighbours, until one with an annotator follows."""
    first, second = replace(ANN, annotator=None), replace(BEN, annotator=None, item="2")
    groups = list(by_text(lambda: [first, second, replace(ANN, item="2"), BEN, replace(second, place="f:9")]))
    assert groups == [[first], [BEN], [second, replace(ANN, item="2"), replace(second, place="f:9")]]


def keys(record: RawExample) -> list[tuple[str, str]]:
    return [(entity.label, entity.mention.text) for entity in record.entities]


@pytest.mark.parametrize(
    ("least", "kept"),
    [
        (None, [("PER", "Ada")]),
        (1, [("PER", "Ada"), ("LOC", "Rome"), ("PER", "Bo"), ("ORG", "Rome"), ("PER", "Rome")]),
        (2, [("PER", "Ada"), ("LOC", "Rome")]),
        (3, [("PER", "Ada")]),
        (4, []),
    ],
)
def test_majority_of_four(least, kept):
    votes = [
        annotated("a", ("PER", ADA), ("LOC", ROME)),
        annotated("b", ("PER", ADA), ("LOC", ROME), ("PER", BO)),
        annotated("c", ("PER", ADA), ("PER", ADA), ("ORG", ROME)),
        annotated("d", ("PER", ROME)),
        bare("e"),  # not a vote
    ]
    (made,), dropped = run(votes, annotators="majority", min_annotators=least)
    assert keys(made) == kept
    assert [row.place for row in dropped] == ["f:bare"]  # the others were counted
    assert len(made.lost) == 5 - len(kept)
    assert made.annotator is None


def test_what_is_outvoted_is_lost():
    (made,), _ = run([ANN, BEN, annotated("c", ("PER", BO))], annotators="majority")
    assert keys(made) == [("PER", "Bo")]
    assert made.lost == (BadRecord("f:ann", Reason.NOT_CHOSEN, "'PER': 'Ada' is annotated by 1 of 3"),)


def test_a_label_about_which_half_of_the_annotators_disagree_is_unknown():
    (made,), dropped = run([annotated("a", ("PER", ADA), ("LOC", ROME)), ANN], annotators="majority")
    assert (keys(made), dropped) == ([("PER", "Ada")], [])
    assert made.lost[0].unknown == (UnknownLabel("entities", "LOC"),)
    (made,), _ = run([annotated("a", ("PER", ADA), ("LOC", ROME)), ANN, ANN], annotators="majority")
    assert made.lost[0].unknown == ()


@pytest.mark.parametrize(
    ("third", "types"),
    [([], ("PER", None)), ([("PER", ADA), ("LOC", ROME)], ("PER", "LOC")), ([("ORG", ROME)], ("PER", "ORG"))],
)
def test_the_entities_decide_the_types_of_the_ends_of_relations(third, types):
    """Two people disagree about the type of the tail, and agree about the relation."""
    votes = [
        annotated("a", ("PER", ADA), ("LOC", ROME), relations=(relation("0", "1"),)),
        annotated("b", ("PER", ADA), ("ORG", ROME), relations=(replace(relation("0", "1"), tail_label="ORG"),)),
    ]
    (made,), _ = run([*votes, *([annotated("c", *third, relations=())] if third else [])], annotators="majority")
    (kept,) = made.relations
    assert (kept.head_label, kept.tail_label) == types
    assert (kept.tail_entity is None) == (types[1] is None)


def test_what_is_not_chosen_is_of_the_split_of_its_text():
    _, dropped = run([replace(ANN, document="d"), replace(BEN, document="d")])
    assert [record.group for record in dropped] == ["d"]


def test_too_few_annotators_leave_the_layer_unknown():
    (made,), _ = run([ANN], annotators="majority", min_annotators=2)
    assert made.entities is None
    assert made.lost[0].detail == "only 1 of at least 2 annotators have entities of this text"


def test_relations_refer_to_the_united_entities():
    votes = [
        annotated("a", ("PER", ADA), ("LOC", ROME), relations=(relation("0", "1"),)),
        annotated("b", ("LOC", ROME), ("PER", ADA), relations=(relation("1", "0"), relation("1", "0", "hates"))),
        annotated("c", ("PER", BO), relations=()),
    ]
    (made,), _ = run(votes, annotators="majority")
    by_id = {entity.id: entity.mention.text for entity in made.entities}
    assert by_id == {"0": "Ada", "1": "Rome"}
    assert made.relations == (relation("0", "1"),)


def test_a_layer_is_voted_on_by_those_who_have_it():
    votes = [annotated("a", ("PER", ADA), relations=()), annotated("b", ("PER", ADA))]
    (made,), _ = run(votes, annotators="majority", min_annotators=2)
    assert (keys(made), made.relations) == ([("PER", "Ada")], None)


def meeting(*arguments: Mention, trigger: Mention | None = MET) -> Event:
    return Event("Meet", trigger, tuple(Argument("who", mention) for mention in arguments))


def test_arguments_are_voted_on():
    votes = [annotated(name, events=(meeting(*who),)) for name, who in (("a", [ADA, BO]), ("b", [ADA]), ("c", [BO]))]
    (made,), _ = run(votes, annotators="majority")
    assert made.events == (meeting(ADA, BO),)
    (made,), _ = run(votes[:2], annotators="majority")
    assert made.events == (meeting(ADA),)
    assert [part.detail for part in made.lost] == ["'who' of 'Meet': 'Bo' is annotated by 1 of 2"]


def test_events_of_one_trigger_are_not_mixed():
    votes = [annotated("a", events=(meeting(ADA), meeting(BO))), annotated("b", events=(meeting(ADA), meeting(ROME)))]
    (made,), _ = run(votes, annotators="majority")
    assert made.events == (meeting(ADA),)
    votes = [annotated(name, events=(meeting(who, trigger=None),)) for name, who in (("a", ADA), ("b", BO))]
    (made,), _ = run(votes, annotators="majority", min_annotators=1)
    assert made.events == (meeting(ADA, trigger=None), meeting(BO, trigger=None))


def test_unknown_labels_and_lost_parts_of_all_voters_are_kept():
    part = BadRecord("f:b", Reason.OFFSET_MISMATCH, "x", (UnknownLabel("entities", "LOC"),))
    votes = [replace(ANN, unknown_labels=(UnknownLabel("entities", "ORG"),)), replace(ANN, annotator="b", lost=(part,))]
    (made,), _ = run(votes, annotators="majority")
    assert (made.unknown_labels, made.lost) == ((UnknownLabel("entities", "ORG"),), (part,))


MENTIONS = st.sampled_from([ADA, MET, BO, ROME])
LABELS = st.sampled_from(["PER", "LOC"])
ENTITIES = st.none() | st.lists(st.tuples(LABELS, MENTIONS), max_size=4)
EVENTS = st.lists(
    st.builds(
        lambda label, trigger, who: Event(label, trigger, tuple(Argument("who", mention) for mention in who)),
        LABELS,
        st.none() | MENTIONS,
        st.lists(MENTIONS, max_size=2),
    ),
    max_size=3,
)


@st.composite
def record(draw) -> RawExample:
    items = draw(ENTITIES)
    name = draw(st.none() | st.sampled_from(["ann", "ben", "eve"]))
    row = annotated(
        name, *(items or ()), item=draw(st.none() | st.sampled_from(["1", "2"])), is_gold=draw(st.booleans())
    )
    if items is None:
        return replace(row, entities=None)
    ends = st.sampled_from(row.entities or (None,))
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=2)) if row.entities else []
    relations = tuple(Relation("r", h.mention, t.mention, h.label, t.label, h.id, t.id) for h, t in pairs)
    return replace(row, relations=relations, events=tuple(draw(EVENTS)))


def parts(row: RawExample) -> set[tuple]:
    """What a row says, without ids: an argument together with its event."""
    entities = {(item.label, item.mention) for item in row.entities or ()}
    relations = {(r.label, r.head, r.tail) for r in row.relations or ()}
    events = {(event.label, event.trigger) for event in row.events or ()}
    arguments = {(e.label, e.trigger, a.role, a.mention) for e in row.events or () for a in e.arguments}
    return entities | relations | events | arguments


@given(
    st.lists(record(), max_size=8),
    st.sampled_from(["gold", "first", "all", "majority"]),
    st.none() | st.integers(1, 3),
    st.booleans(),
)
def test_no_annotation_is_invented(records, annotators, least, adjacent):
    settings = SourceSettings(annotators=annotators, min_annotators=least)
    rows = list(choose(lambda: records, settings, adjacent))
    kept = [row for row in rows if isinstance(row, RawExample)]
    assert len(rows) == len(records) or annotators == "majority"
    for row in kept:
        sources = [each for each in records if (each.item, each.text) == (row.item, row.text)]
        assert parts(row) <= set().union(*map(parts, sources))
        by_id = {entity.id: entity for entity in row.entities or ()}
        assert len(by_id) == len(row.entities or ())
        for each in row.relations or ():
            for end, label, mention in (
                (each.head_entity, each.head_label, each.head),
                (each.tail_entity, each.tail_label, each.tail),
            ):
                assert end is not None or annotators == "majority"  # the type of the entity may be disputed
                assert end is None or (by_id[end].label, by_id[end].mention) == (label, mention)
        if row.relations is not None and annotators != "majority":
            assert any(row == each for each in records)


def test_a_record_that_is_not_chosen_is_counted_with_the_split_of_its_text():
    source = source_without_files("mine")
    for number in range(40):
        text = f"Ada met Bo in Rome {number}."
        _, dropped = run([replace(ANN, text=text), replace(BEN, text=text)])
        assert hashed_split(dropped[0], source) == hash_split(text, source.shares)
    assert hashed_split(BadRecord("f:1", Reason.BROKEN_JSON, "x"), source) == "train"
