"""The page: well-formed, offline, escaped, with a bar for each group and the mistakes."""

import re
from html.parser import HTMLParser

from tests.train.predicted import row, write
from train.score import score
from train.scoring.aggregate import Rate
from train.scoring.report import COLOURS, PLOTTED, page
from train.scoring.table import rate_cell

EVIL = "<script>alert('x')</script>&\""
VOID = {"meta", "br", "input"}
OPTIONAL = {"th", "td", "li", "p", "tr"}


class Tags(HTMLParser):
    """Checks that tags are closed in order; collects names and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID | OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in OPTIONAL:
            assert self.open.pop() == tag


def make_page(tmp_path, sources=3, **options):
    rows = []
    for number in range(sources):
        gold = [{"entity": "Ada", "entity_type": EVIL}]
        answer = {EVIL: ["Ada"] if number % 2 else ["Eve", "Monday"]}
        rows.append(row("NER", [EVIL], answer, gold, number, source=f"{EVIL}{number}"))
    path = write(tmp_path / f"p{EVIL.replace('/', '')}.jsonl", rows)
    return page(score([path], by=[("task",), ("source",), ("label",)], draws=50, with_mistakes=True, **options))


def test_page_is_well_formed_and_loads_nothing(tmp_path):
    tags = Tags()
    html = make_page(tmp_path, repair=True)
    tags.feed(html)
    assert not tags.open
    assert not [tag for tag, attributes in tags.seen if tag in ("link", "img") or attributes.keys() & {"src"}]
    assert not re.search(r"https?://|url\(|@import", html)
    assert "prefers-color-scheme: dark" in html
    assert EVIL not in html and html.count("<script") == 3  # words, data, script
    assert "After repair" in html


def test_a_label_does_not_change_the_direction_of_the_page(tmp_path):
    label = "\u202eevil"
    rows = [row("NER", [label], {label: ["Ada"]}, [{"entity": "Eve", "entity_type": label}], 0)]
    html = page(score([write(tmp_path / "p.jsonl", rows)], by=[("task",), ("label",)], draws=20))
    assert "\u202e" not in html and r"\u202eevil" in html


def test_a_rate_without_a_denominator_has_no_interval():
    assert rate_cell("hallucinated", Rate(None, (0.0, 0.0))) == "–"
    assert rate_cell("hallucinated", Rate(0.0, (0.0, 0.0))) == "0.00 [0.00–0.00]"


def test_every_group_has_a_bar(tmp_path):
    tags = Tags()
    tags.feed(make_page(tmp_path))
    bars = [attributes for tag, attributes in tags.seen if attributes.get("class") == "bar"]
    assert len(bars) == 1 + 3 + 1
    assert {bar["style"] for bar in bars} == {"width:25.00%", "width:0.00%", "width:100.00%"}


def test_long_plots_are_cut_with_a_note(tmp_path):
    html = make_page(tmp_path, PLOTTED + 5)
    assert f"The {PLOTTED} best of {PLOTTED + 5}; the table has all." in html


def test_every_class_has_a_colour_and_a_meaning():
    from train.scoring.metrics import MISSED, WRONG

    assert COLOURS.keys() == {*WRONG, *MISSED}


def test_the_same_page_for_the_same_scores(tmp_path):
    assert make_page(tmp_path) == make_page(tmp_path)
