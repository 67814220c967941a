"""Messages that quote a file are safe to print on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import printable

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("train.txt:3: 没有标签 'Œuvre' 👩‍🚒", "train.txt:3: 没有标签 'Œuvre' 👩‍🚒"),
        ("two\r\nlines\u2028or\x85more", r"two\r\nlines\u2028or\x85more"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31mred", r"\x9b31mred"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("b\udce4d", r"b\udce4d"),
        ("column\tcolumn\0\x7f", r"column\tcolumn\x00\x7f"),
    ],
)
def test_only_control_characters_are_escaped(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_is_one_line_that_can_be_encoded(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set(BIDIRECTIONAL)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in shown)
    shown.encode()
    assert printable(shown) == shown
