import pytest

from schemas.language import COUNTRIES, NAMES, SHORT, code, name, problem


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("deu", "de"),
        ("ger", "de"),
        ("zh-Hant-TW", "zh"),
        ("cmn-Hans", "zh"),
        ("pt_BR", "pt"),
        ("yue", "yue"),
        ("nn", "nn"),
        ("und", "und"),
        ("", None),
        ("d", None),
        ("xx", None),
        ("jp", None),
        ("German", None),
        ("de de", None),
        ("de-", None),
        ("ｄｅ", None),
    ],
)
def test_code(tag, expected):
    assert code(tag) == expected


def test_tables():
    assert sum(len(each) == 2 for each in NAMES) == 183  # ISO 639-1, without sh, which is withdrawn
    assert not COUNTRIES.keys() & NAMES.keys()
    assert set(COUNTRIES.values()) <= NAMES.keys() == set(SHORT.values())
    assert all(len(each) == 3 for each in SHORT) and all(code(each) == each for each in NAMES)
    for within in ("en", "zh"):
        names = [name(each, within) for each in NAMES]
        assert len(set(names)) == len(names) and not any("_" in each for each in names)


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("German", "such as de for German"),
        ("jp", "such as ja for Japanese"),
        ("日文", "such as ja for"),
        (["en"], "de or ja"),
    ],
)
def test_a_problem_names_the_likely_code(tag, hint):
    message = problem("lang", tag)
    assert message.startswith("lang is ") and hint in message


def test_names():
    assert (name("de"), name("de", "zh"), name("und"), name("und", "zh")) == ("German", "德文", "und", "und")
    assert (name("gd"), name("yue"), name("nb")) == ("Scottish Gaelic", "Cantonese", "Norwegian Bokmål")
