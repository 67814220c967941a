"""Label maps and offsets: what is repaired, left out or refused."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from schemas.label import Label, OpenLabels, UnknownLabel, named_roles
from transforms.normalize import normalize

TEXT = "Ada met Bo in Rome, and Bo left."
TYPES = {"PER": Label("person"), "LOC": Label("place"), "O": None}
RELATIONS = {"/loc": Label("located in"), "NA": None}
EVENTS = {"Meet": Label("meeting", roles=named_roles(("guest", "host place")))}
ROLES = {"Guest": "guest", "Place": "host place"}


def run(**layers):
    return normalize(RawExample("f:1", TEXT, **layers), TYPES, RELATIONS, EVENTS, ROLES)


def entity(start: int, end: int, text: str, label: str = "PER") -> Entity:
    return Entity(label, Mention(text, ((start, end),)))


def test_labels_become_prompt_words_and_unmapped_ones_are_removed():
    made = run(
        entities=(entity(0, 3, "Ada"), entity(8, 10, "Bo", "O")),
        relations=(
            Relation("/loc", Mention("Bo"), Mention("Rome"), "PER", "LOC"),
            Relation("NA", Mention("Ada"), Mention("Bo")),
        ),
        events=(Event("Meet", Mention("met", ((4, 7),)), (Argument("Place", Mention("Rome", ((14, 18),))),)),),
    )
    assert made.entities == (Entity("person", Mention("Ada", ((0, 3),))),)
    assert made.relations == (Relation("located in", Mention("Bo"), Mention("Rome"), "person", "place"),)
    assert made.events == (
        Event("meeting", Mention("met", ((4, 7),)), (Argument("host place", Mention("Rome", ((14, 18),))),)),
    )


def test_unknown_layers_remain_unknown():
    assert run() == RawExample("f:1", TEXT, None, None, None)
    assert run(entities=()).entities == ()


@pytest.mark.parametrize(
    ("start", "end", "text", "span"),
    [
        (8, 10, "Bo", (8, 10)),
        (9, 11, "Bo", (8, 10)),  # shifted by one
        (6, 8, "Bo", (8, 10)),  # by two
        (8, 9, "Bo", (8, 10)),  # an inclusive end
        (3, 5, "Bo", (8, 10)),  # by five, the maximum
        (20, 22, "Bo", (24, 26)),  # the nearer of two
        (16, 18, "Bo", None),  # both too far
        (8, 10, "Cy", None),
        (14, 18, "Ro", (14, 16)),
        (8, 16, "Bo", None),  # a truncated mention text
        (-3, -1, "ft", None),  # Python would count from the end
        (0, 0, "Ada", None),  # an empty span
    ],
)
def test_offsets_are_repaired_within_five_characters(start, end, text, span):
    made = run(entities=(entity(start, end, text),))
    if span is None:
        assert isinstance(made, BadRecord) and made.reason == Reason.OFFSET_MISMATCH
    else:
        assert made.entities[0].mention == Mention(text, (span,))


@pytest.mark.parametrize(
    "spans", [((8, 10), (0, 3)), ((0, 3), (2, 5)), ((0, 3), (-24, -22)), ((0, 3), (3, 3), (8, 10))]
)
def test_spans_must_be_ordered_and_within_the_text(spans):
    mention = Mention(" ".join(TEXT[s:e] for s, e in spans), spans)
    assert run(entities=(Entity("PER", mention),)).reason == Reason.OFFSET_MISMATCH


def test_ordered_spans_are_kept():
    mention = Mention("Ada Bo", ((0, 3), (8, 10)))
    assert run(entities=(Entity("PER", mention),)).entities[0].mention == mention


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({"entities": (entity(0, 3, "Ada", "MISC"),)}, Reason.UNKNOWN_LABEL),
        ({"relations": (Relation("/x", Mention("Bo"), Mention("Rome")),)}, Reason.UNKNOWN_LABEL),
        ({"events": (Event("Part", None),)}, Reason.UNKNOWN_LABEL),
        ({"events": (Event("Meet", None, (Argument("Time", Mention("Rome")),)),)}, Reason.UNKNOWN_LABEL),
        ({"entities": (Entity("PER", Mention(" ")),)}, Reason.MISSING_FIELD),
        ({"entities": (Entity("PER", Mention("A\udce4a")),)}, Reason.NOT_UTF8),
    ],
)
def test_a_bad_record_has_its_place(layers, reason):
    made = run(**layers)
    assert (made.place, made.reason) == ("f:1", reason)


@pytest.mark.parametrize(("text", "reason"), [(" \t", Reason.EMPTY_TEXT), ("b\udce4d", Reason.NOT_UTF8)])
def test_a_text_is_refused(text, reason):
    assert normalize(RawExample("f:1", text), {}, {}, {}, {}).reason == reason


PLACES = "Ada met Bo in Rome, and Bo left for Ostia. 她在奥斯陆。"


@pytest.mark.parametrize(
    ("start", "end", "string", "place"),
    [
        (14, 18, "Rome", (14, 18)),
        (16, 20, "Rome", (14, 18)),
        (60, 64, "Rome", (14, 18)),  # far off, but the only occurrence
        (900, 904, "Rome", (14, 18)),
        (-9, -5, "Rome", (14, 18)),
        (0, 3, "奥斯陆", (45, 48)),
        (60, 62, "Bo", None),  # two occurrences
        (60, 64, "Oslo", None),
        (60, 62, "me", None),  # part of a word
        (60, 62, "Ro", None),
        (0, 30, "Rome", None),  # the string was truncated, or the span belongs to another mention
        (0, 0, " ", None),
        (0, 0, "", None),
    ],
)
def test_only_an_argument_with_wrong_offsets_is_lost(start, end, string, place):
    guest = Argument("Guest", Mention("Ada", ((0, 3),)))
    other = Argument("Place", Mention(string, ((start, end),)))
    events = tuple(Event("Meet", Mention("met", ((4, 7),)), arguments) for arguments in ((guest, other), (guest,)))
    before = BadRecord("f:1", Reason.MENTION_NOT_IN_TEXT, "lost by the reader")
    made = normalize(RawExample("f:1", PLACES, events=events, lost=(before,)), {}, {}, EVENTS, ROLES)
    kept = Argument("guest", guest.mention)
    moved = () if place is None else (Argument("host place", Mention(string, (place,))),)
    assert [event.arguments for event in made.events] == [(kept, *moved), (kept,)]
    assert made.lost[0] == before
    reason = Reason.OFFSET_MISMATCH if string.strip() else Reason.MISSING_FIELD
    assert [(bad.place, bad.reason) for bad in made.lost[1:]] == ([] if place else [("f:1", reason)])


def test_discontinuous_arguments_are_not_moved():
    pieces = Argument("Place", Mention("Ada Rome", ((0, 3), (15, 19))))
    made = normalize(RawExample("f:1", PLACES, events=(Event("Meet", None, (pieces,)),)), {}, {}, EVENTS, ROLES)
    assert made.events == (Event("meeting", None),)
    assert [bad.reason for bad in made.lost] == [Reason.OFFSET_MISMATCH]


FAR = Mention("Rome", ((60, 64),))


@pytest.mark.parametrize(
    "layers",
    [
        {"entities": (Entity("LOC", FAR),)},
        {"relations": (Relation("/loc", FAR, Mention("Bo")),)},
        {"relations": (Relation("/loc", Mention("Bo"), FAR),)},
        {"events": (Event("Meet", FAR),)},
    ],
)
def test_other_wrong_offsets_reject_the_record(layers):
    assert run(**layers).reason == Reason.OFFSET_MISMATCH


ADA, BO, ROME = Mention("Ada", ((0, 3),)), Mention("Bo", ((8, 10),)), Mention("Rome", ((14, 18),))


def test_ids_concepts_and_references_are_kept():
    made = run(
        entities=(Entity("PER", ADA, "T1", ("Q7259",)), Entity("LOC", ROME, "T2", ("Q220", "Q1"))),
        relations=(Relation("/loc", ADA, ROME, "PER", "LOC", "T1", "Q220"),),
        events=(Event("Meet", None, (Argument("Guest", ADA, "T1"),)),),
    )
    assert made.entities == (Entity("person", ADA, "T1", ("Q7259",)), Entity("place", ROME, "T2", ("Q220", "Q1")))
    assert made.relations == (Relation("located in", ADA, ROME, "person", "place", "T1", "Q220"),)
    assert made.events[0].arguments == (Argument("guest", ADA, "T1"),)


def test_references_to_a_removed_entity_are_removed():
    made = run(
        entities=(Entity("O", ADA, "T1"), Entity("O", BO, "T2", ("Q1",)), Entity("PER", BO, "T3", ("Q1",))),
        relations=(Relation("/loc", ADA, BO, head_entity="T1", tail_entity="Q1"),),
        events=(Event("Meet", None, (Argument("Guest", ADA, "T1"),)),),
    )
    assert made.entities == (Entity("person", BO, "T3", ("Q1",)),)
    assert made.relations == (Relation("located in", ADA, BO, head_entity=None, tail_entity="Q1"),)
    assert made.events[0].arguments == (Argument("guest", ADA),) and not made.lost


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({"entities": (Entity("PER", ADA, "T1"), Entity("PER", BO, "T1"))}, Reason.BROKEN_RECORD),
        ({"entities": (Entity("PER", ADA, "T1"), Entity("O", BO, "T1"))}, Reason.BROKEN_RECORD),
        ({"entities": (Entity("PER", ADA, "T\udce9"),)}, Reason.NOT_UTF8),
        ({"entities": (Entity("PER", ADA, None, ("Q\udce9",)),)}, Reason.NOT_UTF8),
        ({"relations": (Relation("/loc", ADA, ROME, head_entity="T1"),)}, Reason.MISSING_FIELD),
        (
            {"entities": (Entity("PER", ADA, "T1"),), "relations": (Relation("/loc", ADA, ROME, tail_entity="T2"),)},
            Reason.MISSING_FIELD,
        ),
    ],
)
def test_repeated_ids_and_missing_relation_ends_reject_the_record(layers, reason):
    assert run(**layers).reason == reason


def test_only_an_argument_with_a_missing_entity_is_lost():
    made = run(entities=(), events=(Event("Meet", None, (Argument("Guest", ADA, "T9"), Argument("Guest", BO))),))
    assert made.events[0].arguments == (Argument("guest", BO),)
    assert [(bad.reason, "'T9'" in bad.detail) for bad in made.lost] == [(Reason.MISSING_FIELD, True)]
    assert made.unknown_labels == (UnknownLabel("events", "meeting"),)


def test_unknown_labels_of_lost_parts_are_prompt_words():
    names = [("entities", "PER"), ("entities", "O"), ("relations", "/loc"), ("relations", "NA"), ("events", "Meet")]
    names += [("events", "not in the map"), ("entities", "PER")]
    lost = [BadRecord("f:1", Reason.OFFSET_MISMATCH, "", (UnknownLabel(*name),)) for name in names]
    known = [
        UnknownLabel("entities", "person"),
        UnknownLabel("relations", "located in"),
        UnknownLabel("events", "meeting"),
    ]
    assert run(lost=(*lost,)).unknown_labels == tuple(known)
    assert run(unknown_labels=tuple(UnknownLabel(*name) for name in names)).unknown_labels == tuple(known)


def run_open(labels=(), lost=(), **layers):
    maps = OpenLabels(labels)
    return normalize(RawExample("f:1", TEXT, lost=lost, **layers), maps, maps, maps, {})


ADA_ENTITY, BO_ENTITY, ROME_ENTITY = (
    Entity("PER", Mention("Ada", ((0, 3),)), "1"),
    Entity("PER", Mention("Bo", ((8, 10),)), "2"),
    Entity("LOC", Mention("Rome", ((14, 18),)), "3"),
)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Entity("LOC", Mention("Oslo", ((14, 18),)), "3"), Reason.OFFSET_MISMATCH),
        (Entity("LOC", Mention("Oslo", ((50, 54),)), "3"), Reason.OFFSET_MISMATCH),
        (Entity("LOC", Mention("Oslo", ((-4, 0),)), "3"), Reason.OFFSET_MISMATCH),
        (Entity("LOC", Mention("", ((14, 14),)), "3"), Reason.MISSING_FIELD),
        (Entity("LOC", Mention(" ", ((3, 4),)), "3"), Reason.MISSING_FIELD),
        (Entity("LOC", Mention("Rome", ((14, 18),)), "1"), Reason.BROKEN_RECORD),
    ],
)
def test_one_bad_entity_of_a_users_text_is_lost_alone_with_what_refers_to_it(bad, reason):
    meeting = Event(
        "Meet", Mention("met", ((4, 7),)), (Argument("at", Mention("Rome"), "3"), Argument("who", BO_ENTITY.mention))
    )
    made = run_open(
        entities=(ADA_ENTITY, bad, BO_ENTITY),
        relations=(
            Relation("in", ADA_ENTITY.mention, Mention("Rome"), head_entity="1", tail_entity="3"),
            Relation("knows", ADA_ENTITY.mention, BO_ENTITY.mention, head_entity="1", tail_entity="2"),
        ),
        events=(meeting,),
    )
    assert made.entities == (ADA_ENTITY, BO_ENTITY)
    assert [item.label for item in made.relations] == ["knows"]
    assert made.events == (Event("Meet", meeting.trigger, (Argument("who", BO_ENTITY.mention),)),)
    assert [part.reason for part in made.lost] == [reason, Reason.MISSING_FIELD, Reason.MISSING_FIELD]
    assert made.unknown_labels == (
        UnknownLabel("entities", "LOC"), UnknownLabel("relations", "in"), UnknownLabel("events", "Meet"),
    )  # fmt: skip
    assert isinstance(run(entities=(ADA_ENTITY, bad)), BadRecord)  # in a built-in source, the whole text


@pytest.mark.parametrize(
    ("text", "mention", "expected"),
    [
        ("Rome, then Bo", Mention("Bo", ((400, 415),)), Mention("Bo", ((11, 13),))),
        ("Rome, then Bo", Mention("Bo ", ((0, 2),)), Mention("Bo", ((11, 13),))),
        ("Rome, then Bo", Mention(" then ", ((5, 11),)), Mention("then", ((6, 10),))),
        ("Rome, then Bo", Mention("Rome,  then ", ((0, 5), (5, 11))), Mention("Rome, then", ((0, 5), (6, 10)))),
        ("Rome, then Bo", Mention("Rome,  ", ((0, 5), (5, 6))), Mention("Rome,", ((0, 5),))),
        ("Rome, then Bo", Mention(" Bo\n"), Mention("Bo")),
        ("Bo, then Bo", Mention("Bo", ((400, 415),)), "'Bo' at 400-415 is beyond the end of the text (11 characters)"),
        ("Bo, then Bob", Mention("ob", ((2, 9),)), "the text at 2-9 is ', then ', not 'ob'"),
        ("Bo, then Bo", Mention("Bo", ((2, 9),)), "the text at 2-9 is ', then ', not 'Bo'"),
        ("Bo, then", Mention("Bo then", ((0, 2), (3, 8))), "the text at 0-2, 3-8 is 'Bo  then', not 'Bo then'"),
    ],
)
def test_the_place_of_a_users_mention(text, mention, expected):
    maps = OpenLabels()
    layers = {"relations": (Relation("in", mention, mention),), "events": (Event("x", mention),)}
    made = normalize(RawExample("f:1", text, (Entity("x", mention),), **layers), maps, maps, maps, {})
    if isinstance(expected, Mention):
        mentions = made.entities[0].mention, made.relations[0].head, made.relations[0].tail, made.events[0].trigger
        assert mentions == (expected,) * 4
    else:
        assert [part.detail for part in made.lost] == [f"{label!r}: {expected}" for label in ("x", "in", "x")]


def test_blanks_at_the_edges_of_a_mention_of_a_built_in_source_stay():
    entity = Entity("PER", Mention("Ada ", ((0, 4),)))
    assert run(entities=(entity,)).entities[0].mention == entity.mention


def test_other_bad_parts_of_a_users_text_are_lost_alone():
    bad = Mention("Oslo", ((14, 18),))
    made = run_open(
        relations=(Relation("in", ADA_ENTITY.mention, bad), Relation("in", ADA_ENTITY.mention, ROME_ENTITY.mention)),
        events=(Event("Meet", bad), Event("Meet", Mention("met", ((4, 7),)))),
    )
    assert (len(made.relations), len(made.events)) == (1, 1)
    assert made.unknown_labels == (UnknownLabel("relations", "in"), UnknownLabel("events", "Meet"))


@pytest.mark.parametrize(("label", "reason"), [("PER\udcff", Reason.NOT_UTF8), (" ", Reason.MISSING_FIELD)])
def test_labels_that_no_prompt_can_ask_for(label, reason):
    met = Mention("met", ((4, 7),))
    made = run_open(
        entities=(ADA_ENTITY, Entity(label, BO_ENTITY.mention, "2")),
        relations=(
            Relation(label, ADA_ENTITY.mention, BO_ENTITY.mention),
            Relation("r", ADA_ENTITY.mention, BO_ENTITY.mention, label, None),
        ),
        events=(Event(label, met), Event("Meet", met, (Argument(label, BO_ENTITY.mention),))),
    )
    assert (made.entities, made.relations, made.events) == ((ADA_ENTITY,), (), ())
    assert [part.reason for part in made.lost] == [*[reason] * 4, Reason.UNKNOWN_LABEL]
    assert made.unknown_labels == (UnknownLabel("relations", "r"), UnknownLabel("events", "Meet"))


def test_labels_that_the_user_leaves_out():
    met = Event("Meet", Mention("met", ((4, 7),)), (Argument("who", BO_ENTITY.mention, "2"),))
    made = run_open({"PER": None, "Meet": None}, entities=(ADA_ENTITY, ROME_ENTITY), events=(met,))
    assert (made.entities, made.events, made.lost) == ((ROME_ENTITY,), (), ())
