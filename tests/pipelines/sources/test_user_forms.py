"""The formats of annotation tools: each recognises only its own samples, which are read without loss."""

import json
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelines.sources.user_forms import FORMS, form_named, recognise, recognise_unread
from schemas.errors import BadRecord
from schemas.example import RawExample
from schemas.label import OpenLabels
from tests.tool_files import FORMATS, tool_file
from transforms.files import File, list_files
from transforms.normalize import normalize

TEXT = "Ada Marrow left Coal Quay."
SPANS = [{"start": 0, "end": 10, "label": "PERSON"}, {"start": 16, "end": 25, "label": "PLACE"}]
REGIONS = [
    {
        "id": str(span["start"]),
        "from_name": "ner",
        "source": "$text",
        "to_name": "text",
        "type": "labels",
        "value": {"start": span["start"], "end": span["end"], "labels": [span["label"]], "text": "x"[:0]},
    }
    for span in SPANS
]
ARROW = {"from_id": "0", "to_id": "16", "type": "relation", "direction": "right", "labels": ["left"]}
TURN = {"start": "0", "end": "0", "startOffset": 0, "endOffset": 3, "paragraphlabels": ["PERSON"]}
TOKENS = ["Ada", "Marrow", "left", "Coal", "Quay", "."]

JSON_SAMPLES = {
    "label_studio": [
        {
            "id": 1,
            "data": {"text": TEXT},
            "meta": {},
            "annotations": [
                {"id": 1, "ground_truth": True, "completed_by": {"id": 1, "email": "a@b"}, "result": [*REGIONS, ARROW]}
            ],
        },
        {
            "id": 2,
            "data": {"talk": [{"author": "Ada", "text": TEXT}]},
            "annotations": [{"result": [{"type": "paragraphlabels", "to_name": "talk", "value": TURN}]}],
        },
    ],
    "label_studio, JSON-MIN": [
        {
            "id": 1,
            "text": TEXT,
            "ner": [{"start": 0, "end": 10, "text": "Ada Marrow", "labels": ["PERSON"]}],
            "annotator": 1,
            "annotation_id": 1,
            "lead_time": 1.5,
        }
    ],
    "doccano": [{"id": 1, "text": TEXT, "label": [[0, 10, "PERSON"], [16, 25, "PLACE"]], "Comments": []}],
    "doccano, relations": [
        {
            "id": 1,
            "text": TEXT,
            "entities": [
                {"id": n, "label": span["label"], "start_offset": span["start"], "end_offset": span["end"]}
                for n, span in enumerate(SPANS)
            ],
            "relations": [{"id": 5, "from_id": 0, "to_id": 1, "type": "left"}],
        }
    ],
    "prodigy": [
        {
            "text": TEXT,
            "_input_hash": 1,
            "_task_hash": 2,
            "tokens": [
                {"text": "Ada", "start": 0, "end": 3, "id": 0},
                {"text": "Marrow", "start": 4, "end": 10, "id": 1},
            ],
            "spans": SPANS,
            "relations": [{"head": 1, "child": 4, "head_span": SPANS[0], "child_span": SPANS[1], "label": "left"}],
            "_session_id": "ada",
            "_view_id": "relations",
            "_is_binary": False,
            "meta": {"document_id": 4},
            "answer": "accept",
        }
    ],
    "spacy": [[TEXT, {"entities": [[0, 10, "PERSON"], [16, 25, "PLACE"]]}], ["Low water.", {"entities": []}]],
    "spacy, tokens": [
        {
            "id": 0,
            "paragraphs": [
                {
                    "raw": TEXT,
                    "sentences": [{"tokens": [{"id": n, "orth": t, "ner": "U-X"} for n, t in enumerate(TOKENS)]}],
                }
            ],
        }
    ],
    "gliner": [{"tokenized_text": TOKENS, "ner": [[0, 1, "person"], [3, 4, "place"]], "relations": [[0, 1, "left"]]}],
    "gliner2": [
        {
            "input": TEXT,
            "output": {
                "entities": {"person": ["Ada Marrow"]},
                "relations": [{"left": {"head": "Ada", "tail": "Coal"}}],
            },
        }
    ],
    "pubannotation": [
        {
            "text": TEXT,
            "sourcedb": "PubMed",
            "sourceid": "1",
            "denotations": [
                {"id": "T1", "span": {"begin": 0, "end": 10}, "obj": "Person"},
                {"id": "T2", "span": [{"begin": 16, "end": 20}, {"begin": 21, "end": 25}], "obj": "Place"},
            ],
            "relations": [{"id": "R1", "pred": "left", "subj": "T1", "obj": "T2"}],
        }
    ],
    "unified": [
        {
            "text": TEXT,
            "entity": [
                {"entity": "Ada Marrow", "entity_type": "person"},
                {"entity": "Coal Quay", "entity_type": "place"},
            ],
            "relation": [{"head": "Ada Marrow", "relation": "left", "tail": "Coal Quay", "head_type": "person"}],
            "event": [
                {
                    "event_trigger": "left",
                    "event_type": "leaving",
                    "arguments": [{"argument": "Coal Quay", "role": "place"}],
                }
            ],
        },
    ],
    "unified, relations": [
        {"text": TEXT, "relation": [{"head": "Ada Marrow", "relation": "left", "tail": "Coal Quay"}]},
        {"text": "Low water.", "relation": []},
        {"text": TEXT},
    ],
}
"""Format, with what is special about the sample → the values of a file."""

