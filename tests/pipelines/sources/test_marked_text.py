"""Texts with their annotations marked in plain text."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.marked_text import lines
from pipelines.sources.problems import crossing
from schemas.example import Argument, Entity, Event, Mention, RawExample, Relation

TEXT = "Ada Marrow met Ben in Coal Quay."


def entity(label: str, *spans: tuple[int, int], text: str = TEXT) -> Entity:
    return Entity(label, Mention(" ".join(text[start:end] for start, end in spans), spans))


def test_nested_equal_and_overlapping_mentions():
    entities = (
        entity("part", (27, 31)),
        entity("place", (22, 31)),
        entity("person", (0, 10)),
        entity("writer", (0, 10)),
        entity("odd", (4, 14)),
        entity("split", (0, 3), (15, 18)),
    )
    assert lines(RawExample("a:1", TEXT, entities)) == [
        "[Ada Marrow: person, writer] met Ben in [Coal [Quay: part]: place].",
        'odd: "Marrow met"',
        'split: "Ada Ben"',
    ]


def test_relations_and_events_are_listed():
    ada, ben = entity("person", (0, 10)), entity("person", (15, 18))
    event = Event("meeting", Mention("met", ((11, 14),)), (Argument("guest", ben.mention),))
    record = RawExample("a:1", TEXT, (ada, ben), (Relation("knows", ada.mention, ben.mention),) * 7, (event,))
    assert lines(record) == [
        "[Ada Marrow: person] met [Ben: person] in Coal Quay.",
        *['knows: "Ada Marrow" -> "Ben"'] * 5,
        "and 2 more relations",
        'meeting: "met", guest "Ben"',
    ]


def test_long_texts_are_cut_around_the_first_mention():
    text = "x " * 500 + TEXT + " y" * 500
    record = RawExample("a:1", text, (Entity("person", Mention("Ben", ((1015, 1018),))),))
    (shown,) = lines(record)
    assert shown.startswith("...x x") and "met [Ben: person] in Coal" in shown and shown.endswith("...")
    assert len(shown) < 350


def test_a_mention_without_offsets_is_marked_where_it_first_occurs():
    assert lines(RawExample("a:1", "Ben met\n Ben.", (Entity("p", Mention("Ben")),))) == ["[Ben: p] met Ben."]


def test_the_marked_text_has_a_limit():
    text = "ab " * 100
    entities = tuple(entity("a" * 200, (at, at + 2), text=text) for at in range(0, 300, 3))
    assert len(lines(RawExample("a:1", text, entities))[0]) < 3000


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=8))
def test_marks_take_nothing_from_the_text(spans):
    text = "abcdefghijklmnopqrstuvwxyzABCDE"
    entities = tuple(entity("1", (start, start + length), text=text) for start, length in spans)
    first, *_ = lines(RawExample("a:1", text, entities))
    assert "".join(character for character in first if character.isalpha()) == text
    assert first.count("[") == first.count("]") == first.count(": ")


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), max_size=6))
def test_crossing_is_empty_only_if_no_two_mentions_cross(spans):
    text = "abcdefghijklmnopqrstuvwxyz"
    entities = [entity("1", (start, start + length), text=text) for start, length in spans]
    pairs = [(a, a + n, b, b + m) for a, n in spans for b, m in spans]
    assert bool(list(crossing(entities))) == any(a < b < end_a < end_b for a, end_a, b, end_b in pairs)
