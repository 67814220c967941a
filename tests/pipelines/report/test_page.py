"""The report in a browser: all plots are drawn, no foreign code runs or is loaded, and it is accessible."""

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines import build
from pipelines.build_reports import read_statistics
from pipelines.report.gold import compact
from pipelines.report.page import html
from pipelines.report.payload import payload
from schemas.example import Entity, Event, Example, Mention, Relation
from schemas.example_id import ExampleId
from tests.chromium import CHROMIUM, chromium_page
from tests.unified import write_source
from transforms.shards import read_shard

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


def articles(page, section: str = "instructions") -> list[str]:
    return page.run(f"[...document.querySelectorAll('#{section} article')].map((a) => a.dataset.id)")


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


def test_the_page_speaks_the_language_of_the_browser(page, small):
    report = small / "reports/report.html"
    title, switch = "document.querySelector('h1').textContent", "document.querySelector('#languages a')"
    try:
        for languages, query, lang, heading in (
            ("en-GB,zh", "", "en", "Corpus report"),
            ("fr,zh-TW", "", "zh", "语料报告"),
            ("fr", "", "en", "Corpus report"),
            ("zh-CN", "?lang=en", "en", "Corpus report"),
            ("en", "?lang=zh", "zh", "语料报告"),
        ):
            page.speak(languages)
            page.open(report, query)
            assert (page.run("document.documentElement.lang"), page.run(title)) == (lang, heading)
            assert page.run(f"{switch}.lang") == {"en": "zh", "zh": "en"}[lang]
        assert page.run("document.getElementById('headline').textContent").endswith(
            "段中文和英语文本，来自 6 个来源；难负例用只比较拼写的词面编码器挖掘。"
        )
        assert page.run(f"{switch}.href").endswith("report.html?lang=en")
        assert not page.problems and page.run("document.documentElement.dataset.error") is None
    finally:
        page.speak("en-US")


def test_the_pages_of_a_build_link_to_each_other(page, small):
    page.open(small / "reports/report.html", "?lang=zh")
    links = page.run("[...document.querySelectorAll('#pages a')].map((a) => a.href)")
    paths = [Path(link.removeprefix("file://")) for link in links]
    assert {path.name for path in paths} == {"README_zh.md", "index.html", "hard_negatives.html"}
    for path in paths:
        assert path.is_file()
        if path.suffix == ".html":
            page.open(path)
            assert page.run("document.querySelector('a').href") == (small / "reports/report.html").resolve().as_uri()


def test_a_build_without_hard_negatives_has_no_page_of_them_to_link_to(small):
    statistics = read_statistics(str(small))
    nothing = replace(statistics.hard_negatives, hard_negatives="none")
    assert set(payload(str(small), replace(statistics, hard_negatives=nothing))["pages"]) == {"card", "validation"}


def test_a_source_with_the_name_of_a_javascript_property(page, report_data, tmp_path):
    path = tmp_path / "report.html"
    renamed = json.loads(json.dumps(report_data).replace("ade_corpus", "constructor"))
    counts = dict.fromkeys(("labels", "seen", "annotations", "seen_annotations"), 1) | {
        "near": 0,
        "near_annotations": 0,
    }
    familiarity = {"near": 0.5, "model": "lexical", "by_source": {"constructor": {"RE": counts}}}
    path.write_text(html({**renamed, "familiarity": familiarity}))
    page.open(path)
    assert not page.problems
    page.run("document.querySelectorAll('#familiarity details').forEach((d) => (d.open = true))")
    page.run("new Promise((done) => setTimeout(done, 100))")  # the tables are drawn when they are opened
    text = page.run("document.getElementById('familiarity').textContent")
    assert "constructor" in text and "function Object" not in text