OTHER_JSON = [
    [{"text": TEXT}],
    [{"text": TEXT, "entity": "Ada"}],
    [{"text": TEXT, "event": [{"label": "Ada"}]}],
    [{"instruction": "Find.", "text": TEXT, "entity": [{"entity": "Ada", "entity_type": "person"}]}],
    [{"instruction": "Find the places.", "input": TEXT, "output": "[]"}],
    [{"label": "PLACE", "pattern": [{"lower": "quay"}]}],
    [{"id": 1, "filename": "a.png", "label": []}],
    {"version": 1, "items": []},
    [1, "a", None, []],
]
ENTITY_COUNTS = {
    "doccano": 2,
    "gliner": 2,
    "pubannotation": 2,
    "spacy": 2,
    "prodigy": 2,
    "unified": 2,
    "label_studio": 3,
}


XMI = (
    '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
    'xmlns:ner="http:///de/tudarmstadt/ukp/dkpro/core/api/ner/type.ecore" '
    'xmlns:custom="http:///webanno/custom.ecore">\n'
    '<ner:NamedEntity xmi:id="3" sofa="1" begin="0" end="10" value="PERSON"/>\n'
    '<ner:NamedEntity xmi:id="4" sofa="1" begin="16" end="25" value="PLACE"/>\n'
    '<custom:Link xmi:id="5" sofa="1" begin="16" end="25" Governor="3" Dependent="4" value="left"/>\n'
    '<custom:Stop xmi:id="6" role="at" target="4"/>\n'
    '<custom:Trip xmi:id="7" sofa="1" begin="11" end="15" stops="6"/>\n'
    f'<cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString="{TEXT}"/>\n</xmi:XMI>\n'
)
CAS = {
    "%TYPES": {"webanno.custom.Trip": {"%NAME": "webanno.custom.Trip", "stops": {"%RANGE": "webanno.custom.Stop[]"}}},
    "%FEATURE_STRUCTURES": [
        {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaString": TEXT},
        {"%ID": 3, "%TYPE": "webanno.custom.Span", "@sofa": 1, "begin": 0, "end": 10, "value": "PERSON"},
        {"%ID": 4, "%TYPE": "webanno.custom.Span", "@sofa": 1, "begin": 16, "end": 25, "value": "PLACE"},
        {"%ID": 5, "%TYPE": "webanno.custom.Link", "@sofa": 1, "begin": 0, "end": 9, "@Governor": 3, "@Dependent": 4},
        {"%ID": 6, "%TYPE": "webanno.custom.Stop", "role": "at", "@target": 4},
        {"%ID": 7, "%TYPE": "uima.cas.FSArray", "%ELEMENTS": [6]},
        {"%ID": 8, "%TYPE": "webanno.custom.Trip", "@sofa": 1, "begin": 11, "end": 15, "@stops": 7},
    ],
    "%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": [3]}},
}
BIOC_ANNOTATIONS = [
    {"id": 1, "infons": {"type": "PERSON"}, "text": "Ada Marrow", "locations": [{"offset": 0, "length": 10}]},
    {"id": 2, "infons": {"type": "PLACE"}, "text": "Coal Quay", "locations": [{"offset": 16, "length": 9}]},
]
BIOC = {
    "id": "1",
    "passages": [{"offset": 0, "text": TEXT, "annotations": BIOC_ANNOTATIONS}],
    "relations": [{"infons": {"type": "left"}, "nodes": [{"refid": "1", "role": ""}, {"refid": "2", "role": ""}]}],
}
BIOC_XML = (
    "<collection><document><id>1</id>\n<passage><offset>0</offset>"
    f"<text>{TEXT}</text>\n"
    '<annotation id="1"><infon key="type">PERSON</infon><location offset="0" length="10"/></annotation>\n'
    '<annotation id="2"><infon key="type">PLACE</infon><location offset="16" length="9"/></annotation>\n</passage>'
    '<relation id="3"><infon key="type">left</infon><node refid="1" role=""/><node refid="2" role=""/></relation>\n'
    "</document></collection>\n"
)
TAGS = ["B-PERSON", "I-PERSON", "O", "B-PLACE", "I-PLACE", "O"]
TSV = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|value\n#T_RL=webanno.custom.Link|value|BT_webanno.custom.Span\n"
    f"\n\n#Text={TEXT}\n1-1\t0-3\tAda\tPERSON[1]\t_\t_\t\n1-2\t4-10\tMarrow\tPERSON[1]\t_\t_\t\n"
    "1-3\t11-15\tleft\t_\t_\t_\t\n1-4\t16-20\tCoal\tPLACE[2]\tleft\t1-1[1_2]\t\n1-5\t21-25\tQuay\tPLACE[2]\t_\t_\t\n"
)
PUBTATOR = f"1|t|{TEXT}\n1|a|Low.\n1\t0\t10\tAda Marrow\tPERSON\tX:1\n1\t16\t25\tCoal Quay\tPLACE\n1\tleft\tX:1\tX:1\n"
TEXT_SAMPLES = {
    "brat": (
        "a.ann",
        "T1\tPERSON 0 10\tAda Marrow\nT2\tPLACE 16 25\tCoal Quay\nR1\tleft Arg1:T1 Arg2:T2\nE1\tPLACE:T2 At:T1\n",
    ),
    "webanno": ("a.tsv", TSV),
    "uima_xmi": ("a.xmi", XMI),
    "uima_json": ("a.json", json.dumps(CAS)),
    "uima_json, indented": ("a.json", json.dumps(CAS, indent=2)),
    "bioc_xml": ("a.xml", BIOC_XML),
    "bioc_json": ("a.json", json.dumps({"documents": [BIOC]})),
    "bioc_json, lines": ("a.jsonl", json.dumps(BIOC)),
    "pubtator": ("a.txt", PUBTATOR),
    "conll": ("a.conll", "\n".join(f"{token}\t{tag}" for token, tag in zip(TOKENS, TAGS, strict=True))),
    "conll, ids": ("a.iob2", "\n".join(f"{n}\t{t}\t{g}" for n, (t, g) in enumerate(zip(TOKENS, TAGS, strict=True), 1))),
    "conll, blanks": ("a.txt", "\n".join(f"{t} X {g}" for t, g in zip(TOKENS, TAGS, strict=True))),
    "text": ("a.txt", f"{TEXT}\nLow water.\n"),
}
"""Format, with what is special about the sample → name and content of a file."""


