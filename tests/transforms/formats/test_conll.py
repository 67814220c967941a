"""Users' columns: which columns they are, comments, documents, nested and contracted tokens, scripts, broken lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.conll import Columns, detect, read, recognises
from transforms.formats.head import Head

REAL = Path(__file__).resolve().parents[4] / "shared" / "formats"

CONLL_2003 = """\
-DOCSTART- -X- -X- O

Ada NNP I-NP I-PER
Marrow NNP I-NP I-PER
left VBD I-VP O
Rye NNP I-NP I-LOC
. . O O

-DOCSTART- -X- -X- O

Nothing NN B-NP O
"""
GERMEVAL = """\
#\thttp://example.org/ada [2024-01-01]
1\tDie\tO\tO
2\tHafen\tB-ORG\tB-LOC
3\tRye\tI-ORG\tB-LOC
4\tAG\tI-ORG\tO
"""
UNIVERSAL_NER = """\
# newdoc id = harbour
# sent_id = 1
# text = Ada fährt zum "Hafen".
1\tAda\tB-PER\t-\tmo
2\tfährt\tO\t-\t-
3-4\tzum\t_\t-\t-
3\tzu\tO\t-\t-
4\tdem\tB-LOC\t-\t-
4.1\tgroßen\tB-LOC\t-\t-
5\t"\tI-LOC\t-\t-
6\tHafen\tI-LOC\t-\t-
7\t"\tO\t-\t-
8\t.\tO\t-\t-

