"""The pages without a browser of their own, in English and Chinese: no text stays behind, nothing is requested."""

import json
import os
import re

import pytest

from hard_negatives import report as hard_negatives_report
from tests.chromium import CHROMIUM, chromium_page
from tests.hard_negatives.test_report import PAIR, TOWN_STATS, TOWNS
from tests.train.test_compare_result import APART, ROWS, finished, summarise
from tests.train.test_score_report import make_page
from tests.train.test_training_page import SUMMARY
from tests.validation.test_report import RESULTS
from train.comparing import page as comparison_page
from train.scoring.words import say
from train.tuning import page as training_page
from validation import report as validation_report

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("IEFORGE_NEEDS_CHROMIUM"), reason="no chromium on the PATH"
)


FOREIGN = re.compile(r"[A-Za-z]{2,}(?:-[A-Za-z]+)*")
NAMES = {"JSON", "json-repair", "id", "NER", "RE", "ROUGE", "LoRA", "cpu", "float", "min"}
"""Latin words that a Chinese page may have besides code."""

DATA = {
    "hard_negatives": {"Towns", "towns", "Pair", "pair", "city", "river", "village"},
    "validation": {"examples"} | set(FOREIGN.findall(repr(RESULTS))),
    "training": set(),
    "scores": {"script", "alert", "Ada", "Eve", "Monday", "harbour", "test"},
    "comparison": {"harbour", "pilot", "none", "mined"},
}
"""Page → words of its data in these tests."""


def latin_words(browser) -> set[str]:
    """The Latin words in text, tooltips and labels of the page, without code and texts of the data."""
    text = browser.run(
        "(() => { const body = document.body.cloneNode(true); "
        "body.querySelectorAll('code, pre, script, noscript, .text, [lang]').forEach((node) => node.remove()); "
        "body.querySelectorAll('*').forEach((node) => node.append(' ')); "
        "const names = ['title', 'aria-label', 'placeholder']; "
        "const nodes = [...body.querySelectorAll(names.map((one) => `[${one}]`))]; "
        "const labels = nodes.flatMap((node) => names.map((one) => node.getAttribute(one))); "
        "return [body.textContent, ...labels].join(' ') })()"
    )
    return set(FOREIGN.findall(text))


def test_pages_are_in_the_language_of_the_browser_or_the_address(tmp_path):
    scores = tmp_path / "scores"
    scores.mkdir()
    pages = {
        "hard_negatives": (hard_negatives_report.page([(TOWNS, TOWN_STATS), (PAIR, None)]), hard_negatives_report.say),
        "validation": (validation_report.data_docs(RESULTS), validation_report.say),
        "training": (training_page.page(SUMMARY), say),
        "comparison": (comparison_page.page(summarise(*finished(scores, "harbour/pilot"), ROWS, APART)), say),
        "scores": (make_page(scores, repair=True), say),
    }
    with chromium_page(tmp_path / "profile") as browser:
        for name, (html, book) in pages.items():
            path = tmp_path / f"{name}.html"
            path.write_text(html, "utf-8")
            for languages, query, lang in (("zh-CN,en", "", "zh"), ("zh-CN,en", "?lang=en", "en"), ("de", "", "en")):
                browser.speak(languages)
                browser.open(path, query)
                assert browser.run("document.documentElement.lang") == lang
                text = browser.run("document.body.innerText.replace(/\\s+/g, ' ')")
                attributes = browser.run(
                    "[...document.querySelectorAll('[title],[aria-label],[placeholder]')].map((node) => "
                    "['title', 'aria-label', 'placeholder'].map((one) => node.getAttribute(one))).join()"
                )
                for key, english in book.words["en"].items():
                    if lang == "zh" and isinstance(english, str) and len(english) > 14 and "{" not in english:
                        assert english.replace("`", "") not in text + attributes, (name, key)
                if lang == "zh":
                    assert latin_words(browser) - NAMES <= DATA[name], name
                light, dark, screen = browser.colours()
                assert light == dark != screen, name
                if lang == "zh" and name == "scores":
                    assert "按任务、来源" in text and "· 测试集 ·" in text and "匹配，计入重复（" in text
                assert not browser.problems and all(url.startswith(("file:", "about:")) for url in browser.requests)
                assert (browser.run("document.title") == book.words["zh" if lang == "zh" else "en"]
                        ["title" if name in ("hard_negatives", "validation") else f"{name}.title"])  # fmt: skip


