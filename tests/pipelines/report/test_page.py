"""The report in a browser: all plots are drawn, no foreign code runs or is loaded, and it is accessible."""

import json
import os

import pytest

from pipelines import build
from pipelines.build_reports import read_statistics
from pipelines.report.examples import compact
from pipelines.report.page import html
from pipelines.report.payload import payload
from schemas.example import Entity, Event, Example, Mention, Relation
from tests.chromium import CHROMIUM, chromium_page
from tests.unified import write_source

NEEDED = os.environ.get("IEFORGE_NEEDS_CHROMIUM") == "1"

pytestmark = pytest.mark.skipif(CHROMIUM is None and not NEEDED, reason="no chromium on the PATH")

CHOOSE = """((id, value, event) => {
    const node = document.getElementById(id);
    node.value = value;
    node.dispatchEvent(new Event(event, {bubbles: true}));
    return node.value;
})"""

CONTRAST = """((name) => {
    const probe = document.body.appendChild(document.createElement("i"));
    const light = (value) => {
        probe.style.color = `var(--${value})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [a, b] = [light(name), light("bg")].sort();
    probe.remove();
    return (b + 0.05) / (a + 0.05);
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    assert CHROMIUM, "IEFORGE_NEEDS_CHROMIUM is set, but there is no chromium on the PATH"
    with chromium_page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser):
    browser.problems.clear()
    browser.requests.clear()
    browser.look(1400, 1000)
    return browser


def choose(page, id_: str, value: str, event: str = "change") -> None:
    assert page.run(f"{CHOOSE}({json.dumps(id_)}, {json.dumps(value)}, {json.dumps(event)})") == value


def drawn(page) -> dict[str, int]:
    """Section → number of data marks in it, as counted by the page."""
    sections = "[...document.querySelectorAll('section:not([hidden]) > .plot')]"
    script = f"Object.fromEntries({sections}.map((p) => [p.parentElement.id, +p.dataset.drawn]))"
    return page.run(script)


def marks(page, section: str, kind: str) -> int:
    return page.run(f"document.querySelectorAll('#{section} [data-mark={kind}]').length")


def articles(page) -> list[str]:
    return page.run("[...document.querySelectorAll('#examples article')].map((a) => a.dataset.id)")


def test_every_plot_of_the_bundled_build_is_drawn(page, built):
    page.open(built / "reports/report.html")
    counts = json.loads((built / "reports/stats.json").read_text())
    assert page.run("document.documentElement.dataset.ready") == ""
    assert not page.problems
    assert all(url.startswith(("file:", "data:")) for url in page.requests)
    assert all(drawn(page).values()), drawn(page)
    assert marks(page, "contents", "source") == sum(len(tasks) for tasks in counts["instructions_by_source"].values())
    assert marks(page, "leakage", "leak") == sum(len(into) for into in counts["leakage"].values())
    checked = json.loads((built / "reports/validation.json").read_text())
    assert marks(page, "validation", "expectation") == sum(len(suite["expectations"]) for suite in checked)
    assert marks(page, "flow", "split") == 3 and marks(page, "flow", "loss") > 5
    for section, kind in (("lengths", "bin"), ("labels", "bar"), ("positives", "bar"), ("neighbours", "edge")):
        assert marks(page, section, kind), section
    total = sum(n for splits in counts["instructions"].values() for n in splits.values())
    assert page.run("document.getElementById('headline').textContent").startswith(f"{total:,} instructions")
    assert "bundled samples" in page.run("document.getElementById('notices').textContent")


def test_every_source_task_and_label_set_can_be_drawn(page, small):
    page.open(small / "reports/report.html")
    for select in ("source", "task", "set", "measure", "area", "reason", "label"):
        values = page.run(f"[...document.querySelectorAll('#{select} option')].map((o) => o.value)")
        for value in values[:40]:
            choose(page, select, value)
        choose(page, "source", "")
    choose(page, "kind", "instructions")
    assert articles(page)
    assert not page.problems and page.run("document.documentElement.dataset.error") is None


def test_a_build_in_one_form_has_no_examples_of_forms(page, small):
    page.open(small / "reports/report.html")
    assert page.run("getComputedStyle(document.getElementById('forms')).display") == "none"
    assert "Forms of answer" not in page.run("document.getElementById('sections').textContent")


HOSTILE = "<script>window.ran=1</script></script><img src=x onerror=window.ran=1>"
LABEL = "<b onclick=window.ran=1>ship</b> &amp; " + "quay" * 2_500


def test_markup_in_the_data_stays_text(page, tmp_path):
    entity = {"entity": "Ada", "entity_type": LABEL}
    sentences = [f"{HOSTILE} Ada \u2028 {n} \u2029 </SCRIPT ><!-- --> &lt;" for n in range(4)]
    rows = [{"text": text, "entity": [entity]} for text in sentences]
    write_source(tmp_path / "data/IE-en/NER/harbour", "NER", ([LABEL, "plain"], [], {}), train=rows)
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build")]
    assert build.main([*flags, "--embedding_model", "lexical"]) == 0
    page.open(tmp_path / "build/reports/report.html")
    assert page.run("window.ran") is None and not page.problems
    assert page.run("document.querySelectorAll('script').length") == 2
    assert page.run("document.querySelectorAll('img, b').length") == 0
    kept = [text.replace("\u2028", "\n").replace("\u2029", "\n") for text in sentences]  # as clean repairs them
    assert sorted(page.run(TEXTS)) == kept
    assert page.run("document.querySelector('#examples mark').textContent") == "Ada"
    assert page.run("document.querySelector('#neighbours svg text').textContent").startswith(("<b onclick", "plain"))
    assert page.run("document.documentElement.scrollWidth") <= 1400
    page.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran=2'}))")
    assert page.run("window.ran") is None and "Content Security Policy" in page.problems[-1]


CUT_OFF = """(() => {
    const {left, right, top, bottom} = document.querySelector('#neighbours .wide').getBoundingClientRect();
    return [...document.querySelectorAll('#neighbours svg text')].filter((text) => {
        const at = text.getBoundingClientRect();
        return at.left < left || at.right > right || at.top < top || at.bottom > bottom;
    }).map((text) => text.textContent);
})()"""


TEXTS = """[...document.querySelectorAll('#examples .text')].map((p) => {
    const copy = p.cloneNode(true);
    copy.querySelectorAll('.tag').forEach((tag) => tag.remove());
    return copy.textContent;
})"""


@pytest.fixture(scope="module")
def report_data(small):
    return payload(str(small), read_statistics(str(small)))


def test_gold_mentions_are_marked_at_their_offsets(page, report_data, tmp_path):
    text = "🚢🚢 北港 Harbour Lane quay and Lane ferry"
    spans = {"Harbour Lane": ((6, 18),), "Lane": ((14, 18),), "Harbour ferry": ((6, 13), (33, 38)), "🚢": ((1, 2),)}
    entities = [Entity(f"label {n}", Mention(name, at)) for n, (name, at) in enumerate(spans.items())]
    relation = Relation("leads to", Mention("北港"), Mention("ferry", ((33, 38),)))
    event = Event("dock", Mention("quay", ((19, 23),)))
    example = Example("anatem/test/0", "A", "test", "en", text, ("NER",), tuple(entities), (relation,), (event,))
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "examples": {"anatem": [compact(example)]}}))
    page.open(path)
    assert page.run(TEXTS) == [text]
    by_label = """((title) => [...document.querySelectorAll('#examples mark')]
        .filter((m) => m.title.split(' · ').includes(title)).map((m) => m.textContent))"""
    assert "".join(page.run(f"{by_label}('label 0')")) == "Harbour Lane"
    assert page.run(f"{by_label}('label 1')") == ["Lane"]  # not the other Lane
    assert page.run(f"{by_label}('label 2')") == ["Harbour", "ferry"]
    assert page.run(f"{by_label}('label 3')") == ["🚢"]
    assert page.run(f"{by_label}('dock')") == ["quay"]
    assert page.run("[...document.querySelectorAll('#examples mark.somewhere')].map((m) => m.textContent)") == ["北港"]
    facts = page.run("[...document.querySelectorAll('#examples li')].map((li) => li.textContent)")
    assert facts == ["北港 — leads to → ferry", "dock: quay"]
    choose(page, "task", "NER")
    assert page.run("document.querySelectorAll('#examples mark.somewhere').length") == 0


def test_forms_of_answer_stand_side_by_side(page, report_data, tmp_path):
    answers = [{"form": form, "prompt": f"{HOSTILE} {form}", "answer": '{"ship": []}'} for form in ("iepile", "nan")]
    long = {"task": "NER", "id": "harbour/train/1/NER/0", "schema": json.dumps([LABEL]), "text": HOSTILE}
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "forms": [{**long, "answers": answers}]}))
    page.open(path)
    assert page.run("window.ran") is None and not page.problems and drawn(page)["forms"] == 1
    assert page.run("document.querySelector('#forms .text').textContent") == HOSTILE
    assert page.run("[...document.querySelectorAll('#forms h3')].map((h) => h.textContent)") == ["iepile", "nan"]
    tops = "[...document.querySelectorAll('#forms h3')].map((h) => h.getBoundingClientRect().top)"
    assert len(set(page.run(tops))) == 1
    page.look(390, 844)
    page.open(path)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert len(set(page.run(tops))) == 2


def test_gold_answers_are_recognized_by_split_not_by_key(page, report_data, tmp_path):
    key = "IE-en/NER/test"
    ids = [f"{key}/{place}/NER/0" for place in ("train/1", "validation/1/2", "test/1", "test/1/2")]
    samples = [[key, "NER", id_, "{}", "{}"] for id_ in ids]
    sources = {key: report_data["sources"]["anatem"]}
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "sources": {**report_data["sources"], **sources}, "samples": samples}))
    page.open(path)
    choose(page, "kind", "instructions")
    assert articles(page) == ids
    titles = page.run("[...document.querySelectorAll('#examples article > p')].map((p) => p.textContent)")
    assert titles == ["Answer", "Answer", "Gold of the whole text", "Gold of the whole text"]


def test_examples_are_filtered_by_source_task_label_and_words(page, small, report_data):
    page.open(small / "reports/report.html")
    choose(page, "source", "clue_ner")
    assert articles(page) and all(id_.startswith("clue_ner/") for id_ in articles(page))
    assert page.run("document.querySelector('#examples .text').lang") == "zh"
    label = next(label for _, _, entities, _, _ in report_data["examples"]["clue_ner"] for label, _ in entities or ())
    choose(page, "label", label)
    examples = report_data["examples"]["clue_ner"]
    expected = [id_ for id_, _, entities, _, _ in examples if label in [name for name, _ in entities or ()]]
    assert sorted(articles(page)) == sorted(expected)[: len(articles(page))]
    choose(page, "source", "")
    choose(page, "label", "")
    choose(page, "query", "CARBAMAZEPINE", "input")
    assert articles(page) and all(id_.startswith("ade_corpus/") for id_ in articles(page))
    choose(page, "query", "no such words", "input")
    assert articles(page) == []
    choose(page, "query", "", "input")
    choose(page, "task", "EE")
    assert {id_.split("/")[0] for id_ in articles(page)} == {"duee1"}


def press(page, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, text="\r" if kind == "keyDown" else "")


def test_plots_work_from_the_keyboard(page, small):
    page.open(small / "reports/report.html")
    page.run("document.querySelector('#contents [role=button]').focus()")
    press(page, "Enter")
    assert page.run("document.getElementById('source').value") != ""
    assert page.run("document.querySelectorAll('#contents [role=button]').length") == 1
    page.run("document.querySelector('#neighbours [role=button]').focus()")
    press(page, "Enter")
    assert page.run("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert page.run("document.querySelectorAll('#neighbours .near li').length")


def test_every_plot_has_a_name_and_a_table(page, small):
    page.open(small / "reports/report.html")
    assert page.run("[...document.querySelectorAll('svg')].every((s) => s.getAttribute('aria-label'))")
    assert page.run(
        "[...document.querySelectorAll('select, input')].every((s) => s.closest('label').textContent.trim())"
    )
    page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("[...document.querySelectorAll('details')].every((d) => d.querySelector('td'))")
    with_table = page.run("[...document.querySelectorAll('.plot')].filter((p) => p.querySelector('td')).length")
    assert with_table == len(drawn(page)) - 1  # the examples are text


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_colours_have_enough_contrast(page, small, dark):
    page.look(1400, 1000, dark)
    page.open(small / "reports/report.html")
    background = page.run("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
    for name in ("fg", "dim", "accent", "bad", "good", "warn"):
        assert page.run(f"{CONTRAST}('{name}')") >= 4.5, name  # WCAG 2.2, 1.4.3
    for n in range(12):
        assert page.run(f"{CONTRAST}('c{n}')") >= 3, n  # 1.4.11


def test_a_phone_scrolls_only_vertically(page, built):
    page.look(390, 844)
    page.open(built / "reports/report.html")
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert all(drawn(page).values())
    small_sets = "[...document.getElementById('set').options].filter((o) => o.text.match(/ (\\d+)$/)[1] <= 40)"
    for number in page.run(f"{small_sets}.slice(0, 12).map((o) => o.value)"):  # larger ones are scrolled
        choose(page, "set", number)
        assert page.run(CUT_OFF) == []
    page.look(1400, 1000)
    page.run("new Promise((done) => setTimeout(done, 400))")
    assert page.run("document.querySelector('#contents svg').getBoundingClientRect().width") > 1000


def test_a_build_without_hard_negatives_or_leaks_says_so(page, report_data, tmp_path):
    path = tmp_path / "report.html"
    nothing = {"hard_negatives": "none", "model": None}
    missing = {"scierc": "no file of it"}
    # A source without any text left.
    kept = {key: tasks for key, tasks in report_data["instructions"].items() if key != "anatem"}
    content = {**report_data, "neighbours": [], "hard_negatives": nothing, "leakage": {}, "failed": missing}
    path.write_text(html({**content, "instructions": kept}))
    page.open(path)
    assert not page.problems
    text = page.run("document.body.innerText")
    assert page.run("document.getElementById('set').offsetParent") is None
    for sentence in ("made without hard negatives", "No train or validation text is equal", "Missing: scierc"):
        assert sentence in text