# newdoc
# text = other
1\tRye\tB-LOC\t-\t-
"""


@pytest.fixture
def read_text(tmp_path):
    def read_all(text: str, encoding: str = "utf-8") -> list[RawExample | BadRecord]:
        (tmp_path / "a.conll").write_bytes(text.encode(encoding))
        return list(read([File(str(tmp_path / "a.conll"), "a.conll")]))

    return read_all


def marked(example: RawExample) -> list[tuple[str, str]]:
    for entity in example.entities:
        ((start, end),) = entity.mention.spans
        assert example.text[start:end] == entity.mention.text
    return [(entity.label, entity.mention.text) for entity in example.entities]


def test_conll_2003(read_text):
    ada, nothing = read_text(CONLL_2003)
    assert (ada.place, ada.text, ada.document) == ("a.conll:3", "Ada Marrow left Rye .", "a.conll#1")
    assert marked(ada) == [("PER", "Ada Marrow"), ("LOC", "Rye")]
    assert (ada.relations, nothing.entities, nothing.document) == (None, (), "a.conll#2")


def test_nested_columns(read_text):
    (example,) = read_text(GERMEVAL)
    assert marked(example) == [("ORG", "Hafen Rye AG"), ("LOC", "Hafen"), ("LOC", "Rye")]


PLAIN = "Ada\tO\tO\n.\tO\tO\n\n" * 100
"""More lines than those that show which columns a file has."""


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("Rye\tB-ORG\tB-LOC\nAG\tI-ORG\tO\n", [("ORG", "Rye AG"), ("LOC", "Rye")]),
        ("Rye\tO\tB-LOC\nAG\tO\tO\n", [("LOC", "Rye")]),
        ("Rye\tB-NP\tB-LOC\nAG\tI-NP\tO\n", [("LOC", "Rye")]),
        ("Rye\tB-NP\tO\nAG\tI-NP\tO\n", [("NP", "Rye AG")]),
        ("Rye\tB-LOC\tx\nAG\tO\tO\n", [("LOC", "Rye")]),
        ("Rye\tx\tB-LOC\nAG\tO\tO\n", [("LOC", "Rye")]),
    ],
)
def test_tags_that_come_late(read_text, rows, expected):
    *_, last = read_text(PLAIN + rows)
    assert isinstance(last, RawExample)
    assert (marked(last), last.lost) == (expected, ())


SAME = "Ada\tB-PER\tB-PER\nMarrow\tI-PER\tI-PER\nleft\tO\tO\nRye\tB-LOC\tB-PER\n\n"
CROSSING = "Ada\tB-PER\tO\nvon\tI-PER\tB-PER\nRye\tI-PER\tI-PER\nAG\tO\tI-PER\n\n"
INSIDE = "Ada\tB-PER\tB-PER\nof\tI-PER\tO\nRye\tI-PER\tB-LOC\n\n"


@pytest.mark.parametrize(
    ("content", "count"),
    [(SAME * 2, 4), (CROSSING, 1), (SAME * 3 + INSIDE, 8), (INSIDE, 0), (INSIDE * 2 + SAME, 0), (GERMEVAL, 0)],
)
def test_predictions_beside_the_tags(read_text, content, count):
    records = read_text(content)
    lost = [part.detail for record in records for part in record.lost]
    kind = "entity of column 3 (it repeats column 2 and is not nested)"
    assert lost == ([f"{count} x {kind}, which is not used"] if count else [])
    labels = {"LOC", "PER", "ORG"} if content == GERMEVAL else {"LOC", "PER"}
    assert {label for record in records for label, _ in marked(record)} <= labels
    if not count and content != GERMEVAL:
        assert ("LOC", "Rye") in marked(records[0])


def test_universal_ner(read_text):
    ada, rye = read_text(UNIVERSAL_NER)
    assert (ada.text, ada.document) == ('Ada fährt zum "Hafen".', "a.conll#harbour")
    assert marked(ada) == [("PER", "Ada"), ("LOC", 'zum "Hafen')]
    assert (rye.text, rye.document) == ("Rye", "a.conll#2")


LAYOUTS = {
    "Ada\tB-PER\n.\tO": Columns(2, True, 0, (1,)),
    "B-PER Ada\nO .": Columns(2, False, 1, (0,)),
    "Ada NNP S-PER\n. . O": Columns(3, False, 0, (2,)),
    "Ada NNP U-PER\n. . O": Columns(3, False, 0, (2,)),
    "阿 B-PER\n达 E-PER": Columns(2, False, 0, (1,)),
    "Ada O\nmet O": Columns(2, False, 0, (1,)),
    "Ada B-NP\nmet B-VP": Columns(2, False, 0, (1,)),
    "1 Ada B-PER\n2 met O\n\n1 Rye O": Columns(3, False, 1, (2,), True),
    "1-2 Im _\n1 in O\n2 dem O\n3 Rye B-LOC": Columns(3, False, 1, (2,), True),
    "0.1 Ada O\n1 met O": Columns(3, False, 1, (2,), True),
    "1.5 mg B-DOSE\n2 ml O": Columns(3, False, 0, (2,)),
    "Ada O O\nmet O O": Columns(3, False, 0, (1, 2)),
    "1984 B-DATE\n1985 O": Columns(2, False, 0, (1,)),
    "Ada met Rye.\nThe end.": None,
    "Ada\nmet": None,
    "O O\nO O": None,
    "": None,
}


@pytest.mark.parametrize("content", LAYOUTS)
def test_columns(tmp_path, content):
    assert detect(content.split("\n")) == LAYOUTS[content]
    (tmp_path / "a").write_text(content)
    assert recognises(Head(File(str(tmp_path / "a"), "a"))) is (LAYOUTS[content] is not None)


def test_hash_as_token(read_text):
    first, second = read_text("# a comment\n# O\nAda B-PER\n# x y z\n\nRye B-LOC\n")
    assert (first.text, second.text) == ("# Ada", "Rye")


def test_broken_sentences(read_text):
    content = "Ada\tB-PER\n\nLow\nwater\tO\n\nx\tY\n\n\tO\n\nRye\tB-LOC\n.\tO\nA\tO\nB\tO\nC\tO\nD\tO\n"
    ada, *bad, rye = read_text(content)
    assert marked(ada) + marked(rye) == [("PER", "Ada"), ("LOC", "Rye")]
    assert [(part.place, part.reason) for part in bad] == [
        ("a.conll:3", Reason.WRONG_COLUMNS),
        ("a.conll:6", Reason.BROKEN_RECORD),
        ("a.conll:8", Reason.MISSING_FIELD),
    ]


def test_broken_token_number(read_text):
    good, bad = read_text("1 Ada B-PER\n2 met O\n3 Rye O\n4 . O\n\n" * 50 + "x Rye O\n")[-2:]
    assert good.text == "Ada met Rye ."
    assert (bad.place, bad.reason) == ("a.conll:251", Reason.BROKEN_RECORD)


def test_other_encodings(read_text):
    (example,) = read_text("Ådä B-PER\n", "utf-16")
    assert example.text == "Ådä"
    (example,) = read_text("Ådä B-PER\n", "latin-1")  # `transforms.normalize` rejects it
    assert "\udcc5" in example.text


def test_no_columns(read_text):
    assert read_text("") == []
    (bad,) = read_text("Ada met Rye.\n")
    assert (bad.place, bad.reason) == ("a.conll:1", Reason.WRONG_COLUMNS)


def test_conll_2012(read_text):
    rows = [("阿达", "(PERSON)", "(1)"), ("去", "*", "-"), ("莱港", "(GPE)", "(2)")]
    lines = [f"wb/a 0 {i} {word} NN * - - - - {name} * {chain}" for i, (word, name, chain) in enumerate(rows)]
    begin = "#begin document (wb/a); part 000\n"
    (example,) = read_text(begin + "\n".join(lines) + "\n#end document\n")
    assert (example.text, example.document) == ("阿达去莱港", "a.conll#wb/a")
    assert marked(example) == [("PERSON", "阿达"), ("GPE", "莱港")]
    assert [(part.reason, part.detail[:5]) for part in example.lost] == [(Reason.IGNORED_ANNOTATION, "2 x m")]


SENTENCES = st.lists(
    st.lists(
        st.tuples(st.text("abc港🦊1", min_size=1, max_size=3), st.sampled_from(["O", "B-A", "I-A", "B-b"])), min_size=1
    ),
    min_size=1,
)


@given(SENTENCES)
def test_mentions_are_the_tokens_between_the_tags(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("conll") / "a.conll"
    path.write_text("\n\n".join("\n".join(f"{token}\t{tag}" for token, tag in rows) for rows in sentences))
    examples = list(read([File(str(path), "a.conll")]))
    assert len(examples) == len(sentences)
    for example, rows in zip(examples, sentences, strict=True):
        assert example.text.replace(" ", "") == "".join(token for token, _ in rows)
        assert len(marked(example)) == sum(
            tag[0] == "B" or (tag[0] == "I" and (i == 0 or rows[i - 1][1][2:] != tag[2:]))
            for i, (_, tag) in enumerate(rows)
        )


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
@pytest.mark.parametrize(
    ("name", "sentences", "entities", "bad"),
    [
        ("conll2002/ner2002_test.conll", 1, 4, 0),
        ("conll2003/en-orig.conll", 1, 3, 0),
        ("conll2012/en-orig.conll", 4, 4, 0),
        ("germeval2014_nested/germeval2014_test.conll", 1, 6, 0),
        ("conllu_iob2_uner/zh_pud-ud-test_first300.iob2", 300, 251, 0),
        ("doccano/tests/sequence_labeling_example.conll", 2, 2, 0),
        ("doccano/tests/sequence_labeling_labeling.invalid.conll", 2, 3, 1),
    ],
)
def test_real_files(name, sentences, entities, bad):
    records = list(read([File(str(REAL / name), name)]))
    examples = [record for record in records if isinstance(record, RawExample)]
    assert (len(examples), sum(len(marked(example)) for example in examples)) == (sentences, entities)
    assert len(records) - len(examples) == bad
