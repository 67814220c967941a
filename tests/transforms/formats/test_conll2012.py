"""The CoNLL-2012 reader on small documents."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from transforms.files import File
from transforms.formats import conll2012


def rows(*tokens: str, predicates: int = 0) -> str:
    """`word=cell` each, with a column for each predicate and coreference last."""
    lines = []
    for index, token in enumerate(tokens):
        word, cell = token.split("=")
        lines.append(f"nw/x   0   {index}   {word}   NN (TOP*   -  -  -  -   {cell}  {'* ' * predicates}  (3|(4)")
    return "\n".join(lines) + "\n\n"


def document(*sentences: str) -> str:
    return f"#begin document (nw/x); part 000\n{''.join(sentences)}#end document\n"


def read(tmp_path, *contents: str):
    files = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.gold_conll"
        path.write_bytes(content.encode())
        files.append(File(str(path), path.name))
    return list(conll2012.read(files))


ANA = rows("Ana=(PERSON*", "Sol=*)", "left=*", "Ghent=(GPE)", ".=*", predicates=1)
ANA_READ = (
    Entity("PERSON", Mention("Ana Sol", ((0, 7),))),
    Entity("GPE", Mention("Ghent", ((13, 18),))),
)


def test_names_are_read_from_the_eleventh_column(tmp_path):
    content = document(ANA, rows("Yes=*"), rows("-LRB-=*", "two=(CARDINAL)", "-RRB-=*", predicates=3))
    assert read(tmp_path, content) == [
        RawExample("0.gold_conll:2", "Ana Sol left Ghent .", ANA_READ),
        RawExample("0.gold_conll:8", "Yes", ()),
        RawExample("0.gold_conll:10", "( two )", (Entity("CARDINAL", Mention("two", ((2, 5),))),)),
    ]


def test_documents_without_any_name_are_unannotated(tmp_path):
    """A document with a name in one part is annotated in all its parts."""
    bible = document(rows("And=*", "so=*")) + document(rows("Amen=*"))
    news = document(rows("Rain=*")) + document(ANA)
    assert [example.entities for example in read(tmp_path, bible, news)] == [None, None, (), ANA_READ]


def test_nested_names_are_ordered_outer_first(tmp_path):
    (example,) = read(tmp_path, document(rows("Oslo=(ORG(GPE)", "Bank=*", "of=*", "Rome=(GPE))")))
    assert [(entity.label, entity.mention.text) for entity in example.entities] == [
        ("ORG", "Oslo Bank of Rome"),
        ("GPE", "Oslo"),
        ("GPE", "Rome"),
    ]


@pytest.mark.parametrize(
    ("sentence", "line", "reason"),
    [
        (rows("Ana=(PERSON*", "Sol=*"), 2, Reason.BROKEN_RECORD),
        (rows("Ana=*", "Sol=*)"), 3, Reason.BROKEN_RECORD),
        (rows("Ana=PERSON"), 2, Reason.BROKEN_RECORD),
        (rows("Ana=*").replace("(3|(4)", "").replace("-", "", 1), 2, Reason.WRONG_COLUMNS),
        ("nw/x 0 0 Ana\n\n", 2, Reason.WRONG_COLUMNS),
    ],
    ids=["not closed", "not opened", "no cell", "10 columns", "4 columns"],
)
def test_only_a_broken_sentence_is_lost(tmp_path, sentence, line, reason):
    bad, good = read(tmp_path, document(sentence, ANA))
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == (f"0.gold_conll:{line}", reason)
    assert good.entities == ANA_READ


@pytest.mark.parametrize("change", [lambda s: s.replace("\n", "\r\n"), lambda s: "\ufeff" + s, str.rstrip])
def test_all_line_ends_give_the_same_sentences(tmp_path, change):
    (example,) = read(tmp_path, change(document(ANA)))
    assert example.entities == ANA_READ


def test_nesting_depth_is_limited(tmp_path):
    path = tmp_path / "f.gold_conll"
    for depth, kind in ((conll2012.MAX_DEPTH, RawExample), (conll2012.MAX_DEPTH + 1, BadRecord)):
        path.write_text(f"d 0 0 a NN * - - - - {'(X' * depth + ')' * depth} -\n\nd 0 0 b NN * - - - - (X) -\n")
        first, second = conll2012.read([File(str(path), "f.gold_conll")])
        assert isinstance(first, kind) and isinstance(second, RawExample)
