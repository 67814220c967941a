"""UIMA CAS as XMI and as JSON: layers, label features, relations, slots, UTF-16, projects, unsafe and broken files."""

import json
from collections import Counter
from html import escape
from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from schemas.label import UnknownLabel
from transforms.files import File, list_files
from transforms.formats import uima_json, uima_xmi
from transforms.formats.cas import label_feature, origin
from transforms.formats.head import Head

REAL = Path(__file__).resolve().parents[4] / "shared" / "formats"
CORE = "de.tudarmstadt.ukp.dkpro.core.api"

ROOT = (
    '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
    'xmlns:ner="http:///de/tudarmstadt/ukp/dkpro/core/api/ner/type.ecore" '
    'xmlns:seg="http:///de/tudarmstadt/ukp/dkpro/core/api/segmentation/type.ecore" '
    'xmlns:pos="http:///de/tudarmstadt/ukp/dkpro/core/api/lexmorph/type/pos.ecore" '
    'xmlns:custom="http:///webanno/custom.ecore">\n'
)
XMI = f"""<?xml version="1.0" encoding="UTF-8"?>
{ROOT}<cas:NULL xmi:id="0"/>
<seg:Token xmi:id="2" sofa="1" begin="0" end="2"/>
<ner:NamedEntity xmi:id="3" sofa="1" begin="3" end="6" value="PER" identifier="http://x/Ada"/>
<ner:NamedEntity xmi:id="4" sofa="1" begin="16" end="19" value="LOC"/>
<ner:NamedEntity xmi:id="5" sofa="1" begin="16" end="16" value="GAP"/>
<ner:NamedEntity xmi:id="6" sofa="1" begin="13" end="15"/>
<custom:Link xmi:id="7" sofa="1" begin="16" end="19" Governor="3" Dependent="4" value="to"/>
<custom:Link xmi:id="8" sofa="1" begin="16" end="19" Governor="3" Dependent="5" value="to"/>
<custom:TripStops xmi:id="9" role="by" target="3"/>
<custom:TripStops xmi:id="10" target="4"/>
<custom:TripStops xmi:id="16" role="lost" target="5"/>
<cas:FSArray xmi:id="11" elements="10 16"/>
<custom:Trip xmi:id="12" sofa="1" begin="7" end="12" kind="sea" stops="9" later="11" sure="true" day="3"/>
<pos:NOUN xmi:id="13" sofa="1" begin="3" end="6" PosValue="NN"/>
<custom:Document xmi:id="14" sofa="1" theme="sea"/>
<custom:Person xmi:id="15" sofa="1" begin="3" end="6"/>
<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString="&#129418; Ada sails to Rye."/>
<cas:View sofa="1" members="2 3 4 5 6 7 8 12 13 14 15"/>
</xmi:XMI>
"""
STRUCTURES = [
    {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaID": "_InitialView", "sofaString": "🦊 Ada sails to Rye."},
    {"%ID": 2, "%TYPE": f"{CORE}.segmentation.type.Token", "@sofa": 1, "begin": 0, "end": 2},
    {
        "%ID": 3,
        "%TYPE": f"{CORE}.ner.type.NamedEntity",
        "@sofa": 1,
        "begin": 3,
        "end": 6,
        "value": "PER",
        "identifier": "http://x/Ada",
    },
    {"%ID": 4, "%TYPE": f"{CORE}.ner.type.NamedEntity", "@sofa": 1, "begin": 16, "end": 19, "value": "LOC"},
    {"%ID": 5, "%TYPE": f"{CORE}.ner.type.NamedEntity", "@sofa": 1, "begin": 16, "end": 16, "value": "GAP"},
    {"%ID": 6, "%TYPE": f"{CORE}.ner.type.NamedEntity", "@sofa": 1, "begin": 13, "end": 15},
    {
        "%ID": 7,
        "%TYPE": "webanno.custom.Link",
        "@sofa": 1,
        "begin": 16,
        "end": 19,
        "@Governor": 3,
        "@Dependent": 4,
        "value": "to",
    },
    {
        "%ID": 8,
        "%TYPE": "webanno.custom.Link",
        "@sofa": 1,
        "begin": 16,
        "end": 19,
        "@Governor": 3,
        "@Dependent": 5,
        "value": "to",
    },
    {"%ID": 9, "%TYPE": "webanno.custom.TripStops", "role": "by", "@target": 3},
    {"%ID": 10, "%TYPE": "webanno.custom.TripStops", "@target": 4},
    {"%ID": 16, "%TYPE": "webanno.custom.TripStops", "role": "lost", "@target": 5},
    {"%ID": 11, "%TYPE": "uima.cas.FSArray", "%ELEMENTS": [9]},
    {"%ID": 17, "%TYPE": "uima.cas.FSArray", "%ELEMENTS": [10, 16]},
    {
        "%ID": 12,
        "%TYPE": "webanno.custom.Trip",
        "@sofa": 1,
        "begin": 7,
        "end": 12,
        "kind": "sea",
        "@stops": 11,
        "@later": 17,
        "sure": True,
        "day": 3,
    },
    {"%ID": 13, "%TYPE": f"{CORE}.lexmorph.type.pos.POS_NOUN", "@sofa": 1, "begin": 3, "end": 6, "PosValue": "NN"},
    {"%ID": 14, "%TYPE": "webanno.custom.Document", "@sofa": 1, "theme": "sea"},
    {"%ID": 15, "%TYPE": "webanno.custom.Person", "@sofa": 1, "begin": 3, "end": 6},
]
JSON = {"%TYPES": {}, "%FEATURE_STRUCTURES": STRUCTURES, "%VIEWS": {"_InitialView": {"%SOFA": 1, "%MEMBERS": [3]}}}
OLD_JSON = {
    "_context": {"_types": {"NamedEntity": {"_id": f"{CORE}.ner.type.NamedEntity"}, "Link": {}}},
    "_views": {
        "_InitialView": {
            "NamedEntity": [3, {"sofa": 1, "begin": 16, "end": 19, "value": "LOC"}],
            "Person": [{"sofa": 1, "end": 2}],
            "Chunk": [{"sofa": 1, "begin": 3, "end": 6, "chunkValue": "NP"}],
            "Trip": [{"sofa": 1, "begin": 7, "end": 12, "kind": "sea", "stops": [{"role": "by", "target": 3}]}],
            "Link": [{"sofa": 1, "begin": 3, "end": 6, "Governor": 3, "Dependent": 3, "value": "self"}],
        }
    },
    "_referenced_fss": {
        "1": {"_type": "Sofa", "sofaID": "_InitialView", "sofaString": "🦊 Ada sails to Rye."},
        "3": {"_type": "NamedEntity", "sofa": 1, "begin": 3, "end": 6, "value": "PER"},
    },
}
CONTENTS = {"a.xmi": XMI, "a.json": json.dumps(JSON), "old.json": json.dumps(OLD_JSON)}


@pytest.fixture
def read_files(tmp_path):
    def read_all(contents: dict[str, str]) -> list[RawExample | BadRecord]:
        for name, content in contents.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8", errors="surrogateescape")
        files = list_files(str(tmp_path))
        reader = uima_json if any(name.endswith(".json") for name in contents) else uima_xmi
        return list(reader.read(files))

    return read_all


@pytest.mark.parametrize("name", ["a.xmi", "a.json"])
def test_document(read_files, name):
    (example,) = read_files({name: CONTENTS[name]})
    assert (example.place, example.text, example.document) == (f"{name}:1", "🦊 Ada sails to Rye.", "a")
    entities = [(e.id, e.label, e.mention.text, e.mention.spans, e.concepts) for e in example.entities]
    assert entities == [
        ("3", "PER", "Ada", ((2, 5),), ("http://x/Ada",)),
        ("4", "LOC", "Rye", ((15, 18),), ()),
        ("15", "Person", "Ada", ((2, 5),), ()),
    ]
    relations = [(r.label, r.head_entity, r.tail_entity, r.head_label, r.tail_label) for r in example.relations]
    assert relations == [("to", "3", "4", "PER", "LOC")]
    (event,) = example.events
    assert (event.label, event.trigger.text) == ("sea", "sails")
    assert [(a.role, a.mention.text, a.entity) for a in event.arguments] == [("by", "Ada", "3"), ("later", "Rye", "4")]
    assert [(part.reason, part.unknown) for part in example.lost] == [
        (Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "GAP"),)),
        (Reason.MISSING_FIELD, ()),
        (Reason.MISSING_FIELD, (UnknownLabel("relations", "to"),)),
        (Reason.MISSING_FIELD, (UnknownLabel("events", "sea"),)),
        (Reason.IGNORED_ANNOTATION, ()),
        (Reason.IGNORED_ANNOTATION, ()),
    ]


