"""Offsets in UTF-16 units."""

from hypothesis import given
from hypothesis import strategies as st

from transforms.formats.utf16 import units

TEXTS = st.text("aé港🦊𠀀", max_size=12)


@given(TEXTS, st.integers(0, 12), st.integers(0, 12))
def test_spans_of_the_encoded_text(text, first, last):
    def unit(at: int) -> int:
        return len(text[:at].encode("utf-16-le")) // 2

    expected = (first, last) if first < last <= len(text) else None
    if max(first, last) <= len(text):
        assert units(text).span(unit(first), unit(last)) == expected


def test_no_place():
    fox = units("a🦊b")
    assert [fox.code_point(at) for at in range(-1, 6)] == [None, 0, 1, None, 2, 3, None]
    assert (fox.span(2, 3), fox.span(1, 1), fox.span(0, 9), fox.span(1, 3)) == (None, None, None, (1, 2))
