"""WebAnno TSV 3: stacked, sub-token and long spans, relations, slots, chains, escapes, UTF-16, broken lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from schemas.label import UnknownLabel
from transforms.files import File, list_files
from transforms.formats.head import Head
from transforms.formats.uima_xmi import read as read_xmi
from transforms.formats.webanno_tsv import read, recognises, unescape

REAL = Path(__file__).resolve().parents[4] / "shared" / "formats"

HEAD = """\
#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue
#T_SP=webanno.custom.Trip|ROLE_webanno.custom.Trip:stops_webanno.custom.TripStops|uima.tcas.Annotation|kind
#T_RL=webanno.custom.Link|value|BT_de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity
#T_CH=de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink|referenceType|referenceRelation
"""
BODY = """

#Sentence.id=1
#Text=🦊 Ada sails to Rye|Quay .
1-1	0-2	🦊	_	_	_	_	_	_	_	_	_	_	
1-2	3-6	Ada	http://x/Ada[1]|*[2]	PER[1]|\\_ROLE[2]	NNP	_	_	_	_	_	nam[1]	coref->1-1	
1-3	7-12	sails	_	_	VBZ	by;*	1-2[1];1-5	sea	_	_	_	_	
1-4	13-15	to	_	_	_	_	_	_	_	_	_	_	
1-5	16-24	Rye\\|Quay	*	LOC	_	_	_	_	to	1-2[1_0]	_	_	
1-5.1	20-24	Quay	*[3]	QUAY[3]	_	_	_	_	_	_	_	_	
1-6	25-26	.	_	_	_	_	_	_	_	_	_	_	

