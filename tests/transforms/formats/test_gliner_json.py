"""GLiNER's and GLiNER2's training data: spans over tokens, and mentions without offsets."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file
from transforms.files import File
from transforms.formats import gliner2_json, gliner_json

TOKENS = ["Ada", "Marrow", "left", "Coal", "Quay", "."]
TEXT = "Ada Marrow left Coal Quay ."
ADA, QUAY = Mention("Ada Marrow", ((0, 10),)), Mention("Coal Quay", ((16, 25),))
NER = [[3, 4, "place"], [0, 1, "person"]]


def test_tokens(tmp_path):
    rows = [
        {"tokenized_text": TOKENS, "ner": NER, "relations": [[1, 0, "left"]]},
        {"tokenized_text": TOKENS, "ner": []},
        {"tokenized_text": ["東", "京", "へ"]},
    ]
    both, empty, plain = read_tool_file(gliner_json.read, tmp_path, rows)
    assert both == RawExample(
        "a.json:1",
        TEXT,
        (Entity("place", QUAY, "0"), Entity("person", ADA, "1")),
        (Relation("left", ADA, QUAY, "person", "place", "1", "0"),),
    )
    assert (empty.entities, empty.relations) == ((), None)
    assert (plain.text, plain.entities) == ("東京へ", None)
    assert gliner_json.recognises(head_of(tmp_path, rows))


@pytest.mark.parametrize(
    ("change", "reason", "unknown"),
    [
        ({"ner": [*NER, [4, 6, "x"]]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "x")),
        ({"ner": [*NER, [4, 3, "x"]]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "x")),
        ({"ner": [*NER, [None, 3, "x"]]}, Reason.MISSING_FIELD, UnknownLabel("entities", "x")),
        ({"ner": [*NER, 7]}, Reason.MISSING_FIELD, None),
        ({"relations": [[1, 2, "x"]]}, Reason.MISSING_FIELD, UnknownLabel("relations", "x")),
    ],
)
def test_only_a_bad_part_is_lost(tmp_path, change, reason, unknown):
    (example,) = read_tool_file(gliner_json.read, tmp_path, [{"tokenized_text": TOKENS, "ner": NER} | change])
    assert len(example.entities) == 2
    assert [(part.reason, part.unknown) for part in example.lost] == [(reason, (unknown,) if unknown else ())]


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
def test_real_file():
    name = "sample_data_first12.json"
    path = FORMATS / "gliner_json" / name
    examples = list(gliner_json.read([File(str(path), name)]))
    assert [len(example.entities) for example in examples] == [len(row["ner"]) for row in json.loads(path.read_text())]
    assert sum(len(example.entities) for example in examples) == 28 and not any(example.lost for example in examples)


ROWS = [
    {
        "input": TEXT,
        "output": {
            "entities": {"person": ["Ada Marrow"], "place": ["coal quay", "Rye"]},
            "entity_descriptions": {"person": "a human being"},
            "relations": [
                {"left": {"head": "Ada Marrow", "tail": ["Coal Quay"]}},
                {"sale": {"seller": "Ada Marrow", "price": "3"}},
            ],
        },
    },
    {"text": TEXT, "schema": {"entities": {"person": []}, "classifications": [{"task": "tone", "labels": ["calm"]}]}},
    {"text": TEXT, "schema": {"json_structures": []}},
    {"text": TEXT},
]


def test_gliner2(tmp_path):
    content = "\n".join(map(json.dumps, ROWS))
    both, person, neither, bad = read_tool_file(gliner2_json.read, tmp_path, content)
    assert both.entities == (Entity("person", Mention("Ada Marrow")), Entity("place", Mention("Coal Quay")))
    assert both.relations == (Relation("left", Mention("Ada Marrow"), Mention("Coal Quay")),)
    assert [(part.reason, part.unknown[0].label) for part in both.lost] == [
        (Reason.MENTION_NOT_IN_TEXT, "place"),
        (Reason.MISSING_FIELD, "sale"),
    ]
    assert (person.entities, person.relations) == ((), None)
    assert person.unknown_labels == (UnknownLabel("entities", "place"),)
    assert [part.reason for part in person.lost] == [Reason.IGNORED_ANNOTATION]
    assert (neither.entities, neither.unknown_labels) == (None, ())
    assert isinstance(bad, BadRecord)
    assert gliner2_json.recognises(head_of(tmp_path, content))
