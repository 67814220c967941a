"""The page of hard negatives: offline, escaped, with a map and a table per label set."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hard_negatives import report
from hard_negatives.dictionary import Dictionary, Neighbour, Ranking
from hard_negatives.report import InstructionStats, heat_map, matrix, page, seriation

TOWNS = Dictionary(
    "NER",
    "towns",
    "Towns & <b>",
    "en",
    "lexical",
    {
        "city": Ranking((Neighbour("village", 0.75, {"types": 2.0, "name": 0.5}),), (Neighbour("river", -0.2),)),
        "river": Ranking((Neighbour("<city>"),), (Neighbour("village", 0.31),)),
        "village": Ranking((), (Neighbour("city", 0.75), Neighbour("river", 0.31))),
        "<city>": Ranking(()),
    },
)
PAIR = Dictionary("RE", "pair", "Pair", "en", "", {"a": Ranking((Neighbour("b"),)), "b": Ranking((Neighbour("a"),))})
TOWN_STATS = InstructionStats(10, 20, 8, 6, 0.25, 5, 3)


class Tags(HTMLParser):
    """Counts tags and collects text and attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.opened, self.words, self.values = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data):
        self.words.append(data)


def content(entries) -> str:
    """The page without its words in other languages."""
    return re.search(r"<main>.*</main>", page(entries), re.DOTALL)[0]


def test_the_page_loads_no_resources_and_has_its_only_script_in_its_policy():
    html = page([(TOWNS, TOWN_STATS), (PAIR, None)])
    tags = Tags(html)
    assert not {"link", "img", "iframe"} & set(tags.opened) and tags.opened.count("script") == 2  # words and script
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "http:" not in html and "https:" not in html and "url(" not in html and "@import" not in html
    assert tags.opened.count("svg") == 2


def test_wide_content_scrolls_separately():
    html = page([(TOWNS, TOWN_STATS), (PAIR, None)])
    wide = re.findall(r"<(table|svg)\b", html)
    assert len(wide) == 5 == len(re.findall(r"<div class=wide tabindex=0><(?:table|svg)\b", html))


def test_names_are_escaped():
    html = page([(TOWNS, None)])
    assert "Towns &amp; &lt;b&gt;" in html and "&lt;city&gt;" in html
    assert "<b>&" not in html and "<city>" not in html
    assert "<city>" in "".join(Tags(html).words)


def test_figures_are_summed_over_tasks_and_sources():
    text = "".join(Tags(page([(TOWNS, TOWN_STATS), (PAIR, InstructionStats(30, 30, 2, 2, 1.0, 5, 5))])).words)
    assert "80.0% of the 10 labels of texts" in text  # 3 + 5 of 5 + 5
    assert "in 80.0% of 10 cases" in text  # 6 + 2 of 8 + 2
    assert "it would be 40.0%" in text  # 8 · 0.25 + 2 · 1 of 10
    assert "40 instructions" in text and "takes 50" in text and "20.0% are saved" in text
    row = next(line for line in page([(TOWNS, TOWN_STATS)]).splitlines() if "#NER/towns" in line)
    assert re.findall(r"<td class=n>([^<]*)", row) == ["4", "0.5", "60.0%", "75.0%", "25.0%", "10", "20"]


def test_counts_and_label_sets_may_be_missing():
    assert "cases" not in content([(TOWNS, None)])
    assert "Hard negatives" in content([])
    alone = Dictionary("NER", "x", "X", "en", "", {"a": Ranking(())})
    assert 'id="NER/x"' not in page([(alone, None)])


def test_a_page_without_label_sets_says_so_instead_of_an_empty_table():
    alone = Dictionary("NER", "x", "X", "en", "", {"a": Ranking(())})
    assert "There are none" in content([(alone, None)]) and "<table" not in content([(alone, None)])
    assert "There are none" not in content([(TOWNS, None)])


def test_a_label_does_not_change_the_direction_of_its_score():
    sea = Ranking((Neighbour("\u202eevil", 0.5),))
    html = content([(Dictionary("NER", "x", "\u202eX", "en", "", {"ים": sea, "\u202eevil": Ranking(())}), None)])
    assert "\u202e" not in html and r"\u202eevil <b>0.50</b>" in html and "\u2068ים\u2069" in html


def test_every_link_has_its_target():
    html = content([(TOWNS, None), (PAIR, None)])
    assert set(re.findall(r'href="#([^"]+)"', html)) == set(re.findall(r'id="([^"]+)"', html))


def test_neighbours_are_shown_with_their_evidence():
    text = "".join(Tags(page([(TOWNS, None)])).words)
    assert "village 0.75 (types 2.0, name 0.5)" in text
    assert "<city> given" in text


def test_the_contrast_of_a_label_is_shown_and_escaped():
    line = "a town; not '<b>', which means a place"
    html = page(
        [(TOWNS, None), (PAIR, None)], {("NER", "towns"): {"village": line}, ("NER", "pair"): {"a": "elsewhere"}}
    )
    assert html.count("not &#x27;&lt;b&gt;&#x27;, which") == 1 and "elsewhere" not in html
    assert "none" in html and line in "".join(Tags(html).words)


def test_the_matrix_has_all_labels_in_order():
    labels, scores, kept = matrix(TOWNS)
    assert labels == ["city", "river", "village", "<city>"]
    assert scores.tolist() == [[0, -0.2, 0.75, 0], [0, 0, 0.31, 1], [0.75, 0.31, 0, 0], [0, 0, 0, 0]]
    assert np.argwhere(kept).tolist() == [[0, 2], [1, 3]]


def test_map_cells_show_kept_and_next_neighbours():
    svg = heat_map(TOWNS)
    cells = {
        (kind, opacity): path.count("M")
        for kind, opacity, path in re.findall(r'<path class="(\w+)" fill-opacity="([\d.]+)" d="([^"]+)"', svg)
    }
    # Kept: 0.75 and a pair without score; next: 0.31 twice and 0.75; the negative score has no cell
    assert cells == {("kept", "0.80"): 1, ("kept", "1.00"): 1, ("next", "0.24"): 2, ("next", "0.48"): 1}


def test_similar_labels_are_adjacent():
    groups = [0, 1, 2, 0, 1, 2, 0]
    scores = np.array([[0.9 if a == b else 0.1 for b in groups] for a in groups])
    order = [groups[place] for place in seriation(scores)]
    assert sum(a != b for a, b in pairwise(order)) == 2


@given(st.integers(0, 12), st.integers(0, 99))
def test_order_contains_every_label_once(n, seed):
    assert sorted(seriation(np.random.default_rng(seed).normal(size=(n, n)))) == list(range(n))


@pytest.mark.parametrize(("labels", "maps"), [(report.MAP_LABELS, 1), (report.MAP_LABELS + 1, 0)])
def test_large_sets_have_no_map(labels, maps):
    rankings = {f"label {n}": Ranking((Neighbour(f"label {(n + 1) % labels}", 0.5),)) for n in range(labels)}
    assert page([(Dictionary("NER", "x", "X", "en", "", rankings), None)]).count("<svg") == maps


def test_very_large_sets_and_names_stay_readable():
    rankings = {f"{n} " + "x" * 10_000: Ranking(()) for n in range(600)}
    html = page([(Dictionary("NER", "x", "X", "en", "", rankings), None)])
    assert len(html) < 100_000 and "100 more labels are in the file of the dictionary" in html