def layouts(rows: list) -> list[str]:
    return [json.dumps(rows), json.dumps(rows, indent=2), "\n".join(map(json.dumps, rows))]


def names(file: File) -> list[str]:
    return [form.name for form in recognise(file)]


@pytest.mark.parametrize("sample", JSON_SAMPLES)
def test_each_sample_is_recognised_by_its_own_format_only(tmp_path, sample):
    for content in layouts(JSON_SAMPLES[sample]):
        assert names(tool_file(tmp_path, content)) == [sample.partition(",")[0]]


@pytest.mark.parametrize("content", [*OTHER_JSON, "", "[", "{", b"\xff\xfe\x00", "Ada B-PERSON\n", "\0" * 100])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_other_files_are_not_recognised(tmp_path, content, name):
    assert names(tool_file(tmp_path, content, name)) == []


@pytest.mark.parametrize("sample", ENTITY_COUNTS)
def test_samples_are_read_without_loss(tmp_path, sample):
    for content in layouts(JSON_SAMPLES[sample]):
        records = list(form_named(sample).read([tool_file(tmp_path, content)]))
        assert not any(record.lost for record in records)
        assert sum(len(record.entities) for record in records) == ENTITY_COUNTS[sample]
        labels = OpenLabels()
        assert all(isinstance(normalize(record, labels, labels, labels, {}), RawExample) for record in records)


