"""The BioC reader on a small collection; on the real files it agrees with the PubTator reader."""

from functools import partial
from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation, surface
from transforms.files import File, list_files
from transforms.formats import bioc, pubtator

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "bc5cdr"

PARTS, WHOLE = ("CompositeRole", "IndividualMention"), ("CompositeRole", "CompositeMention")
DOCUMENT = """\
<document>
<id>7</id>
<passage><infon key="type">title</infon><offset>0</offset>
<text>Tea &amp; jaw pain.</text>
<annotation id='0'><infon key="type">Chemical</infon><infon key="MESH">C1</infon>
<location offset='0' length='3' /><text>Tea</text></annotation>
</passage>
<passage><infon key="type">abstract</infon><offset>16</offset>
<text>Jaw and neck pain after tea.</text>
<annotation id='1'><infon key="type">Disease</infon><infon key="CompositeRole">CompositeMention</infon>
<infon key="MESH">D1|D2</infon><location offset='16' length='17' /><text>Jaw and neck pain</text></annotation>
<annotation id='2'><infon key="type">Disease</infon><infon key="CompositeRole">IndividualMention</infon>
<infon key="MESH">D1</infon><location offset='29' length='4' /><location offset='16' length='3' />
<text>Jaw pain</text></annotation>
<annotation id='3'><infon key="type">Disease</infon><infon key="CompositeRole">IndividualMention</infon>
<infon key="MESH">D2</infon><location offset='24' length='9' /><text>neck pain</text></annotation>
<annotation id='4'><infon key="type">Chemical</infon><infon key="MESH">-1</infon>
<location offset='40' length='3' /><text>tea</text></annotation>
</passage>
<relation id='R0'><infon key="relation">CID</infon><infon key="Chemical">C1</infon><infon key="Disease">D1</infon>
</relation>
</document>
"""
HEAD = "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>\n<collection>\n"
TEXT = "Tea & jaw pain. Jaw and neck pain after tea."
TEA = Mention("Tea", ((0, 3),))
WHOLE_PAIN = Mention("Jaw and neck pain", ((16, 33),))
JAW_PAIN = Mention("Jaw pain", ((16, 19), (29, 33)))


def read(tmp_path, content: str | bytes, drop=PARTS, vocabulary=""):
    path = tmp_path / "f.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(bioc.read([File(str(path), "f.xml")], "MESH", ("Chemical", "Disease"), drop, vocabulary))


def collection(*documents: str) -> str:
    return HEAD + "".join(documents) + "</collection>\n"


def test_composite_mentions_can_be_kept(tmp_path):
    assert read(tmp_path, collection(DOCUMENT)) == [
        RawExample(
            "f.xml:3",
            TEXT,
            entities=(
                Entity("Chemical", TEA, concepts=("C1",)),
                Entity("Disease", WHOLE_PAIN, concepts=("D1", "D2")),
                Entity("Chemical", Mention("tea", ((40, 43),))),
            ),
            relations=(Relation("CID", TEA, WHOLE_PAIN, "Chemical", "Disease", "C1", "D1"),),
        )
    ]


def test_parts_of_composite_mentions_can_be_kept(tmp_path):
    [example] = read(tmp_path, collection(DOCUMENT), drop=WHOLE)
    assert [entity.mention for entity in example.entities] == [
        TEA,
        JAW_PAIN,
        Mention("neck pain", ((24, 33),)),
        Mention("tea", ((40, 43),)),
    ]
    assert all(surface(TEXT, entity.mention.spans) == entity.mention.text for entity in example.entities)
    assert example.relations == (Relation("CID", TEA, JAW_PAIN, "Chemical", "Disease", "C1", "D1"),)


def test_concepts_and_references_name_their_vocabulary(tmp_path):
    [example] = read(tmp_path, collection(DOCUMENT), vocabulary="MESH")
    assert [entity.concepts for entity in example.entities] == [("MESH:C1",), ("MESH:D1", "MESH:D2"), ()]
    [relation] = example.relations
    assert (relation.head, relation.head_entity, relation.tail_entity) == (TEA, "MESH:C1", "MESH:D1")


