"""Records are values: they can be compared, hashed, printed, pickled and copied with a change."""

import pickle

import pytest
from hypothesis import given
from msgspec.structs import replace

from schemas.example import Entity, Mention, surface
from tests.strategies import examples

BERG = Entity("person", Mention("Berg", ((4, 8),)))


def test_equal_records_have_equal_hashes():
    again = Entity("person", Mention("Berg", ((4, 8),)))
    assert again == BERG and len({again, BERG}) == 1 and hash(again) == hash(BERG)
    assert Entity("person", Mention("Berg")) != BERG and BERG.mention != BERG
    assert repr(BERG.mention) == "Mention(text='Berg', spans=((4, 8),))"


def test_records_are_immutable():
    with pytest.raises(AttributeError):
        BERG.label = "place"
    assert replace(BERG, label="place") == Entity("place", BERG.mention) and BERG.label == "person"


@given(examples())
def test_a_worker_gets_the_same_record(example):
    assert pickle.loads(pickle.dumps(example)) == example


def test_surface_joins_the_spans_with_spaces():
    assert surface("Mia Berg of Oslo", ((4, 8),)) == "Berg"
    assert surface("Mia Berg of Oslo", ((0, 3), (12, 16))) == "Mia Oslo"
    assert surface("Mia", ()) == ""
