"""Label maps and offsets: what is repaired, what is left out and what is refused."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation
from schemas.label import Label
from transforms.normalize import normalize

TEXT = "Ada met Bo in Rome, and Bo left."
TYPES = {"PER": Label("person"), "LOC": Label("place"), "O": None}
RELATIONS = {"/loc": Label("located in"), "NA": None}
EVENTS = {"Meet": Label("meeting", roles=("guest", "host place"))}
ROLES = {"Guest": "guest", "Place": "host place"}


def run(**layers):
    return normalize(RawExample("f:1", TEXT, **layers), TYPES, RELATIONS, EVENTS, ROLES)


def entity(start: int, end: int, text: str, label: str = "PER") -> Entity:
    return Entity(label, Mention(text, ((start, end),)))


def test_labels_become_prompt_words_and_no_labels_go():
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


def test_unknown_layers_stay_unknown():
    assert run() == RawExample("f:1", TEXT, None, None, None)
    assert run(entities=()).entities == ()


@pytest.mark.parametrize(
    ("start", "end", "text", "found"),
    [
        (8, 10, "Bo", (8, 10)),
        (9, 11, "Bo", (8, 10)),  # shifted by one
        (6, 8, "Bo", (8, 10)),  # by two
        (8, 9, "Bo", (8, 10)),  # an inclusive end
        (3, 5, "Bo", (8, 10)),  # by five, the furthest
        (20, 22, "Bo", (24, 26)),  # the nearest of two
        (16, 18, "Bo", None),  # both too far
        (8, 10, "Cy", None),
        (14, 18, "Ro", (14, 16)),
        (8, 16, "Bo", None),  # a surface that was cut
        (-3, -1, "ft", None),  # Python would count from the end
        (0, 0, "Ada", None),  # an empty span
    ],
)
def test_offsets_are_repaired_within_five_characters(start, end, text, found):
    made = run(entities=(entity(start, end, text),))
    if found is None:
        assert isinstance(made, BadRecord) and made.reason == Reason.OFFSET_MISMATCH
    else:
        assert made.entities[0].mention == Mention(text, (found,))


@pytest.mark.parametrize(
    "spans", [((8, 10), (0, 3)), ((0, 3), (2, 5)), ((0, 3), (-24, -22)), ((0, 3), (3, 3), (8, 10))]
)
def test_pieces_stand_in_order_within_the_text(spans):
    mention = Mention(" ".join(TEXT[s:e] for s, e in spans), spans)
    assert run(entities=(Entity("PER", mention),)).reason == Reason.OFFSET_MISMATCH


def test_pieces_in_order_are_kept():
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
def test_a_record_is_refused_with_its_place(layers, reason):
    made = run(**layers)
    assert (made.place, made.reason) == ("f:1", reason)


@pytest.mark.parametrize(("text", "reason"), [(" \t", Reason.EMPTY_TEXT), ("b\udce4d", Reason.NOT_UTF8)])
def test_a_text_is_refused(text, reason):
    assert normalize(RawExample("f:1", text), {}, {}, {}, {}).reason == reason
