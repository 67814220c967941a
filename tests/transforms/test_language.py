"""The language of a text without a given language is detected from the script of its letters."""

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
        ("港abcd12345，。！", "zh"),  # digits and punctuation are not letters
        ("，。！？「」（１２）", "en"),
        ("12 %", "en"),
        ("", "en"),
        ("ＡＢＣ港", "zh"),  # full-width letters are letters
        ("ＡＢＣＤＥ港", "en"),
        ("東京は日本の首都です", "zh"),  # Japanese: 5 of 10 letters
        ("これはペンですよね、東", "en"),  # 1 of 11
        ("서울은 한국의 수도", "en"),
        ("㐀", "zh"),
        ("䷀䷁", "en"),  # hexagrams lie between the blocks of Han characters and are not letters
    ],
)
def test_language_by_script(text, language):
    assert detect_language(text) == language


@given(st.integers(0, 60), st.integers(0, 300))
def test_one_fifth_han_letters_means_chinese(han, others):
    assert detect_language("海" * han + "a" * others) == ("zh" if han and 5 * han >= han + others else "en")


def test_every_han_character_is_a_letter():
    characters = filter(HAN.match, map(chr, range(sys.maxunicode + 1)))
    assert all(map(str.isalpha, characters))
