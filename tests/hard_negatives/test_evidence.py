"""Every kind of evidence gives one row per label, with similarities worked out by hand."""

import math
import tracemalloc

import numpy as np
import pytest

from hard_negatives import evidence as evidence_module
from hard_negatives.embed import lexical
from hard_negatives.evidence import category_path, evidence, text
from hard_negatives.kinds import DEFAULT, KINDS
from hard_negatives.samples import Sample
from schemas.errors import SourceError
from schemas.label import Label, LabelSet, named_roles, typed_label


def label_set(*labels: str | Label, task: str = "NER") -> LabelSet:
    return LabelSet(task, "toy", "Toy", "en", tuple(Label(x) if isinstance(x, str) else x for x in labels))


def similarity(rows: np.ndarray, digits: int = 4) -> list[list[float]]:
    return np.round(rows.astype(float) @ rows.T, digits).tolist()


def by_letter(texts: list[str]) -> np.ndarray:
    """A model with three dimensions that encodes the first letter of a text."""
    return np.eye(3, dtype=np.float32)[["abc".index(text[0]) for text in texts]]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (Label("city"), "city"),
        (Label("city", "a town with walls"), "city: a town with walls"),
        (
            Label("attack", "an act of force", named_roles(("attacker", "place"))),
            "attack: an act of force (attacker, place)",
        ),
        (Label("attack", roles=named_roles(("attacker",))), "attack (attacker)"),
        (typed_label("drug", "treats", "disease"), "drug treats disease"),
    ],
)
def test_text(label, expected):
    assert text(label) == expected


@pytest.mark.parametrize("name", ["", " \t"])
def test_an_empty_name_is_an_error(name):
    with pytest.raises(SourceError, match="toy: a NER label has an empty name"):
        evidence(label_set("city", name), {}, {}, None)


def test_a_duplicate_name_is_an_error():
    with pytest.raises(SourceError, match="toy: NER label 'city' occurs twice"):
        evidence(label_set("city", "city", "river"), {}, {}, None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (["Justice.Sue"], {"Justice"}),
        (["Conflict.Attack.Bombing"], {"Conflict", "Conflict/Attack"}),
        (["/people/person/place_of_birth"], {"people", "people/person"}),
        (["组织关系-裁员"], {"组织关系"}),
        (["Life:Be-Born"], {"Life", "Life/Be"}),
        (["per:title", "org:members"], {"per", "org"}),
        (["place_of_birth"], set()),
        (["-"], set()),
        ([""], set()),
    ],
)
def test_category_path(raw, expected):
    assert category_path(raw) == dict.fromkeys(expected, 1)


def test_category():
    raw = {"sue": ["Justice.Sue"], "fine": ["Justice.Fine"], "meet": ["Contact.Meet"]}
    rows = evidence(label_set("fine", "meet", "other", "sue"), {}, raw, None, ("category",))["category"].rows
    assert similarity(rows) == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]


