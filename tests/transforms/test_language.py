"""The language of a text without a given language is detected from the script of its letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.language import NAMES
from transforms.language import BLOCKS, HAN, KANA, SHARED, detect_language, guess, note


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The harbour lies in the north.", "en"),
        ("Der Hafen liegt im Norden, größer als früher.", "en"),  # Latin letters do not tell
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
        ("東京は日本の首都です", "ja"),
        ("これはペンですよね、東", "ja"),
        ("東京五輪開催決定", "zh"),  # a Japanese headline without kana
        ("他喝了一瓶名为「の」的茶，味道很好", "zh"),
        ("서울은 한국의 수도", "ko"),
        ("الميناء في الشمال", "ar"),
        ("הנמל נמצא בצפון", "he"),
        ("ท่าเรืออยู่ทางเหนือ", "th"),
        ("बंदरगाह उत्तर में है", "hi"),
        ("Гавань находится на севере", "ru"),
        ("Το λιμάνι βρίσκεται βόρεια", "el"),
        ("α-Synuclein and β-catenin bind", "en"),
        ("㐀", "zh"),
        ("䷀䷁", "en"),  # hexagrams lie between the blocks of Han characters and are not letters
    ],
)
def test_language_by_script(text, language):
    assert detect_language(text) == language


@given(st.integers(0, 60), st.integers(0, 300))
def test_one_fifth_han_letters_means_chinese(han, others):
    assert detect_language("海" * han + "a" * others) == ("zh" if han and 5 * han >= han + others else "en")


def test_blocks_are_in_order_and_have_known_languages():
    bounds = [bound for first, last, _ in BLOCKS for bound in (first, last)]
    assert bounds == sorted(bounds)
    assert {lang for _, _, lang in BLOCKS} - {HAN, KANA} <= NAMES.keys()


@pytest.mark.parametrize(
    ("text", "is_sure"), [("港口", True), ("ท่าเรือ", True), ("الميناء", False), ("Гавань", False), ("Hafen", False)]
)
def test_a_script_of_several_languages_is_not_sure(text, is_sure):
    assert guess(text).is_sure == is_sure


def test_notes():
    assert NAMES.keys() >= SHARED
    assert note("ar").startswith("the language is not stated; the texts are taken for Arabic (ar), but")
