"""The language of a text without one is told by the script of its letters."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.language import HAN, detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The harbour lies in the north.", "en"),
        ("港口位于北方。", "zh"),
        ("患者使用 aspirin 100 mg", "zh"),
        ("The Tokyo (東京) Bay", "en"),
        ("港abcd", "zh"),  # one letter in five
        ("港abcde", "en"),
        ("港abcd12345，。！", "zh"),  # digits and punctuation are no letters
        ("，。！？「」（１２）", "en"),
        ("12 %", "en"),
        ("", "en"),
        ("ＡＢＣ港", "zh"),  # full-width letters are letters
        ("ＡＢＣＤＥ港", "en"),
        ("東京は日本の首都です", "zh"),  # Japanese: 5 of 10 letters
        ("これはペンですよね、東", "en"),  # 1 of 11
        ("서울은 한국의 수도", "en"),
        ("㐀", "zh"),
        ("䷀䷁", "en"),  # hexagrams stand between the blocks of Han characters and are no letters
    ],
)
def test_the_language_of_a_text(text, language):
    assert detect_language(text) == language


@given(st.integers(0, 60), st.integers(0, 300))
def test_a_fifth_of_the_letters_is_enough(han, others):
    assert detect_language("海" * han + "a" * others) == ("zh" if han and 5 * han >= han + others else "en")


def test_every_han_character_counts_among_the_letters():
    characters = filter(HAN.match, map(chr, range(sys.maxunicode + 1)))
    assert all(map(str.isalpha, characters))
