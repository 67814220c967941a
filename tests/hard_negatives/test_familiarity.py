"""The nearest training labels of test labels, compared with a count label by label."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hard_negatives.embed import lexical
from hard_negatives.evidence import text
from hard_negatives.familiarity import NEAREST, AskedLabels, familiarity
from schemas.familiarity import LabelFamiliarity, TrainingLabel
from schemas.label import Label, LabelSet


def label_set(key: str, *labels: Label, task: str = "NER", lang: str = "en", **counts: tuple[int, int]) -> LabelSet:
    """`counts`: label → annotations in train and test."""
    by_split = {name: dict(zip(("train", "test"), numbers, strict=True)) for name, numbers in counts.items()}
    return LabelSet(task, key, key.upper(), lang, labels, by_split)


def entry(labels: LabelSet, train: str = "", test: str = "", held_out: str = "") -> AskedLabels:
    return AskedLabels(labels, *(frozenset(names.split()) for names in (train, test, held_out)))


def lexical_vectors(entries: list[AskedLabels]) -> dict[str, np.ndarray]:
    texts = sorted({text(label) for one in entries for label in one.label_set.labels})
    return dict(zip(texts, lexical(texts), strict=True))


def of_build(*entries: AskedLabels, near: float = 0.5) -> dict[tuple[str, str, str], LabelFamiliarity]:
    items = familiarity(entries, lexical_vectors(list(entries)), near)
    return {(item.key, item.task, item.label): item for item in items}


FOOD, PERSON = Label("food", "something that people eat"), Label("person", "a human being")
DISH = Label("dish", "something that people eat or drink")
SHIP = Label("ship", "a vessel")


def test_labels_are_seen_by_name_near_by_meaning_or_unseen():
    items = of_build(
        entry(
            label_set("a", FOOD, PERSON, SHIP, food=(5, 1), person=(7, 2), ship=(9, 4)), "food person", "ship", "ship"
        ),
        entry(label_set("b", Label("Person"), Person=(3, 0)), "Person"),
        entry(label_set("c", DISH, PERSON, dish=(0, 6)), "", "dish person"),
    )
    assert [(item.key, item.label, item.familiarity, item.held_out) for item in items.values()] == [
        ("a", "ship", "unseen", True),
        ("c", "dish", "near", False),
        ("c", "person", "seen", False),
    ]
    dish, person = items["c", "NER", "dish"], items["c", "NER", "person"]
    assert (dish.annotations, items["a", "NER", "ship"].annotations) == (6, 4)
    assert dish.nearest[0].label == "food" and 0.5 < dish.nearest[0].similarity < 1
    assert (dish.nearest[0].annotations, dish.nearest[0].sources) == (5, ("a",))
    assert person.nearest[:2] == (  # names that differ only in case are equal
        TrainingLabel("Person", 1.0, 3, ("b",)),
        TrainingLabel("person", 1.0, 7, ("a",)),
    )


def test_one_name_in_several_sources_is_one_training_label():
    items = of_build(
        entry(label_set("a", PERSON, person=(7, 2)), "person", "person"),
        entry(label_set("b", Label("person", "somebody"), person=(3, 0)), "person"),
        entry(label_set("c", PERSON, task="EE", person=(100, 0)), "person"),
    )
    (item,) = items.values()
    assert item.nearest == (TrainingLabel("person", 1.0, 10, ("a", "b")),)


def test_the_threshold_decides_what_is_near():
    entries = entry(label_set("a", FOOD, SHIP), "food ship"), entry(label_set("c", DISH), "", "dish")
    similarity = of_build(*entries)["c", "NER", "dish"].nearest[0].similarity
    assert of_build(*entries, near=similarity)["c", "NER", "dish"].familiarity == "near"
    assert of_build(*entries, near=similarity + 0.001)["c", "NER", "dish"].familiarity == "unseen"


def test_without_training_rows_nothing_is_near():
    (item,) = of_build(entry(label_set("c", DISH), "", "dish"), near=-1).values()
    assert item.familiarity == "unseen" and item.nearest == ()
    assert of_build(entry(label_set("a", FOOD), "food")) == {}
    assert familiarity([], {}, 0.5) == []


def test_what_all_labels_of_a_language_share_is_not_similarity():
    polite = "an answer to the question which of the words of the text are about "
    labels = [Label(word, polite + word) for word in ("cats", "iron", "moon", "debt", "yoga", "bulk")]
    items = of_build(
        entry(label_set("a", *labels[:3]), "cats iron moon"), entry(label_set("c", *labels[3:]), "", "debt yoga bulk")
    )
    vectors = lexical([text(label) for label in labels])
    assert (vectors @ vectors.T).min() > 0.7
    assert {item.familiarity for item in items.values()} == {"unseen"}


WORDS = st.sampled_from(["red", "Red", "blue sea", "BLUE  SEA", "ship", "ships", "红", "红色"])
TEXTS = st.sampled_from(["", "a colour", "a vessel of the sea", "颜色"])


@st.composite
def entries(draw) -> list[AskedLabels]:
    made = []
    for number in range(draw(st.integers(0, 4))):
        names = sorted(draw(st.sets(WORDS, min_size=1)))
        labels = [Label(name, draw(TEXTS)) for name in names]
        counts = {name: (draw(st.integers(0, 3)), draw(st.integers(0, 3))) for name in names}
        task, lang = draw(st.sampled_from(["NER", "RE"])), draw(st.sampled_from(["en", "zh"]))
        chosen = [frozenset(draw(st.sets(st.sampled_from(names)))) for _ in range(3)]
        made.append(AskedLabels(label_set(f"s{number}", *labels, task=task, lang=lang, **counts), *chosen))
    return made


def centred(entries: list[AskedLabels], lang: str, one: str) -> list[float]:
    """The vector of a text, in plain Python."""
    vectors = lexical_vectors(entries)
    texts = {text(label) for e in entries if e.label_set.lang == lang for label in e.label_set.labels}
    mean = [math.fsum(float(vectors[other][n]) for other in texts) / len(texts) for n in range(1024)]
    row = [float(vectors[one][n]) - mean[n] for n in range(1024)]
    length = math.sqrt(math.fsum(x * x for x in row))
    return [x / length for x in row] if length > 1e-6 else [0.0] * 1024


def cosine(first: list[float], second: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(first, second, strict=True))


def plain(name: str) -> str:
    return " ".join(name.lower().split())


@settings(max_examples=40, deadline=None)
@given(entries())
def test_it_equals_a_count_label_by_label(build):
    items = familiarity(build, lexical_vectors(build), 0.5)
    expected = {(e.label_set.key, e.label_set.task, name) for e in build for name in e.test}
    assert len(items) == len(expected) and {(i.key, i.task, i.label) for i in items} == expected
    places = [(i.key, not i.held_out, i.label) for i in items]
    assert places == sorted(places)
    rows = {
        (e.label_set.lang, text(label)): centred(build, e.label_set.lang, text(label))
        for e in build
        for label in e.label_set.labels
    }
    by_place = {(e.label_set.key, label.name): (e, label) for e in build for label in e.label_set.labels}
    for item in items:
        e, label = by_place[item.key, item.label]
        training: dict[str, list] = {}
        for other in build:
            for candidate in other.label_set.labels:
                if other.label_set.task == item.task and candidate.name in other.train:
                    training.setdefault(candidate.name, []).append((other, candidate))
        assert item.annotations == e.label_set.counts[item.label]["test"]
        assert item.held_out == (item.label in e.held_out)
        assert len(item.nearest) == min(NEAREST, len(training))
        row = rows[e.label_set.lang, text(label)]
        similarities = {
            name: 1.0
            if plain(name) == plain(item.label)
            else max(cosine(row, rows[o.label_set.lang, text(c)]) for o, c in pairs)
            for name, pairs in training.items()
        }
        for near in item.nearest:
            pairs = training[near.label]
            assert math.isclose(near.similarity, similarities[near.label], abs_tol=1e-3)
            assert near.annotations == sum(o.label_set.counts[c.name]["train"] for o, c in pairs)
            assert near.sources == tuple(sorted(o.label_set.key for o, _ in pairs))
        shown = {near.label for near in item.nearest}
        least = min((near.similarity for near in item.nearest), default=0)
        assert all(value <= least + 1e-3 for name, value in similarities.items() if name not in shown)
        is_seen = any(plain(name) == plain(item.label) for name in training)
        assert (item.familiarity == "seen") == is_seen
        if not is_seen:
            assert (item.familiarity == "near") == bool(item.nearest and item.nearest[0].similarity >= 0.5)
