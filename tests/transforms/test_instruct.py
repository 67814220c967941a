import dataclasses
import hashlib
import json

import pytest
from msgspec.structs import replace

from schemas.arrow import INSTRUCTIONS
from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from schemas.label import Label, named_roles, typed_label
from tests.rows import instructions
from tests.specification.instruction import Instruction
from transforms.ask import AskOptions

PROMPTS = {
    task: {"en": tuple(f"{task} prompt {n}" for n in range(3)), "zh": (f"{task}提示",)}
    for task in ("NER", "RE", "SPO", "EE", "EET", "EEA", "KG")
}
TEXT = "Rana Oy bought Piko in Turku."
LABELS = [Label(name) for name in ("city", "date", "firm", "law", "person", "price", "river", "sport")]
EXAMPLE = Example(
    "made/train/7",
    "Made",
    "train",
    "en",
    TEXT,
    ("NER",),
    (
        Entity("city", Mention("Turku", ((23, 28),))),
        Entity("firm", Mention("Piko", ((15, 19),))),
        Entity("firm", Mention("Rana Oy", ((0, 7),))),
    ),
    None,
    None,
)


def rows(example=EXAMPLE, task="NER", labels=LABELS, dictionary=None, **options):
    return instructions(example, task, labels, dictionary, PROMPTS, AskOptions(**options))


def test_specification_fields_are_the_table_columns():
    assert [field.name for field in dataclasses.fields(Instruction)] == [*INSTRUCTIONS.names, "form", "messages"]


def test_a_training_row():
    made, cut = rows(order="sorted")
    assert cut == 0 and len(made) == 1  # 8 labels: the last 2 are merged into the batch of 6
    row = made[0]
    assert row.id == "made/train/7/NER/0"
    assert row.example_id == "made/train/7"
    assert row.text_sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (row.task, row.source, row.lang, row.split) == ("NER", "Made", "en", "train")
    prompt = json.loads(row.instruction)
    assert list(prompt) == ["instruction", "schema", "input"]
    assert prompt["instruction"] in PROMPTS["NER"]["en"]
    assert prompt["schema"] == ["city", "date", "firm", "law", "person", "price", "river", "sport"]
    assert prompt["input"] == TEXT
    assert row.output == (
        '{"city": ["Turku"], "date": [], "firm": ["Rana Oy", "Piko"], '
        '"law": [], "person": [], "price": [], "river": [], "sport": []}'
    )
    assert row.label is None
    assert row.labels == tuple(prompt["schema"])
    assert row.positives == ("city", "firm") and row.hard_negatives == ()


def test_hard_negatives_and_batches_are_numbered_in_order():
    made, cut = rows(dictionary={"city": ["river"], "firm": ["person"]}, split_num={"NER": 2}, negative_ratio=0.5)
    assert [row.id for row in made] == [f"made/train/7/NER/{n}" for n in range(len(made))]
    assert cut + len(made) == 3  # city, firm; river, person; 2 of the 4 other labels, in batches of 2
    assert sorted(name for row in made for name in row.positives) == ["city", "firm"]
    for row in made:
        assert set(row.hard_negatives) == set(row.labels) & {"river", "person"}
        assert list(json.loads(row.output)) == list(row.labels) == json.loads(row.instruction)["schema"]


def test_a_test_row():
    test = replace(EXAMPLE, id="made/test/7", split="test")
    made, cut = rows(test, split_num={"NER": 3}, negative_ratio=0)
    assert cut == 0
    assert [row.labels for row in made] == [("city", "date", "firm"), ("law", "person", "price"), ("river", "sport")]
    assert [row.positives for row in made] == [("city", "firm"), (), ()]
    label = [
        {"entity": "Rana Oy", "entity_type": "firm"},
        {"entity": "Piko", "entity_type": "firm"},
        {"entity": "Turku", "entity_type": "city"},
    ]
    for row in made:
        assert row.output is None
        assert row.label == json.dumps(label)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_text_without_annotations(split):
    unknown = replace(EXAMPLE, split=split, entities=None)
    made, cut = rows(unknown)
    assert cut == 0
    if split == "test":
        assert [row.labels for row in made] == [tuple(label.name for label in LABELS)]
        assert all(row.output is None and row.label is None and row.positives == () for row in made)
    else:
        assert made == []


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_text_with_empty_annotations(split):
    made, _ = rows(replace(EXAMPLE, split=split, entities=()))
    assert len(made) == 1
    if split == "test":
        assert made[0].label == "[]" and made[0].output is None
    else:
        assert list(json.loads(made[0].output).values()) == [[]] * 6


