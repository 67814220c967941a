"""The rules that give a Chinese paragraph its theme, and the classifier of names."""

import pytest

from benchmarks import theme_classifier
from benchmarks.theme_classifier import Names

NAMES = Names([("林海生", "人物"), ("王海", "人物"), ("雾港桥", "建筑"), ("石湾桥", "建筑"), ("长桥", "建筑")])


@pytest.mark.parametrize(
    ("text", "theme", "rule"),
    [
        ("《雾港》是林海生的一部书。", "作品", "title in brackets"),
        ("雾港苔（学名：Muscus portus），产于海边。", "生物", "scientific name"),
        ("林海生（1913年－1960年），曾在雾港工作。", "人物", "dates of life"),
        ("石湾塔（英语：Stone Bay）位于海边，是雾港城外的一座灯塔。", "建筑", "definition"),
        ("人们在石湾看到了这座高高的石湾大桥，它很长。", "建筑", "other clause"),
        ("雾港县，下辖五个部分。", "地理地区", "end of the name"),
        ("海生与妻子相恋多年，后来儿子出生了。", "人物", "family"),
        ("王海生", "人物", "naive Bayes"),
    ],
)
def test_rules(text, theme, rule):
    assert theme_classifier.classify(text, NAMES) == (theme, rule)


def test_names_are_classified_by_their_characters():
    assert NAMES.classify("海林") == "人物" and NAMES.classify("雾桥") == "建筑"
    assert Names([]).classify("海林") is None


def test_every_theme_has_nouns_and_no_noun_is_longer_than_allowed():
    nouns = theme_classifier.nouns()
    assert len(set(nouns.values())) == 12
    assert max(map(len, nouns)) <= theme_classifier.MAX_NOUN


@pytest.mark.parametrize(
    ("text", "name"), [("雾港（Fog）是", "雾港"), ("《长夜》，", "长夜"), ("，无", "，无"), ("石湾位于", "石湾")]
)
def test_opening_name(text, name):
    assert theme_classifier.opening_name(text) == name
