"""PubAnnotation JSON: denotations, relations and the projects of a document."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from schemas.label import UnknownLabel
from tests.tool_files import FORMATS, head_of, read_tool_file
from transforms.files import File
from transforms.formats import pubannotation

TEXT = "Coal and iron dust."
COAL, IRON = Mention("Coal dust", ((0, 4), (14, 18))), Mention("iron dust", ((9, 18),))
DENOTATIONS = [
    {"id": "T1", "span": [{"begin": 14, "end": 18}, {"begin": 0, "end": 4}], "obj": "Dust"},
    {"id": "T2", "span": {"begin": 9, "end": 18}, "obj": "Dust"},
]
RELATIONS = [{"id": "R1", "pred": "mixed_with", "subj": "T1", "obj": "T2"}]
DOCUMENT = {
    "text": TEXT,
    "sourcedb": "PubMed",
    "sourceid": "12",
    "project": "dusts",
    "denotations": DENOTATIONS,
    "relations": RELATIONS,
}
ENTITIES = (Entity("Dust", COAL, "T1"), Entity("Dust", IRON, "T2"))


def read(tmp_path, content) -> list:
    return read_tool_file(pubannotation.read, tmp_path, content)


@pytest.mark.parametrize("content", [DOCUMENT, [DOCUMENT], json.dumps(DOCUMENT, indent=1)])
def test_documents(tmp_path, content):
    (example,) = read(tmp_path, content)
    assert example == RawExample(
        "a.json:1",
        TEXT,
        ENTITIES,
        (Relation("mixed_with", COAL, IRON, "Dust", "Dust", "T1", "T2"),),
        document="PubMed:12",
        item="PubMed:12",
        annotator="dusts",
    )
    assert pubannotation.recognises(head_of(tmp_path, content))


def test_divisions_tracks_and_unknown_layers(tmp_path):
    tracks = [{"project": "a", "denotations": DENOTATIONS}, {"project": "b", "denotations": [], "attributes": [{}]}]
    rows = [{"text": TEXT, "sourceid": "12", "divid": 3, "tracks": tracks}, {"text": TEXT, "denotations": []}]
    first, second, third = read(tmp_path, rows)
    assert [(e.annotator, e.item, e.document) for e in (first, second)] == [("a", "12:3", "12"), ("b", "12:3", "12")]
    assert (first.entities, first.relations, second.entities) == (ENTITIES, None, ())
    assert [part.reason for part in second.lost] == [Reason.IGNORED_ANNOTATION]
    assert (third.entities, third.item, third.document) == ((), None, None)


@pytest.mark.parametrize(
    ("layer", "item", "reason", "unknown"),
    [
        ("denotations", {"span": {"begin": 3, "end": 3}, "obj": "X"}, Reason.OFFSET_MISMATCH, "X"),
        ("denotations", {"span": {"begin": 3, "end": 99}, "obj": "X"}, Reason.OFFSET_MISMATCH, "X"),
        ("denotations", {"span": [], "obj": "X"}, Reason.OFFSET_MISMATCH, "X"),
        ("denotations", {"obj": "X"}, Reason.MISSING_FIELD, "X"),
        ("denotations", 7, Reason.MISSING_FIELD, None),
        ("relations", {"pred": "x", "subj": "T1", "obj": "T9"}, Reason.MISSING_FIELD, "x"),
        ("relations", {"pred": "x"}, Reason.MISSING_FIELD, "x"),
    ],
)
def test_only_a_bad_part_is_lost(tmp_path, layer, item, reason, unknown):
    (example,) = read(tmp_path, DOCUMENT | {layer: [*DOCUMENT[layer], item]})
    assert (len(example.entities), len(example.relations)) == (2, 1)
    name = {"denotations": "entities"}.get(layer, layer)
    assert [(part.reason, part.unknown) for part in example.lost] == [
        (reason, (UnknownLabel(name, unknown),) if unknown else ())
    ]


def test_only_a_document_without_text_is_lost(tmp_path):
    bad, good = read(tmp_path, [{"denotations": []}, DOCUMENT])
    assert isinstance(bad, BadRecord) and good.entities == ENTITIES


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
def test_real_file():
    name = "19667393.json"
    (example,) = pubannotation.read([File(str(FORMATS / "pubannotation_json" / name), name)])
    assert (len(example.entities), example.relations, example.lost) == (9, None, ())
    assert example.entities[1].mention == Mention("SMSP(T)", ((141, 148),))
