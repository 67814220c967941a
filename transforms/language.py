"""A text → its language, for texts that come without one: English or Chinese, by the script of their letters."""

import re

HAN_SHARE = 0.2
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def detect_language(text: str) -> str:
    """`zh` where at least HAN_SHARE of the letters are Han characters, else `en`; `en` too for a text without letters.

    A share, because either language occurs in texts of the other: Latin names, units and drug names in Chinese ones,
    a name in its native spelling in English ones. The share is small, because a Chinese word takes fewer characters
    than an English one: 31 % of the letters of `患者使用 aspirin 100 mg` are Han. Letters are what `str.isalpha` says,
    among them full-width ones and kana; digits and punctuation of any width are none. Japanese is not recognised: a
    text in kana and Han is `zh` or `en` by the same rule.
    """
    letters = sum(map(str.isalpha, text))
    return "zh" if letters and len(HAN.findall(text)) >= HAN_SHARE * letters else "en"
