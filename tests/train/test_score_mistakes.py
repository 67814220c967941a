"""The sample of mistakes: complete for every class, label and frequent confusion; and its page in a browser."""

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chromium import CHROMIUM, chromium_page
from tests.train.predicted import row, write
from train.score import score
from train.scoring.mistakes import PAIRS, PER_CLASS
from train.scoring.report import page

TEXT = "Ada Berg left Coal Quay for Low Water on Monday."
LABELS = ["person", "place", "day", "ship"]
MENTIONS = ["Ada Berg", "Ada", "Coal Quay", "Low Water", "Monday", "Zork"]

items = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(MENTIONS)), max_size=5)
answers = st.one_of(items, st.just("{broken"))
texts = st.tuples(items.filter(lambda gold: all(mention != "Zork" for _, mention in gold)), answers, answers)


def answer(items):
    if isinstance(items, str):
        return items
    return {label: [mention for name, mention in items if name == label] for label in LABELS}


def write_runs(folder, examples):
    """Two files of predictions: of each example the gold, and the items that each run gives."""
    paths = []
    for run in (1, 2):
        rows = []
        for number, example in enumerate(examples):
            gold = [{"entity": mention, "entity_type": label} for label, mention in example[0]]
            source = f"source {number % 2}"
            rows.append(row("NER", LABELS, answer(example[run]), gold, number, text=TEXT, source=source))
        paths.append(write(folder / f"run{run}.jsonl", rows))
    return paths


def scored(folder, examples):
    return score(write_runs(folder, examples), by=[("source",), ("label",)], draws=0, with_mistakes=True)


@given(st.lists(texts, min_size=1, max_size=12))
def test_the_sample_is_consistent_and_complete(tmp_path_factory, examples):
    report = scored(tmp_path_factory.mktemp("runs"), examples)
    mistakes = report.mistakes
    by_source: dict[tuple[str, str], set[int]] = {}
    for text in mistakes.texts:
        number = int(text.record.id.rpartition("/")[2])
        assert Counter(text.gold) == Counter(examples[number][0])
        for run, items in zip(text.runs, examples[number][1:], strict=True):
            predicted = Counter() if isinstance(items, str) else Counter(items)
            assert Counter(run.right) == predicted & Counter(text.gold)
            assert Counter(item for _, item in run.wrong) == predicted - Counter(text.gold)
            assert Counter(item for _, item in run.missed) == Counter(text.gold) - predicted
            for kind, _ in (*run.wrong, *run.missed):
                by_source.setdefault((text.record.source, kind), set()).add(number)
    wrong = [
        number
        for number, (gold, *runs) in enumerate(examples)
        if any(Counter(() if isinstance(run, str) else run) != Counter(gold) for run in runs)
    ]
    assert mistakes.total == len(wrong)
    by_kind = {
        (row.group["source"], kind): n
        for row in report.tables[0].rows
        for side in (row.wrong, row.missed)
        for kind, n in side.items()
        if n
    }
    for cell, count in by_kind.items():
        assert len(by_source[cell]) >= min(PER_CLASS, count / 5)  # a text has at most 5 items
    by_label = {
        row.group["label"] for row in report.tables[1].rows if sum(row.wrong.values()) + sum(row.missed.values())
    }
    drawn = {item[0] for text in mistakes.texts for run in text.runs for _, item in (*run.wrong, *run.missed)}
    assert by_label == drawn


def test_frequent_confusions_come_first_and_have_their_texts(tmp_path):
    examples = [([("place", "Coal Quay")], [("ship", "Coal Quay")], [("place", "Coal Quay")])] * 3
    examples += [([("day", "Monday")], [("person", "Monday")], [("person", "Monday")])] * 4
    mistakes = scored(tmp_path, examples).mistakes
    assert [(pair.gold, pair.given, pair.source, pair.times) for pair in mistakes.pairs] == [
        ("day", "person", "source 0", 4),
        ("day", "person", "source 1", 4),
        ("place", "ship", "source 0", 2),
        ("place", "ship", "source 1", 1),
    ]
    assert {pair for text in mistakes.texts for pair in text.confused} == {("day", "person"), ("place", "ship")}
    assert len(mistakes.pairs) <= PAIRS


def test_the_same_sample_in_any_order_of_rows(tmp_path):
    examples = [([("place", "Coal Quay")], [("ship", "Ada")], []) for _ in range(40)]
    texts = scored(tmp_path, examples).mistakes.texts
    for path in (tmp_path / "run1.jsonl", tmp_path / "run2.jsonl"):
        path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    again = score([str(tmp_path / f"run{run}.jsonl") for run in (1, 2)], draws=0, with_mistakes=True).mistakes.texts
    assert {text.record.id for text in again} == {text.record.id for text in texts} and len(texts) < 40


