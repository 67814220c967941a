import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.arrow import examples_to_table
from schemas.example import LAYER, Argument, Entity, Event, Example, Mention, Relation
from schemas.label import Label, named_roles, typed_label
from tests.specification.gold import Gold
from tests.strategies import examples
from transforms.ask import AskOptions, LabelBatches, ask_spec
from transforms.described import shown_labels
from transforms.gold import golds
from transforms.instruct import answer_column, prompt_column, schema_items


def at(text: str, string: str, start: int = 0) -> Mention:
    """The mention of `string` at or after `start`, with its offset."""
    begin = text.index(string, start)
    return Mention(string, ((begin, begin + len(string)),))


def made(text: str, lang: str = "en", **layers) -> Example:
    return Example("made/train/0", "Made", "train", lang, text, (), *(layers.get(name) for name in LAYERS))


LAYERS = ("entities", "relations", "events")


def gold(example: Example, task: str, labels: list[Label]) -> Gold | None:
    """The gold of the example as a test row of a build."""
    table_gold = golds(examples_to_table([replace(example, split="test")]), task, labels, {})
    (annotations,) = table_gold.annotations
    if annotations is None:
        return None
    numbers = table_gold.answer[0].tolist()
    answers = {label.name: table_gold.answers[n].as_py() for label, n in zip(labels, numbers, strict=True) if n}
    return Gold(answers, table_gold.triggers[0] if table_gold.triggers else {}, json.loads(annotations))


def rendered(
    example: Example, task: str, labels: list[Label], batch_labels: list[Label] | None = None
) -> tuple[str, str, list[dict]]:
    """(instruction, output, annotations) of a row with the prompt "?" and the labels `batch_labels` (None: all)."""
    table = examples_to_table([example])
    table_gold = golds(table, task, labels, {})
    numbers = np.array([labels.index(label) for label in (labels if batch_labels is None else batch_labels)])
    zeros, flags = np.zeros(len(numbers), np.int64), np.ones(len(numbers), bool)
    batch = LabelBatches(zeros[:1], zeros[:1], zeros, numbers, flags, ~flags, 0)
    prompts = {task: {"en": ("?",), "zh": ("?",)}}
    what = dataclasses.replace(ask_spec(task, labels, None, prompts, AskOptions()), labels=tuple(labels))
    schema, langs = schema_items(table_gold, batch, what, {}), table["lang"].combine_chunks()
    keys = np.zeros(1, np.uint64)
    shown = shown_labels(batch, keys, [example.text], what)
    prompt = prompt_column([example.text], langs, batch, keys, schema, shown, zeros[:1], what)
    output = answer_column(table_gold, batch, what, shown)
    return prompt[0].as_py(), output[0].as_py(), gold(example, task, labels).annotations


def test_ner():
    text = "Ada Quill met Tom in Lund; Ada Quill left."
    entities = (
        Entity("place", at(text, "Lund")),
        Entity("person", at(text, "Tom")),
        Entity("person", at(text, "Ada Quill", 5)),  # repeated later in the text: answered once
        Entity("person", at(text, "Ada Quill")),
    )
    labels = [Label("place"), Label("date"), Label("person")]
    prompt, answer, annotations = rendered(made(text, entities=entities), "NER", labels)
    assert prompt == (
        '{"instruction": "?", "schema": ["place", "date", "person"], '
        '"input": "Ada Quill met Tom in Lund; Ada Quill left."}'
    )
    assert answer == '{"place": ["Lund"], "date": [], "person": ["Ada Quill", "Tom"]}'
    assert annotations == [
        {"entity": "Ada Quill", "entity_type": "person"},
        {"entity": "Tom", "entity_type": "person"},
        {"entity": "Lund", "entity_type": "place"},
    ]