def test_old_json(read_files):
    (example,) = read_files({"old.json": json.dumps(OLD_JSON)})
    assert [(e.label, e.mention.text) for e in example.entities] == [("PER", "Ada"), ("LOC", "Rye"), ("Person", "🦊")]
    assert [(r.label, r.head_entity) for r in example.relations] == [("self", "3")]
    (event,) = example.events
    assert [(a.role, a.entity) for a in event.arguments] == [("by", "3")]
    assert [part.detail for part in example.lost] == ["1 x annotation of Chunk, which is not used"]


TYPE_SYSTEM = """<?xml version="1.0"?>
<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>
<typeDescription><name>webanno.custom.Person</name><features>
<featureDescription><name>role</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>
</features></typeDescription>
</types></typeSystemDescription>"""


def test_type_system(read_files):
    (example,) = read_files({"a.xmi": XMI, "TypeSystem.xml": TYPE_SYSTEM})
    assert "Person" not in [entity.label for entity in example.entities]
    assert "Person at 'Ada' has no label; it is left out" in [part.detail for part in example.lost]


def test_project(read_files):
    names = ["annotation/one/ada.xmi", "annotation/one/INITIAL_CAS.xmi", "annotation/two/INITIAL_CAS.xmi"]
    examples = read_files(dict.fromkeys([*names, "curation/one/CURATION_USER.xmi"], XMI))
    assert [(e.item, e.document, e.annotator, e.is_gold, e.entities is None) for e in examples] == [
        ("one", "one", "ada", False, False),
        ("two", "two", None, False, True),
        ("one", "one", None, True, False),
    ]
    assert origin("a/b.xmi").item == "a/b"


