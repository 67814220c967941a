"""Label Studio exports: tasks and their annotations, in both forms, and what is lost from them."""

import json
from collections import Counter

import pytest

from pipelines.sources.annotators import by_text
from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file
from transforms.files import File
from transforms.formats import label_studio

TEXT = "Ada Marrow left 😀 Coal Quay."
ADA, QUAY = Mention("Ada Marrow", ((0, 10),)), Mention("Coal Quay", ((18, 27),))


def span(identifier, start, end, label, text=None, to_name="text", kind="labels", **more):
    value = {"start": start, "end": end, kind: [label] if isinstance(label, str) else label, **more}
    if text:
        value["text"] = text
    return {"id": identifier, "from_name": "ner", "to_name": to_name, "type": kind, "value": value}


def relation(start, end, direction="right", labels=("moored_at",)):
    return {"from_id": start, "to_id": end, "type": "relation", "direction": direction, "labels": list(labels)}


def task(results, data=None, key="annotations", **annotation):
    return {"id": 7, "data": data or {"text": TEXT}, key: [{"result": results, **annotation}]}


SPANS = [span("a", 0, 10, "PERSON", "Ada Marrow"), span("b", 18, 27, "PLACE", "Coal Quay")]


def read(tmp_path, content, **options) -> list:
    return read_tool_file(label_studio.read, tmp_path, content, **options)


def test_spans_and_relations(tmp_path):
    (example,) = read(
        tmp_path, [task([*SPANS, relation("a", "b")], completed_by={"id": 3, "email": "ada@example.org"})]
    )
    assert example == RawExample(
        "a.json:1",
        TEXT,
        (Entity("PERSON", ADA, "a"), Entity("PLACE", QUAY, "b")),
        (Relation("moored_at", ADA, QUAY, "PERSON", "PLACE", "a", "b"),),
        item="7",
        annotator="ada@example.org",
    )


@pytest.mark.parametrize(
    ("direction", "pairs"),
    [("right", ["ab"]), ("left", ["ba"]), ("bi", ["ab", "ba"]), (None, ["ab"])],
)
def test_directions(tmp_path, direction, pairs):
    (example,) = read(tmp_path, [task([*SPANS, relation("a", "b", direction)])])
    assert [item.head_entity + item.tail_entity for item in example.relations] == pairs


def test_a_relation_without_labels_is_called_relation(tmp_path):
    (example,) = read(tmp_path, [task([*SPANS, relation("a", "b", labels=())])])
    assert [item.label for item in example.relations] == ["relation"]


def test_offsets_of_old_versions_count_utf_16_units(tmp_path):
    old = [span("a", 0, 10, "PERSON", "Ada Marrow"), span("b", 19, 28, "PLACE", "Coal Quay")]
    (example,) = read(tmp_path, [task(old, key="completions")])
    assert [entity.mention for entity in example.entities] == [ADA, QUAY]


def test_several_labels_of_a_span(tmp_path):
    (example,) = read(tmp_path, [task([span("a", 0, 10, ["PERSON", "SAILOR"]), span("a", 0, 3, "NAME")])])
    assert [(entity.label, entity.id) for entity in example.entities] == [
        ("PERSON", "a"),
        ("SAILOR", None),
        ("NAME", None),
    ]


def test_layers_that_no_task_has_are_unknown(tmp_path):
    spans, empty = read(tmp_path, [task(SPANS), task([])])
    assert (spans.relations, empty.relations, empty.entities) == (None, None, ())
    with_relation, without = read(tmp_path, [task([*SPANS, relation("a", "b")]), task(SPANS)])
    assert (len(with_relation.relations), without.relations) == (1, ())
    (choice,) = read(tmp_path, [task([{"type": "choices", "to_name": "text", "value": {"choices": ["good"]}}])])
    assert (choice.entities, [part.reason for part in choice.lost]) == (None, [Reason.IGNORED_ANNOTATION])


def test_a_task_without_annotation_is_a_text_to_predict_on(tmp_path):
    rows = [task(SPANS), {"data": {"text": "Low water."}, "annotations": []}]
    _, example = read(tmp_path, rows)
    assert example == RawExample("a.json:1", "Low water.")


def test_several_annotators(tmp_path):
    row = task(SPANS, completed_by=1)
    row["annotations"] += [
        {"result": SPANS[:1], "completed_by": 2, "ground_truth": True},
        {"result": [], "completed_by": 3, "was_cancelled": True},
    ]
    examples = read(tmp_path, [row])
    assert [(e.item, e.annotator, e.is_gold, len(e.entities)) for e in examples] == [
        ("7", "1", False, 2),
        ("7", "2", True, 1),
    ]
    assert [part.detail for part in examples[0].lost] == ["the annotator skipped the task"]


