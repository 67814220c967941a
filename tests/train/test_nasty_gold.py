"""Gold answers whose labels, mentions and descriptions contain the marks of every form score 1, masked or not."""

import json
from dataclasses import replace as changed

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.answer_form import FORM_TASKS, FORMS
from schemas.arrow import examples_to_table
from schemas.example import LAYER, Argument, Entity, Event, Example, Relation
from schemas.label import Label, LabelSet, Role, typed_label
from tests.strategies import SPANNED_MENTIONS, mention_of_string, texts
from train.parse import parse
from train.prediction import resume
from train.scoring import predictions, tally
from transforms import prompts
from transforms.ask import AskOptions, DescriptionShares, ask_spec
from transforms.instruct import instruction_table
from transforms.label_descriptions import described_labels
from transforms.plain_schema import plain_schema

CELLS = [(form, task) for form in FORMS for task in FORM_TASKS[form]]
FORM_PROMPTS = {form: prompts.load(form=form) for form in FORMS}
MARKS = (
    *('"', "'", "\\", "\n", "; ", "|", ": ", "(", ")", ",", " → ", "的", "与", "之间的关系是", '"。', "/", "_", "\x00"),
    *("NAN", '"NAN"', "[]", "{}", "null", "label_1", "label_2", "subject", "description", "trigger", "arguments"),
    *("a", "é", "İ", "👩\u200d👩", "\u2028", "\u0085", "\u202e", "عربي", "ไทย", "日本", "ｌａｂｅｌ＿１"),
)
NASTY = st.lists(st.sampled_from(MARKS), min_size=1, max_size=3).map("".join).filter(str.strip)
NAMES = st.lists(NASTY, min_size=1, max_size=5, unique=True)
DESCRIPTIONS = st.just("") | NASTY | st.sampled_from(["x" * 5000, "a " + "字" * 5000, "\u202e😀 " * 300])
MENTIONS = SPANNED_MENTIONS | NASTY.map(mention_of_string)


@st.composite
def examples_with_labels(draw, task: str) -> tuple[Example, tuple[Label, ...]]:
    """An Example of `task` in train, and its label set."""
    text, names, roles = draw(texts((*MARKS, "a ", ". "), 20)), draw(NAMES), draw(NAMES)
    name, role, mention = st.sampled_from(names), st.sampled_from(roles), MENTIONS.map(lambda made: made(text))
    descriptions = st.lists(DESCRIPTIONS, min_size=len(roles), max_size=len(roles))
    role_sets = descriptions.map(lambda drawn: tuple(map(Role, roles, drawn)))
    match LAYER[task]:
        case "entities":
            item = st.builds(Entity, name, mention)
        case "relations":
            item = st.builds(Relation, role if task != "RE" else name, mention, mention, name, name)
        case _:
            arguments = st.lists(st.builds(Argument, role, mention), max_size=3).map(tuple)
            item = st.builds(Event, name, st.none() | mention, arguments)
    items = tuple(draw(st.lists(item, max_size=5)))
    labels = [Label(name, roles=() if LAYER[task] == "entities" or task == "RE" else draw(role_sets)) for name in names]
    if task == "SPO":
        triples = [typed_label(one.head_label, one.label, one.tail_label) for one in items]
        labels = list({label.name: label for label in [*triples, typed_label("a", roles[0], "b")]}.values())
        known = {(label.subject_type, label.predicate, label.object_type) for label in labels}
        items = tuple(one for one in items if (one.head_label, one.label, one.tail_label) in known)
    lang = draw(st.sampled_from(["en", "zh"]))
    layers = dict.fromkeys(LAYER.values()) | {LAYER[task]: items}
    example = Example(id="made/train/0", source="Made", split="train", lang=lang, text=text, tasks=(task,), **layers)
    described = tuple(changed(label, description=draw(DESCRIPTIONS)) for label in labels)
    return example, described


@pytest.mark.parametrize(("form", "task"), CELLS)
@settings(max_examples=25)
@given(data=st.data())
def test_gold_scores_1_and_damage_is_parsed(tmp_path_factory, form, task, data):
    example, labels = data.draw(examples_with_labels(task))
    shares = data.draw(st.sampled_from([DescriptionShares(), DescriptionShares(1, 0, 1), DescriptionShares(1, 0.5, 1)]))
    options = AskOptions(forms={form: 1.0}, descriptions=shares, split_num={task: data.draw(st.sampled_from([-1, 2]))})
    described = described_labels(LabelSet(task, "made", "Made", example.lang, labels))
    spec = ask_spec(task, described, None, FORM_PROMPTS["iepile"], options, FORM_PROMPTS)
    rows = instruction_table(examples_to_table([example]), spec)[0].to_pylist()
    test_rows = instruction_table(examples_to_table([replace(example, split="test")]), spec)[0].to_pylist()
    path = tmp_path_factory.mktemp("nasty") / "predictions.jsonl"
    for gold in [{}, *({"label": row["label"]} for row in test_rows[:1])]:
        path.write_bytes(b"".join(resume.line(row | gold, row["output"], False) for row in rows))
        if rows:
            counted = tally.tally([predictions.load(str(path)).records], "normal")
            right, predicted, annotated, _ = counted.counts.sum(axis=(0, 1)).tolist()
            assert right == predicted == annotated
            assert not counted.answers[:, :, 1:].any()
    for row in rows:
        at, mark = data.draw(st.integers(0, len(row["output"]))), data.draw(st.sampled_from(("", "\ud800", *MARKS)))
        damaged = row["output"][:at] + mark + row["output"][at + data.draw(st.integers(0, 1)) :]
        prompt = json.loads(row["instruction"])
        parse(task, damaged, plain_schema(prompt["schema"]), form, prompt["input"], row["labels"])