def test_pages_have_their_figures_without_javascript(tmp_path):
    pages = {
        "hard_negatives": hard_negatives_report.page([(TOWNS, TOWN_STATS), (PAIR, None)]),
        "scores": make_page(tmp_path),
    }
    shown = {}
    with chromium_page(tmp_path / "profile") as browser:
        for name, html in pages.items():
            path = tmp_path / f"{name}.html"
            path.write_text(html, "utf-8")
            shown[name] = browser.without_script(path)
            browser.open(path)
            assert "没有 JavaScript" not in browser.run("document.body.innerText")
    assert all("only" in text and "没有 JavaScript 时，本页只有英文。" in text for text in shown.values())
    assert "10 instructions" in shown["hard_negatives"] and "25.00" in shown["scores"]
    assert "显示有错误的文本需要 JavaScript" in shown["scores"] and "Show more" not in shown["scores"]


def test_links_between_pages_keep_a_chosen_language(tmp_path):
    path = tmp_path / "hard_negatives.html"
    path.write_text(hard_negatives_report.page([(TOWNS, None)]), "utf-8")
    with chromium_page(tmp_path / "profile") as browser:
        link = "document.querySelector('a[data-page]').getAttribute('href')"
        browser.open(path)
        assert browser.run(link) == "report.html"
        browser.open(path, "?lang=zh")
        assert browser.run("document.querySelector('a[data-page]').href").endswith("/report.html?lang=zh")


CHOOSE = """((id, value) => {
    const node = document.getElementById(id);
    node.value = value;
    node.dispatchEvent(new Event(node.type === "search" ? "input" : "change", {bubbles: true}));
})"""
STATE = """JSON.stringify([
    ...[...document.querySelectorAll("select, input")].map((node) => node.value),
    document.getElementById("mistakes-list").children.length, location.hash,
    [...document.querySelectorAll("details")].map((node) => node.open).join(),
    Math.round(document.getElementById("mistakes-list").getBoundingClientRect().top / 10)])"""


def test_a_switch_of_the_language_and_a_reload_keep_filters_and_place(tmp_path):
    path = tmp_path / "scores.html"
    path.write_text(make_page(tmp_path, 60), "utf-8")
    with chromium_page(tmp_path / "profile") as browser:
        browser.look(800, 400)
        browser.open(path, "?mistakes-source=gone#classes")
        browser.run("document.getElementById('mistakes-more').click()")
        browser.run(f"{CHOOSE}('mistakes-search', 'Ada'); {CHOOSE}('mistakes-kind', 'hallucinated')")
        browser.run("document.getElementById('mistakes-more').click(); document.querySelector('details').open ^= 1")
        browser.run("document.querySelectorAll('#mistakes-list article')[25].scrollIntoView()")
        before = json.loads(browser.run(STATE))
        assert before[-4:-2] == [30, "#classes"] and "Ada" in before and "hallucinated" in before
        for lang in ("zh", "en"):
            browser.follow("#languages a")
            assert browser.run("document.documentElement.lang") == lang
            assert json.loads(browser.run(STATE)) == before
            assert "at=" not in browser.run("location.href")
        browser.run(f"{CHOOSE}('mistakes-search', 'harbour/test/2')")
        browser.run("new Promise((done) => setTimeout(done, 700))")
        browser.send("Page.reload")
        browser.wait()
        assert browser.run("document.getElementById('mistakes-search').value") == "harbour/test/2"
        assert browser.run("document.getElementById('mistakes-list').children.length") == 6
        assert not browser.problems