def test_confused_labels_link_to_the_hard_negatives_of_their_source(tmp_path):
    examples = [([("place", "Coal Quay")], [("ship", "Coal Quay")], [])]
    report = scored(tmp_path, examples)
    assert '<a href="../a%20build/reports/hard_negatives.html#NER/harbour" data-page>source 0</a>' in page(
        report, "../a%20build/reports/hard_negatives.html"
    )
    assert "data-page>" not in page(report)


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("IEFORGE_NEEDS_CHROMIUM"), reason="no chromium on the PATH")
def test_every_filter_of_the_page_works(tmp_path):
    examples = [([("place", "Coal Quay")], [("ship", "Coal Quay")], [("place", "Coal Quay")])] * 3
    examples += [([("day", "Monday")], [("day", "Zork")], [("day", "Zork")])] * 30
    (tmp_path / "scores.html").write_text(page(scored(tmp_path, examples)))
    with chromium_page(tmp_path / "profile") as browser:
        browser.look(390, 900)
        browser.open(tmp_path / "scores.html")

        def count(script=""):
            browser.run(script)
            return browser.run("document.getElementById('mistakes-count').textContent")

        def choose(name, value):
            node = f"document.getElementById('mistakes-{name}')"
            return count(f"{node}.value = '{value}'; {node}.dispatchEvent(new Event('change'))")

        assert browser.run("document.documentElement.scrollWidth") == 390
        total = count()
        assert total == "15 of 15 texts, drawn from 33 with a mistake"
        assert choose("label", "ship").startswith("3 of ")
        assert choose("kind", "hallucinated").startswith("0 of ")  # no ship is hallucinated
        assert choose("label", "").startswith("12 of ")
        assert choose("kind", "") == total
        assert choose("source", "source 0").startswith("8 of ")
        assert choose("source", "") == total
        assert count("document.getElementById('mistakes-differs').click()").startswith("3 of ")
        assert count("document.getElementById('mistakes-differs').click()") == total
        search = "document.getElementById('mistakes-search')"
        assert count(f"{search}.value = 'HARBOUR/test/0'; {search}.dispatchEvent(new Event('input'))").startswith(
            "1 of "
        )
        assert count("document.querySelector('[data-pair]').click()").startswith("2 of ")
        value = "document.getElementById('mistakes-{}').value"
        assert browser.run("document.getElementById('mistakes-pair').selectedOptions[0].textContent") == (
            "place given as ship, source 0 (2)"
        )
        assert [browser.run(value.format(name)) for name in ("source", "task", "label")] == ["source 0", "NER", ""]
        top = "document.querySelector('#mistakes-list article').getBoundingClientRect().top"
        filters = "document.querySelector('.filters').getBoundingClientRect().bottom"
        for width in (1400, 390):  # the first text is in sight, not below the filters that stay on top
            browser.look(width, 900)
            browser.run("document.querySelector('[data-pair]').click()")
            assert browser.run(filters) - 1 <= browser.run(top) < 300
        marks = "[...document.querySelector('#mistakes-list mark').classList].join(' ')"
        assert browser.run(marks) == "gold given"
        choose("source", "source 1")  # not the source of the pair
        assert browser.run(value.format("pair")) == ""
        assert choose("source", "").startswith("15 of ") and choose("pair", "1").startswith("1 of ")
        empty = "[...document.querySelectorAll('#mistakes-list .empty button')].map((one) => one.textContent)"
        assert choose("kind", "hallucinated").startswith("0 of ")
        assert browser.run(empty) == [
            "Without “confused labels”: 6 texts",
            "Without “class of error”: 1 text",
            "Clear all filters",
        ]
        assert count("document.querySelectorAll('.empty button')[1].click()").startswith("1 of ")
        assert browser.run(value.format("pair")) == "1"
        choose("kind", "hallucinated")
        assert count("document.querySelector('.empty button:last-child').click()") == total
        long = [([("day", "Monday")], [("day", "Monday")] * 200_000, [])]  # an answer that runs on
        (tmp_path / "long.html").write_text(page(scored(tmp_path, long)))
        browser.open(tmp_path / "long.html")
        assert browser.run("document.getElementById('mistakes-list').textContent").count("199,800 more") == 1
        assert not browser.problems and all(url.startswith(("file:", "about:")) for url in browser.requests)