def test_text_order_with_nested_discontinuous_and_unplaced_mentions():
    text = "left and right knee pain"
    entities = (
        Entity("part", Mention("absent b")),
        Entity("part", Mention("pain")),  # without an offset, the first occurrence counts
        Entity("part", Mention("absent a")),
        Entity("part", at(text, "right knee")),
        Entity("part", Mention("left knee", ((0, 4), (15, 19)))),  # two spans, joined by a blank
        Entity("part", at(text, "left")),
        Entity("part", at(text, "right")),
    )
    _, answer, _ = rendered(made(text, entities=entities), "NER", [Label("part")])
    # With the same start, the shorter is first. Mentions that are not in the text are last, in the order of the file.
    assert answer == '{"part": ["left", "left knee", "right", "right knee", "pain", "absent b", "absent a"]}'


def test_non_ascii_is_kept_and_json_is_escaped():
    text = '他说："走\\吧"\n李四😀来了'
    entities = (Entity("人物", at(text, "李四😀")), Entity("人物", at(text, '"走\\吧"')))
    prompt, answer, _ = rendered(made(text, "zh", entities=entities), "NER", [Label("人物")])
    assert prompt == '{"instruction": "?", "schema": ["人物"], "input": "他说：\\"走\\\\吧\\"\\n李四😀来了"}'
    assert answer == '{"人物": ["\\"走\\\\吧\\"", "李四😀"]}'


def test_re():
    text = "Mira founded Oak in Bern. Jon founded Elm."
    mira, jon, oak, elm, bern = (at(text, name) for name in ("Mira", "Jon", "Oak", "Elm", "Bern"))
    relations = (
        Relation("founder of", jon, elm),
        Relation("seat", oak, bern, "company", "town"),
        Relation("seat", oak, bern, "brand", "town"),  # differs only in a type, which RE answers do not have
        Relation("founder of", mira, oak),
    )
    labels = [Label("founder of"), Label("owner"), Label("seat")]
    prompt, answer, annotations = rendered(made(text, relations=relations), "RE", labels)
    assert json.loads(prompt)["schema"] == ["founder of", "owner", "seat"]
    assert answer == (
        '{"founder of": [{"subject": "Mira", "object": "Oak"}, {"subject": "Jon", "object": "Elm"}], '
        '"owner": [], "seat": [{"subject": "Oak", "object": "Bern"}]}'
    )
    assert annotations == [
        {"head": "Mira", "relation": "founder of", "tail": "Oak"},
        {"head": "Oak", "relation": "seat", "tail": "Bern"},
        {"head": "Jon", "relation": "founder of", "tail": "Elm"},
    ]


def test_triples_are_ordered_by_subject_then_object():
    text = "a b c d"
    a, b, c, d = (at(text, letter) for letter in "abcd")
    pairs = [(b, a), (a, d), (c, b), (a, c)]
    relations = tuple(Relation("r", *pair) for pair in pairs)
    answered = gold(made(text, relations=relations), "RE", [Label("r")])
    assert [(x["subject"], x["object"]) for x in json.loads(answered.answers["r"])] == [
        ("a", "c"),
        ("a", "d"),
        ("b", "a"),
        ("c", "b"),
    ]


def test_spo():
    text = "红河是林一写的长篇小说，改编的电影《红河》由周二执导"
    book, film, lin, zhou = at(text, "红河"), at(text, "红河", 3), at(text, "林一"), at(text, "周二")
    relations = (
        Relation("导演", film, zhou, "影视作品", "人物"),
        Relation("作者", book, lin, "图书作品", "人物"),
        Relation("作者", film, lin),  # not a typed triple, since it has no types
    )
    labels = [typed_label("影视作品", "导演", "人物"), typed_label("图书作品", "作者", "人物")]
    prompt, answer, annotations = rendered(made(text, "zh", relations=relations), "SPO", labels)
    assert prompt.startswith(
        '{"instruction": "?", "schema": ['
        '{"subject_type": "影视作品", "predicate": "导演", "object_type": "人物"}, '
        '{"subject_type": "图书作品", "predicate": "作者", "object_type": "人物"}], "input": "红河'
    )
    assert answer == (
        '{"导演": [{"subject": "红河", "object": "周二"}], "作者": [{"subject": "红河", "object": "林一"}]}'
    )
    assert list(annotations[0]) == ["head", "head_type", "relation", "tail", "tail_type"]
    assert annotations[0] == {
        "head": "红河", "head_type": "图书作品", "relation": "作者", "tail": "林一", "tail_type": "人物",
    }  # fmt: skip
    # The other typed triple with the same predicate has nothing to extract.
    other = [typed_label("歌曲", "作者", "人物")]
    assert rendered(made(text, relations=relations), "SPO", labels + other, other)[1] == '{"作者": []}'