def test_crlf_counts_as_one_line_end(tmp_path):
    assert read(tmp_path, collection(DOCUMENT).replace("\n", "\r\n")) == read(tmp_path, collection(DOCUMENT))


@pytest.mark.parametrize("cut", ["<relation", 'key="MESH">D2<', "<text>Jaw and", "</document>"])
def test_documents_before_a_break_are_kept(tmp_path, cut):
    good = read(tmp_path, collection(DOCUMENT, DOCUMENT))
    content = collection(DOCUMENT, DOCUMENT, DOCUMENT)
    *kept, bad = read(tmp_path, content[: content.rindex(cut)])
    assert kept == good
    assert bad.reason == Reason.BROKEN_RECORD
    name, _, line = bad.place.rpartition(":")
    assert name == "f.xml"
    assert int(line) > int(good[1].place.rpartition(":")[2])


def test_a_wrong_tag_stops_the_file_there(tmp_path):
    kept, bad = read(tmp_path, collection(DOCUMENT, DOCUMENT.replace("</id>", "</di>"), DOCUMENT))
    assert isinstance(kept, RawExample)
    assert (bad.place, bad.reason) == ("f.xml:26", Reason.BROKEN_RECORD)


@pytest.mark.parametrize("content", ["", "no XML\n", HEAD.encode() + b"<document>\xff</document>"])
def test_invalid_xml_is_a_bad_record(tmp_path, content):
    [bad] = read(tmp_path, content)
    assert isinstance(bad, BadRecord)
    assert bad.reason == Reason.BROKEN_RECORD
    assert bad.place.startswith("f.xml:")


def test_external_entities_are_not_read(tmp_path):
    (tmp_path / "secret").write_text("secret")
    dtd = f"<!DOCTYPE collection [<!ENTITY file SYSTEM 'file://{tmp_path}/secret'>]>"
    content = collection(DOCUMENT.replace("<text>Jaw and", "<text>Jaw &file; and"))
    content = content.replace("<!DOCTYPE collection SYSTEM 'BioC.dtd'>", dtd)
    assert "secret" not in repr(read(tmp_path, content))