#Text=Back .
2-1	28-32	Back	*[3]	QUAY[3]	_	_	_	_	to|from	1-2[2_3]|9-9[8_3]	_	_	
2-2	33-34	.	_	_	_	_	_	_	_	_	_	_	
2-2.1	34-34		*	GAP	_	_	_	_	_	_	_	_	
"""


@pytest.fixture
def read_text(tmp_path):
    def read_all(text: str, name: str = "a.tsv", encoding: str = "utf-8") -> list[RawExample | BadRecord]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return list(read(list_files(str(tmp_path))))

    return read_all


def test_document(read_text):
    (example,) = read_text(HEAD + BODY)
    assert (example.place, example.text) == ("a.tsv:1", "🦊 Ada sails to Rye|Quay .\n\nBack .")
    assert (example.document, example.item, example.annotator, example.is_gold) == ("a", "a", None, False)
    labels = [(entity.label, entity.mention.text, entity.concepts) for entity in example.entities]
    assert labels == [
        ("PER", "Ada", ("http://x/Ada",)),
        ("_ROLE", "Ada", ()),
        ("LOC", "Rye|Quay", ()),
        ("QUAY", "Quay .\n\nBack", ()),
    ]
    assert example.entities[0].mention.spans == ((2, 5),)
    assert [(r.label, r.head.text, r.tail.text, r.head_label, r.tail_label) for r in example.relations] == [
        ("to", "Ada", "Rye|Quay", "PER", "LOC"),
        ("to", "Ada", "Quay .\n\nBack", "_ROLE", "QUAY"),
    ]
    ids = {entity.id: entity.label for entity in example.entities}
    assert [(ids[r.head_entity], ids[r.tail_entity]) for r in example.relations] == [("PER", "LOC"), ("_ROLE", "QUAY")]
    (event,) = example.events
    assert (event.label, event.trigger.text) == ("sea", "sails")
    arguments = [(argument.role, argument.mention.text, ids[argument.entity]) for argument in event.arguments]
    assert arguments == [("by", "Ada", "PER"), ("stops", "Rye|Quay", "LOC")]
    assert [(part.place, part.reason, part.unknown) for part in example.lost] == [
        ("a.tsv:22", Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "GAP"),)),
        ("a.tsv:20", Reason.MISSING_FIELD, (UnknownLabel("relations", "from"),)),
        ("a.tsv:1", Reason.IGNORED_ANNOTATION, ()),
        ("a.tsv:1", Reason.IGNORED_ANNOTATION, ()),
    ]
    assert [part.detail.partition(",")[0] for part in example.lost[2:]] == [
        "1 x annotation of coref",
        "2 x annotation of lexmorph",
    ]


def test_layer_without_features_or_labels(read_text):
    rows = "\n\n#Text=Ada left\n1-1\t0-3\tAda\t*\t*\t_\t\n1-2\t4-8\tleft\t_\t_\t1-1\t\n"
    head = "#FORMAT=WebAnno TSV 3.2\n#T_SP=webanno.custom.Person|\n#T_SP=webanno.custom.Span|value\n"
    head += "#T_RL=webanno.custom.Rel|BT_webanno.custom.Span\n"
    (example,) = read_text(head + rows)
    assert [(entity.label, entity.mention.text) for entity in example.entities] == [("Person", "Ada")]
    assert [part.detail for part in example.lost] == [
        "Span at 'Ada' has no label; it is left out",
        "an end of the relation 'Rel' is missing; it is left out",
    ]


def test_layer_with_several_features(read_text):
    head = "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Mention|confidence|kind\n"
    rows = "\n\n#Text=Ada left\n1-1\t0-3\tAda\thigh\tPER\t\n1-2\t4-8\tleft\tlow\tMOVE\t\n"
    (example,) = read_text(head + rows)
    assert [(entity.label, entity.mention.text) for entity in example.entities] == [("PER", "Ada"), ("MOVE", "left")]
    assert [part.detail for part in example.lost] == [
        "2 x feature 'confidence' of Mention (the feature 'kind' is the label), which is not used"
    ]


BROKEN = {
    "offsets": (HEAD + BODY.replace("13-15", "13-16"), 14, Reason.OFFSET_MISMATCH),
    "overlap": (HEAD + BODY.replace("28-32", "20-24"), 20, Reason.OFFSET_MISMATCH),
    "far": (HEAD + BODY.replace("28-32", "99999999-99999999"), 20, Reason.OFFSET_MISMATCH),
    "columns": (
        HEAD + BODY.replace("13-15\tto\t_\t_\t_\t_\t_\t_\t_\t_\t_\t_\t", "13-15\tto\t_\t_"),
        14,
        Reason.WRONG_COLUMNS,
    ),
    "no offsets": (HEAD + BODY.replace("13-15\t", ""), 14, Reason.WRONG_COLUMNS),
    "bracket": (HEAD + BODY.replace("LOC", "LOC["), 15, Reason.BROKEN_RECORD),
    "no format": (BODY, 1, Reason.BROKEN_RECORD),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_documents(read_text, name):
    content, line, reason = BROKEN[name]
    (bad,) = read_text(content)
    assert (bad.place, bad.reason) == (f"a.tsv:{line}", reason)


def test_project(read_text):
    read_text(HEAD + BODY, "annotation/one.txt/INITIAL_CAS.tsv")
    read_text(HEAD + BODY, "annotation/one.txt/ada.tsv")
    read_text(HEAD + BODY, "annotation/two.txt/INITIAL_CAS.tsv")
    examples = read_text(HEAD + BODY, "curation/one.txt/CURATION_USER.tsv")
    assert [(e.item, e.annotator, e.is_gold, e.entities is None) for e in examples] == [
        ("one.txt", "ada", False, False),
        ("two.txt", None, False, True),
        ("one.txt", None, True, False),
    ]


def test_encodings(read_text):
    (example,) = read_text(HEAD + BODY, encoding="utf-16")
    assert len(example.entities) == 4
    (bad,) = read_text(HEAD + BODY.replace("🦊", "é "), encoding="latin-1")
    assert isinstance(bad, RawExample) and "\udce9" in bad.text  # `transforms.normalize` rejects it


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEAD, True),
        ("#FORMAT=WebAnno TSV 3.2\n", True),
        ("#FORMAT=WebAnno TSV 2\n", False),
        ("", False),
        ("Ada\tO", False),
    ],
)
def test_recognition(tmp_path, content, expected):
    (tmp_path / "a.tsv").write_text(content)
    assert recognises(Head(File(str(tmp_path / "a.tsv"), "a.tsv"))) is expected


def test_empty_file(read_text):
    (bad,) = read_text("")
    assert (bad.place, bad.reason) == ("a.tsv:1", Reason.EMPTY_TEXT)


@given(st.text())
def test_escapes(value):
    escaped = "".join(
        {"\t": r"\t", "\n": r"\n", "\r": r"\r"}.get(c, f"\\{c}" if c in r"\[]|_->;*" else c) for c in value
    )
    assert unescape(escaped) == value


TOKENS = st.lists(
    st.tuples(st.text("a|_🦊港\\[", min_size=1, max_size=3), st.sampled_from(["", "A", "B|_;*"])), min_size=1
)


@given(TOKENS)
def test_random_spans(tmp_path_factory, tokens):
    def escape(value: str) -> str:
        return "".join(f"\\{c}" if c in r"\[]|_->;*" else c for c in value)

    lines, at = [], 0
    for number, (token, label) in enumerate(tokens, 1):
        end = at + len(token.encode("utf-16-le")) // 2
        lines.append(f"1-{number}\t{at}-{end}\t{escape(token)}\t{escape(label) or '_'}\t")
        at = end + 1
    text = " ".join(token for token, _ in tokens)
    head = "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Span|value\n\n\n"
    path = tmp_path_factory.mktemp("tsv") / "a.tsv"
    path.write_text(f"{head}#Text={escape(text)}\n" + "\n".join(lines), encoding="utf-8")
    (example,) = read([File(str(path), "a.tsv")])
    assert example.text == text
    assert [(entity.label, entity.mention.text) for entity in example.entities] == [
        (label, token) for token, label in tokens if label
    ]


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
def test_real_files():
    examples = {example.item: example for example in read(list_files(str(REAL / "webanno_tsv3")))}
    assert len(examples) == 77
    assert all(isinstance(example, RawExample) for example in examples.values())
    assert [len(examples[name].entities) for name in ("coref", "example2")] == [74, 9]
    totals = [
        sum(len(layer) for e in examples.values() for layer in [getattr(e, name)]) for name in ("relations", "events")
    ]
    assert totals == [15, 18]
    emoji = examples["suite/testSentenceWithEmoji"]
    assert [part.detail for part in emoji.lost] == ["Span at '😊' has no label; it is left out"]


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
@pytest.mark.parametrize(
    "name",
    [
        "testSimpleSlotFeature",
        "testStackedSubMultiTokenSpanWithFeatureValue",
        "testTokenBoundedSpanWithFeatureValue",
        "testSingleTokenRelationWithFeatureValue",
    ],
)
def test_xmi_of_the_same_document(name):
    """Upstream has these documents in both forms."""

    def content(example: RawExample) -> tuple:
        return (
            example.text,
            sorted((e.label, e.mention.spans) for e in example.entities),
            sorted((r.label, r.head.spans, r.tail.spans) for r in example.relations),
            [(v.label, v.trigger, [(a.role, a.mention) for a in v.arguments]) for v in example.events],
        )

    (tsv,) = read([File(str(REAL / "webanno_tsv3" / "suite" / f"{name}.tsv"), "a.tsv")])
    (xmi,) = read_xmi([File(str(REAL / "uima_cas_xmi" / f"{name}.xmi"), "a.xmi")])
    assert content(tsv) == content(xmi)