STRIKE = "On Monday pilots and crew struck at Fjord Air; on Friday the strike ended, and a plane was sold."
ROLES = ("who", "employer", "date")


def strike_events() -> tuple[Event, ...]:
    text = STRIKE
    return (
        Event("sale", at(text, "sold")),  # no role has a value
        Event("strike", None),  # neither trigger nor arguments: dropped
        Event("strike", at(text, "strike"), (Argument("date", at(text, "Friday")),)),
        Event(
            "strike",
            at(text, "struck"),
            (
                Argument("who", at(text, "crew")),
                Argument("date", at(text, "Monday")),
                Argument("who", at(text, "pilots")),
                Argument("who", Mention("crew")),  # the same string once
            ),
        ),
        Event("strike", at(text, "strike"), (Argument("date", Mention("Friday")),)),  # the same event again
        Event("sale", None, (Argument("item", at(text, "plane")),)),  # no trigger
    )


LABELS = [
    Label("sale", roles=named_roles(("item",))),
    Label("merger", roles=named_roles(("buyer",))),
    Label("strike", roles=named_roles(ROLES)),
]


def test_ee():
    prompt, answer, annotations = rendered(made(STRIKE, events=strike_events()), "EE", LABELS)
    assert prompt.startswith(
        '{"instruction": "?", "schema": ['
        '{"event_type": "sale", "trigger": true, "arguments": ["item"]}, '
        '{"event_type": "merger", "trigger": true, "arguments": ["buyer"]}, '
        '{"event_type": "strike", "trigger": true, "arguments": ["who", "employer", "date"]}], "input": "On Monday'
    )
    assert answer == (
        '{"sale": [{"trigger": "NAN", "arguments": {"item": "plane"}}, {"trigger": "sold", "arguments": {}}], '
        '"merger": [], '
        '"strike": [{"trigger": "struck", "arguments": '
        '{"who": ["pilots", "crew"], "employer": "NAN", "date": "Monday"}}, '
        '{"trigger": "strike", "arguments": {"who": "NAN", "employer": "NAN", "date": "Friday"}}]}'
    )
    assert annotations == [
        {
            "event_trigger": "struck",
            "event_type": "strike",
            "arguments": [
                {"argument": "Monday", "role": "date"},
                {"argument": "pilots", "role": "who"},
                {"argument": "crew", "role": "who"},
            ],
        },
        {
            "event_trigger": "strike",
            "event_type": "strike",
            "arguments": [{"argument": "Friday", "role": "date"}],
        },
        {"event_trigger": "", "event_type": "sale", "arguments": [{"argument": "plane", "role": "item"}]},
        {"event_trigger": "sold", "event_type": "sale", "arguments": []},
    ]


def test_eet():
    prompt, answer, annotations = rendered(made(STRIKE, events=strike_events()), "EET", LABELS)
    assert json.loads(prompt)["schema"] == ["sale", "merger", "strike"]
    assert answer == '{"sale": ["sold"], "merger": [], "strike": ["struck", "strike"]}'
    assert len(annotations) == 4
    # An event without a trigger leaves nothing to extract, so its type is not positive.
    only = made(STRIKE, events=(Event("sale", None, (Argument("item", at(STRIKE, "plane")),)),))
    assert gold(only, "EET", LABELS).answers == {}
    assert set(gold(only, "EE", LABELS).answers) == {"sale"}


