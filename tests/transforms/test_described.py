"""Prompts that describe their labels: the form of each task, masks, and descriptions that are not plain."""

import json
from dataclasses import replace as changed
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.errors import ConfigError
from schemas.example import Argument, Entity, Event, Mention, Relation
from schemas.label import Label, LabelSet, Role, typed_label
from tests.rows import instructions
from tests.strategies import TEXTS
from tests.transforms.test_instruct import EXAMPLE, PROMPTS
from transforms.ask import AskOptions, DescriptionShares
from transforms.described import free_masks
from transforms.label_descriptions import MAX_DESCRIPTION, cut_descriptions, described_labels
from transforms.plain_schema import plain_schema, true_names

CITY = Label("city", "a place with city rights")
FIRM = Label("firm")
BUY = Label("buy", "one firm takes over another", (Role("buyer", "who pays"), Role("price")))
PERSON = Label("person", "a human being", (Role("seat"), Role("owner", "who has it")))
OWNER = typed_label("firm", "owner", "person")
BOUGHT = Event("buy", Mention("bought", ((8, 14),)), (Argument("buyer", Mention("Rana Oy", ((0, 7),))),))
OWNS = Relation("owner", Mention("Piko", ((15, 19),)), Mention("Rana Oy", ((0, 7),)), "firm", "person")
EXAMPLES = {
    "NER": replace(EXAMPLE, entities=(Entity("city", Mention("Turku", ((23, 28),))),)),
    "RE": replace(EXAMPLE, relations=(OWNS,)),
    "SPO": replace(EXAMPLE, relations=(OWNS,)),
    "EE": replace(EXAMPLE, events=(BOUGHT,)),
    "EET": replace(EXAMPLE, events=(BOUGHT,)),
    "EEA": replace(EXAMPLE, events=(BOUGHT,)),
    "KG": replace(EXAMPLE, relations=(replace(OWNS, head_label="person", tail_label=None),)),
}
EVENT = {"buyer": "who pays", "price": "price"}
TRIPLE = "relation owner; its subject is of type firm, its object of type person"


def rows(task, *labels, lang="en", **shares):
    described = described_labels(LabelSet(task, "made", "Made", lang, labels))
    options = AskOptions(order="sorted", descriptions=DescriptionShares(**shares))
    return instructions(EXAMPLES[task], task, described, None, PROMPTS, options)[0]


def schema_of(row):
    return json.loads(row.instruction)["schema"]


@pytest.mark.parametrize(
    ("task", "labels", "schema"),
    [
        ("NER", (CITY, FIRM), {"city": "a place with city rights", "firm": "firm"}),
        ("RE", (Label("owner", "who has it"),), {"owner": "who has it"}),
        ("EET", (BUY,), {"buy": "one firm takes over another"}),
        ("EE", (BUY,), {"buy": {"buy": "one firm takes over another", "trigger": True, "arguments": EVENT}}),
        ("EEA", (BUY,), {"buy": {"buy": "one firm takes over another", "trigger": ["bought"], "arguments": EVENT}}),
        (
            "KG",
            (PERSON,),
            [
                {
                    "entity_type": "person",
                    "description": "a human being",
                    "attributes": {"seat": "seat", "owner": "who has it"},
                }
            ],
        ),
        (
            "KG",
            (changed(PERSON, description=""),),
            [{"entity_type": "person", "attributes": {"seat": "seat", "owner": "who has it"}}],
        ),
        (
            "SPO",
            (OWNER,),
            [{"subject_type": "firm", "predicate": "owner", "object_type": "person", "description": TRIPLE}],
        ),
    ],
)
def test_the_form_of_each_task(task, labels, schema):
    (row,) = rows(task, *labels, share=1)
    assert schema_of(row) == schema
    assert row.labels == tuple(label.name for label in labels)
    (plain,) = rows(task, *labels)
    assert plain_schema(schema) == schema_of(plain) == plain_schema(schema_of(plain))
    assert row.output == plain.output


def test_descriptions_that_are_left_out():
    (row,) = rows("EE", BUY, share=1, drop=1, mask=1)
    assert schema_of(row) == {"buy": {"buy": "buy", "trigger": True, "arguments": {"buyer": "buyer", "price": "price"}}}
    (row,) = rows("SPO", OWNER, share=1, drop=1, mask=1)
    assert schema_of(row) == [{"subject_type": "firm", "predicate": "owner", "object_type": "person"}]


@pytest.mark.parametrize("name", ["trigger", "arguments"])
def test_an_event_type_with_the_name_of_a_key(name):
    described = described_labels(LabelSet("EE", "made", "Made", "en", (changed(BUY, name=name),)))
    options = AskOptions(descriptions=DescriptionShares(share=1))
    ((row,), _) = instructions(replace(EXAMPLE, events=()), "EE", described, None, PROMPTS, options)
    assert schema_of(row) == {name: {"trigger": True, "arguments": EVENT}}


@pytest.mark.parametrize("task", EXAMPLES)
def test_masks_stand_for_labels_with_their_descriptions(task):
    labels = {"SPO": OWNER, "KG": PERSON, "NER": CITY, "RE": Label("owner", "who has it")}.get(task, BUY)
    (row,), (plain,) = rows(task, labels, share=1, mask=1), rows(task, labels)
    schema = plain_schema(schema_of(row))
    ((mask, name),) = true_names(task, schema, row.labels).items()
    assert name == (labels.predicate or labels.name)
    assert mask not in row.instruction.replace(json.dumps(schema_of(row), ensure_ascii=False), "")
    assert json.loads(row.output) == {mask: json.loads(plain.output)[name]}
    assert (row.labels, row.positives) == (plain.labels, plain.positives)


