"""Names of labels → what is held out in each layer, and the annotations that it hides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.arrow import examples_to_table
from schemas.errors import ConfigError
from schemas.example import LAYER, TASKS
from schemas.label import Label, LabelSet, named_roles, typed_label
from tests.strategies import examples
from tests.transforms.test_unknown_labels import EXAMPLE
from transforms.hold_out import held_out_names, hidden_annotations, layer_names


def label_set(task: str, *labels: Label | str) -> LabelSet:
    labels = tuple(Label(label) if isinstance(label, str) else label for label in labels)
    return LabelSet(task, "a", "A", "en", labels)


SETS = (
    label_set("NER", "person", "ship"),
    label_set("RE", "owner", "seat", "people/spouse"),
    label_set("SPO", typed_label("person", "owner", "ship")),
    label_set("KG", Label("ship", roles=named_roles(("owner", "length")))),
    label_set("EE", "ship", "meet"),
)


def held_out(*labels: str, share: float = 0.0, seed: int = 42) -> dict[str, set[str]]:
    return {layer: set(names) for layer, names in held_out_names(SETS, labels, share, seed).items()}


def test_names_are_those_of_annotations():
    assert [set(layer_names(labels)) for labels in SETS] == [
        {"person", "ship"}, {"owner", "seat", "people/spouse"}, {"owner"}, {"owner", "length"}, {"ship", "meet"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((), {}),
        (("ship",), {"entities": {"ship"}, "events": {"ship"}}),
        (("events/ship", "owner"), {"events": {"ship"}, "relations": {"owner"}}),
        (("people/spouse",), {"relations": {"people/spouse"}}),
        (("relations/people/spouse", "length"), {"relations": {"people/spouse", "length"}}),
    ],
)
def test_a_name_counts_in_every_layer_or_in_the_one_before_it(labels, expected):
    assert held_out(*labels) == expected


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("Person", "did you mean person?"),
        ("events/owner", "known: meet, ship"),
        ("RE/owner", "did you mean owner?"),
        ("person_owner_ship", "known: length, meet, owner, people/spouse, person, seat, ship"),
    ],
)
def test_an_unknown_name_is_an_error_with_near_names(label, hint):
    with pytest.raises(ConfigError) as error:
        held_out("ship", label)
    assert str(error.value) == f"hold_out.labels: {label!r} is no label of this build; {hint}"


def test_a_share_is_drawn_by_name():
    many = [label_set("NER", *(f"type {n}" for n in range(1000))), label_set("RE", *(f"type {n}" for n in range(1000)))]
    tenth, half = (held_out_names(many, (), share, 42) for share in (0.1, 0.5))
    for layer in ("entities", "relations"):
        assert 70 < len(tenth[layer]) < 130 and 450 < len(half[layer]) < 550
        assert tenth[layer] < half[layer]
    assert tenth["entities"] != tenth["relations"]
    assert held_out_names(many[:1], (), 0.1, 42)["entities"] == tenth["entities"]  # whatever else is in the build
    assert held_out_names(many, (), 0.1, 43) != tenth
    assert held_out_names(many, (), 1.0, 42) == {"entities": layer_names(many[0]), "relations": layer_names(many[1])}
    assert held_out("meet", share=0.0) == {"events": {"meet"}}


@given(st.lists(examples(), max_size=4), st.frozensets(st.sampled_from(["drug", "disease", "地点", "gene"])))
def test_hidden_annotations_are_counted(rows, names):
    for task in TASKS:
        expected = sum(item.label in names for row in rows for item in getattr(row, LAYER[task]) or ())
        assert hidden_annotations(examples_to_table(rows), task, names) == expected


def test_annotations_of_a_layer_that_is_not_annotated_are_none():
    table = examples_to_table([replace(EXAMPLE, entities=None)])
    assert hidden_annotations(table, "NER", {"person"}) == 0
    assert hidden_annotations(table, "SPO", {"founder"}) == 1