def test_every_source_task_and_label_set_can_be_drawn(page, small):
    page.open(small / "reports/report.html")
    for select in ("source", "task", "split", "set", "measure", "area", "reason", "label", "role", "hard"):
        values = page.run(f"[...document.querySelectorAll('#{select} option')].map((o) => o.value)")
        for value in values[:40]:
            choose(page, select, value)
        choose(page, select, values[0])
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
    sentences = [f"{HOSTILE} Ada \u2028 {n} \u2029 </SCRIPT ><!-- --> &lt;" for n in range(3)]
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
    assert page.run("document.querySelector('#instructions .text mark').textContent") == "Ada"
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


TEXTS = """[...document.querySelectorAll('#instructions .text')].map((p) => {
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
    show_rows(
        path, report_data, example, [["NER", [f"label {n}" for n in range(4)]], ["RE", ["leads to"]], ["EE", ["dock"]]]
    )
    page.open(path)
    assert page.run(TEXTS) == [text] * 3
    by_label = """((title) => [...document.querySelectorAll('#instructions .text mark')]
        .filter((m) => m.title.split(' · ').includes(title)).map((m) => m.textContent))"""
    assert "".join(page.run(f"{by_label}('label 0')")) == "Harbour Lane"
    assert page.run(f"{by_label}('label 1')") == ["Lane"]  # not the other Lane
    assert page.run(f"{by_label}('label 2')") == ["Harbour", "ferry"]
    assert page.run(f"{by_label}('label 3')") == ["🚢"]
    assert page.run(f"{by_label}('dock')") == ["quay"]
    somewhere = "[...document.querySelectorAll('#instructions .text mark.somewhere')].map((m) => m.textContent)"
    assert page.run(somewhere) == ["北港"]
    choose(page, "task", "NER")
    assert page.run(TEXTS) == [text] and page.run(somewhere) == []


def test_only_the_labels_of_a_prompt_are_marked(page, report_data, tmp_path):
    entities = [Entity(label, Mention("Keel", ((0, 4),))) for label in ("ship", "boat")]
    example = Example("anatem/test/0", "A", "test", "en", "Keel and mast", ("NER",), tuple(entities), None, None)
    path = tmp_path / "report.html"
    show_rows(path, report_data, example, [["NER", ["boat"]]])
    page.open(path)
    assert page.run("[...document.querySelectorAll('#instructions .text mark')].map((m) => m.title)") == ["boat"]


def show_rows(path: Path, report_data: dict, example: Example, labels: list[list]) -> None:
    """Writes a report with an instruction for each [task, positive labels] that asks about the example."""
    key = ExampleId.parse(example.id).key
    rows = [[0, task, 0, 0, "", names, "p" * len(names), 0, {}] for task, names in labels]
    sample = {"prompts": ["Say."], "texts": {key: [compact(example)]}, "rows": {key: rows}}
    path.write_text(html({**report_data, "sample": sample}))


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
    places = ["train/1", "validation/1/2", "test/1", "test/1/2"]
    texts = [[f"{key}/{place}", "Keel", [], None, None] for place in places]
    rows = [[number, "NER", 0, 0, "", ["ship"], "o", 0, {}] for number in range(4)]
    sources = {key: report_data["sources"]["anatem"]}
    sample = {"prompts": ["Say."], "texts": {key: texts}, "rows": {key: rows}}
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "sources": {**report_data["sources"], **sources}, "sample": sample}))
    page.open(path)
    assert articles(page) == [f"{key}/{place}/NER/0" for place in places]
    titles = page.run("[...document.querySelectorAll('#instructions article > h3')].map((h) => h.textContent)")
    assert titles == ["Answer", "Answer", "Gold of the whole text", "Gold of the whole text"]


def sampled(report_data: dict) -> dict[str, dict]:
    """Id → text, labels and roles of the instructions on the page."""
    sample = report_data["sample"]
    return {
        f"{sample['texts'][key][number][0]}/{task}/{batch}": {
            "text": sample["texts"][key][number][1],
            "roles": dict(zip(labels, roles, strict=True)),
        }
        for key, rows in sample["rows"].items()
        for number, task, batch, _, _, labels, roles, _, _ in rows
    }


def all_articles(page) -> list[str]:
    """The ids of all pages of instructions."""
    return page.run("""(() => {
        const ids = [];
        for (;;) {
            ids.push(...[...document.querySelectorAll('#instructions article')].map((a) => a.dataset.id));
            const next = document.querySelector('#instructions .pages button:last-child');
            if (next.disabled) return ids;
            next.click();
        }
    })()""")


def test_instructions_are_filtered_by_every_control(page, small, report_data):
    page.open(small / "reports/report.html")
    rows = sampled(report_data)
    choose(page, "source", "clue_ner")
    shown = {id_: row for id_, row in rows.items() if id_.startswith("clue_ner/")}
    assert set(all_articles(page)) == set(shown)
    assert page.run("document.querySelector('#instructions .text').lang") == "zh"
    label = next(label for row in shown.values() for label, role in row["roles"].items() if role == "h")
    choose(page, "label", label)
    for role in "pho":
        choose(page, "role", role)
        assert set(all_articles(page)) == {id_ for id_, row in shown.items() if row["roles"].get(label) == role}
    choose(page, "role", "")
    roles = [rows[id_]["roles"][label] for id_ in all_articles(page)]
    assert roles == sorted(roles, key="pho".index) and {"p", "h"} <= set(roles)  # positive ones first
    assert label in page.run("document.querySelector('.about-label').textContent")
    choose(page, "label", "")
    for value, has in (("with", True), ("without", False)):
        choose(page, "hard", value)
        assert set(all_articles(page)) == {id_ for id_, row in shown.items() if ("h" in row["roles"].values()) == has}
    choose(page, "hard", "")
    choose(page, "split", "validation")
    assert set(all_articles(page)) == {id_ for id_ in shown if "/validation/" in id_}
    page.run("document.getElementById('show-all').click()")
    choose(page, "query", "CARBAMAZEPINE", "input")
    assert set(all_articles(page)) == {
        id_ for id_, row in rows.items() if "carbamazepine" in json.dumps([id_, row], ensure_ascii=False).lower()
    }
    choose(page, "query", "no such words", "input")
    assert articles(page) == []
    choose(page, "query", "", "input")
    choose(page, "task", "EE")
    assert {id_.split("/")[0] for id_ in all_articles(page)} == {"duee1"}


def test_a_label_leads_to_its_instructions_and_hard_negatives(page, small, report_data):
    page.open(small / "reports/report.html")
    choose(page, "source", "clue_ner")
    page.run("document.querySelector('#instructions .chip.hard').click()")
    label = page.run("document.getElementById('label').value")
    _, _, _, names, edges = next(graph for graph in report_data["neighbours"] if graph[1] == "clue_ner")
    near = [names[to] for to, _ in edges[names.index(label)]]
    chips = "[...document.querySelectorAll('.near-labels .chip bdi')].map((chip) => chip.textContent)"
    assert near and page.run(chips) == near
    first = "[...document.querySelector('#instructions article').querySelectorAll('.chip')].map((c) => c.className)"
    assert {"chip positive", "chip hard"} <= set(page.run(first))
    page.run("document.querySelector('.near-labels .chip').click()")
    assert page.run("document.getElementById('label').value") == near[0]


def test_an_instruction_is_shown_as_json_on_request(page, small, report_data):
    page.open(small / "reports/report.html")
    choose(page, "task", "EE")
    page.run("document.querySelector('#instructions article summary').click()")
    page.run("new Promise((done) => setTimeout(done, 100))")
    prompt, answer = page.run("[...document.querySelectorAll('#instructions pre')].map((pre) => pre.textContent)")
    path = next((small / "data/EE").glob("*.parquet")).parent
    rows = [row for file in path.glob("*.parquet") for row in read_shard(str(file)).to_pylist()]
    (row,) = [row for row in rows if row["id"] == articles(page)[0]]
    assert json.loads(prompt) == json.loads(row["instruction"])
    assert json.loads(answer) == json.loads(row["output"] or row["label"])


def test_headline_and_plots_follow_the_filter(page, small):
    page.open(small / "reports/report.html")
    counts = json.loads((small / "reports/stats.json").read_text())
    choose(page, "source", "duee1")
    choose(page, "split", "train")
    by_task = counts["instructions_by_source"]["duee1"]
    rows = sum(splits["train"]["instructions"] for splits in by_task.values() if "train" in splits)
    kept = counts["sources"]["duee1"]["train"]["kept"]["examples"]
    headline = page.run("document.getElementById('headline').textContent")
    assert headline.startswith(f"{rows:,} instructions (EE, EET, EEA) over {kept:,} texts from 1 source in Chinese")
    assert marks(page, "flow", "split") == 1
    assert page.run("document.querySelectorAll('#positives figure').length") == 1
    bars = "[...document.querySelectorAll('#labels [data-mark=bar]')].map((bar) => bar.children.length)"
    assert set(page.run(bars)) == {1}
    assert "test rows only" in page.run("document.getElementById('familiarity').textContent")
    choose(page, "task", "EE")  # the only box that is left shows its labels and lengths
    labels = page.run("[...document.querySelectorAll('#contents [data-mark=label] ~ text')].map((t) => t.textContent)")
    assert marks(page, "contents", "label") and labels and marks(page, "contents", "bin")
    page.run("document.querySelector('#contents .back').click()")
    assert page.run("document.getElementById('source').value") == "" and marks(page, "contents", "source")


def test_rejects_are_filtered_and_shown_beside_their_twins(page, small, report_data):
    page.open(small / "reports/report.html")
    assert articles(page, "rejects")
    choose(page, "reason", "leakage")
    rows = [row for row in report_data["rejects"] if row[3] == "leakage"]
    assert set(articles(page, "rejects")) <= {row[5] for row in rows} and rows
    page.run("document.querySelector('#flow [role=button]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert page.run("document.getElementById('reason').value") != "leakage"
    choose(page, "reason", "")
    choose(page, "reject-query", rows[0][8][1][:30].upper(), "input")
    assert rows[0][5] in articles(page, "rejects")


def test_texts_and_annotations_that_differ_are_marked(page, report_data, tmp_path):
    place = ["examples/anatem/train-00000.parquet", "anatem/train/1", "why", ""]
    one = ["anatem/train/1", "Ada sailed to Coal  Quay .", [["person", [0, 3]]], None, None]
    leak = ["anatem/test/4", "ada sailed to Coal Quay.", [["person", [0, 3]]], None, None]
    twin = ["anatem/train/0", None, [["ship", [0, 3]]], None, None]
    rows = [
        ["clean", "anatem", "train", "leakage", *place, one, leak],
        ["clean", "anatem", "train", "contradiction", *place, one, twin],
        ["clean", "anatem", "train", "duplicate", *place, one, [twin[0], None, *one[2:]]],
    ]
    path = tmp_path / "report.html"
    path.write_text(html({**report_data, "rejects": rows}))
    page.open(path)
    cards = "[...document.querySelectorAll('#rejects article')]"
    differs = f"{cards}.map((card) => [...card.querySelectorAll('.differs')].map((node) => node.textContent))"
    leaked, contradicted, repeated = page.run(differs)
    assert leaked == ["Ada", "  ", " ", "ada", " "] and contradicted == ["person: Ada", "ship: Ada"] and not repeated
    assert page.run(f"{cards}[2].querySelectorAll('.text').length") == 1
    assert "anatem/train/0" in page.run(f"{cards}[2].textContent")


def press(page, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, text="\r" if kind == "keyDown" else "")


def test_plots_work_from_the_keyboard(page, small):
    page.open(small / "reports/report.html")
    page.run("document.querySelector('#contents [role=button]').focus()")
    press(page, "Enter")
    assert page.run("document.getElementById('source').value") != ""
    assert marks(page, "contents", "label") == page.run("document.querySelectorAll('#contents [role=button]').length")
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
    assert page.run("[...document.querySelectorAll('details')].every((d) => d.querySelector('td, pre'))")
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
