"""The production code, which processes whole tables, gives the same rows as the specification, row by row."""

from dataclasses import replace as changed
from itertools import cycle, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.answer_form import FORMS
from schemas.arrow import INSTRUCTIONS, examples_to_table, instruction_schema
from schemas.example import LAYER, SPLITS, TASKS, Argument, Entity, Event, Mention, Relation, UnknownLabel
from schemas.label import Label, LabelSet, Role, typed_label
from tests.specification.instruction import instructions_to_table
from tests.specification.instructions import instructions
from tests.strategies import LABELS, ROLES, examples, texts
from tests.transforms.test_instruct import EXAMPLE, PROMPTS
from transforms import prompts
from transforms.ask import ORDERS, AskOptions, DescriptionShares, ask_spec, rank_in_group
from transforms.instruct import instruction_table
from transforms.label_descriptions import described_labels

NAMES = ("drug", "disease", "地点")
OTHERS = ("gene", 'a "quoted" one', "back\\slash", "人物", "x1", "x2", "x3", "x4", "x5")
ROLE_NAMES = ("agent", "time", "对象")
DESCRIPTIONS = ("first\nof two", "", 'a {"json": ["x"]} one', "gene", "word " * 200, "长" * 700, "", "数", "last", "ü")
ROLE_DESCRIPTIONS = (("who does it", ()), ("", ("before", "after")), ("", ()))


def label_set(task: str, others: int) -> list[Label]:
    names = (*NAMES, *OTHERS[:others])
    if task == "SPO":
        labels = [typed_label(head, name, tail) for name in names for head in NAMES for tail in NAMES][: 27 + others]
    else:
        role_names = NAMES if task == "KG" else ROLE_NAMES
        roles = [Role(name, text, values) for name, (text, values) in zip(role_names, ROLE_DESCRIPTIONS, strict=True)]
        labels = [Label(name, roles=tuple(roles)) for name in names]
    return [changed(label, description=text) for label, text in zip(labels, cycle(DESCRIPTIONS), strict=False)]


def test_label_sets_contain_all_labels_of_the_strategies():
    assert LABELS.elements == NAMES and ROLES.elements == ROLE_NAMES


LAYERS = sorted(set(LAYER.values()))
unknown_labels = st.builds(UnknownLabel, st.sampled_from(LAYERS), st.sampled_from(NAMES))


shares = st.sampled_from([0, 0.3, 0.5, 1])
descriptions = st.just(DescriptionShares()) | st.builds(DescriptionShares, st.sampled_from([0.5, 1]), shares, shares)
MIXTURES = (
    *({form: 1.0} for form in FORMS),
    {"iepile": 0.5, "spans": 0.5, "nan": 0.0},
    {"sentences": 0.1, "triples": 0.2, "nan": 0.3, "spans": 0.3, "iepile": 0.1},
)
FORM_PROMPTS = {form: prompts.load(form=form) for form in FORMS}


@st.composite
def options(draw, task):
    size = st.sampled_from([-1, 1, 2, 3, 4, 6])
    return AskOptions(
        split_num=draw(st.just({}) | st.builds(lambda n: {task: n}, size)),
        order=draw(st.sampled_from(ORDERS)),
        negative_ratio=draw(st.sampled_from([0, 0.5, 1, 2.0, 100])),
        labels_without_positive=draw(st.none() | size),
        negative_share=draw(st.sampled_from([0, 0.3, 0.5, 1.0])),
        seed=draw(st.integers(0, 2)),
        forms=draw(st.just({"iepile": 1.0}) | st.sampled_from(MIXTURES)),
        messages=draw(st.booleans()),
        descriptions=draw(descriptions),
        held_out=draw(st.just({}) | st.dictionaries(st.sampled_from(LAYERS), st.frozensets(st.sampled_from(NAMES)))),
    )


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=100)
@given(st.data())
def test_the_table_equals_the_specification(task, data):
    split = data.draw(st.sampled_from(SPLITS))
    unknown = st.just(()) | st.lists(unknown_labels, max_size=4).map(tuple)
    repetitive = examples(texts(("a", "b "), max_fragments=4), max_size=6)
    split_examples = st.builds(
        lambda e, labels: replace(e, split=split, unknown_labels=labels), examples() | repetitive, unknown
    )
    rows = data.draw(st.lists(split_examples, max_size=5), label="examples")
    labels = label_set(task, data.draw(st.integers(0, len(OTHERS))))
    names = [label.name for label in labels] + ["unheard of"]
    known = st.sampled_from(names)
    dictionary = data.draw(st.none() | st.dictionaries(known, st.lists(known, max_size=4), max_size=4))
    chosen = data.draw(options(task))
    lines = {
        label.name: f"not {other.name}" for label, other in pairwise(labels[:: data.draw(st.sampled_from([1, 2]))])
    }
    described = described_labels(LabelSet(task, "made", "Made", "en", tuple(labels)))

    one_by_one, cut = [], 0
    for example in rows:
        expected, dropped = instructions(example, task, labels, dictionary, PROMPTS, chosen, FORM_PROMPTS, lines)
        one_by_one += expected
        cut += dropped
    spec = ask_spec(task, described, dictionary, PROMPTS, chosen, FORM_PROMPTS, lines)
    table, cut_at_once = instruction_table(examples_to_table(rows), spec)
    table.validate(full=True)
    columns = chosen.optional_columns
    assert table.schema.equals(instruction_schema(columns) if columns else INSTRUCTIONS, check_metadata=True)
    assert cut_at_once == cut
    assert table.to_pylist() == instructions_to_table(one_by_one, columns).to_pylist()


