"""HTML pages → paragraphs of plain text and links."""

import time

import pytest

from transforms.knowledge.html_pages import Page

HEAD = "<html><head><title>Vell - Wikipedia</title></head><body>"


def paragraphs(body: str, lang: str = "en") -> list[tuple[str, list[tuple[str, str]]]]:
    page = Page(f"{HEAD}{body}</body></html>".encode())
    return [
        (passage.text, [(passage.text[link.start : link.end], link.title) for link in passage.links])
        for passage in page.paragraphs(lang)
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p><b>Vell</b> is <i>a</i> port.</p><p>\n</p>", "Vell is a port."),
        ("<p>Vell<sup class='reference'><a href='#c'>[1]</a></sup> is<style>x</style> big.</p>", "Vell is big."),
        ("<p>Vell (<span style='display: none'>x</span>; <script>y</script>) is.</p>", "Vell is."),
        ("<table><tr><td><p>a</p></td></tr></table><p>one<br>two</p>", "one two"),
        ("<ul><li><p>a</p></li></ul><div class='thumb x'><p>b</p></div><p>one</p>", "one"),
        ("<p>10<sup>6</sup> m<sup>2</sup>, 4<sup>th</sup></p>", "10⁶ m², 4th"),
        ("<p>one<span class='mw-editsection'>edit</span> <math>x</math> two<!-- c --></p>", "one two"),
        ("<p>no end", "no end"),
        ("<p>a&nbsp;b &amp; c</p>", "a b & c"),
    ],
)
def test_paragraphs_are_plain_text(body, expected):
    assert paragraphs(body) == [(expected, [])]


@pytest.mark.parametrize(
    ("href", "title"),
    [
        ("/wiki/Port_Vell#Quay", "Port Vell"),
        ("/wiki/%E6%9F%8F%E6%9E%97", "柏林"),
        ("./Port_Vell", "Port Vell"),
        ("/zh-cn/柏林", "柏林"),
        ("//en.wikipedia.org/wiki/Port", "Port"),
        ("https://en.m.wikipedia.org/wiki/Port?x=1", "Port"),
        ("https://de.wikipedia.org/wiki/Hafen", None),
        ("https://example.org/wiki/Port", None),
        ("/wiki/File:Port.jpg", None),
        ("/wiki/Help:Port", None),
        ("/w/index.php?title=Port&action=edit&redlink=1", None),
        ("#Quay", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_anchors_lead_to_articles(href, title):
    body = f'<p>See <a href="{href}"> the <i>port</i></a>.</p>'
    assert paragraphs(body) == [("See the port.", [("the port", title)] if title else [])]


def test_missing_pages_are_not_linked():
    assert paragraphs('<p>a <a href="/wiki/B" class="x new">b</a></p>') == [("a b", [])]


def test_only_the_main_content_is_read():
    content = "<div class='mw-parser-output'><p>one</p></div>"
    assert paragraphs(f"<p>menu</p><div id='mw-content-text'><p>note</p>{content}</div>") == [("one", [])]


@pytest.mark.parametrize(
    ("html", "title", "qid"),
    [
        ("<h1 id='firstHeading'>port <i>Vell</i></h1>", "Port Vell", None),
        ("<h1>Port</h1>", "Port", None),
        ("<p>one</p>", "Vell", None),
        ('<script>{"wgNamespaceNumber":4,"wgWikibaseItemId":"Q42"}</script>', "Vell", 42),
        ('<a href="https://www.wikidata.org/wiki/Special:EntityPage/Q43#x">item</a>', "Vell", 43),
    ],
)
def test_a_page_tells_its_title_and_item(html, title, qid):
    page = Page((HEAD + html).encode())
    assert (page.title, page.qid) == (title, qid)
    assert page.namespace == (4 if "Namespace" in html else 0)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("曹操 - 维基百科，自由的百科全书", "曹操"),
        ("Port-Vell – Wikipedia, the free encyclopedia", "Port-Vell"),
        ("A - B", "A - B"),
    ],
)
def test_the_name_of_the_site_is_no_part_of_the_title(title, expected):
    assert Page(f"<html><title>{title}</title><p>x</p></html>".encode()).title == expected


def test_disambiguation_pages_are_recognised():
    assert Page(b"<html><table id='disambigbox'></table></html>").is_disambiguation()
    assert not Page(b"<html><p>x</p></html>").is_disambiguation()


def test_deep_nesting_is_read():
    assert ("one", []) in paragraphs("<p>one</p>" + "<div>" * 5_000 + "<p>two")
    assert ("one", []) in paragraphs("<p>one</p><p>" + "<i>" * 5_000 + "two")


@pytest.mark.parametrize(
    "part", ["<sup class='reference'>a</sup>", "<a href='/wiki/B'>b</a>", "<p>a<i>b", "<table><p>a"]
)
def test_a_large_page_takes_little_time(part):
    start = time.process_time()
    paragraphs("<p>one" + part * (500_000 // len(part)))
    assert time.process_time() - start < 10