def test_predictions_are_read_only_if_asked(tmp_path):
    row = {"id": 7, "data": {"text": TEXT}, "predictions": [{"model_version": "m1", "result": SPANS}]}
    (example,) = read(tmp_path, [row])
    assert (example.entities, [part.reason for part in example.lost]) == (None, [Reason.IGNORED_ANNOTATION])
    (example,) = read(tmp_path, [row], predictions=True)
    assert (len(example.entities), example.annotator) == (2, "m1")


def test_several_texts_of_a_task(tmp_path):
    data = {"title": "Coal Quay closed", "body": TEXT, "source": "https://example.org/1"}
    results = [span("a", 0, 9, "PLACE", "Coal Quay", "headline"), span("b", 0, 10, "PERSON", "Ada Marrow", "story")]
    title, body = read(tmp_path, [task(results, data), task(results[1:], data)])[:2]
    assert (title.text, title.item, title.document) == ("Coal Quay closed", "7/title", "7")
    assert (body.text, body.item, body.document) == (TEXT, "7/body", "7")
    (story,) = read(tmp_path, [task(results[1:], data)])
    assert (story.text, story.item, story.document) == (TEXT, "7", None)


def test_every_annotator_has_every_labelled_field(tmp_path):
    """A field is labelled if any task has spans in it. The annotations of a text follow one another."""
    data = {"title": "Coal Quay closed", "body": TEXT}
    title, body = span("a", 0, 9, "PLACE", "Coal Quay", "title"), span("b", 0, 10, "PERSON", "Ada Marrow", "body")
    first = task([title, body], data, completed_by=1)
    first["annotations"].append({"result": [body], "completed_by": 2, "ground_truth": True})
    empty = {**task([], {"title": "Low water", "body": "Nobody came."}, completed_by=1), "id": 8}
    unlabelled = {"id": 9, "data": {"title": "Fog", "body": "Nobody sailed."}, "annotations": []}
    examples = read(tmp_path, [first, empty, unlabelled])
    assert [(e.item, e.document, e.annotator, e.entities and len(e.entities)) for e in examples] == [
        ("7/title", "7", "1", 1),
        ("7/title", "7", "2", ()),
        ("7/body", "7", "1", 1),
        ("7/body", "7", "2", 1),
        ("8/title", "8", "1", ()),
        ("8/body", "8", "1", ()),
        ("9/title", "9", None, None),
        ("9/body", "9", None, None),
    ]
    groups = by_text(lambda: iter(examples), adjacent=True)
    assert [len(group) for group in groups] == [2, 2, 1, 1, 1, 1]


def test_texts_of_a_task_without_an_id_are_one_document(tmp_path):
    results = [span("a", 0, 9, "PLACE", "Coal Quay", "title"), span("b", 0, 10, "PERSON", "Ada Marrow", "body")]
    row = task(results, {"title": "Coal Quay closed", "body": TEXT})
    del row["id"]
    assert [(e.item, e.document) for e in read(tmp_path, [row])] == [(None, "a.json:1")] * 2


def test_a_dialogue_is_read_with_a_line_for_each_turn(tmp_path):
    data = {"dialogue": [{"author": "Ada", "text": "Where to?"}, {"author": "Bo", "text": "To Coal Quay."}]}
    result = span("a", "1", "1", "PLACE", "Coal Quay", "dialogue", "paragraphlabels", startOffset=3, endOffset=12)
    (example,) = read(tmp_path, [task([result], data)])
    assert example.text == "Where to?\nTo Coal Quay."
    assert example.entities == (Entity("PLACE", Mention("Coal Quay", ((13, 22),)), "a"),)


def test_the_document_of_a_text(tmp_path):
    (example,) = read(tmp_path, [task(SPANS, {"text": TEXT, "document_id": 12})])
    assert example.document == "12"


@pytest.mark.parametrize(
    ("result", "reason", "unknown"),
    [
        (span("c", 3, 3, "PLACE"), Reason.OFFSET_MISMATCH, "PLACE"),
        (span("c", 3, 99, "PLACE"), Reason.OFFSET_MISMATCH, "PLACE"),
        (span("c", "3", None, "PLACE"), Reason.MISSING_FIELD, "PLACE"),
        (span("c", 3, 5, []), Reason.MISSING_FIELD, None),
        ({"type": "rating", "value": {"rating": 3}}, Reason.IGNORED_ANNOTATION, None),
        ("nonsense", Reason.IGNORED_ANNOTATION, None),
    ],
)
def test_only_a_bad_result_is_lost(tmp_path, result, reason, unknown):
    (example,) = read(tmp_path, [task([*SPANS, result])])
    assert len(example.entities) == 2
    assert [part.reason for part in example.lost] == [reason]
    assert example.lost[0].unknown == ((UnknownLabel("entities", unknown),) if unknown else ())