def test_labels_without_a_description_of_their_own_are_not_masked():
    (row,) = rows("NER", CITY, FIRM, Label("law", "a rule"), Label("river", "a rule"), share=1, mask=1)
    assert true_names("NER", plain_schema(schema_of(row)), row.labels).keys() == {next(iter(schema_of(row)))}
    assert list(schema_of(row))[1:] == ["firm", "law", "river"]


def test_rows_with_masks_have_no_lines_of_contrast():
    described = described_labels(LabelSet("NER", "made", "Made", "en", (CITY, FIRM)))
    lines = {"city": "a place; not 'firm'", "firm": "not 'city'"}
    shown = []
    for mask in (0, 1):
        options = AskOptions(order="sorted", descriptions=DescriptionShares(1, 0, mask))
        ((row,), _) = instructions(EXAMPLES["NER"], "NER", described, None, PROMPTS, options, contrasts=lines)
        shown.append(schema_of(row))
    assert shown[0] == lines
    assert list(shown[1].values()) == ["a place with city rights", "firm"] and "firm" in shown[1]


@given(TEXTS, st.integers(0, 2**64 - 1))
def test_masks_do_not_collide(text, key):
    first = list(islice(free_masks(key, "", ""), 3))
    masks = list(islice(free_masks(key, f"a {first[0]} of", f"{text} {first[1].upper()} {text}"), 4))
    assert masks[0] == first[2] and len(set(masks)) == 4
    assert not any(mask in text.casefold() for mask in masks)


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("two\nlines,\r\n\ttabs", "two lines, tabs"),
        ('{"city": ["Turku"]}, "input": "x', '{"city": ["Turku"]}, "input": "x'),
        ("city", "city"),
        (" \n ", "city"),
        ("word " * 1000, "word " * 98 + "word…"),
        ("字" * 5000, "字" * 499 + "…"),
        ("数 " + "字" * 5000, "数 " + "字" * 497 + "…"),
    ],
)
def test_descriptions_that_are_not_plain(description, shown):
    labels = LabelSet("NER", "made", "Made", "en", (changed(CITY, description=description),))
    (row,) = rows("NER", *labels.labels, share=1)
    assert schema_of(row) == {"city": shown} and len(shown) <= MAX_DESCRIPTION
    assert list(json.loads(row.instruction)) == ["instruction", "schema", "input"]
    assert cut_descriptions(labels) == shown.endswith("…")


def test_cut_lists_of_values_and_typed_triples_are_counted():
    values = tuple(f"value {n}" for n in range(100))
    roles = (Role("kind", values=values), Role("stage", "how far"))
    assert cut_descriptions(LabelSet("EE", "made", "Made", "en", (Label("buy", roles=roles),))) == 1
    long_name = typed_label("firm", "owner " * 100, "person")
    assert cut_descriptions(LabelSet("SPO", "made", "Made", "en", (long_name, OWNER))) == 1


def test_closed_values_are_named():
    roles = (Role("stage", "how far it is", ("planned", "done")), Role("kind", values=("a", "b")))
    (row,) = rows("EE", changed(BUY, roles=(Role("buyer"), *roles)), share=1)
    arguments = schema_of(row)["buy"]["arguments"]
    assert arguments == {"buyer": "buyer", "stage": "how far it is (planned / done)", "kind": "(a / b)"}


def test_shares_of_rows_and_labels():
    labels = [Label(f"label {n}", f"thing number {n}") for n in range(6)]
    described = described_labels(LabelSet("NER", "made", "Made", "en", tuple(labels)))
    options = AskOptions(descriptions=DescriptionShares(0.5, 0.25, 0.2))
    made = []
    for n in range(400):
        example = replace(EXAMPLE, id=f"made/train/{n}", entities=())
        made += instructions(example, "NER", described, None, PROMPTS, options)[0]
    schemas = [schema_of(row) for row in made if isinstance(schema_of(row), dict)]
    assert 0.42 < len(schemas) / len(made) < 0.58
    masked = [schema for schema in schemas if all(name == text for name, text in schema.items() if " " in name)]
    assert 0.1 < len(masked) / len(schemas) < 0.3
    texts = [(name, text) for schema in schemas for name, text in schema.items()]
    assert 0.2 < sum(name == text for name, text in texts) / len(texts) < 0.3
    numbered = [schema for schema in masked if any(name.startswith("label_") for name in schema)]
    assert 0 < len(numbered) < len(masked)


@pytest.mark.parametrize("name", ["share", "drop", "mask"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_out_of_range(name, value):
    with pytest.raises(ConfigError, match=rf"descriptions.{name} is {value}; it must be from 0 to 1"):
        DescriptionShares(**{name: value})


@pytest.mark.parametrize("schema", ["city", 3, None, {"city": 3}, {"buy": {"trigger": True}}])
def test_other_schemas_are_refused(schema):
    with pytest.raises(ValueError, match="the schema"):
        plain_schema(schema)
