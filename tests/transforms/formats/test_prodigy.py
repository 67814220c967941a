"""Prodigy tasks: spans, relations between tokens, and answers that are no annotation."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file
from transforms.files import File
from transforms.formats import prodigy

TEXT = "Ada Marrow left Coal Quay."
ADA, QUAY = Mention("Ada Marrow", ((0, 10),)), Mention("Coal Quay", ((16, 25),))
PERSON = {"start": 0, "end": 10, "token_start": 0, "token_end": 1, "label": "PERSON"}
PLACE = {"start": 16, "end": 25, "token_start": 3, "token_end": 4, "label": "PLACE", "text": "Coal Quay"}
TOKENS = [
    {"text": word, "start": TEXT.index(word), "end": TEXT.index(word) + len(word), "id": number}
    for number, word in enumerate(("Ada", "Marrow", "left", "Coal", "Quay", "."))
]
ARROW = {"head": 1, "child": 4, "head_span": PERSON, "child_span": PLACE, "label": "left"}
TASK = {
    "text": TEXT,
    "_input_hash": -12,
    "_task_hash": 34,
    "tokens": TOKENS,
    "spans": [PERSON, PLACE],
    "_view_id": "ner_manual",
    "answer": "accept",
}
ENTITIES = (Entity("PERSON", ADA, "0"), Entity("PLACE", QUAY, "1"))


def read(tmp_path, *rows) -> list:
    return read_tool_file(prodigy.read, tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")


def test_spans(tmp_path):
    (example,) = read(tmp_path, TASK | {"_annotator_id": "set-ada", "_session_id": "s", "meta": {"doc_id": "d1"}})
    assert example == RawExample("a.jsonl:1", TEXT, ENTITIES, item="-12", annotator="set-ada", document="d1")


@pytest.mark.parametrize("keep", [("head_span", "child_span"), ()])
def test_relations(tmp_path, keep):
    arrow = {key: value for key, value in ARROW.items() if key in ("head", "child", "label", *keep)}
    (example,) = read(tmp_path, TASK | {"_view_id": "relations", "relations": [arrow]})
    assert example.entities == ENTITIES
    assert example.relations == (Relation("left", ADA, QUAY, "PERSON", "PLACE", "0", "1"),)


def test_an_end_may_be_a_token_without_a_span(tmp_path):
    (example,) = read(tmp_path, TASK | {"spans": [PERSON], "relations": [{"head": 1, "child": 4, "label": "left"}]})
    assert example.relations == (Relation("left", ADA, Mention("Quay", ((21, 25),)), "PERSON", None, "0", None),)


@pytest.mark.parametrize("order", [1, -1])
def test_an_end_without_a_span_is_the_longest_span_that_ends_there(tmp_path, order):
    inner = {"start": 21, "end": 25, "token_start": 4, "token_end": 4, "label": "WORD"}
    task = TASK | {"spans": [PERSON, *[PLACE, inner][::order]], "relations": [{"head": 1, "child": 4, "label": "left"}]}
    (example,) = read(tmp_path, task)
    assert [(each.tail, each.tail_label) for each in example.relations] == [(QUAY, "PLACE")]


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "reject"},
        {"answer": "ignore"},
        {"_view_id": "choice", "options": [], "accept": []},
        {"_view_id": "classification"},
        {"_view_id": "ner"},
        {"_is_binary": True},
    ],
)
def test_what_is_no_annotation_of_all_spans_leaves_the_layers_unknown(tmp_path, change):
    (example,) = read(tmp_path, TASK | change)
    assert (example.entities, example.relations) == (None, None)
    assert [part.reason for part in example.lost] == [Reason.IGNORED_ANNOTATION]


def test_a_review_is_read_like_the_interface_that_it_reviews(tmp_path):
    spans, choice = read(
        tmp_path,
        TASK | {"_view_id": "review", "view_id": "spans_manual", "versions": [], "sessions": ["ann"]},
        TASK | {"_view_id": "review", "view_id": "choice"},
    )
    assert (spans.entities, spans.is_gold, spans.lost) == (ENTITIES, True, ())
    assert (choice.entities, [part.reason for part in choice.lost]) == (None, [Reason.IGNORED_ANNOTATION])


def test_accepted_without_spans_and_not_yet_annotated(tmp_path):
    row = {key: value for key, value in TASK.items() if key not in ("spans", "answer")}
    accepted, new = read(tmp_path, row | {"answer": "accept"}, row)
    assert (accepted.entities, new.entities, new.lost) == ((), None, ())


@pytest.mark.parametrize(
    ("change", "reason", "unknown"),
    [
        ({"spans": [PERSON, PLACE, PERSON | {"end": 0}]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "PERSON")),
        ({"spans": [PERSON, PLACE, PERSON | {"end": 99}]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "PERSON")),
        ({"spans": [PERSON, PLACE, {"label": "X"}]}, Reason.MISSING_FIELD, UnknownLabel("entities", "X")),
        ({"spans": [PERSON, PLACE, PERSON | {"label": None}]}, Reason.MISSING_FIELD, None),
        ({"relations": [{"head": 1, "child": 99, "label": "x"}]}, Reason.MISSING_FIELD, UnknownLabel("relations", "x")),
        ({"relations": [7]}, Reason.MISSING_FIELD, None),
    ],
)
def test_only_a_bad_part_is_lost(tmp_path, change, reason, unknown):
    (example,) = read(tmp_path, TASK | change)
    assert example.entities == ENTITIES
    assert [part.reason for part in example.lost] == [reason]
    assert example.lost[0].unknown == ((unknown,) if unknown else ())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (TASK, True),
        ({"text": TEXT, "spans": [PERSON]}, True),
        ({"label": "X", "pattern": [{"lower": "quay"}]}, False),
        ({"text": TEXT, "label": []}, False),
        ("", False),
    ],
)
def test_recognised(tmp_path, row, expected):
    assert prodigy.recognises(head_of(tmp_path, row)) is expected


def test_only_a_broken_row_is_lost(tmp_path):
    records = read_tool_file(prodigy.read, tmp_path, f"{json.dumps(TASK)}\n{{@\n{{}}\n{json.dumps(TASK)}")
    assert [isinstance(record, BadRecord) for record in records] == [False, True, True, False]


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ner_drugs_training_first60.jsonl", (60, 51, 0, 0)),
        ("ner_fashion_eval_first40.jsonl", (40, 23, 0, 0)),
        ("ner_food_first60.jsonl", (60, 122, 0, 0)),
        ("ner_tweets_first30.jsonl", (30, 21, 0, 4)),
        ("rel_manual_first40.jsonl", (40, 126, 72, 0)),
        ("nel_emerson_30.jsonl", (30, 0, 0, 30)),
    ],
)
def test_real_files(name, counts):
    examples = list(prodigy.read([File(str(FORMATS / "prodigy_jsonl" / name), name)]))
    assert counts == (
        len(examples),
        sum(len(example.entities or ()) for example in examples),
        sum(len(example.relations or ()) for example in examples),
        sum(len(example.lost) for example in examples),
    )