def test_eea():
    prompt, answer, _ = rendered(made(STRIKE, events=strike_events()), "EEA", [LABELS[2], LABELS[0]])
    assert json.loads(prompt)["schema"] == [
        {"event_type": "strike", "trigger": ["struck", "strike"], "arguments": ["who", "employer", "date"]},
        {"event_type": "sale", "trigger": ["NAN", "sold"], "arguments": ["item"]},
    ]
    assert '{"event_type": "strike", "trigger": ["struck", "strike"], "arguments": ["who", ' in prompt
    assert answer == (
        '{"strike": [{"trigger": "struck", "arguments": '
        '{"who": ["pilots", "crew"], "employer": "NAN", "date": "Monday"}}, '
        '{"trigger": "strike", "arguments": {"who": "NAN", "employer": "NAN", "date": "Friday"}}], '
        '"sale": [{"trigger": "NAN", "arguments": {"item": "plane"}}, {"trigger": "sold", "arguments": {}}]}'
    )


def test_events_with_one_trigger_are_kept_separate():
    text = "Two hens were sold and three ducks sold."
    one = Event("sale", at(text, "sold"), (Argument("item", at(text, "hens")),))
    two = Event("sale", at(text, "sold", 20), (Argument("item", at(text, "ducks")),))
    example = made(text, events=(two, one))
    prompt, answer, _ = rendered(example, "EEA", LABELS[:1])
    assert json.loads(prompt)["schema"][0]["trigger"] == ["sold"]
    assert [event["arguments"]["item"] for event in json.loads(answer)["sale"]] == ["hens", "ducks"]
    assert rendered(example, "EET", LABELS[:1])[1] == '{"sale": ["sold"]}'


def test_kg():
    text = "Ines Falk, a Danish painter and poet, married Per Holm; Holm & Sons sits in Aarhus."
    ines, per, firm = at(text, "Ines Falk"), at(text, "Per Holm"), at(text, "Holm & Sons")
    relations = (
        Relation("occupation", ines, at(text, "poet")),
        Relation("seat", firm, at(text, "Aarhus"), "company"),
        Relation("spouse", per, ines),
        Relation("occupation", ines, at(text, "painter")),
        Relation("spouse", ines, per),
        Relation("spouse", ines, Mention("Per Holm")),
    )
    labels = [
        Label("person", roles=named_roles(("spouse", "birth date", "occupation"))),
        Label("river", roles=named_roles(("length",))),
        Label("company", roles=named_roles(("seat", "founder"))),
    ]
    prompt, answer, annotations = rendered(made(text, relations=relations), "KG", labels)
    assert prompt.startswith(
        '{"instruction": "?", "schema": ['
        '{"entity_type": "person", "attributes": ["spouse", "birth date", "occupation"]}, '
        '{"entity_type": "river", "attributes": ["length"]}, '
        '{"entity_type": "company", "attributes": ["seat", "founder"]}], "input": "Ines'
    )
    assert answer == (
        '{"person": {"Ines Falk": {"spouse": "Per Holm", "occupation": ["painter", "poet"]}, '
        '"Per Holm": {"spouse": "Ines Falk"}}, "river": [], "company": {"Holm & Sons": {"seat": "Aarhus"}}}'
    )
    assert annotations[0] == {"head": "Ines Falk", "relation": "occupation", "tail": "painter"}
    assert annotations[-1] == {"head": "Holm & Sons", "head_type": "company", "relation": "seat", "tail": "Aarhus"}
    assert len(annotations) == 5