@pytest.mark.parametrize("sample", TEXT_SAMPLES)
def test_each_text_sample_is_recognised_by_its_own_format_first(tmp_path, sample):
    name, content = TEXT_SAMPLES[sample]
    form = sample.partition(",")[0]
    rest = ["text"] if name.endswith(".txt") and form != "text" else []
    for suffix in (name, f"b.{name.rpartition('.')[2].upper()}"):
        assert names(tool_file(tmp_path, content, suffix)) == [form, *rest]


def read_text_sample(folder: Path, sample: str, content: str) -> list[RawExample | BadRecord]:
    name, _ = TEXT_SAMPLES[sample]
    file = tool_file(folder, content.encode("utf-8", "surrogateescape"), name)
    recognise(file)
    companion = [tool_file(folder, TEXT, "a.txt")] if sample == "brat" else []
    return list(form_named(sample.partition(",")[0]).read([file, *companion]))


@pytest.mark.parametrize("sample", TEXT_SAMPLES)
def test_text_samples_are_read(tmp_path, sample):
    _, content = TEXT_SAMPLES[sample]
    (record,) = read_text_sample(tmp_path, sample, content)
    labels = OpenLabels()
    assert isinstance(normalize(replace(record, events=()), labels, labels, labels, {}), RawExample)
    if sample == "text":
        assert record.entities is None
    else:
        marked = {(entity.label, entity.mention.text) for entity in record.entities}
        place = {"brat": set()}.get(sample, {("PLACE", "Coal Quay")})
        assert marked == {("PERSON", "Ada Marrow"), *place}


@pytest.mark.parametrize("content", ["", "[]", b"\xff", '{"text": "caf\xe9"}'.encode("latin-1"), "[[[", "7"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_file_without_records(tmp_path, form, content):
    if form.name in ("text", "lines"):
        return  # any file is a text
    assert all(isinstance(record, BadRecord) for record in form.read([tool_file(tmp_path, content, "a.json")]))


UNREAD = {
    "GATE XML": ("a.xml", "<?xml version='1.0'?>\n<GateDocument version=\"3\">\n</GateDocument>\n"),
    "NIF": (
        "a.ttl",
        "@prefix nif: <http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#> .\n<x> a nif:Context .\n",
    ),
}


@pytest.mark.parametrize("title", UNREAD)
def test_other_formats_are_recognised_but_not_read(tmp_path, title):
    name, content = UNREAD[title]
    file = tool_file(tmp_path, content, name)
    assert (recognise_unread(file).title, names(file)) == (title, [])


def test_lif_is_recognised_but_not_read(tmp_path):
    file = tool_file(tmp_path, {"@context": "x", "text": {"@value": TEXT}, "views": []}, "a.lif")
    assert recognise_unread(file).title == "LIF"
    assert recognise_unread(tool_file(tmp_path, [{"text": TEXT}], "a.json")) is None


@pytest.mark.skipif(not FORMATS.is_dir(), reason="needs real files")
def test_real_files_are_recognised():
    recognised = {file.name: names(file) for file in list_files(str(FORMATS)) if names(file)}
    folders = {
        "label_studio": "label_studio/",
        "doccano": "doccano/",
        "prodigy": "prodigy_jsonl/",
        "spacy": "spacy_v2_json/",
        "gliner": "gliner_json/",
        "pubannotation": "pubannotation_json/",
        "uima_json": "uima_cas_json/",
    }
    ours = {name: forms for name, forms in recognised.items() if name.endswith((".json", ".jsonl"))}
    assert all(len([form for form in forms if form != "text"]) <= 1 for forms in recognised.values())
    counts = dict.fromkeys(folders, 0)
    for name, (form,) in ours.items():
        assert name.startswith(folders[form]), name
        counts[form] += 1
    assert counts == {
        "label_studio": 3,
        "doccano": 9,
        "prodigy": 6,
        "spacy": 8,
        "gliner": 1,
        "pubannotation": 1,
        "uima_json": 1,
    }
    others = Counter(forms[0] for name, forms in recognised.items() if name not in ours)
    assert others == {"brat": 7, "webanno": 77, "uima_xmi": 7, "bioc_xml": 3, "conll": 10, "text": 7}
    assert recognise_unread(File(str(FORMATS / "lif_json/specification-ner.lif"), "a.lif"))