def test_label_names_are_the_paths_without_raw_labels():
    rows = evidence(label_set("a-x", "a-y", "b-x"), {}, {}, None, ("category",))["category"].rows
    assert similarity(rows) == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_types_are_pairs():
    samples = {
        "a": [Sample((("x",), ("y",)), ("person", "city"))] * 3 + [Sample((("x",), ("y",)), ("person", "person"))] * 4,
        "b": [Sample((("x",), ("y",)), ("person", "city"))],
        "c": [Sample((("x",), ("y",)), ("city", "person"))],
        "d": [Sample((("x",), ("y",)))],
    }
    rows = evidence(label_set("a", "b", "c", "d", task="RE"), samples, {}, None, ("types",))["types"].rows
    assert similarity(rows) == [[1, 0.6, 0, 0], [0.6, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_types_of_typed_labels_are_in_the_label():
    labels = [typed_label("drug", "treats", "pain"), typed_label("drug", "causes", "pain"), typed_label("x", "is", "y")]
    rows = evidence(label_set(*labels, task="SPO"), {}, {}, None, ("types",))["types"].rows
    assert similarity(rows) == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_rare_roles_count_more():
    labels = label_set(
        Label("a", roles=named_roles(("time", "crime"))),
        Label("b", roles=named_roles(("time", "crime"))),
        Label("c", roles=named_roles(("time",))),
    )
    rows = evidence(labels, {}, {}, None, ("roles",))["roles"].rows
    time, crime = math.log(4 / 3), math.log(4 / 2)
    assert similarity(rows)[0] == pytest.approx([1, 1, round(time / math.hypot(time, crime), 4)])


def test_mentions_by_slot():
    samples = {
        "p": [Sample((("a",), ("b",))), Sample((("a",), ("c",)))],
        "q": [Sample((("a",), ("b",)))],
        "r": [Sample((("b",), ()))],
    }
    rows = evidence(label_set("p", "q", "r", "s", task="RE"), samples, {}, by_letter, ("mentions",))["mentions"].rows
    half = math.sqrt(0.5)
    expected = [[1, 0, 0, 0, half, half], [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0], [0] * 6]
    assert rows.tolist() == [pytest.approx(row) for row in expected]


def test_name_and_description_are_separate():
    labels = label_set(Label("a", "b x"), Label("b", "b y"), Label("c"))
    by_kind = evidence(labels, {}, {}, by_letter, ("name", "description"))
    assert similarity(by_kind["name"].rows) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert similarity(by_kind["description"].rows) == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_reliability_of_annotations_is_the_agreement_of_halves():
    def make_samples(*texts: str) -> list[Sample]:
        return [Sample(((text,),), ("x", text)) for text in texts]

    labels = label_set("p", "q", "r", "s")
    agreeing = {
        "p": make_samples("a", "a"),
        "q": make_samples("a", "a"),
        "r": make_samples("b", "b"),
        "s": make_samples("c", "c"),
    }
    by_kind = evidence(label_set("a", "b", "c"), {}, {}, by_letter)
    assert {kind: item.reliability for kind, item in by_kind.items()} == {"wording": 1, "spelling": 1}
    assert reliabilities(labels, agreeing) == {"mentions": pytest.approx(1), "types": pytest.approx(1)}
    # In the second half p is similar to r, not to q
    opposed = {
        "p": make_samples("a", "b"),
        "q": make_samples("a", "a"),
        "r": make_samples("b", "b"),
        "s": make_samples("c", "c"),
    }
    assert 0 <= reliabilities(labels, opposed)["mentions"] < 0.5
    once = {name: some[:1] for name, some in agreeing.items()}
    assert reliabilities(labels, once) == {"mentions": 0, "types": 0}


def reliabilities(labels, samples) -> dict[str, float]:
    return {
        kind: item.reliability for kind, item in evidence(labels, samples, {}, by_letter, ("mentions", "types")).items()
    }


def test_shared_strings_are_compared_without_case():
    samples = {"a": [Sample((("Rome",),))], "b": [Sample((("ROME",),))], "c": [Sample((("rose",),))]}
    rows = evidence(label_set("a", "b", "c"), samples, {}, by_letter, ("strings",))["strings"].rows
    assert similarity(rows) == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_confusion_is_leave_one_out():
    # The texts of a are close to each other, except one close to those of b; the texts of b are close to each other.
    # The only text of c has no centroid left without itself, so it is assigned to the first of the equally distant ones
    samples = {
        "a": [Sample((), context=c) for c in ("a1", "a2", "a3", "b9")],
        "b": [Sample((), context=c) for c in ("b1", "b2")],
        "c": [Sample((), context="c1"), Sample((), context=" ")],
    }
    rows = evidence(label_set("a", "b", "c", "d"), samples, {}, by_letter, ("confusion",))["confusion"].rows
    long = math.hypot(3, 1)
    assert rows.tolist() == [pytest.approx([3 / long, 1 / long, 0, 0]), [0, 1, 0, 0], [1, 0, 0, 0], [0] * 4]


def test_lexical_encoder_gives_one_kind():
    by_kind = evidence(label_set("city", "town"), {}, {}, None)
    assert list(by_kind) == ["wording"]
    assert by_kind["wording"].rows.tolist() == lexical(["city", "town"]).tolist()
    assert list(evidence(label_set("a", "b"), {}, {}, by_letter)) == ["wording", "spelling"]


def test_every_kind_is_computed():
    assert set(DEFAULT) <= set(KINDS)
    labels = label_set(
        Label("a", "b x", named_roles(("time",))), Label("b", "c", named_roles(("place",))), Label("c"), task="RE"
    )
    samples = {"a": [Sample((("a",), ("b",)), ("x", "y"), "a b")], "b": [Sample((("c",), ("b",)), ("x", "x"), "c b")]}
    by_kind = evidence(labels, samples, {"a": ["x.a"], "b": ["x.b"]}, by_letter, KINDS)
    assert list(by_kind) == list(KINDS)
    assert all(item.rows.dtype == np.float32 and len(item.rows) == 3 for item in by_kind.values())


def test_empty_label_set():
    assert evidence(label_set(), {}, {}, None, KINDS) == {}


def test_annotations_with_other_labels_are_left_out():
    samples = {"a": [Sample((("a",),))], "zebra": [Sample((("b",),))]}
    rows = evidence(label_set("a", "b"), samples, {}, by_letter, ("mentions",))["mentions"].rows
    assert rows.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_memory_does_not_grow_with_the_features():
    labels = label_set(*(f"group {n // 2}/{n}" for n in range(3_000)))
    tracemalloc.start()
    rows = evidence(labels, {}, {}, None, ("category",))["category"].rows
    assert rows.shape == (3_000, evidence_module.BAG_DIMENSIONS)
    assert tracemalloc.get_traced_memory()[1] < 120e6
    tracemalloc.stop()
    assert rows[0] @ rows[1] == pytest.approx(1)
    assert abs(rows[0] @ rows[2]) < 0.999
