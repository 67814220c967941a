"""Rows of instructions: each task and layout, united texts, labels that no row asks, broken rows."""

import json
from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Argument, Entity, Event, Mention, Relation
from schemas.label import UnknownLabel
from tests.tool_files import head_of, read_tool_file
from transforms.files import list_files
from transforms.formats.instruction_rows import read_alpaca, read_sharegpt, recognises
from transforms.writers import chat

REAL = Path(__file__).resolve().parents[4] / "shared" / "formats"
TEXT = "Ada met Bo in Rye on Monday."
ADA, BO, RYE, MET = Mention("Ada"), Mention("Bo"), Mention("Rye"), Mention("met")


def row(schema: list, output: object, text: str = TEXT, **more) -> dict:
    instruction = json.dumps({"instruction": "Extract.", "schema": schema, "input": text})
    return {"instruction": instruction, "output": json.dumps(output), **more}


def test_rows_of_a_text_are_united(tmp_path):
    rows = [
        row(["person", "place"], {"person": ["Ada", "Bo", "Ada"], "place": ["Rye"]}),
        row(["day"], {"day": ["Tuesday"]}),
        row(["ship", "person"], {"ship": [], "person": ["Bo"]}, "Bo left."),
    ]
    one, two = read_tool_file(read_alpaca, tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")
    assert (one.place, two.place) == ("a.jsonl:1", "a.jsonl:3")
    assert one.entities == (Entity("person", ADA), Entity("person", BO), Entity("place", RYE))
    assert one.unknown_labels == (UnknownLabel("entities", "ship"),)
    assert [(part.reason, part.unknown) for part in one.lost] == [
        (Reason.MENTION_NOT_IN_TEXT, (UnknownLabel("entities", "day"),))
    ]
    assert two.entities == (Entity("person", BO),)
    assert two.unknown_labels == (UnknownLabel("entities", "place"), UnknownLabel("entities", "day"))
    assert (one.relations, one.events) == (None, None)


EVENT = {"event_type": "meet", "trigger": True, "arguments": ["who", "where", "why"]}
TASKS = {
    "RE": ([row(["knows"], {"knows": [{"head": "Ada", "tail": "Bo"}]})], "relations", Relation("knows", ADA, BO)),
    "subject": (
        [row(["knows"], {"knows": [{"subject": "Ada", "object": "Bo"}]})],
        "relations",
        Relation("knows", ADA, BO),
    ),
    "SPO": (
        [
            row(
                [{"subject_type": "person", "predicate": "in", "object_type": "place"}],
                {"in": [{"subject": "Ada", "object": "Rye"}]},
            )
        ],
        "relations",
        Relation("in", ADA, RYE, "person", "place"),
    ),
    "KG": (
        [row([{"entity_type": "person", "attributes": ["in", "age"]}], {"person": {"Ada": {"in": ["Rye"]}}})],
        "relations",
        Relation("in", ADA, RYE, "person"),
    ),
    "EE": (
        [
            row(
                [EVENT],
                {"meet": [{"trigger": "met", "arguments": {"who": ["Ada", "Bo"], "where": "Rye", "why": "NAN"}}]},
            )
        ],
        "events",
        Event("meet", MET, (Argument("who", ADA), Argument("who", BO), Argument("where", RYE))),
    ),
    "EET": ([row(["meet"], {"meet": ["met"]}, task="EET")], "events", Event("meet", MET)),
    "input": (
        [{"instruction": json.dumps({"schema": ["place"]}), "input": TEXT, "output": '{"place": ["Rye"]}'}],
        "entities",
        Entity("place", RYE),
    ),
}


@pytest.mark.parametrize("task", TASKS)
def test_tasks(tmp_path, task):
    rows, layer, item = TASKS[task]
    (example,) = read_tool_file(read_alpaca, tmp_path, rows)
    assert getattr(example, layer) == (item,)
    assert [name for name in ("entities", "relations", "events") if getattr(example, name) is not None] == [layer]
    turns = [{"from": "human", "value": rows[0]["instruction"]}, {"from": "gpt", "value": rows[0]["output"]}]
    if task not in ("EET", "input"):
        assert read_tool_file(read_sharegpt, tmp_path, [{"conversations": turns}]) == [example]


@pytest.mark.parametrize(("write", "read"), [(chat.alpaca, read_alpaca), (chat.sharegpt, read_sharegpt)])
@pytest.mark.parametrize(("task", "layer"), [("NER", "entities"), ("EET", "events")])
def test_exported_rows_are_read_back_in_their_layer(tmp_path, write, read, task, layer):
    written = row(["meeting"], {"meeting": ["met"]})
    (example,) = read_tool_file(read, tmp_path, [write(task, written["instruction"], written["output"])])
    assert len(getattr(example, layer)) == 1


def test_empty_answers(tmp_path):
    """Without a task, an empty answer is one of relations if other rows have relations with its labels."""
    rows = [
        row(["knows"], {"knows": [{"head": "Ada", "tail": "Bo"}]}),
        row(["knows", "of"], {"knows": [], "of": []}, "Low."),
    ]
    _, low = read_tool_file(read_alpaca, tmp_path, [*rows, row(["ship"], {"ship": []}, "Low.")])
    assert (low.entities, low.relations, low.events) == ((), (), None)


def test_row_to_predict_on(tmp_path):
    rows = [row(["place"], None), row(["place"], {"place": []}, "Low.")]
    del rows[0]["output"]
    example, low = read_tool_file(read_alpaca, tmp_path, rows)
    assert (example.entities, low.entities) == (None, ())


def test_universal_ner(tmp_path):
    turns = [
        ("system", "A conversation."),
        ("user", f"Text: {TEXT}"),
        ("assistant", "I've read this text."),
        ("user", "What describes person in the text?"),
        ("assistant", '["Ada", "Bo"]'),
        ("user", "What describes ship in the text?"),
        ("assistant", "[]"),
    ]
    conversation = {"messages": [{"role": role, "content": content} for role, content in turns]}
    (example,) = read_tool_file(read_sharegpt, tmp_path, [conversation])
    assert example.entities == (Entity("person", ADA), Entity("person", BO))
    assert example.unknown_labels == ()


BROKEN_ALPACA = [
    {"instruction": "Find the places.", "input": TEXT, "output": "[]"},
    {"output": "{}"},
    row([], {}),
    row([3], {}),
    row(["place"], ["Rye"]),
    row(["place"], {}, ""),
    row(["place"], {}) | {"output": "{"},
]
BROKEN_SHAREGPT = [
    {"conversations": 3},
    {"conversations": [3]},
    {"conversations": [{"from": "human", "value": "Hello."}, {"from": "gpt", "value": "Hi."}]},
    {"conversations": [{"from": "human", "value": "Text: a"}, {"from": "human", "value": "Why?"}]},
]


@pytest.mark.parametrize(
    ("read", "content"),
    [
        *((read_alpaca, content) for content in BROKEN_ALPACA),
        *((read_sharegpt, content) for content in BROKEN_SHAREGPT),
    ],
)
def test_broken_rows(tmp_path, read, content):
    (bad,) = read_tool_file(read, tmp_path, [content])
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("a.json:1", Reason.BROKEN_RECORD)


def test_never_recognised(tmp_path):
    assert not recognises(head_of(tmp_path, [row(["place"], {})]))


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
def test_real_files():
    examples = list(read_alpaca(list_files(str(REAL / "alpaca_ie"))))
    counts = [
        len([e for e in examples if getattr(e, layer) is not None]) for layer in ("entities", "relations", "events")
    ]
    assert (len(examples), counts) == (13, [4, 8, 1])
    assert sum(len(e.relations or ()) for e in examples) == 38
    conversations = list(read_sharegpt(list_files(str(REAL / "sharegpt_ie"))))
    assert (len(conversations), sum(len(example.entities) for example in conversations)) == (33, 115)
    assert not any(example.lost for example in (*examples, *conversations))
