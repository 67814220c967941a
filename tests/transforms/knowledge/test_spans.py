"""Candidate spans of names, their hashes, and which names can be linked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.knowledge.spans import hash_names, hash_spans, is_name, spans, stop_words, with_usual_signs

TEXTS = st.text(st.sampled_from("abAB'’.-,!? \n(ée\u0301İ12中国的，。·"), max_size=60)


def surfaces(text: str, lang: str = "en", max_tokens: int = 8) -> list[str]:
    return [text[start:end] for start, end in spans(text, lang, max_tokens).tolist()]


@pytest.mark.parametrize(
    ("text", "names", "others"),
    [
        ("Ada Marrow's boat", ["Ada Marrow", "Ada Marrow's boat", "boat"], ["Ada Marrow's", "s boat", "s"]),
        ("Pat O'Hare rows", ["O'Hare", "Pat O'Hare"], ["O", "Hare"]),
        ("Harbour Inc. of the U.S. coast", ["Harbour Inc.", "U.S.", "U.S"], ["the U.S. coast of"]),
        ("a map of the Low Coast", ["the Low Coast", "Low Coast", "map of the Low Coast"], ["of the Low Coast", "the"]),
        ("It runs on .NET and C++ at Wow!", [".NET", "C++", "Wow!"], []),
        ("the Upper-Lower line", ["Upper-Lower", "Lower line"], ["Upper-"]),
        ("small quay\nharbour boat", ["harbour boat"], ["quay\nharbour"]),
        ("Ein kleiner Ort", ["kleiner Ort"], []),
        ("A", [], ["A"]),
        ("1999, 2000", [], ["1999", "1999, 2000"]),
    ],
)
def test_english_names_end_at_words(text, names, others):
    assert set(names) <= set(surfaces(text))
    assert not set(others) & set(surfaces(text))


def test_stop_words_do_not_count_as_tokens():
    assert "House of the Keepers of the Light" in surfaces("House of the Keepers of the Light", max_tokens=3)
    assert "House of the Keepers of the Light" not in surfaces("House of the Keepers of the Light", max_tokens=2)


def test_long_names_need_capital_letters():
    long = "small grey wooden house boats"
    assert long not in surfaces(long)
    assert "Small grey wooden house boats" in surfaces("Small grey wooden house boats")


@pytest.mark.parametrize(
    ("text", "names", "others"),
    [
        ("海港城，在北方。", ["海港", "海港城", "港城", "在北方"], ["海", "城，在"]),
        ("阿达·马罗写了iBoat", ["阿达·马罗", "iBoat"], ["iB", "Boat"]),
    ],
)
def test_chinese_names_are_of_any_characters(text, names, others):
    assert set(names) <= set(surfaces(text, "zh"))
    assert not set(others) & set(surfaces(text, "zh"))


def test_chinese_names_have_twice_as_many_characters():
    assert max(map(len, surfaces("海港城灯塔长堤", "zh", 2))) == 4


@pytest.mark.parametrize("lang", ["en", "zh"])
@given(text=TEXTS, max_tokens=st.integers(1, 4))
def test_spans_are_distinct_sorted_and_in_the_text(lang, text, max_tokens):
    places = [tuple(place) for place in spans(text, lang, max_tokens).tolist()]
    assert places == sorted(set(places))
    for start, end in places:
        assert 0 <= start < end <= len(text)
        assert any(map(str.isalpha, text[start:end]))


@given(text=TEXTS)
def test_hashes_of_spans_are_those_of_their_texts(text):
    places = spans(text, "zh", 3)
    assert hash_spans(text, places).tolist() == hash_names([text[start:end] for start, end in places.tolist()]).tolist()


@given(names=st.lists(TEXTS, max_size=8))
def test_equal_hashes_mean_equal_normal_forms(names):
    hashes = hash_names(names).tolist()
    assert [hash_names([name])[0] for name in names] == hashes
    for name, number in zip(names, hashes, strict=True):
        for other, other_number in zip(names, hashes, strict=True):
            if number == other_number:
                assert with_usual_signs(name).lower() == with_usual_signs(other).lower()


def test_hashes_do_not_change():
    """They divide the names into buckets, and the order of rows in a bucket follows them."""
    assert hash_names(["Ada Marrow"]).tolist() == hash_names(["ada \n marrow"]).tolist() == [HASH]
    assert hash_names(["Jose\u0301 O’Hare–Lee"]).tolist() == hash_names(["José O'Hare-Lee"]).tolist()
    assert len(np.unique(hash_names(["ab", "ba", "a b", "b a", ""]))) == 5


HASH = 13298996142466245667


@pytest.mark.parametrize(
    ("name", "lang", "expected"),
    [
        ("Ada", "en", True),
        ("X", "en", False),
        ("1999", "en", False),
        ("May 1999", "en", False),
        ("the", "en", False),
        ("Us", "en", False),
        ("US", "en", True),
        ("Be with Me", "en", True),
        ("After it", "en", False),
        ("城", "zh", False),
        ("开始", "zh", False),
        ("1999年", "zh", False),
        ("二十世纪初", "zh", False),
        ("海港", "zh", True),
    ],
)
def test_dates_stop_words_and_single_letters_are_no_names(name, lang, expected):
    assert is_name(name, lang) == expected


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_stop_words_are_in_lower_case(lang):
    for words in stop_words(lang):
        assert all(word == word.lower() for word in words)
