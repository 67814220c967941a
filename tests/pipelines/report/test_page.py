"""The report in a browser: all plots are drawn, no foreign code runs or is loaded, and it is accessible."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines import build
from pipelines.build_reports import read_statistics
from pipelines.report.page import html
from pipelines.report.payload import payload
from tests.pipelines.report.looking import HOSTILE, LABEL, TEXTS, articles, choose, drawn, marks
from tests.unified import write_source

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


def test_a_dark_page_is_printed_light(page, small):
    page.open(small / "reports/report.html")
    light, dark, screen = page.colours()
    assert light == dark != screen


def test_the_headline_figures_need_no_javascript(page, small):
    text = page.without_script(small / "reports/report.html")
    counts = json.loads((small / "reports/stats.json").read_text())
    lines = [line.split() for line in text.splitlines()]
    for task, splits in counts["instructions"].items():
        assert [f"{splits.get(split, 0):,}" for split in ("train", "validation", "test")] in [
            line[-3:] for line in lines if task in line
        ]
    assert "Corpus report" in text and "语料报告" in text and "stats.json" in text and "6 sources" in text
    page.open(small / "reports/report.html")
    assert "stats.json" not in page.run("document.querySelector('header').innerText")


def test_a_switch_of_the_language_keeps_filters_and_place(page, small):
    state = "[...document.querySelectorAll('select, input')].map((node) => node.value).join()"
    top = "document.getElementById('leakage').getBoundingClientRect().top"
    page.open(small / "reports/report.html", "?lang=en#flow")
    choose(page, "source", "duee1")
    choose(page, "area", "texts")
    choose(page, "hard", "with")
    choose(page, "query", "a", "input")
    page.run("document.getElementById('leakage').scrollIntoView()")
    before, at = page.run(state), page.run(top)
    for lang in ("zh", "en"):
        page.follow("#languages a")
        assert page.run("document.documentElement.lang") == lang
        assert page.run(state) == before and page.run("location.hash") == "#flow"
        assert abs(page.run(top) - at) < 10
    assert {"duee1", "texts", "with", "a"} <= set(before.split(","))


def test_the_pages_of_a_build_link_to_each_other(page, small):
    page.open(small / "reports/report.html", "?lang=zh")
    links = page.run("[...document.querySelectorAll('#pages a')].map((a) => a.href)")
    assert [link.endswith("?lang=zh") for link in links] == [".html" in link for link in links]
    paths = [Path(link.removeprefix("file://").removesuffix("?lang=zh")) for link in links]
    assert {path.name for path in paths} == {"README_zh.md", "index.html", "hard_negatives.html"}
    for path in paths:
        assert path.is_file()
        if path.suffix == ".html":
            page.open(path, "?lang=en")
            assert (
                page.run("document.querySelector('a[data-page]').href")
                == (small / "reports/report.html").resolve().as_uri() + "?lang=en"
            )


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


def test_markup_in_the_data_stays_text(page, tmp_path):
    entity = {"entity": "Ada", "entity_type": LABEL}
    sentences = [f"{HOSTILE} Ada \u2028 {n} \u2029 </SCRIPT ><!-- --> &lt;" for n in range(3)]
    rows = [{"text": text, "entity": [entity]} for text in sentences]
    write_source(tmp_path / "data/IE-en/NER/harbour", "NER", ([LABEL, "plain"], [], {}), train=rows)
    flags = ["--data_root", str(tmp_path / "data"), "--output", str(tmp_path / "build")]
    assert build.main([*flags, "--embedding_model", "lexical"]) == 0
    page.open(tmp_path / "build/reports/report.html")
    assert page.run("window.ran") is None and not page.problems
    assert page.run("document.querySelectorAll('script').length") == 3  # words, data, script
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
    labels = page.run("[...document.querySelectorAll('#contents [role=button] + text')].map((t) => t.textContent)")
    assert marks(page, "contents", "label") and labels and marks(page, "contents", "bin")
    page.run("document.querySelector('#contents .back').click()")
    assert page.run("document.getElementById('source').value") == "" and marks(page, "contents", "source")


def test_a_filter_that_nothing_passes_is_said(page, report_data, tmp_path):
    path, nothing = tmp_path / "report.html", "No data for this source, task and split."
    source = report_data["sources"]["duee1"]
    counts = {task: {"train": splits["train"]} for task, splits in source["asked"].items()}
    source = source | {"splits": {"train": source["splits"]["train"]}, "asked": counts}
    path.write_text(html({**report_data, "sources": report_data["sources"] | {"duee1": source}}))
    page.open(path)
    choose(page, "source", "duee1")
    choose(page, "split", "validation")
    assert page.run("document.getElementById('headline').textContent") == nothing and not page.problems
    for section in ("contents", "instructions", "flow", "lengths", "labels", "positives"):
        assert page.run(f"document.querySelector('#{section} .plot').textContent") == nothing, section
    assert page.run("document.getElementById('matches').textContent") == ""
    assert page.run("document.getElementById('reject-matches').textContent") == "Nothing was rejected."
    assert page.run("document.querySelectorAll('.pages').length") == 0


def test_the_filter_offers_the_tasks_of_the_build_and_the_source(page, report_data, tmp_path):
    path = tmp_path / "report.html"
    offered = "[...document.getElementById('task').options].map((one) => one.value)"
    source = report_data["sources"]["ade_corpus"]
    source = source | {"tasks": [*source["tasks"], "EE"]}  # a task of the source that the build does not ask
    path.write_text(html({**report_data, "sources": report_data["sources"] | {"ade_corpus": source}}))
    page.open(path)
    asked_in = [set(each["asked"]) for each in report_data["sources"].values()]
    assert set(page.run(offered)) == {"", *set.union(*asked_in)}
    choose(page, "source", "ade_corpus")
    assert set(page.run(offered)) == {"", *source["asked"]} and "EE" not in source["asked"]
    choose(page, "source", "")
    assert "EE" in page.run(offered)


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


def test_the_names_of_boxes_fit_into_them(page, built):
    page.open(built / "reports/report.html")
    over = page.run("""(() => {
        const boxes = [...document.querySelectorAll('#contents [data-mark=source]')].map((g) => g.getBBox());
        return [...document.querySelectorAll('#contents svg text')].filter((text) => {
            const {x, y, width} = text.getBBox();
            const box = boxes.find((b) => b.x <= x && x < b.x + b.width && b.y <= y + 4 && y + 4 < b.y + b.height);
            return box && x + width > box.x + box.width + 1;
        }).map((text) => text.textContent);
    })()""")
    assert over == []


@pytest.mark.parametrize("width", [1400, 390])
def test_the_graph_of_hard_negatives_is_as_high_as_its_labels(page, small, width):
    page.look(width, 1000)
    page.open(small / "reports/report.html")
    for number in range(page.run("document.getElementById('set').options.length")):
        choose(page, "set", str(number))
        above, below = page.run("""(() => {
            const svg = document.querySelector('#neighbours svg').getBoundingClientRect();
            const labels = [...document.querySelectorAll('#neighbours svg text')].map((t) => t.getBoundingClientRect());
            const [top, bottom] = [Math.min(...labels.map((l) => l.top)), Math.max(...labels.map((l) => l.bottom))];
            return [top - svg.top, svg.bottom - bottom];
        })()""")
        assert 0 <= above < 40 and 0 <= below < 40