def test_kg_entity_types():
    text = "Oak was founded by Mira."
    labels = [Label("band", roles=named_roles(("founder",))), Label("company", roles=named_roles(("founder", "seat")))]
    founder = Relation("founder", at(text, "Oak"), at(text, "Mira"))
    # Without a type, the entity has every type with this attribute.
    answered = gold(made(text, relations=(founder,)), "KG", labels)
    assert set(answered.answers) == {"band", "company"}
    typed = Relation("founder", founder.head, founder.tail, "band")
    assert set(gold(made(text, relations=(typed,)), "KG", labels).answers) == {"band"}
    for wrong in (Relation("height", founder.head, founder.tail), Relation("seat", founder.head, founder.tail, "band")):
        with pytest.raises(ValueError, match=f"made/train/0: '{wrong.label}' is not an attribute of"):
            gold(made(text, relations=(wrong,)), "KG", labels)


@pytest.mark.parametrize("task", LAYER)
def test_unknown_is_not_empty(task):
    labels = [typed_label("a", "p", "b")] if task == "SPO" else [Label("x", roles=named_roles(("r",)))]
    assert gold(made("a text"), task, labels) is None
    empty = gold(made("a text", entities=(), relations=(), events=()), task, labels)
    assert empty.answers == {} and empty.annotations == []


NAMES = ("drug", "disease", "地点")
EVERY = [Label(name, roles=named_roles(("agent", "time", "对象"))) for name in NAMES]
TYPED = [typed_label(a, p, b) for a in NAMES for p in NAMES for b in NAMES]


@given(examples(), st.sampled_from(["NER", "RE", "SPO", "EE", "EET", "EEA"]), st.data())
def test_output_is_the_gold_of_the_labels_in_the_prompt(example, task, data):
    labels = TYPED if task == "SPO" else EVERY
    full_gold = gold(example, task, labels)
    if full_gold is None:
        assert getattr(example, LAYER[task]) is None
        return
    candidates = [label for label in labels if task != "EEA" or label.name in full_gold.answers]
    if not candidates:
        return
    keys = {"unique_by": lambda label: label.predicate or label.name}
    batch_labels = data.draw(st.lists(st.sampled_from(candidates), min_size=1, **keys))
    prompt, text, _ = rendered(example, task, labels, batch_labels)
    assert prompt == json.dumps(json.loads(prompt), ensure_ascii=False)
    answer = json.loads(text)
    assert text == json.dumps(answer, ensure_ascii=False)
    assert list(answer) == [label.predicate or label.name for label in batch_labels]
    for label in batch_labels:
        items = answer[label.predicate or label.name]
        got = {json.dumps(in_any_order(item)) for item in items}
        assert got == {json.dumps(item) for item in expected(example, task, label)}
        assert len(got) == len(items)  # nothing twice


def in_any_order(item):
    """The values of a role, sorted; text order has its own tests."""
    if isinstance(item, dict) and "arguments" in item:
        values = {role: sorted(v) if isinstance(v, list) else v for role, v in item["arguments"].items()}
        return {**item, "arguments": values}
    return item


def expected(example: Example, task: str, label: Label) -> list:
    """The answers for the label, in any order, with duplicates: a second, naive implementation of the specification."""
    if task == "NER":
        return [entity.mention.text for entity in example.entities if entity.label == label.name]
    if task == "RE":
        mine = [relation for relation in example.relations if relation.label == label.name]
    if task == "SPO":
        wanted = (label.subject_type, label.predicate, label.object_type)
        mine = [r for r in example.relations if (r.head_label, r.label, r.tail_label) == wanted]
    if task in ("RE", "SPO"):
        return [{"subject": relation.head.text, "object": relation.tail.text} for relation in mine]
    mine = [event for event in example.events if event.label == label.name]
    if task == "EET":
        return [event.trigger.text for event in mine if event.trigger]
    answers = []
    for event in mine:
        arguments = {}
        for role in label.role_names:
            values = sorted({argument.mention.text for argument in event.arguments if argument.role == role})
            arguments[role] = values[0] if len(values) == 1 else values or "NAN"
        if event.trigger or event.arguments:
            answers.append(
                {
                    "trigger": event.trigger.text if event.trigger else "NAN",
                    "arguments": arguments if event.arguments else {},
                }
            )
    return answers