def test_validation_rows_equal_training_rows():
    train, _ = rows()
    validation, _ = rows(replace(EXAMPLE, split="validation"))
    assert [dataclasses.replace(row, split="train") for row in validation] == train


def test_each_row_draws_its_prompt():
    drawn = [row for n in range(60) for row in rows(replace(EXAMPLE, id=f"made/train/{n}"))[0]]
    prompts = [json.loads(row.instruction)["instruction"] for row in drawn]
    assert {prompts.count(text) >= 10 for text in PROMPTS["NER"]["en"]} == {True}
    one_example, _ = rows(split_num={"NER": 1}, negative_ratio=10)
    assert len({json.loads(row.instruction)["instruction"] for row in one_example}) > 1
    assert rows()[0] == rows()[0]
    assert rows(seed=1)[0] != rows(seed=2)[0]
    chinese, _ = rows(replace(EXAMPLE, lang="zh"))
    assert json.loads(chinese[0].instruction)["instruction"] == "NER提示"


EVENT = Event("buy", Mention("bought", ((8, 14),)), (Argument("buyer", Mention("Rana Oy", ((0, 7),))),))
DEAL = replace(EXAMPLE, entities=None, events=(EVENT,))
TYPES = [Label("buy", roles=named_roles(("buyer", "price"))), Label("sue", roles=named_roles(("plaintiff",)))]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_eea_rows(split):
    made, _ = rows(replace(DEAL, split=split), "EEA", TYPES, {"buy": ["sue"]})
    assert [row.labels for row in made] == [("buy",)]
    assert json.loads(made[0].instruction)["schema"] == [
        {"event_type": "buy", "trigger": ["bought"], "arguments": ["buyer", "price"]}
    ]
    if split == "test":
        assert made[0].label == (
            '[{"event_trigger": "bought", "event_type": "buy", '
            '"arguments": [{"argument": "Rana Oy", "role": "buyer"}]}]'
        )
    else:
        assert made[0].output == ('{"buy": [{"trigger": "bought", "arguments": {"buyer": "Rana Oy", "price": "NAN"}}]}')
    assert rows(replace(DEAL, split=split, events=None), "EEA", TYPES) == ([], 0)
    assert rows(replace(DEAL, split=split, events=()), "EEA", TYPES) == ([], 0)


def test_ee_and_eet_rows():
    made, _ = rows(DEAL, "EE", TYPES, order="sorted")
    assert made[0].output == (
        '{"buy": [{"trigger": "bought", "arguments": {"buyer": "Rana Oy", "price": "NAN"}}], "sue": []}'
    )
    made, _ = rows(DEAL, "EET", TYPES, order="sorted")
    assert made[0].output == '{"buy": ["bought"], "sue": []}'
    # Prediction: the test rows of an unannotated text have every type.
    made, _ = rows(replace(DEAL, split="test", events=None), "EE", TYPES)
    assert [(row.labels, row.label) for row in made] == [(("buy", "sue"), None)]


def test_spo_and_kg_rows():
    bought = Relation("owner", Mention("Piko", ((15, 19),)), Mention("Rana Oy", ((0, 7),)), "firm", "firm")
    example = replace(EXAMPLE, entities=None, relations=(bought,))
    triples = [typed_label("firm", "owner", "firm"), typed_label("firm", "owner", "person")]
    made, _ = rows(example, "SPO", triples, order="sorted")
    assert [row.labels for row in made] == [("firm_owner_firm",), ("firm_owner_person",)]  # one predicate, two batches
    assert [row.output for row in made] == [
        '{"owner": [{"subject": "Piko", "object": "Rana Oy"}]}',
        '{"owner": []}',
    ]
    types = [Label("firm", roles=named_roles(("owner", "seat"))), Label("person", roles=named_roles(("birthday",)))]
    made, _ = rows(replace(example, split="test"), "KG", types)
    assert [row.labels for row in made] == [("firm",), ("person",)]
    made, _ = rows(example, "KG", types, order="sorted")
    assert made[0].output == '{"firm": {"Piko": {"owner": "Rana Oy"}}}'


def test_a_gold_label_outside_the_label_set_is_an_error():
    with pytest.raises(ValueError, match="made/train/7: firm not in the NER label set"):
        rows(labels=LABELS[:2])