BROKEN = {
    "no offset": ("<offset>16</offset>", "", 10, Reason.MISSING_FIELD),
    "no type": ('<infon key="type">Chemical</infon><infon key="MESH">-1</infon>', "", 19, Reason.MISSING_FIELD),
    "no length": ("<location offset='40' length='3' />", "<location offset='40' />", 19, Reason.MISSING_FIELD),
    "a number of 5,000 digits": ("offset='40'", f"offset='{'4' * 5000}'", 19, Reason.MISSING_FIELD),
    "nothing": ("length='3' /><text>tea", "length='0' /><text>tea", 19, Reason.OFFSET_MISMATCH),
    "outside": ("offset='40'", "offset='42'", 19, Reason.OFFSET_MISMATCH),
    "in another passage": ("offset='40'", "offset='8'", 19, Reason.OFFSET_MISMATCH),
    "no end": ('<infon key="Disease">D1</infon>', "", 22, Reason.MISSING_FIELD),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_part_makes_the_document_a_bad_record(tmp_path, case):
    old, new, line, reason = BROKEN[case]
    assert DOCUMENT.count(old) == 1
    bad, good = read(tmp_path, collection(DOCUMENT.replace(old, new), DOCUMENT))
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == (f"f.xml:{line}", reason)
    assert good.text == TEXT


def test_only_a_relation_to_an_unmentioned_concept_is_lost(tmp_path):
    whole, one = read(tmp_path, collection(DOCUMENT, DOCUMENT.replace('"Disease">D1<', '"Disease">D9<')))
    assert one.entities == whole.entities and one.relations == ()
    (lost,) = one.lost
    assert (lost.place, lost.reason) == ("f.xml:44", Reason.MISSING_FIELD) and "D9" in lost.detail


def test_only_an_annotation_without_a_location_is_lost(tmp_path):
    [whole] = read(tmp_path, collection(DOCUMENT))
    [example] = read(tmp_path, collection(DOCUMENT.replace("<location offset='40' length='3' />", "")))
    assert example.entities == whole.entities[:-1] and example.relations == whole.relations
    assert [(bad.place, bad.reason) for bad in example.lost] == [("f.xml:19", Reason.MISSING_FIELD)]


@pytest.mark.parametrize("given", ["", "<text/>", "<text></text>"])
def test_an_annotation_without_text_takes_the_text_at_its_location(tmp_path, given):
    content = DOCUMENT.replace("<text>Jaw pain</text>", given).replace("<text>tea</text>", given)
    assert read(tmp_path, collection(content), None) == read(tmp_path, collection(DOCUMENT), None)


def test_comments_and_processing_instructions_are_not_text(tmp_path):
    content = DOCUMENT.replace("<text>Jaw and", "<text>Ja<!-- no -->w <?no no?>and")
    assert read(tmp_path, collection(content)) == read(tmp_path, collection(DOCUMENT))


SENTENCES = """\
<document>
<passage><offset>0</offset>
<sentence><offset>0</offset><text>Tea hurts.</text>
<annotation id='0'><infon key="type">Chemical</infon><location offset='0' length='3' /></annotation></sentence>
<sentence><offset>10</offset><text>(Jaw</text>
<annotation id='1'><infon key="type">Disease</infon><location offset='11' length='3' /></annotation></sentence>
<sentence><offset>16</offset><text>neck)</text>
<annotation id='2'><infon key="type">Disease</infon><location offset='16' length='4' /></annotation></sentence>
</passage>
<passage><offset>40</offset>
<sentence><offset>40</offset><text>No tea.</text></sentence>
<annotation id='3'><infon key="type">Chemical</infon><location offset='43' length='3' /></annotation>
</passage>
</document>
"""


def test_sentences_are_joined_to_the_passage_text(tmp_path):
    [example] = read(tmp_path, collection(SENTENCES))
    assert example.text == "Tea hurts.(Jaw neck) No tea."  # one blank per gap, none without a gap
    assert [entity.mention for entity in example.entities] == [
        Mention("Tea", ((0, 3),)),
        Mention("Jaw", ((11, 14),)),
        Mention("neck", ((15, 19),)),
        Mention("tea", ((24, 27),)),
    ]


@pytest.mark.parametrize("start", ["14", "15", "20", "38"])
def test_a_location_outside_one_sentence_is_refused(tmp_path, start):
    content = SENTENCES.replace("offset='16' length='4'", f"offset='{start}' length='4'")
    [bad] = read(tmp_path, collection(content))
    assert (bad.reason, bad.place) == (Reason.OFFSET_MISMATCH, "f.xml:10")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real files")
def test_both_formats_of_the_real_corpus_agree():
    files = [file for file in list_files(str(REAL)) if "Development" in file.name]
    [text] = [file for file in files if file.name.endswith(".txt")]
    [xml] = [file for file in files if file.name.endswith(".xml")]
    read_xml = partial(bioc.read, concept="MESH", ends=("Chemical", "Disease"), drop=PARTS)
    text_examples, xml_examples = list(pubtator.read([text])), list(read_xml([xml]))
    assert len(text_examples) == len(xml_examples) == 500
    assert sum(len(example.entities) for example in xml_examples) == 9591
    assert sum(len(example.relations) for example in xml_examples) == 1012
    for one, other in zip(text_examples, xml_examples, strict=True):
        assert one.text == other.text
        assert set(one.entities) == set(other.entities)
        assert sorted(map(repr, one.relations)) == sorted(map(repr, other.relations))
