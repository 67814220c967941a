"""A label that is unknown for a text is not in its prompts, neither as positive nor as negative, nor in its gold."""

import json

import pytest
from msgspec.structs import replace

from schemas.arrow import examples_to_table, table_to_examples
from schemas.example import LAYER, Argument, Entity, Event, Example, Mention, Relation, UnknownLabel
from schemas.label import Label, named_roles, typed_label
from tests.rows import instructions
from tests.transforms.test_instruct import PROMPTS
from transforms.ask import AskOptions

OAK, MIRA, FOUNDED = Mention("Oak"), Mention("Mira"), Mention("founded")
EXAMPLE = Example(
    id="made/train/0",
    source="Made",
    split="train",
    lang="en",
    text="Oak was founded by Mira.",
    tasks=("NER", "RE"),
    entities=(Entity("firm", OAK), Entity("person", MIRA)),
    relations=(Relation("founder", OAK, MIRA, "firm", "person"), Relation("owner", OAK, MIRA, "firm", "person")),
    events=(Event("found", FOUNDED, (Argument("by", MIRA),)), Event("sell", None, (Argument("what", OAK),))),
)
LABELS = {
    "NER": [Label(name) for name in ("city", "firm", "person", "river")],
    "RE": [Label(name) for name in ("founder", "owner", "seat", "spouse")],
    "SPO": [
        typed_label("firm", "founder", "person"),
        typed_label("club", "founder", "person"),
        typed_label("firm", "owner", "person"),
        typed_label("firm", "seat", "city"),
    ],
    "KG": [
        Label("firm", roles=named_roles(("founder", "owner"))),
        Label("club", roles=named_roles(("founder",))),
        Label("town", roles=named_roles(("mayor",))),
    ],
    "EE": [
        Label("found", roles=named_roles(("by",))),
        Label("sell", roles=named_roles(("what",))),
        Label("merge", roles=named_roles(("with",))),
    ],
}
LABELS |= {"EET": LABELS["EE"], "EEA": LABELS["EE"]}


def rows(task: str, split: str, *unknown: tuple[str, str], **options):
    """The rows of all labels, where every label is a hard negative of every other."""
    names = [label.name for label in LABELS[task]]
    dictionary = {name: [other for other in names if other != name] for name in names}
    example = replace(EXAMPLE, split=split, unknown_labels=tuple(UnknownLabel(*one) for one in unknown))
    return instructions(example, task, LABELS[task], dictionary, PROMPTS, AskOptions(order="sorted", **options))[0]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize(
    ("task", "unknown", "expected"),
    [
        ("NER", ("entities", "person"), ["city", "firm", "river"]),  # a positive one
        ("NER", ("entities", "river"), ["city", "firm", "person"]),
        ("NER", ("relations", "person"), ["city", "firm", "person", "river"]),  # of another layer
        ("RE", ("relations", "founder"), ["owner", "seat", "spouse"]),
        ("SPO", ("relations", "founder"), ["firm_owner_person", "firm_seat_city"]),  # whatever its types
        ("KG", ("relations", "founder"), ["firm", "town"]),  # a club has no other attribute
        ("EE", ("events", "sell"), ["found", "merge"]),
        ("EET", ("events", "found"), ["merge", "sell"]),
        ("EEA", ("events", "sell"), ["found"]),
    ],
)
def test_unknown_labels_are_not_in_the_prompt(task, unknown, expected, split):
    made = rows(task, split, unknown, negative_ratio=100)
    assert sorted(name for row in made for name in row.labels) == expected
    if unknown[1] == "person" and unknown[0] == "relations":
        return
    for row in made:
        for content in (row.instruction, row.output or "", row.label or ""):
            assert f'"{unknown[1]}"' not in content


def test_batches_are_cut_after_unknown_labels_are_left_out():
    of_two = {"split_num": {"NER": 2}, "negative_ratio": 100}
    assert [row.labels for row in rows("NER", "test", **of_two)] == [("city", "firm"), ("person", "river")]
    assert [row.labels for row in rows("NER", "test", ("entities", "firm"), **of_two)] == [
        ("city", "person"),
        ("river",),
    ]


def test_a_text_with_only_unknown_labels_has_no_rows():
    for split in ("train", "test"):
        assert rows("NER", split, *(("entities", label.name) for label in LABELS["NER"])) == []


def test_an_unknown_attribute_keeps_the_others_in_its_type():
    (firm,) = (row for row in rows("KG", "train", ("relations", "founder")) if row.labels == ("firm",))
    assert json.loads(firm.instruction)["schema"] == [{"entity_type": "firm", "attributes": ["owner"]}]
    assert firm.output == '{"firm": {"Oak": {"owner": "Mira"}}}'


def test_unknown_labels_survive_a_round_trip_through_arrow():
    known = replace(EXAMPLE, id="made/train/1")
    some = replace(EXAMPLE, unknown_labels=(UnknownLabel("entities", "river"), UnknownLabel("events", "sell")))
    assert table_to_examples(examples_to_table([known, some])) == [known, some]


@pytest.mark.parametrize("task", LABELS)
def test_a_label_that_is_held_out_is_unknown_in_every_split_but_test(task):
    names = {"NER": "person", "EE": "found", "EET": "found", "EEA": "found"}
    held_out = {LAYER[task]: frozenset({names.get(task, "founder")})}
    unknown = [(layer, name) for layer, names in held_out.items() for name in names]
    for split in ("train", "validation"):
        assert rows(task, split, held_out=held_out) == rows(task, split, *unknown)
    assert rows(task, "test", held_out=held_out) == rows(task, "test")
