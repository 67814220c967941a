"""doccano exports: spans in every layout, relations, several users, and what is lost."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file, tool_file
from transforms.files import File
from transforms.formats import doccano

TEXT = "Ada Marrow left 😀 Coal Quay."
ADA, QUAY = Mention("Ada Marrow", ((0, 10),)), Mention("Coal Quay", ((18, 27),))
TRIPLES = [[0, 10, "PERSON"], [18, 27, "PLACE"]]
DICTS = [
    {"id": 3, "label": "PERSON", "start_offset": 0, "end_offset": 10},
    {"id": 4, "label": "PLACE", "start_offset": 18, "end_offset": 27},
]
ARROW = {"id": 9, "from_id": 3, "to_id": 4, "type": "left"}


def read(tmp_path, *rows) -> list:
    return read_tool_file(doccano.read, tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")


@pytest.mark.parametrize("row", [{"label": TRIPLES}, {"labels": TRIPLES}, {"entities": TRIPLES}])
def test_spans_as_lists(tmp_path, row):
    (example,) = read(tmp_path, {"id": 7, "text": TEXT, **row, "Comments": ["unsure"]})
    assert example == RawExample("a.jsonl:1", TEXT, (Entity("PERSON", ADA), Entity("PLACE", QUAY)), item="7")


@pytest.mark.parametrize("indent", [None, 4])
def test_relations(tmp_path, indent):
    row = json.dumps({"id": 7, "text": TEXT, "entities": DICTS, "relations": [ARROW]}, indent=indent)
    (example,) = read_tool_file(doccano.read, tmp_path, row)
    assert example.entities == (Entity("PERSON", ADA, "3"), Entity("PLACE", QUAY, "4"))
    assert example.relations == (Relation("left", ADA, QUAY, "PERSON", "PLACE", "3", "4"),)


def test_a_layer_is_unknown_if_the_project_does_not_have_it(tmp_path):
    spans, both, category, plain = read(
        tmp_path,
        {"text": TEXT, "label": []},
        {"text": TEXT, "entities": [], "relations": []},
        {"text": TEXT, "label": ["harbour"]},
        {"text": TEXT},
    )
    assert (spans.entities, spans.relations) == ((), None)
    assert (both.entities, both.relations) == ((), ())
    assert (category.entities, category.lost[0].reason) == (None, Reason.IGNORED_ANNOTATION)
    assert (plain.entities, plain.lost) == (None, ())


def test_the_annotations_of_old_versions_have_users(tmp_path):
    annotations = [
        {"label": 5, "start_offset": 0, "end_offset": 10, "user": 1},
        {"label": 6, "start_offset": 18, "end_offset": 27, "user": 2},
    ]
    examples = read(tmp_path, {"id": 7, "text": TEXT, "annotations": annotations, "meta": {}})
    assert [(e.item, e.annotator, e.entities) for e in examples] == [
        ("7", "1", (Entity("5", ADA),)),
        ("7", "2", (Entity("6", QUAY),)),
    ]


def test_one_file_per_user(tmp_path):
    row = {"id": 7, "text": TEXT, "label": TRIPLES}
    names = {"ada.jsonl": row, "unknown.jsonl": row | {"label": []}, "all.jsonl": row}
    files = [tool_file(tmp_path, row, name) for name, row in names.items()]
    examples = list(doccano.read(files))
    assert [example.annotator for example in examples] == ["ada", None, None]
    assert [example.entities is None for example in examples] == [False, True, False]
    assert [example.annotator for example in doccano.read(files[:1])] == [None]


def test_files_that_share_one_text_are_those_of_annotators(tmp_path):
    """Exports of approved texts only need not have the same texts."""
    row = {"id": 7, "text": TEXT, "label": TRIPLES}
    others = [{"id": n, "text": f"{TEXT} {n}", "label": []} for n in range(2)]
    files = [tool_file(tmp_path, row, "ada.jsonl"), tool_file(tmp_path, [row, *others], "eve.json")]
    assert [example.annotator for example in doccano.read(files)] == ["ada", "eve", "eve", "eve"]


def test_files_with_different_texts_are_parts_of_a_project(tmp_path):
    """The same text with another id, or without one, does not make a file that of an annotator; nor does a repetition
    in one file, or another text with the same id.
    """
    row = {"id": 7, "text": TEXT, "label": TRIPLES}
    files = [
        tool_file(tmp_path, [row, row], "ada.json"),
        tool_file(tmp_path, row | {"id": 8}, "ben.jsonl"),
        tool_file(tmp_path, row | {"text": f"{TEXT} Then"}, "eve.jsonl"),
    ]
    assert [example.annotator for example in doccano.read(files)] == [None] * 4
    copies = [tool_file(tmp_path, {"text": TEXT, "label": TRIPLES}, name) for name in ("ada.jsonl", "ben.jsonl")]
    assert [example.annotator for example in doccano.read(copies)] == [None] * 2


@pytest.mark.parametrize(
    ("row", "reason", "unknown"),
    [
        ({"label": [*TRIPLES, [3, 3, "X"]]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "X")),
        ({"label": [*TRIPLES, [3, 99, "X"]]}, Reason.OFFSET_MISMATCH, UnknownLabel("entities", "X")),
        ({"label": [*TRIPLES, ["3", 5, "X"]]}, Reason.MISSING_FIELD, UnknownLabel("entities", "X")),
        ({"label": [*TRIPLES, 7]}, Reason.MISSING_FIELD, None),
        ({"label": TRIPLES, "cats": ["harbour"]}, Reason.IGNORED_ANNOTATION, None),
        (
            {"entities": DICTS, "relations": [ARROW | {"to_id": 99}]},
            Reason.MISSING_FIELD,
            UnknownLabel("relations", "left"),
        ),
        ({"entities": DICTS, "relations": [7]}, Reason.MISSING_FIELD, None),
    ],
)
def test_only_a_bad_part_is_lost(tmp_path, row, reason, unknown):
    (example,) = read(tmp_path, {"text": TEXT, **row})
    assert len(example.entities) == 2
    assert [part.reason for part in example.lost] == [reason]
    assert example.lost[0].unknown == ((unknown,) if unknown else ())


def test_only_a_broken_row_is_lost(tmp_path):
    good = json.dumps({"text": TEXT, "label": TRIPLES})
    records = read_tool_file(doccano.read, tmp_path, f'{good}\n{{"label": []}}\n{{"text": @}}\n[]\n{good}')
    assert [getattr(record, "reason", "read") for record in records] == [
        "read",
        Reason.MISSING_FIELD,
        Reason.BROKEN_JSON,
        Reason.MISSING_FIELD,
        "read",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"text": TEXT, "label": TRIPLES}, True),
        ({"text": TEXT, "entities": DICTS}, True),
        ({"id": 1, "text": TEXT, "label": []}, True),
        ({"id": 1, "text": TEXT, "label": ["harbour"]}, True),
        ({"text": TEXT, "label": "harbour"}, False),
        ({"text": TEXT, "entity": []}, False),
        ({"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "X"}]}, False),
        ({"id": 1, "filename": "a.png", "label": []}, False),
        ("", False),
        (b"\xff\xfe", False),
    ],
)
def test_recognised(tmp_path, row, expected):
    assert doccano.recognises(head_of(tmp_path, row)) is expected


@pytest.mark.parametrize("content", ["", "caf\xe9".encode("latin-1"), "[]"])
def test_files_without_texts(tmp_path, content):
    assert all(isinstance(record, BadRecord) for record in read_tool_file(doccano.read, tmp_path, content))


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("export/sequence_labeling/example.jsonl", (3, 4, 0, 0)),
        ("export/relation_extraction/example.jsonl", (1, 4, 3, 0)),
        ("import/relation_extraction/example.jsonl", (1, 4, 3, 0)),
        ("import/intent_detection/example.jsonl", (2, 3, 0, 2)),
        ("tests/sequence_labeling_example_overlapping.jsonl", (1, 2, 0, 0)),
        ("tests/sequence_labeling_example.jsonl", (2, 1, 0, 0)),
        ("tests/intent_example.jsonl", (4, 2, 0, 2)),
    ],
)
def test_real_files(name, counts):
    records = doccano.read([File(str(FORMATS / "doccano" / name), name)])
    examples = [record for record in records if isinstance(record, RawExample)]
    assert counts == (
        len(examples),
        sum(len(example.entities or ()) for example in examples),
        sum(len(example.relations or ()) for example in examples),
        sum(len(example.lost) for example in examples),
    )