def test_hypertext_is_not_read(tmp_path):
    path = "/p[1]/text()[1]"
    result = span("c", path, path, "X", kind="hypertextlabels", startOffset=0, endOffset=3)
    (example,) = read(tmp_path, [task([result], {"text": "<p>Ada left</p>"})])
    assert (example.entities, example.relations) == (None, None)
    assert [part.reason for part in example.lost] == [Reason.IGNORED_ANNOTATION]


def test_a_relation_whose_end_is_missing_is_lost_alone(tmp_path):
    (example,) = read(tmp_path, [task([*SPANS, relation("a", "b"), relation("a", "z")])])
    assert len(example.relations) == 1
    assert example.lost[0].unknown == (UnknownLabel("relations", "moored_at"),)


BOX = {"type": "rectanglelabels", "to_name": "img", "value": {"rectanglelabels": ["ship"], "x": 1}}


@pytest.mark.parametrize("name", ["1.png", " scans/7.JPEG ", "a.wav", "b.mp4"])
def test_the_name_of_a_file_is_no_text(tmp_path, name):
    rows = [
        task([BOX], {"image": name}),
        {"id": 1, "image": name, "choice": "ship", "annotation_id": 3, "lead_time": 1},
    ]
    detail = f"only a file: image is {name.strip()}; images, sound and video are not read"
    for bad in read(tmp_path, rows):
        assert (bad.reason, bad.detail) == (Reason.IGNORED_ANNOTATION, f"no text in the data of the task, {detail}")


def test_texts_beside_or_like_the_name_of_a_file_are_read(tmp_path):
    rows = [
        task([BOX], {"image": "1.png", "caption": "Ada left."}),
        task([span("a", 0, 5, "FILE", "1.png")], {"text": "1.png"}),
        task([], {"text": "Look at 1.png"}),
        task([], {"text": "See the README.md"}),
    ]
    texts = [row.text for row in read(tmp_path, rows) if isinstance(row, RawExample)]
    assert texts == ["Ada left.", "1.png", "Look at 1.png", "See the README.md"]


def test_only_a_broken_task_is_lost(tmp_path):
    good = json.dumps(task(SPANS))
    text = f'[{good},\n{{"id": 8, @@@}},\n{good}, 7, {{"data": {{"image": "/data/1.png"}}}}]'
    records = read(tmp_path, text)
    assert [getattr(record, "reason", "read") for record in records] == [
        "read",
        Reason.BROKEN_JSON,
        "read",
        Reason.MISSING_FIELD,
        Reason.IGNORED_ANNOTATION,
    ]


MINIMAL = {
    "id": 7,
    "text": TEXT,
    "topic": "harbour",
    "ner": [
        {"start": 0, "end": 10, "text": "Ada Marrow", "labels": ["PERSON"]},
        {"start": 18, "end": 27, "text": "Coal Quay", "labels": ["PLACE"]},
    ],
    "sentiment": "good",
    "annotator": 1,
    "annotation_id": 4,
    "created_at": "2021-03-09T22:16:08.728353Z",
    "lead_time": 4.2,
}


def test_json_min(tmp_path):
    unlabelled = {"id": 8, "text": "Low water.", "annotator": {}, "annotation_id": None, "lead_time": None}
    example, other = read(tmp_path, [MINIMAL, unlabelled])
    assert example == RawExample(
        "a.json:1", TEXT, (Entity("PERSON", ADA), Entity("PLACE", QUAY)), item="7", annotator="1"
    )
    assert other == RawExample("a.json:1", "Low water.", item="8")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([task(SPANS)], True),
        (task(SPANS, key="completions"), True),
        ([MINIMAL], True),
        ([{"text": TEXT, "label": []}], False),
        ("", False),
        ("[", False),
        (b"\xff\xfe", False),
    ],
)
def test_recognised(tmp_path, content, expected):
    assert label_studio.recognises(head_of(tmp_path, content)) is expected


@pytest.mark.parametrize("content", ["", "caf\xe9".encode("latin-1"), "[]"])
def test_files_without_tasks(tmp_path, content):
    assert all(isinstance(record, BadRecord) for record in read(tmp_path, content))


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
def test_real_files():
    def counts(name: str, **options) -> tuple:
        examples = list(label_studio.read([File(str(FORMATS / "label_studio" / name), name)], **options))
        lost = Counter(part.reason for example in examples for part in example.lost)
        entities = sum(len(example.entities or ()) for example in examples)
        return len(examples), entities, sum(len(example.relations or ()) for example in examples), dict(lost)

    assert counts("completions_2020_ner_348.json") == (1, 38, 0, {})
    assert counts("envelope_image_rectangles_csv_test.json") == (2, 0, 0, {Reason.IGNORED_ANNOTATION: 3})
    assert counts("predictions_ner_relations_kiji.json") == (1, 0, 0, {Reason.IGNORED_ANNOTATION: 1})
    assert counts("predictions_ner_relations_kiji.json", predictions=True) == (1, 5, 2, {})
