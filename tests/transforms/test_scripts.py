import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.scripts import tokens, within_word, words


@pytest.mark.parametrize(
    ("text", "string", "inside"),
    [
        ("a party", "art", True),
        ("the art.", "art", False),
        ("Straßenverkehrsamt", "Verkehr".lower(), True),
        ("naïve", "na", True),
        ("cafe\u0301s", "cafe", True),  # before a mark
        ("राम दिल्ली", "दिल", True),
        ("राम दिल्ली", "दिल्ली", False),
        ("والقاهرة", "القاهرة", True),
        ("إلى القاهرة", "القاهرة", False),
        ("می\u200cروم", "می", True),
        ("東京都庁", "京都", False),
        ("อยู่ที่กรุงเทพมหานคร", "กรุงเทพ", False),
        ("ที่", "ท", True),  # before a mark
        ("서울에서", "서울", False),
        ("東京Tower", "東京", False),
    ],
)
def test_within_word(text, string, inside):
    at = text.index(string)
    assert within_word(text, at, at + len(string)) == inside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("place_of-birth", ["place", "of", "birth"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("สวัสดี Bangkok", ["สวัสดี", "Bangkok"]),
        ("می\u200cروم خانه", ["می\u200cروم", "خانه"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(st.text(st.sampled_from("ab_ é\u0301東บิ가ाक，\u200c1")))
def test_words_and_tokens_have_every_letter_once_and_no_mark_alone(text):
    for parts in (words(text), tokens(text)):
        letters = [character for character in text if character.isalnum()]
        assert [character for character in "".join(parts) if character.isalnum()] == letters
        assert all(unicodedata.category(word[0])[0] != "M" for word in parts)
