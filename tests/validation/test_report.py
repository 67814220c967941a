"""The page is self-contained, escaped and deterministic."""

from html.parser import HTMLParser

from validation.check import ExpectationResult, SuiteResult
from validation.report import data_docs, rule
from validation.rule_words import rule_words
from validation.suites import SUITES

BAD = "<script>alert('x')</script>&\"`"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Elements with their attributes, the text, and whether every element is closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


RESULTS = [
    SuiteResult(
        "examples",
        12345,
        (
            ExpectationResult("expect_ids", "id", "Every row has an `id`.", True, 0, ()),
            ExpectationResult("expect_text", BAD, f"Meaning {BAD}", False, 6789, (BAD, "k/train/7")),
        ),
    ),
    SuiteResult("labels", 0, (ExpectationResult("expect_columns", None, "Columns.", True, 0, ()),)),
]


def test_the_page_loads_no_resources():
    html = data_docs(RESULTS)
    page = Page(html)
    assert {tag for tag, _ in page.elements}.isdisjoint({"link", "img", "iframe", "object", "base", "form"})
    for _, attributes in page.elements:
        assert not {"src", "srcset", "style", "action"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith(("#", "../report.html"))
    assert "url(" not in html and "@import" not in html and "://" not in html


def test_every_link_has_a_target():
    page = Page(data_docs(RESULTS))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert ids == ["languages", "examples", "labels", "words"]
    assert [attributes["href"] for tag, attributes in page.elements if tag == "a"] == [
        "../report.html",
        "#examples",
        "#labels",
    ]


def test_data_is_escaped():
    page = Page(data_docs(RESULTS))
    assert page.open == []
    text = "".join(page.text)
    assert text.count(BAD) == 2  # column and id
    assert "Meaning <script>alert('x')</script>&\"" in text


def test_rules_and_failures_are_shown():
    text = " ".join(" ".join(Page(data_docs(RESULTS)).text).split())
    for part in ("✗ 1 rule failed.", "12,345", "✗ 6,789 unexpected", "✗ 1 failed", "k/train/7", "expect_ids"):
        assert part in text
    assert text.index("expect_text") < text.index("expect_ids"), "failed rules come first"
    assert "✓ All 1 rules passed." in " ".join(Page(data_docs(RESULTS[1:])).text)


def test_the_same_results_give_the_same_page():
    assert data_docs(RESULTS) == data_docs(list(RESULTS))


def test_every_rule_and_title_of_a_suite_is_translated_and_no_other_text():
    rules = {suite.title for suite in SUITES.values()}
    rules |= {rule.meaning for suite in SUITES.values() for rule in suite.rules}
    assert rules == rule_words()["zh"].keys()


def test_a_rule_of_another_version_stays_as_it_is():
    assert rule("Every row is `blue` & <new>.") == "Every row is <code>blue</code> &amp; &lt;new&gt;."
    assert rule("No text is blank.") == '<span data-say="No text is blank.">No text is blank.</span>'
