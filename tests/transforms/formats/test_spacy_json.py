"""spaCy's JSON: pairs of text and annotations, exports of NER Annotator, and documents of tokens."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file
from transforms.files import File
from transforms.formats import spacy_json

TEXT = "Ada Marrow left Coal Quay."
PAIR = [TEXT, {"entities": [[0, 10, "PERSON"], [16, 25, "PLACE"]]}]
ENTITIES = (
    Entity("PERSON", Mention("Ada Marrow", ((0, 10),))),
    Entity("PLACE", Mention("Coal Quay", ((16, 25),))),
)


def read(tmp_path, content) -> list:
    return read_tool_file(spacy_json.read, tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        [PAIR],
        json.dumps([PAIR], indent=2),
        json.dumps(PAIR) + "\n" + json.dumps(["Low water.", {"entities": []}]),
        {"classes": ["PERSON"], "annotations": [PAIR, None]},
    ],
)
def test_pairs(tmp_path, content):
    example, *others = read(tmp_path, content)
    assert (example.text, example.entities) == (TEXT, ENTITIES)
    assert [other.entities for other in others] == ([()] if others else [])
    assert spacy_json.recognises(head_of(tmp_path, content))


def test_a_pair_without_entities_is_not_annotated(tmp_path):
    (example,) = read(tmp_path, [[TEXT, {"cats": {"harbour": 1.0}}]])
    assert (example.entities, [part.reason for part in example.lost]) == (None, [Reason.IGNORED_ANNOTATION])


@pytest.mark.parametrize(
    ("item", "reason", "unknown"),
    [
        ([3, 3, "X"], Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "X"),)),
        ([3, 99, "X"], Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "X"),)),
        ([3, 5], Reason.MISSING_FIELD, ()),
        (7, Reason.MISSING_FIELD, ()),
    ],
)
def test_only_a_bad_span_is_lost(tmp_path, item, reason, unknown):
    (example,) = read(tmp_path, [[TEXT, {"entities": [*PAIR[1]["entities"], item]}]])
    assert example.entities == ENTITIES
    assert [(part.reason, part.unknown) for part in example.lost] == [(reason, unknown)]


TAGS = ["B-PERSON", "L-PERSON", "O", "B-PLACE", "L-PLACE", "O"]


def paragraph(tags, **more):
    words = ["Ada", "Marrow", "left", "Coal", "Quay", "."]
    tokens = [{"id": n, "orth": word, "ner": tag} for n, (word, tag) in enumerate(zip(words, tags, strict=True))]
    return {"sentences": [{"tokens": tokens[:3]}, {"tokens": tokens[3:]}], **more}


def test_documents(tmp_path):
    document = {"id": 5, "paragraphs": [paragraph(TAGS, raw=TEXT), paragraph(TAGS)]}
    assert spacy_json.recognises(head_of(tmp_path, [document]))
    assert read(tmp_path, [document]) == [
        RawExample("a.json:1", TEXT, ENTITIES, document="5"),
        RawExample("a.json:1", "Ada Marrow left Coal Quay .", ENTITIES, document="5"),
    ]


@pytest.mark.parametrize(("tags", "lost"), [(["-"] * 6, 0), (["-", *TAGS[1:]], 1), ([None] * 6, 0)])
def test_tokens_that_are_not_annotated(tmp_path, tags, lost):
    (example,) = read(tmp_path, [{"id": 5, "paragraphs": [paragraph(tags)]}])
    assert (example.entities, len(example.lost)) == (None, lost)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (paragraph(TAGS, raw="Ada Marrow left Rye Quay."), Reason.BROKEN_RECORD),
        (paragraph(["X", *TAGS[1:]]), Reason.BROKEN_RECORD),
        ({"sentences": []}, Reason.MISSING_FIELD),
        (7, Reason.MISSING_FIELD),
    ],
)
def test_only_a_bad_paragraph_is_lost(tmp_path, bad, reason):
    record, good = read(tmp_path, [{"id": 5, "paragraphs": [bad, paragraph(TAGS)]}])
    assert (record.reason, good.entities) == (reason, ENTITIES)


def test_only_a_bad_row_is_lost(tmp_path):
    records = read(tmp_path, [PAIR, 7, [TEXT], PAIR])
    assert [isinstance(record, BadRecord) for record in records] == [False, True, True, False]


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
@pytest.mark.parametrize(
    ("name", "texts", "entities", "lost"),
    [("ner_demo_replace_dev.json", 8, 7, 0), ("spancat_demo_train.json", 3, 4, 0), ("parser_demo_train.json", 2, 0, 4)],
)
def test_real_files(name, texts, entities, lost):
    examples = list(spacy_json.read([File(str(FORMATS / "spacy_v2_json" / name), name)]))
    assert len(examples) == texts
    assert sum(len(example.entities or ()) for example in examples) == entities
    assert sum(len(example.lost) for example in examples) == lost