SOFAS = [
    {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaID": "_InitialView", "sofaString": "Ada sails."},
    {"%ID": 2, "%TYPE": "uima.cas.Sofa", "sofaID": "german", "sofaString": "Ada segelt nach Rye."},
    {"%ID": 3, "%TYPE": "uima.cas.Sofa", "sofaID": "html", "sofaString": "<p>Ada</p>"},
]
IN_VIEWS = [
    {"%ID": 4, "%TYPE": "webanno.custom.Span", "@sofa": 1, "begin": 0, "end": 3, "value": "PER"},
    {"%ID": 5, "%TYPE": "webanno.custom.Span", "@sofa": 2, "begin": 16, "end": 19, "value": "LOC"},
    {"%ID": 6, "%TYPE": f"{CORE}.segmentation.type.Token", "@sofa": 3, "begin": 0, "end": 3},
]


def in_xmi(structures: list[dict]) -> str:
    lines = [ROOT]
    for structure in structures:
        package, _, layer = structure["%TYPE"].rpartition(".")
        prefix = {"uima.cas": "cas", "webanno.custom": "custom"}.get(package, "seg")
        words = [f'{key.lstrip("@")}="{escape(str(value))}"' for key, value in structure.items() if "%" not in key]
        lines.append(f'<{prefix}:{layer} xmi:id="{structure["%ID"]}" {" ".join(words)}/>')
    return "\n".join((*lines, "</xmi:XMI>"))


@pytest.mark.parametrize("suffix", ["xmi", "json"])
@pytest.mark.parametrize(
    ("structures", "expected"),
    [
        (IN_VIEWS, [("a", "Ada sails.", ["PER"]), ("a/german", "Ada segelt nach Rye.", ["LOC"])]),
        (IN_VIEWS[1:], [("a/german", "Ada segelt nach Rye.", ["LOC"])]),
        (IN_VIEWS[2:], [("a", "Ada sails.", [])]),
    ],
)
def test_views(read_files, suffix, structures, expected):
    everything = [*SOFAS, *structures]
    content = in_xmi(everything) if suffix == "xmi" else json.dumps({"%FEATURE_STRUCTURES": everything})
    examples = read_files({f"a.{suffix}": content})
    assert [(e.item, e.text, [entity.label for entity in e.entities]) for e in examples] == expected
    assert {example.document for example in examples} == {"a"}


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>\n'
BROKEN = {
    "empty.xmi": ("", Reason.BROKEN_RECORD),
    "cut.xmi": (XMI[:700], Reason.BROKEN_RECORD),
    "latin.xmi": (XMI.replace("sails", "s\udce9ils"), Reason.BROKEN_RECORD),
    "no text.xmi": (f"{ROOT}</xmi:XMI>", Reason.MISSING_FIELD),
    "empty.json": ("", Reason.BROKEN_JSON),
    "cut.json": (json.dumps(JSON)[:700], Reason.BROKEN_JSON),
    "no text.json": ('{"%FEATURE_STRUCTURES": [3, {}], "%VIEWS": 3}', Reason.MISSING_FIELD),
    "array.json": ("[3]", Reason.MISSING_FIELD),
    "odd.json": (
        '{"_context": 1, "_views": {"a": 3, "b": {"c": [4]}}, "_referenced_fss": {"1": 2}}',
        Reason.MISSING_FIELD,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(read_files, name):
    content, reason = BROKEN[name]
    (bad,) = read_files({name: content})
    assert (bad.place.rpartition(":")[0], bad.reason) == (name, reason)


def test_entities_are_not_resolved(read_files):
    unsafe = XMI.replace(ROOT, BOMB + ROOT).replace('kind="sea"', 'kind="&b;"').replace("</xmi:XMI>", "&c;</xmi:XMI>")
    assert "root:" not in str(read_files({"a.xmi": unsafe}))


FEW = Counter({"PER": 2, "LOC": 2})
FREE = Counter({"seen in the log of the harbour": 4})


@pytest.mark.parametrize(
    ("features", "values", "expected"),
    [
        (("kind", "value"), {}, "value"),
        (("kind", "identifier"), {}, "kind"),
        (("identifier",), {}, "identifier"),
        (("note", "entityType"), {}, "entityType"),
        (("subType", "mainType"), {}, "mainType"),
        (("rank",), {}, "rank"),
        (("size", "rank"), {}, None),
        (("size", "rank"), {"size": FREE, "rank": FEW}, "rank"),
        (("size", "rank"), {"size": FEW, "rank": FEW}, None),
        (("size", "rank"), {"size": Counter({"1.5": 4}), "rank": Counter("abcd")}, None),
        (("size", "rank"), {"size": Counter({"true": 4}), "rank": Counter({"http://x/y": 4})}, None),
        ((), {}, None),
    ],
)
def test_label_feature(features, values, expected):
    assert label_feature(features, values) == expected


def xmi(*lines: str) -> str:
    return "\n".join((ROOT, *lines, '<cas:Sofa xmi:id="1" sofaID="_InitialView" sofaString="Ada sails."/></xmi:XMI>'))


def test_label_feature_of_all_files(read_files):
    """One file alone does not show which feature has the labels."""
    span = '<custom:Span xmi:id="{}" sofa="1" begin="0" end="3" rank="{}" remark="{}"/>'
    contents = [
        xmi(span.format(2, "A", "as said in the first log"), span.format(3, "A", "unsure")),
        xmi(span.format(2, "B", "as said in the second log"), span.format(3, "B", "perhaps a nickname")),
        xmi(span.format(2, "B", "x"), span.format(3, "A", "y")),
    ]
    examples = read_files({f"{number}.xmi": content for number, content in enumerate(contents)})
    assert [[entity.label for entity in example.entities] for example in examples] == [
        ["A", "A"],
        ["B", "B"],
        ["B", "A"],
    ]
    (lost,) = examples[0].lost
    assert lost.reason == Reason.IGNORED_ANNOTATION
    assert lost.detail == "2 x feature 'remark' of Span (the feature 'rank' is the label), which is not used"


def test_layer_name_is_the_label(read_files):
    (example,) = read_files({"a.xmi": xmi('<custom:Span xmi:id="2" sofa="1" begin="0" end="3" rank="A" remark="x"/>')})
    assert [entity.label for entity in example.entities] == ["Span"]
    assert [part.detail for part in example.lost] == [
        "1 x feature 'rank' of Span (the name of the layer is the label), which is not used",
        "1 x feature 'remark' of Span (the name of the layer is the label), which is not used",
    ]


INHERITED = """<?xml version="1.0"?>
<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>
<typeDescription><name>webanno.custom.Sailor</name><supertypeName>webanno.custom.Person</supertypeName></typeDescription>
<typeDescription><name>webanno.custom.Person</name><supertypeName>webanno.custom.Being</supertypeName></typeDescription>
<typeDescription><name>webanno.custom.Being</name><supertypeName>webanno.custom.Sailor</supertypeName><features>
<featureDescription><name>rank</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>
</features></typeDescription>
</types></typeSystemDescription>"""


def test_inherited_features(read_files):
    content = xmi('<custom:Sailor xmi:id="2" sofa="1" begin="0" end="3" rank="mate"/>')
    (example,) = read_files({"a.xmi": content, "TypeSystem.xml": INHERITED})
    assert [entity.label for entity in example.entities] == ["mate"]


def test_inherited_features_in_json(read_files):
    types = {
        "my.Being": {"%NAME": "my.Being", "%SUPER_TYPE": "uima.tcas.Annotation", "rank": {"%RANGE": "uima.cas.String"}},
        "my.Sailor": {"%NAME": "my.Sailor", "%SUPER_TYPE": "my.Being"},
    }
    sailor = {"%ID": 2, "%TYPE": "my.Sailor", "@sofa": 1, "begin": 3, "end": 6, "rank": "mate"}
    (example,) = read_files({"a.json": json.dumps({"%TYPES": types, "%FEATURE_STRUCTURES": [STRUCTURES[0], sailor]})})
    assert [entity.label for entity in example.entities] == ["mate"]


LISTS = """<?xml version="1.0"?>
<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>
<typeDescription><name>webanno.custom.Span</name><features>
<featureDescription><name>roles</name><rangeTypeName>uima.cas.StringArray</rangeTypeName></featureDescription>
</features></typeDescription>
</types></typeSystemDescription>"""


@pytest.mark.parametrize("types", [{}, {"TypeSystem.xml": LISTS}])
@pytest.mark.parametrize(
    "span",
    [
        "{}><roles>PER</roles><roles>MATE</roles><roles>PER</roles></custom:Span>",
        '{} roles="7"/><cas:StringArray xmi:id="7"><elements>PER</elements><elements>MATE</elements></cas:StringArray>',
    ],
)
def test_features_with_several_values(read_files, span, types):
    link = '<custom:Link xmi:id="4" sofa="1" begin="0" end="3" Governor="2" Dependent="2" value="self"/>'
    content = xmi(span.format('<custom:Span xmi:id="2" sofa="1" begin="0" end="3"'), link)
    (example,) = read_files({"a.xmi": content, **types})
    assert [(entity.id, entity.label) for entity in example.entities] == [("2", "PER"), (None, "MATE")]
    assert [(r.label, r.head_entity, r.head_label) for r in example.relations] == [("self", "2", "PER")]
    assert example.lost == ()


@pytest.mark.parametrize(
    ("feature", "range_name"),
    [({"@roles": 7}, "uima.cas.StringArray"), ({"roles": ["PER", "MATE"]}, "uima.cas.String[]")],
)
@pytest.mark.parametrize("declared", [False, True])
def test_features_with_several_values_in_json(read_files, feature, range_name, declared):
    types = {"my.Span": {"%NAME": "my.Span", "roles": {"%RANGE": range_name}}} if declared else {}
    structures = [
        STRUCTURES[0],
        {"%ID": 2, "%TYPE": "my.Span", "@sofa": 1, "begin": 3, "end": 6, **feature},
        {"%ID": 7, "%TYPE": "uima.cas.StringArray", "%ELEMENTS": ["PER", "MATE"]},
    ]
    (example,) = read_files({"a.json": json.dumps({"%TYPES": types, "%FEATURE_STRUCTURES": structures})})
    assert [(entity.id, entity.label) for entity in example.entities] == [("2", "PER"), (None, "MATE")]


@pytest.mark.parametrize("name", CONTENTS)
def test_recognition(tmp_path, name):
    (tmp_path / name).write_text(CONTENTS[name])
    head = Head(File(str(tmp_path / name), name))
    assert (uima_xmi.recognises(head), uima_json.recognises(head)) == (name == "a.xmi", name != "a.xmi")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
def test_real_files():
    examples = list(uima_xmi.read(list_files(str(REAL / "uima_cas_xmi"))))
    counts = [(len(e.entities), len(e.relations), len(e.events)) for e in examples]
    assert counts == [(20, 0, 6), (0, 0, 0), (2, 0, 1), (0, 1, 0), (18, 0, 0), (5, 0, 0), (0, 0, 0)]
    (example,) = uima_json.read(list_files(str(REAL / "uima_cas_json")))
    assert (len(example.text), example.entities) == (552, ())
    assert [part.detail[:22] for part in example.lost] == ["44 x annotation of Chu", "93 x annotation of POS"]
