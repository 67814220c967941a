"""training.html: the curves of sft.json, self-contained, with foreign names escaped."""

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from train.scoring.words import say
from train.tuning import page
from train.tuning.lengths import Lengths
from train.tuning.rows import Counts
from train.tuning.summary import Summary

SUMMARY = Summary(
    output="o", model="a<b>", data="d", sources=[], recipe={"keep": "best"}, method="lora",
    rows=Counts(train=40, validation=8),
    lengths=(Lengths("NER", "<i>", 40, 100, 150, 200, 2, 38, 3900),),
    steps=20, epochs=2.0, saved_step=10, train_loss=0.5, validation_loss=0.4, f1=0.25, tokens=7800, seconds=100.0,
    tokens_per_s=78.0, trainable_parameters=1000, device="cpu", dtype="float32",
    curve=[
        {"step": 10, "loss": 0.75, "learning_rate": 0.001, "validation_loss": 0.4, "f1": 0.25},
        {"step": 20, "loss": 0.25, "learning_rate": 0.0, "validation_loss": 0.5, "f1": 0.125},
    ],
)  # fmt: skip


def test_the_page_is_whole_and_loads_nothing():
    text = page.page(SUMMARY)
    assert text == page.page(SUMMARY) and "://" not in text
    assert "a&lt;b&gt;" in text and "<td>&lt;i&gt;</td>" in text and "<i>" not in text
    assert "25.00 %" in text and "the weights of step 10 are saved" in text
    assert text.count("<svg") == 3


def test_the_time_has_words_in_every_language():
    assert 'data-say="duration.minutes"' in page.page(SUMMARY) and "2 min" in page.page(SUMMARY)
    assert say.words["zh"]["duration.minutes"] == "{minutes} 分钟"


def test_a_line_goes_through_its_points():
    drawn = ElementTree.fromstring(page.plot(say("plot.loss"), {"a": [(10, 0.75), (20, 0.25)]}, 10))
    (line,) = drawn.findall("polyline")
    (x0, y0), (x1, y1) = (tuple(map(float, point.split(","))) for point in line.get("points").split())
    assert (x0 - page.LEFT) * 2 == pytest.approx(x1 - page.LEFT, abs=0.2)
    zero = page.HEIGHT - page.BOTTOM
    assert (zero - y0) == pytest.approx(3 * (zero - y1), abs=0.4)
    assert [circle.find("title").text for circle in drawn.findall("circle")] == ["step 10: 0.75", "step 20: 0.25"]


def test_a_training_without_validation_or_with_a_diverged_loss_has_a_page():
    bare = replace(SUMMARY, curve=[{"step": 1, "loss": math.nan}], f1=None, validation_loss=None, train_loss=math.nan)
    assert page.page(bare).count("<svg") == 0
    assert page.page(replace(SUMMARY, curve=[{"step": 1, "loss": 0.0}])).count("<svg") == 1


@pytest.mark.parametrize(("largest", "end"), [(0, 1), (1.64, 2), (0.5, 0.6), (0.00097, 0.001), (9.9, 10), (40, 40)])
def test_scales_end_at_a_round_value(largest, end):
    assert page.scale_end(largest) == end
