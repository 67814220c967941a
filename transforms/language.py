"""Detects the language of texts without one, by the script of their letters."""

from bisect import bisect_right
from collections import Counter
from typing import NamedTuple

from schemas.language import DEFAULT, name

LEAST_SHARE = 0.2
"""The least share of a script among the letters of a text for the text to be in a language of this script."""

KANA_SHARE = 0.1
"""The least share of kana among Han characters and kana of a Japanese text."""

HAN, KANA = "Han", "Kana"

BLOCKS = (
    (0x0370, 0x03FF, "el"),
    (0x0400, 0x052F, "ru"),
    (0x0531, 0x058F, "hy"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar"),
    (0x0750, 0x077F, "ar"),
    (0x08A0, 0x08FF, "ar"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B00, 0x0B7F, "or"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"),
    (0x0F00, 0x0FFF, "bo"),
    (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"),
    (0x1100, 0x11FF, "ko"),
    (0x1200, 0x139F, "am"),
    (0x1780, 0x17FF, "km"),
    (0x1C90, 0x1CBF, "ka"),
    (0x1F00, 0x1FFF, "el"),
    (0x3040, 0x30FF, KANA),
    (0x3130, 0x318F, "ko"),
    (0x31F0, 0x31FF, KANA),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xAC00, 0xD7AF, "ko"),
    (0xF900, 0xFAFF, HAN),
    (0xFB1D, 0xFB4F, "he"),
    (0xFB50, 0xFDFF, "ar"),
    (0xFE70, 0xFEFF, "ar"),
    (0xFF66, 0xFF9D, KANA),
    (0x20000, 0x3FFFF, HAN),
)
"""First and last code point of blocks of Unicode, and the most common language of their script."""

STARTS = [first for first, _, _ in BLOCKS]

SHARED = frozenset(("am", "ar", "bn", "hi", "ru", DEFAULT))
"""Languages whose script is also that of other languages with many texts: Tigrinya (am), Persian, Urdu (ar), Assamese
(bn), Marathi, Nepali (hi), Ukrainian, Bulgarian (ru), and all languages in Latin letters (en).
"""


class Guess(NamedTuple):
    """A language code. `is_sure`: whether hardly any other language has this script."""

    lang: str
    is_sure: bool


def detect_language(text: str) -> str:
    """The language code of `guess`."""
    return guess(text).lang


def guess(text: str) -> Guess:
    """The most common language of the script of the text, `en` for Latin letters and for a text without letters.

    A script that has at least LEAST_SHARE of the letters decides; of several, that with the most letters. The share is
    small because texts in other scripts contain names, units and drug names in Latin letters, and because words have
    fewer characters in Chinese than in English: 31 % of the letters of `患者使用 aspirin 100 mg` are Han. Letters are
    the characters for which `str.isalpha` is true, including full-width letters, but no digits or punctuation of any
    width. A text in Han characters is Japanese if at least KANA_SHARE of them and the kana are kana, else Chinese: a
    Japanese headline without kana is taken for Chinese.

    The script does not distinguish the languages that share it (see SHARED), German from English in particular.
    """
    if text.isascii():
        return Guess(DEFAULT, False)
    letters, scripts = 0, Counter[str]()
    for character, count in Counter(text).items():
        if character.isalpha():
            letters += count
            script = script_of(character)
            if script:
                scripts[script] += count
    han, kana = scripts.pop(HAN, 0), scripts.pop(KANA, 0)
    if han or kana:
        scripts["ja" if kana >= KANA_SHARE * (han + kana) else "zh"] = han + kana
    lang, most = max(scripts.items(), key=lambda item: (item[1], item[0]), default=(DEFAULT, 0))
    if not most or most < LEAST_SHARE * letters:
        return Guess(DEFAULT, False)
    return Guess(lang, lang not in SHARED)


def script_of(letter: str) -> str | None:
    """HAN, KANA or the language of the letter's block; None for Latin letters and other scripts."""
    point = ord(letter)
    number = bisect_right(STARTS, point) - 1
    return BLOCKS[number][2] if number >= 0 and point <= BLOCKS[number][1] else None


def note(lang: str) -> str:
    """What to tell people about a language that was guessed and is not sure."""
    return (
        f"the language is not stated; the texts are taken for {name(lang)} ({lang}), but other languages have the same "
        "script; if it is another, write lang: CODE into source.yaml"
    )
