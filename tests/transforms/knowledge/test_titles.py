"""Titles in their normal form, and where links lead."""

import pytest

from transforms.knowledge.titles import normal_title, target, without_bracket


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("berlin", "Berlin"),
        (" Port_ Vell ", "Port Vell"),
        ("Port_Vell#History", "Port Vell"),
        ("#History", ""),
        ("%E6%9F%8F%E6%9E%97", "柏林"),
        ("100%", "100%"),
        ("AT&amp;T", "AT&T"),
        ("ß", "ß"),  # its capital has two characters
        ("柏林", "柏林"),
    ],
)
def test_titles_have_one_form(raw, title):
    assert normal_title(raw) == title


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Mercury (planet)", "Mercury"), ("水星（行星）", "水星"), ("(What)", "(What)"), ("A (b) c", "A (b) c")],
)
def test_a_bracketed_part_is_at_the_end(title, expected):
    assert without_bracket(title) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("port Vell#Pier", ("page", "Port Vell")),
        ("Alien: Harbour", ("page", "Alien: Harbour")),
        ("File:Port.jpg", ("hidden", None)),
        ("image:Port.jpg", ("hidden", None)),
        ("文件:港.jpg", ("hidden", None)),
        ("Category:Ports", ("hidden", None)),
        (":Category:Ports", ("text", None)),
        ("分类:港口", ("hidden", None)),
        ("de:Hafen", ("hidden", None)),
        (":de:Hafen", ("text", None)),
        ("zh-min-nan:Káng", ("hidden", None)),
        ("wikt:harbour", ("text", None)),
        ("User_talk:Ada", ("text", None)),
        ("#Pier", ("text", None)),
        ("/Subpage", ("text", None)),
        ("", ("text", None)),
    ],
)
def test_targets_of_links(raw, expected):
    assert target(raw) == expected


def test_a_dump_names_its_namespaces():
    assert target("Datei:Hafen.jpg", {"datei": 6}) == ("hidden", None)
