"""Users' BioC: labels in any infon, roles of ends, concepts, parts that are lost alone, broken files; PubTator."""

from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from schemas.label import UnknownLabel
from tests.tool_files import head_of, read_tool_file
from transforms.files import File
from transforms.formats import pubtator
from transforms.formats.bioc_documents import read_json, read_xml, recognises_json, recognises_xml

REAL = Path(__file__).resolve().parents[4] / "shared"

XML = """<?xml version="1.0"?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source><document><id>7</id>
<passage><offset>0</offset><text>Tea 🦊 helps.</text>
<annotation id="1"><infon key="type">Drug</infon><infon key="identifier">D1;D2</infon>\
<location offset="0" length="3"/><text>Tea</text></annotation>
</passage>
<passage><offset>13</offset><sentence><offset>13</offset><text>Cold feet</text>
<annotation id="2"><infon key="kind">Symptom</infon><location offset="18" length="4"/>\
<location offset="13" length="4"/><text>feet, cold</text></annotation>
</sentence><sentence><offset>22</offset><text>and flu.</text>
<annotation id="3"><infon key="type">Disease</infon><infon key="MESH">D9</infon>\
<location offset="26" length="3"/></annotation>
<annotation id="4"><infon key="type">Disease</infon><location offset="26" length="30"/>\
<text>flu</text></annotation>
<annotation id="5"><infon key="a">x</infon><infon key="b">y</infon>\
<location offset="26" length="3"/><text>flu</text></annotation>
</sentence></passage>
<relation id="R1"><infon key="relation">treats</infon><node refid="3" role="Object"/>\
<node refid="1" role="Subject"/></relation>
<relation id="R2"><infon key="type">treats</infon><infon key="one">D1</infon>\
<infon key="two">D9</infon></relation>
<relation id="R3"><infon key="type">treats</infon><node refid="1" role=""/>\
<node refid="4" role=""/></relation>
<relation id="R4"><node refid="1" role=""/><node refid="2" role=""/></relation>
<relation id="R5"><infon key="type">group</infon><node refid="1" role=""/>\
<node refid="2" role=""/><node refid="3" role=""/></relation>
</document>
<document><id>8</id><passage><offset>0</offset><text>Nothing.</text></passage></document>
</collection>
"""


def test_xml(tmp_path):
    example, nothing = read_tool_file(read_xml, tmp_path, XML, "a.xml")
    assert (example.place, example.text, example.document) == ("a.xml:3", "Tea 🦊 helps. Cold feetand flu.", "7")
    entities = [(e.id, e.label, e.mention.text, e.mention.spans, e.concepts) for e in example.entities]
    assert entities == [
        ("1", "Drug", "Tea", ((0, 3),), ("D1", "D2")),
        ("2", "Symptom", "Cold feet", ((13, 17), (18, 22)), ()),
        ("3", "Disease", "flu", ((26, 29),), ("D9",)),
    ]
    relations = [(r.label, r.head.text, r.tail.text, r.head_entity, r.tail_entity) for r in example.relations]
    assert relations == [("treats", "Tea", "flu", "1", "3"), ("treats", "Tea", "flu", "D1", "D9")]
    assert [(part.reason, part.unknown) for part in example.lost] == [
        (Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "Disease"),)),
        (Reason.MISSING_FIELD, ()),
        (Reason.MISSING_FIELD, (UnknownLabel("relations", "treats"),)),
        (Reason.MISSING_FIELD, ()),
        (Reason.MISSING_FIELD, (UnknownLabel("relations", "group"),)),
    ]
    assert (nothing.text, nothing.entities, nothing.relations) == ("Nothing.", (), ())


