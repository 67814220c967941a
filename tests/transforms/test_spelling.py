"""Strings are located in a text in spite of different spellings, but only if they occur there."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.spelling import Spellings


@pytest.mark.parametrize(
    ("text", "string", "spelling"),
    [
        ("Ola left Bodø.", "Ola", "Ola"),
        ("Ola left Bodø.", "la", "la"),  # as written, inside a word too
        ("Ola left Bodø.", "BODØ", "Bodø"),
        ("Ola left Bodø.", "Zork", None),
        ("Ola left Bodø.", "", ""),
        ("Ola left Bodø.", " ", " "),
        ("Olaleft", " ", None),
        ("Ny\nÅlesund", "Ny Ålesund", "Ny\nÅlesund"),
        ("Ny-A\u030alesund", "ny-ålesund", "Ny-A\u030alesund"),
        ("Ny-Ålesund", "Ny-A\u030alesund", "Ny-Ålesund"),
        ("Ålesund", "Alesund", None),  # another letter
        ("the bus to us", "US", "us"),  # not in `bus`
        ("the bus", "US", None),
        ("at Mo 's", "Mo's", "Mo 's"),
        ("Ｍｏ　ｉ Rana", "Mo i Rana", "Ｍｏ　ｉ Rana"),
        ("在奥 斯陆出生", "奥斯陆", "奥 斯陆"),
        ("在Oslo出生", "OSLO", "Oslo"),
        ("Os\u00adlo", "Oslo", "Os\u00adlo"),
        ("\ufb01n de siècle", "Fin", "\ufb01n"),
        ("\ufb01n", "F", None),  # half a character
        ("5 \u338f", "K", None),  # half of a sign for kilograms
        ("", "a", None),
    ],
)
def test_the_spelling_of_a_string_in_a_text(text, string, spelling):
    assert Spellings(text).find(string) == spelling


words = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Nd"]), min_size=1, max_size=4)


@given(st.lists(words, min_size=1, max_size=5), st.data())
def test_words_are_located_in_other_spellings(texts, data):
    text = " ".join(texts)
    string = data.draw(st.sampled_from(texts))
    dress = data.draw(st.sampled_from([str.upper, str.casefold, lambda s: normalize("NFD", s), lambda s: f" {s}\n"]))
    spellings = Spellings(text)
    results = [spellings.find(dress(string)), spellings.find(dress(string))]
    assert results[0] == results[1]
    assert results[0] is None or results[0] in text or results[0] == dress(string)
    if string.isascii():
        assert results[0] is not None and results[0].strip().casefold() == string.casefold()