@given(examples().filter(lambda e: e.entities).map(lambda e: replace(e, unknown_labels=())))
def test_a_gold_label_outside_the_label_set_gives_the_same_error(example):
    labels = [Label("gene")]
    with pytest.raises(ValueError) as plain:
        instructions(example, "NER", labels, None, PROMPTS, AskOptions())
    with pytest.raises(ValueError) as fast:
        instruction_table(examples_to_table([example]), ask_spec("NER", labels, None, PROMPTS, AskOptions()))
    assert str(fast.value) == str(plain.value)


@pytest.mark.parametrize(
    ("task", "layer"),
    [("NER", "entities"), ("RE", "relations"), ("SPO", "relations"), ("EE", "events"), ("EET", "events")],
)
def test_repeated_answers_are_kept_at_their_first_position(task, layer):
    text = "Ada met Bo, then Cy, then Ada."
    places = (("Ada", 26), ("Cy", 17), ("Bo", 8), ("Ada", 0))
    mentions = [Mention(name, ((at, at + len(name)),)) for name, at in places] + [Mention("nobody"), Mention("met")]
    items = [Entity("drug", mention) for mention in mentions]
    if layer == "relations":
        items = [Relation("drug", mention, mentions[0], "drug", "drug") for mention in mentions]
    if layer == "events":
        items = [Event("drug", mention, (Argument("time", mentions[0]),)) for mention in mentions]
    example = replace(EXAMPLE, text=text, **{layer: tuple(items)})
    labels = label_set(task, 0)
    table, _ = instruction_table(examples_to_table([example]), ask_spec(task, labels, None, PROMPTS, AskOptions()))
    expected, _ = instructions(example, task, labels, None, PROMPTS, AskOptions())
    assert table.to_pylist() == instructions_to_table(expected).to_pylist()
    output = "".join(table["output"].to_pylist())
    assert sorted(("Ada", "met", "Bo", "Cy", "nobody"), key=output.index) == ["Ada", "met", "Bo", "Cy", "nobody"]


def test_rank_in_group():
    assert rank_in_group(np.array([0, 0, 2, 2, 2, 5])).tolist() == [0, 1, 0, 1, 2, 0]
    assert rank_in_group(np.array([], int)).tolist() == []


@pytest.mark.parametrize("ratio", [0, 0.5, 1.5])
@pytest.mark.parametrize("size", [1, 3])
def test_many_hard_negatives_with_some_batches_cut(ratio, size):
    labels = [Label(f"label {n:02d}") for n in range(30)]
    dictionary = {f"label {n:02d}": [f"label {(n + step) % 30:02d}" for step in (1, 2, 3)] for n in range(30)}
    chosen = AskOptions(split_num={"NER": size}, negative_ratio=ratio)
    rows = [
        replace(EXAMPLE, id=f"made/train/{n}", entities=(Entity(f"label {n % 30:02d}", Mention("Turku")),))
        for n in range(60)
    ]
    made = [instructions(example, "NER", labels, dictionary, PROMPTS, chosen) for example in rows]
    table, cut = instruction_table(examples_to_table(rows), ask_spec("NER", labels, dictionary, PROMPTS, chosen))
    assert cut == sum(dropped for _, dropped in made) > 0
    assert table.to_pylist() == instructions_to_table([row for expected, _ in made for row in expected]).to_pylist()
