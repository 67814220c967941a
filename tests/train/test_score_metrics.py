"""Error classes, overlap, ROUGE-2 and bootstrap intervals against values worked out by hand."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.scoring.bootstrap import Bootstrap, drawn_figures
from train.scoring.metrics import MISSED, WRONG, compare, rouge_2, tokens

TEXT = "Ada left Coal Quay for Low Water on Monday with coal and tin; Bo stayed at Coal Quay."
GOLD = [("left", "Ada", "Coal Quay"), ("to", "Ada", "Low Water"), ("at", "Bo", "Coal Quay")]


def by_class(counter):
    """class → how often it was counted, for all labels together"""
    sums = Counter()
    for (_, kind), count in counter.items():
        sums[kind] += count
    return {kind: count for kind, count in sums.items() if count}


@pytest.mark.parametrize(
    ("predicted", "kind"),
    [
        (("left", "Ada", "Coal Quay"), "repeated"),  # the test predicts it twice
        (("to", "Ada", "High Water"), "hallucinated"),
        (("to", "Ada", "Water on Monday"), "boundary"),
        (("to", "Ada", "Water"), "boundary"),
        (("at", "Ada", "Coal Quay"), "spurious"),  # the pair is that of "left"
        (("to", "Low Water", "Ada"), "spurious"),  # subject and object swapped
        (("sold to", "Bo", "Coal Quay"), "spurious"),  # a label that gold does not have
        (("to", "Bo", "Low Water"), "entity mismatch"),
        (("at", "Bo", "Monday"), "entity mismatch"),
        (("to", "Bo", "Monday"), "incongruent"),
        (("left", "Bo", "Low Water"), "incongruent"),  # gold's "left" is already matched
        (("sold to", "tin", "coal"), "incongruent"),
    ],
)
def test_error_classes_of_pairs(predicted, kind):
    outcome = compare([GOLD[0], predicted], GOLD, TEXT, "normal", unparseable=False)
    assert by_class(outcome.wrong) == {kind: 1}
    assert kind in WRONG


@pytest.mark.parametrize(
    ("predicted", "kind", "missed"),
    [
        (("ship", "Bo"), "entity mismatch", "entity mismatch"),  # a ship is missing, another is named
        (("place", "Ada"), "spurious", "other label"),
        (("ship", "Ada left"), "boundary", "boundary"),
        (("ship", "A"), "boundary", "boundary"),
        (("place", "Ada left"), "incongruent", "not found"),
        (("ship", "Eve"), "hallucinated", "not found"),
    ],
)
def test_error_classes_of_mentions_and_missed_gold(predicted, kind, missed):
    outcome = compare([predicted], [("ship", "Ada")], TEXT, "normal", unparseable=False)
    assert by_class(outcome.wrong) == {kind: 1}
    assert by_class(outcome.missed) == {missed: 1}
    assert missed in MISSED
    assert outcome.overlapping.total() == (kind == "boundary")


def test_a_mention_that_occurs_in_gold_is_not_hallucinated():
    gold = [("left", "the Ada", "Coal Quay")]
    outcome = compare([("left", "the Ada", "Low Water")], gold, TEXT, "normal", unparseable=False)
    assert by_class(outcome.wrong)["entity mismatch"] == 1


def test_one_missed_item_explains_one_error():
    outcome = compare([("ship", "Ada left"), ("ship", "A")], [("ship", "Ada")], TEXT, "normal", unparseable=False)
    assert by_class(outcome.wrong) == {"boundary": 1, "incongruent": 1}


def test_gold_of_a_swapped_pair_counts_as_other_label():
    outcome = compare([("to", "Low Water", "Ada")], [("to", "Ada", "Low Water")], TEXT, "normal", unparseable=False)
    assert (by_class(outcome.wrong), by_class(outcome.missed)) == ({"spurious": 1}, {"other label": 1})


def test_an_answer_of_thousands_of_mentions_is_scored_in_time():
    """The mentions occur everywhere in a long text; comparing them in pairs would take hours."""
    text = "a b c d e f g h " * 500
    predicted = [("ship", text[at : at + 3]) for at in range(4000)] * 2
    outcome = compare(predicted, [("ship", text[at : at + 5]) for at in range(60)], text, "normal", unparseable=False)
    assert by_class(outcome.wrong)["boundary"] == outcome.gold.total() == 60


def test_gold_of_an_unparseable_answer_is_missed():
    outcome = compare([], [("ship", "Ada")], TEXT, "normal", unparseable=True)
    assert by_class(outcome.missed) == {"unparseable": 1}


ITEMS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["Ada", "Ada left", "Coal", "x"])), max_size=6)


@given(predicted=ITEMS, gold=ITEMS, match=st.sampled_from(["normal", "set"]), order=st.randoms())
def test_every_error_is_in_one_class_whatever_the_order(predicted, gold, match, order):
    outcome = compare(predicted, gold, TEXT, match, unparseable=False)
    assert outcome.wrong.total() == outcome.predicted.total() - outcome.right.total()
    assert outcome.missed.total() == outcome.gold.total() - outcome.right.total()
    wrong, missed = by_class(outcome.wrong), by_class(outcome.missed)
    assert wrong.get("boundary", 0) == missed.get("boundary", 0) == outcome.overlapping.total()
    predicted, gold = order.sample(predicted, len(predicted)), order.sample(gold, len(gold))
    assert compare(predicted, gold, TEXT, match, unparseable=False) == outcome


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [
        ("a b c d", "a b c d", 1),
        ("a b c", "a b d", 2 * 1 / 4),  # one bigram of two on each side
        ("a b a b", "a b", 2 * 1 / 4),  # clipped: "a b" counts once
        ("a b c", "d e f", 0),
        ("a", "a", 1),
        ("a", "b", 0),
        ("", "", 1),
        ("", "a b", 0),
        ("a b", "", 0),
    ],
)
def test_rouge_2(predicted, gold, expected):
    assert rouge_2(predicted.split(), gold.split()) == pytest.approx(expected)


def test_tokens_are_words_in_english_and_characters_in_chinese():
    items = [(("ship", "left", "quay"), "Ada", "Coal-Quay 3"), (("a", "b", "c"), "d", "e")]
    assert tokens(items, "en") == ["ship", "left", "quay", "ada", "coal", "quay", "3", "a", "b", "c", "d", "e"]
    assert tokens([("地点", "北京，A1")], "zh") == ["地", "点", "北", "京", "A", "1"]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("de", "Das Straßen-Verkehrsamt", ["das", "straßen", "verkehrsamt"]),
        ("ar", "مُحَمَّد، القاهرة", ["مُحَمَّد", "القاهرة"]),
        ("hi", "हिन्दी में", ["हिन्दी", "में"]),
        ("ja", "東京でAda Lovelaceが", ["東", "京", "で", "ada", "lovelace", "が"]),
        ("th", "เชียงใหม่ กรุง", ["เ", "ชี", "ย", "ง", "ใ", "ห", "ม่", "ก", "รุ", "ง"]),
        ("ko", "서울에서 만났다", ["서울에서", "만났다"]),
    ],
)
def test_tokens_follow_the_script(lang, text, expected):
    assert tokens([("label", text)], lang) == ["label", *expected]


@pytest.mark.parametrize(
    ("lang", "label", "predicted", "gold", "score"),
    [
        ("ja", "場所", "東京大", "東京大学", 8 / 9),  # 4 of 4 and 4 of 5 bigrams
        ("th", "ที่", "น่าน", "เมืองน่าน", 2 / 5),  # น่ า and า น of ที่ น่ า น and of ที่ เ มื อ ง น่ า น
        ("ar", "مكان", "مدينة تونس", "مدينة تونس القديمة", 4 / 5),
        ("de", "Ort", "Kiel", "Stadt Kiel", 0),
    ],
)
def test_rouge_2_of_other_languages(lang, label, predicted, gold, score):
    sides = (tokens([(label, mention)], lang) for mention in (predicted, gold))
    assert rouge_2(*sides) == pytest.approx(score)


def drawn_one_by_one(counts: np.ndarray, texts: int, draws: int) -> np.ndarray:
    """F1 of plain bootstrap samples: texts drawn with replacement, one after the other."""
    generator = np.random.default_rng(1)
    padded = np.vstack([counts, np.zeros((texts - len(counts), 3), int)])
    result = []
    for _ in range(draws):
        right, predicted, gold = padded[generator.integers(texts, size=texts)].sum(axis=0)
        result.append(2 * right / (predicted + gold))
    return np.array(result)


def test_intervals_agree_with_the_plain_bootstrap():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 5, 200)
    right = np.minimum(gold, generator.integers(0, 5, 200))
    counts = np.stack([right, right + generator.integers(0, 3, 200), gold], axis=1)
    plain = np.quantile(drawn_one_by_one(counts, 250, 4000), (0.025, 0.975))
    fast = drawn_figures(np.arange(200), counts[:, None, :], 250, Bootstrap(4000), "x")[:, 0, 2]
    assert np.quantile(fast, (0.025, 0.975)) == pytest.approx(plain, abs=0.006)


def test_intervals_depend_on_seed_and_group_but_not_on_order():
    generator = np.random.default_rng(0)
    counts = generator.integers(0, 4, (50, 1, 3))
    counts[:, :, 0] = counts.min(axis=2)
    first = drawn_figures(np.arange(50), counts, 60, Bootstrap(50, 3), "NER\tS")
    assert np.array_equal(first, drawn_figures(np.arange(50), counts[::-1], 60, Bootstrap(50, 3), "NER\tS"))
    assert not np.array_equal(first, drawn_figures(np.arange(50), counts, 60, Bootstrap(50, 4), "NER\tS"))
    assert not np.array_equal(first, drawn_figures(np.arange(50), counts, 60, Bootstrap(50, 3), "NER\tT"))


def test_labels_of_one_text_are_resampled_as_one_unit():
    """Every resample has both entries of a text or neither."""
    counts = np.array([[[1, 1, 1]], [[0, 1, 0]], [[1, 1, 1]], [[0, 1, 0]]])
    result = drawn_figures(np.array([0, 0, 1, 1]), counts, 2, Bootstrap(100), "x")
    assert np.allclose(result[:, 0, 0], 0.5)