ANNOTATIONS = [
    {"id": "1", "infons": {"type": "Drug"}, "text": "Tea", "locations": [{"offset": 0, "length": 3}]},
    {"id": "2", "infons": {"type": "Disease", "score": 0.5}, "text": "flu", "locations": [{"offset": 10, "length": 3}]},
]
LINK = {"infons": {"type": "treats"}, "nodes": [{"refid": "1", "role": "x"}, {"refid": "2", "role": "y"}]}
SENTENCES = [{"offset": 0, "text": "Tea helps", "annotations": ANNOTATIONS[:1]}, {"offset": 10, "text": "flu."}]
DOCUMENTS = {
    "passage": {"passages": [{"offset": 0, "text": "Tea helps flu.", "annotations": ANNOTATIONS, "relations": [LINK]}]},
    "sentences": {"passages": [{"sentences": SENTENCES, "annotations": ANNOTATIONS[1:]}], "relations": [LINK]},
    "document": {"passages": SENTENCES[:1] + SENTENCES[1:], "annotations": ANNOTATIONS[1:], "relations": [LINK]},
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(
    "wrap", [lambda d: {"documents": [d]}, lambda d: {"PubTator3": [d]}, lambda d: [d], lambda d: d]
)
def test_json(tmp_path, name, wrap):
    content = wrap({"id": 7, **DOCUMENTS[name]})
    (example,) = read_tool_file(read_json, tmp_path, content)
    assert (example.text, example.item) == ("Tea helps flu.", "7")
    assert {(e.label, e.mention.text, e.mention.spans) for e in example.entities} == {
        ("Drug", "Tea", ((0, 3),)),
        ("Disease", "flu", ((10, 13),)),
    }
    assert [(r.head_entity, r.tail_entity) for r in example.relations] == [("1", "2")]
    assert recognises_json(head_of(tmp_path, content))


FLU = {"id": "1", "infons": {"type": "Disease"}, "text": "flu", "locations": [{"offset": 10, "length": 3}]}
COLD = {"id": "2", "infons": {"type": "Disease"}, "text": "cold", "locations": [{"offset": 15, "length": 4}]}
IN_XML = """<collection><document><id>7</id>
<passage><offset>0</offset><text>Tea helps</text><annotation id="1"><infon key="type">Drug</infon>\
<location offset="0" length="3"/></annotation></passage>
<passage><offset>10</offset><text>flu, cold.</text><annotation id="1"><infon key="type">Disease</infon>\
<location offset="10" length="3"/></annotation><annotation id="2"><infon key="type">Disease</infon>\
<location offset="15" length="4"/></annotation>{}</passage>{}</document></collection>"""
LINK_IN_XML = '<relation id="R"><infon key="type">treats</infon><node refid="1"/><node refid="2"/></relation>'


@pytest.mark.parametrize("is_xml", [True, False])
@pytest.mark.parametrize("in_passage", [True, False])
def test_ids_that_repeat_in_each_passage(tmp_path, is_xml, in_passage):
    if is_xml:
        content: object = IN_XML.format(*((LINK_IN_XML, "") if in_passage else ("", LINK_IN_XML)))
    else:
        here, there = ([LINK], []) if in_passage else ([], [LINK])
        last = {"offset": 10, "text": "flu, cold.", "annotations": [FLU, COLD], "relations": here}
        first = {"offset": 0, "text": "Tea helps", "annotations": ANNOTATIONS[:1]}
        content = {"passages": [first, last], "relations": there}
    reader, name = (read_xml, "a.xml") if is_xml else (read_json, "a.json")
    (example,) = read_tool_file(reader, tmp_path, content, name)
    assert [(entity.id, entity.mention.text) for entity in example.entities] == [
        ("1 of passage 1", "Tea"),
        ("1 of passage 2", "flu"),
        ("2", "cold"),
    ]
    relations = [(relation.head.text, relation.tail.text, relation.head_entity) for relation in example.relations]
    assert relations == ([("flu", "cold", "1 of passage 2")] if in_passage else [])
    lost = [(part.reason, part.unknown) for part in example.lost]
    assert lost == ([] if in_passage else [(Reason.MISSING_FIELD, (UnknownLabel("relations", "treats"),))])


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (XML[: XML.index("<document><id>8")] + "<document>", "a.xml:20", Reason.BROKEN_RECORD),
        (
            XML.replace("<offset>13</offset><sentence><offset>13", "<sentence><offset>x"),
            "a.xml:7",
            Reason.MISSING_FIELD,
        ),
        ("", "a.xml:1", Reason.BROKEN_RECORD),
        (XML.replace("🦊", "\udce9").encode("utf-8", "surrogateescape"), "a.xml:4", Reason.BROKEN_RECORD),
    ],
)
def test_broken_xml(tmp_path, content, place, reason):
    records = read_tool_file(read_xml, tmp_path, content, "a.xml")
    (bad,) = (record for record in records if isinstance(record, BadRecord))
    assert (bad.place, bad.reason) == (place, reason)


@pytest.mark.parametrize("content", ['{"documents": [{"id": 1}]}', '{"passages": 3}', "[3]"])
def test_broken_json(tmp_path, content):
    (bad,) = read_tool_file(read_json, tmp_path, content)
    assert (bad.place, bad.reason) == ("a.json:1", Reason.MISSING_FIELD)
    assert not recognises_json(head_of(tmp_path, "[3]"))


def test_recognition(tmp_path):
    assert recognises_xml(head_of(tmp_path, XML, "a.xml"))
    assert not recognises_xml(head_of(tmp_path, "<html><document/></html>", "a.xml"))


def test_pubtator_of_users(tmp_path):
    content = "1|t|Tea helps.\n1|a|No flu.\n1\t0\t3\tTea\tDrug\n1\t14\t99\tflu\tDisease\n"
    (example,) = read_tool_file(pubtator.read_documents, tmp_path, content, "a.txt")
    assert [(e.label, e.mention.text) for e in example.entities] == [("Drug", "Tea")]
    assert [part.unknown for part in example.lost] == [(UnknownLabel("entities", "Disease"),)]
    assert (example.document, example.item) == ("1", "1")
    assert pubtator.recognises(head_of(tmp_path, content, "a.txt"))
    assert not pubtator.recognises(head_of(tmp_path, content.replace("1|a", "2|a"), "a.txt"))


@pytest.mark.skipif(not (REAL / "formats").is_dir(), reason="needs ../shared/formats")
def test_real_files():
    def read(name: str) -> list[RawExample]:
        return list(read_xml([File(str(REAL / "formats" / "bioc_xml" / name), name)]))

    assert [len(example.entities) for example in read("example-with-multiple-documents.xml")] == [0, 0, 0]
    (example,) = read("example-with-text-in-passage.xml")
    assert [e.mention.spans for e in example.entities] == [((0, 8),), ((9, 10),)]
    assert [(r.label, r.head_entity, r.tail_entity) for r in example.relations] == [
        ("relation-annotation-value", "S1", "S2")
    ]
    (example,) = read("example-with-sentences.xml")  # its offsets are those in the sentence, against the standard
    assert [part.reason for part in example.lost] == [Reason.OFFSET_MISMATCH] * 2 + [Reason.MISSING_FIELD]


CDR = REAL / "data" / "bc5cdr" / "original-data" / "CDR_DevelopmentSet.BioC.xml"


@pytest.mark.skipif(not CDR.is_file(), reason="needs ../shared/data")
def test_bc5cdr():
    examples = list(read_xml([File(str(CDR), CDR.name)]))
    assert len(examples) == 500
    assert (sum(len(e.entities) for e in examples), sum(len(e.relations) for e in examples)) == (9773, 1012)
    assert not any(example.lost for example in examples)
