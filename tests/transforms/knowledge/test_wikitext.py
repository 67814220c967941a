"""Wikitext → paragraphs of plain text and links, also if parts of it never close."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.knowledge import wikitext
from transforms.knowledge.passages import HOLE, Passage


def shown(passage: Passage) -> tuple[str, list[tuple[str, str]]]:
    """The text and (anchor, title) of the links."""
    return passage.text, [(passage.text[link.start : link.end], link.title) for link in passage.links]


def paragraphs(text: str, lang: str = "en") -> list[tuple[str, list[tuple[str, str]]]]:
    return [shown(passage) for passage in wikitext.paragraphs(text, lang)[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'''Vell''' is ''a'' '''''port'''''.", "Vell is a port."),
        ("''Vell'''s crew", "Vell's crew"),
        ("l''''amour'''", "l'amour"),
        ("Vell<ref>Lund, ''Ports''</ref> is<ref name=a/> big<ref group=n>{{cite|a=[[b]]}}</ref>.", "Vell is big."),
        ("Vell <!-- a\n\n[[b --> is<!-- c <!-- d --> big.", "Vell is big."),
        ("{{Infobox|a={{b|[[c]]}}\n| d = e\n}}\nVell {{cn}} is big.", "Vell is big."),
        ("Vell ({{IPA|v}}; {{zh|s=韦}}) is big.", "Vell is big."),
        ("Vell ({{lang|de|Wellen}}; {{IPA|v}}) is {{convert|12|km2|sqmi}} big.", "Vell (Wellen) is 12 km² big."),
        (
            "It is {{convert|5|to|7|km|mi}} long, {{cvt|3|m}} wide, {{cvt|-1|C|F}}.",
            "It is 5 to 7 km long, 3 m wide, -1 °C.",
        ),
        ("{{lang-nb|''Vell''}}{{'s}} port{{snd}}{{circa|1900}}", "Vell's port – c. 1900"),
        ("{{As of|2010}} {{formatnum:12345}} people, {{val|5.2|u=km}}", "As of 2010 12345 people, 5.2 km"),
        ("Open {{as of|2010|5|lc=y}}{{mdashb}}and {{as of|2011|since=y}}.", "Open as of 2010—and Since 2011."),
        ("{{convert}} {{lang|de}} {{val|{{x}}}} {{circa|[[a]]}} {{as of|{{x}}}} {{bd}} a", "a"),
        ("12&nbsp;km&sup2; &amp; more &#x41;", "12 km² & more A"),
        ("10<sup>6</sup> m<sup>2</sup> of H<sub>2</sub>O, 4<sup>th</sup>", "10⁶ m² of H2O, 4th"),
        ("one<br>two<br/>three", "one two three"),
        ("<small>Vell</small> is <span style='x'>big</span> and <s>old</s> new.", "Vell is big and new."),
        ("<nowiki>[[Vell]]</nowiki> is [[x]]", None),  # what looks like markup is not a text
        ("a <math>x^2</math> b <code>c</code> d", "a b d"),
        ("See [https://example.org the port] and [https://example.org].", "See the port and."),
        ("__NOTOC__Vell is big.", "Vell is big."),
        ("one\ntwo", "one two"),
        ("* item\n# item\n: indented\n; term\ntext", "text"),
        ("{| class=x\n| a || b\n|-\n| c\n|}\ntext", "text"),
        ("<table><tr><td>a</td></tr></table>text", "text"),
        ("<gallery>\nFile:A.jpg|a\n</gallery>\ntext", "text"),
        ("text <b>bold", "text bold"),
        ("text</div> more", "text more"),
    ],
)
def test_markup_becomes_plain_text(text, expected):
    assert paragraphs(text) == ([] if expected is None else [(expected, [])])


@pytest.mark.parametrize(
    ("text", "expected", "links"),
    [
        ("the [[port]].", "the port.", [("port", "Port")]),
        ("the [[Port Vell|old port]]s.", "the old ports.", [("old ports", "Port Vell")]),
        ("[[port]]s [[quay]]'s", "ports quay's", [("ports", "Port"), ("quay", "Quay")]),
        ("[[Port (town)|]] is", "Port is", [("Port", "Port (town)")]),
        ("[[Vell, Norway|]] is", "Vell is", [("Vell", "Vell, Norway")]),
        ("[[Vell#Quay|the quay]] is", "the quay is", [("the quay", "Vell")]),
        ("[[#Quay|below]] and [[#Quay]]", "below and Quay", []),
        ("[[File:a.jpg|thumb|A [[port]] in [[Vell]]]]The [[quay]].", "The quay.", [("quay", "Quay")]),
        ("The quay.[[Category:Ports|Vell]]\n[[de:Hafen]]", "The quay.", []),
        ("See [[:Category:Ports]] and [[:de:Hafen|the port]].", "See Category:Ports and the port.", []),
        ("See [[wikt:quay|quay]] by [[User:Ada|Ada]].", "See quay by Ada.", []),
        ("'''[[Vell]]''' is a ''[[port]]''.", "Vell is a port.", [("Vell", "Vell"), ("port", "Port")]),
        ("[[Vell|''Old'' '''Vell''']] is", "Old Vell is", [("Old Vell", "Vell")]),
        ("[[AT&amp;T]] and [[A|&nbsp;b ]]", "AT&T and b", [("AT&T", "AT&T"), ("b", "A")]),
        ("[[Vell|{{flag}}]] is", "is", []),
        ("[[Vell|a [[port]] b]] is", "a port b is", [("port", "Port")]),  # links are disjoint
        ("[[ Vell ]] is", "Vell is", [("Vell", "Vell")]),
        ("{{ill|Quay of Vell|no|Kai}} is", "Quay of Vell is", [("Quay of Vell", "Quay of Vell")]),
        ("the {{ill|Quay (Vell)|no|Kai|lt=quay}} and {{ill|no}}", "the quay and", [("quay", "Quay (Vell)")]),
    ],
)
def test_links_keep_their_texts_and_targets(text, expected, links):
    assert paragraphs(text) == [(expected, links)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-{zh-hans:信息; zh-hant:資訊}-技术", "信息技术"),
        ("-{zh-tw:計程車;zh-hk:的士;zh-cn:出租车;}-", "出租车"),
        ("-{zh-tw:計程車;zh-hk:的士}-", "計程車"),
        ("-{港}-口-{H|zh-cn:甲;zh-tw:乙}-大", "港口大"),
        ("-{A|zh-cn:甲;zh-tw:乙}-", "甲"),
        ("-{T|标题}-港口", "港口"),
        ("-{R|港}-", "港"),
        ("-{zh;zh-hans|港}-", "港"),
        ("-{zh-hans:-{甲}-;zh-hant:乙}-", "甲"),
        ("港-{zh-hans:口", None),
    ],
)
def test_variants_of_chinese_are_resolved(text, expected):
    assert paragraphs(text, "zh") == ([] if expected is None else [(expected, [])])


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("{{link-en|韦港|Port Vell}}", "韦港"),
        ("{{le|韦港|Port Vell|老港}}", "老港"),
        ("{{tsl|en|Port Vell|韦港}}", "韦港"),
        ("{{internal link helper/en|韦港|Port Vell}}", "韦港"),
    ],
)
def test_chinese_templates_of_links(text, anchor):
    assert paragraphs(f"是{text}。", "zh") == [(f"是{anchor}。", [(anchor, "韦港")])]


def test_dates_of_a_life_are_shown():
    text = "阿达（{{bd|1897年|1月15日|1931年|11月19日|catIdx=A}}）是{{bd|1900年}}人{{bd}}。"
    assert paragraphs(text, "zh") == [("阿达（1897年1月15日－1931年11月19日）是1900年人。", [])]


def test_chinese_links():
    text = "'''韦港'''（{{lang-en|Port Vell}}）是[[挪威|-{zh-hans:挪威;zh-hant:挪威國}-]]的[[港口 (城市)|港口]]es。"
    links = [("挪威", "挪威"), ("港口", "港口 (城市)")]
    assert paragraphs(text, "zh") == [("韦港（Port Vell）是挪威的港口es。", links)]


def test_paragraphs_end_at_blank_lines_headings_lists_and_blocks():
    text = "one\n\ntwo\n== heading ==\nthree\n* item\nfour\n<blockquote>five</blockquote>\n----\nsix\n{{main}}\nseven"
    assert [text for text, _ in paragraphs(text)] == ["one", "two", "three", "four", "five", "six", "seven"]


OPENINGS = (
    "{{a|",
    "[[b|",
    "<ref>",
    "<ref name=x>",
    "{|\n| c",
    "<div>",
    "[https://d ",
    "<!-- ",
    "{{{",
    "'''",
    "<gallery>",
)


@pytest.mark.parametrize("opening", OPENINGS)
def test_markup_that_never_closes_costs_its_paragraph(opening):
    text = f"First [[port]].\n\nBroken {opening} text\n\nSecond [[quay]].\n== heading ==\nThird."
    kept = [text for text, _ in paragraphs(text)]
    assert kept[0] == "First port." and kept[-1] == "Third."
    if not opening.startswith(("<gallery", "<!--")):
        assert "Second quay." in kept
    assert not any(mark in text for text in kept for mark in ("{{", "[[", "<ref", "{|"))


@pytest.mark.parametrize(
    "opening", [*OPENINGS, "{{a|[[b|", "{{a|[[b|}}]]", "[[a]]\n\n", '<b a="', "-{", "((", "\n== a", "&", "''"]
)
def test_a_large_page_that_never_closes_takes_little_time(opening):
    text = "First.\n\n" + opening * (200_000 // len(opening)) + "\n\n== heading ==\nThird."
    start = time.process_time()
    kept, _ = wikitext.paragraphs(text, "zh")
    assert time.process_time() - start < 10
    assert (len(kept) <= 3 or "[[a]]" in opening) and "Third." in [passage.text for passage in kept]


def test_what_is_left_out_is_counted():
    skipped = wikitext.paragraphs("Broken {{a\n\nfine\n== b ==\n" + "[[" * 20, "en")[1]
    assert skipped == {"markup": 2}


@pytest.mark.parametrize(
    ("section", "count"),
    [
        ("[[a]] {{b|[[c]]}} [http://d e]\n{| f\n|}\n<b>g</b> <br> <ref name=h/> [i]", 0),
        ("[[a {{b", 2),
        ("{{a|[[b|}}]]", 1),
        ("<b><i></b>", 1),
        ("}} ]] </b>", 0),
        ("{{a|}}}", 0),
    ],
)
def test_parts_without_an_end_are_counted(section, count):
    assert wikitext.unclosed(section) == count


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("#REDIRECT [[Port Vell]]", "Port Vell"),
        ("#redirect:[[port#Quay|x]]", "Port"),
        ("#重定向 [[港口]]", "港口"),
        ("# REDIRECT [[a]]", None),
        ("text #REDIRECT [[a]]", None),
    ],
)
def test_redirects(text, title):
    assert wikitext.redirect(text) == title


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Vell", "may refer to {{disambiguation}}", True),
        ("Vell", "{{Disambig|geo}}", True),
        ("Vell", "{{place name disambiguation}}", False),
        ("Vell", "{{town disambiguation}}", True),
        ("Vell", "{{hndis|Vell}}", True),
        ("韦尔", "{{消歧义}}", True),
        ("Vell (disambiguation)", "", True),
        ("韦尔 (消歧義)", "", True),
        ("Vell", "{{disambiguation needed}} text", False),
        ("Vell", "{{about|a|b|Vell (disambiguation)}}", False),
    ],
)
def test_disambiguation_pages(title, text, expected):
    assert wikitext.is_disambiguation(title, text) == expected


@pytest.mark.parametrize(
    ("title", "expected"), [("List of ports", True), ("Listing", False), ("港口列表", True), ("列表学", False)]
)
def test_lists(title, expected):
    assert wikitext.is_list(title) == expected


FRAGMENTS = st.sampled_from(
    [
        *("word ", "\n", "\n\n", "[[Aa]]", "[[Aa|b ''c'']]", "[[Aa|", "]]", "s", "{{t|x}}", "{{", "}}", "''", "'''"),
        *("<ref>x</ref>", "<ref>", "<b>", "</b>", "&nbsp;", "&amp;", "(", ")", "{{t}}", ", ", "* ", "{|\n", "|}", "|"),
        *(
            "-{zh-hans:甲;zh-hant:乙}-",
            "-{",
            "}-",
            "柏林",
            "<!--",
            "-->",
            "[[File:a|b [[Cc]]]]",
            "<sup>2</sup>",
            "http://a",
        ),
        *("[http://a b]", "[[:de:Aa]]", "== h ==\n", "__TOC__", "\u200b", HOLE, "{{lang|de|[[Dd]]}}"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=30), st.sampled_from(["en", "zh"]))
def test_every_link_cuts_out_its_anchor(fragments, lang):
    for passage in wikitext.paragraphs("".join(fragments), lang)[0]:
        end = 0
        assert passage.text and passage.text == " ".join(passage.text.split()) and HOLE not in passage.text
        for link in passage.links:
            anchor = passage.text[link.start : link.end]
            assert end <= link.start and anchor and anchor == anchor.strip()
            assert anchor.rstrip("s") in ("Aa", "b c", "b", "Cc", "Dd") or link.title not in ("Cc", "Dd")
            end = link.end


@given(
    st.lists(
        st.sampled_from(["[[Quay|old quay]]", "[[Port]]", "''", "{{t}}", "(", "; ", ") ", "a ", "\n\nx "]), max_size=25
    )
)
def test_anchors_are_as_written(fragments):
    written = [{"[[Quay|old quay]]": "old quay", "[[Port]]": "Port"}.get(fragment) for fragment in fragments]
    anchors = [anchor for _, links in paragraphs("x " + "".join(fragments)) for anchor, _ in links]
    joined = [each for each in written if each]
    assert [anchor.removesuffix("a") for anchor in anchors] == joined


@pytest.mark.parametrize(
    "text",
    [
        "Vell\n{| class=x\n| a {{b|c}} || [[d]]\n|-\n| e\n|}\nis big.",
        "{|\n| a\n{|\n| b\n|}\n| c\n|}\nVell is big.",
        "{{Infobox|a=\n{|\n| b\n|}\n| c = d}}\nVell is big.",
        "{||}\nVell {{nowrap|is\n{|\n| b\n|}\n}} big.",
        "Vell: {|\n| a\n|} is big.\n\n:{|\n| a\n  |}\nLund is small.",
    ],
)
def test_tables_that_are_removed_before_parsing_leave_what_the_parser_leaves(text, monkeypatch):
    removed = wikitext.paragraphs(text, "en")
    monkeypatch.setattr(wikitext, "TABLE", re.compile("(?!)"))
    assert removed == wikitext.paragraphs(text, "en")
