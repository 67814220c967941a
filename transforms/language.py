"""Detects the language of texts without one: English or Chinese, by the script of their letters."""

import re

HAN_SHARE = 0.2
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def detect_language(text: str) -> str:
    """`zh` if at least HAN_SHARE of the letters are Han characters, else `en`, also for a text without letters.

    The rule is a share because texts of either language contain words of the other: names, units and drug names in
    Latin letters in Chinese texts, names in their native spelling in English texts. The share is small because Chinese
    words have fewer characters than English words: 31 % of the letters of `患者使用 aspirin 100 mg` are Han. Letters
    are the characters for which `str.isalpha` is true, including full-width letters and kana, but no digits or
    punctuation of any width. Japanese is not detected: the same rule makes a text in kana and Han `zh` or `en`.
    """
    letters = sum(map(str.isalpha, text))
    return "zh" if letters and len(HAN.findall(text)) >= HAN_SHARE * letters else "en"
