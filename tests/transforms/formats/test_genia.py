"""The GENIA reader on small sentences, and its number of conjuncts on the real file."""

from collections import Counter
from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason, SourceError
from schemas.example import surface
from schemas.label import UnknownLabel
from transforms.files import File, list_files
from transforms.formats import genia

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "genia_ner"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE set SYSTEM "gpml.dtd">\n<set>\n'


def cons(content: str, lex: str, meaning: str | None = None) -> str:
    return f'<cons lex="{lex}"' + (f' sem="{meaning}"' if meaning else "") + f">{content}</cons>"


def conjunction(content: str, lexes: str, label: str = "G#a", operator: str = "AND") -> str:
    meaning = " ".join(label for _ in lexes.split())
    return cons(content, f"({operator} {lexes})", f"({operator} {meaning})")


def read(tmp_path, *sentences: str, content: bytes | None = None):
    path = tmp_path / "f.xml"
    body = "".join(f"<sentence>{sentence}</sentence>\n" for sentence in sentences)
    path.write_bytes(content or f"{HEAD}<article>\n<abstract>\n{body}</abstract></article></set>\n".encode())
    return list(genia.read([File(str(path), "f.xml")]))


def entity_tuples(example):
    for entity in example.entities:
        assert surface(example.text, entity.mention.spans) == entity.mention.text
    return [(entity.label, entity.mention.text, entity.mention.spans) for entity in example.entities]


def lost(example):
    """(reason, the lex that the detail quotes) of each lost part."""
    assert {part.place for part in example.lost} <= {example.place}
    return [(part.reason, part.detail.split("'")[1]) for part in example.lost]


def test_nested_terms_and_their_text(tmp_path):
    inner = cons("IL-2", "IL-2", "G#protein")
    (example,) = read(tmp_path, f"The {cons(f'{inner} gene', 'IL-2_gene', 'G#DNA')} &amp; p &lt; 𝛽, {cons('x', 'x')}.")
    assert (example.place, example.text) == ("f.xml:6", "The IL-2 gene & p < 𝛽, x.")
    assert entity_tuples(example) == [("G#DNA", "IL-2 gene", ((4, 13),)), ("G#protein", "IL-2", ((4, 8),))]


def test_conjuncts_can_be_discontinuous(tmp_path):
    content = f"{cons('B', 'B*')}, {cons('T', 'T*')} and {cons('NK', 'NK*')} {cons('cells', '*cell')}"
    (example,) = read(tmp_path, conjunction(content, "B_cell T_cell NK_cell"))
    assert example.text == "B, T and NK cells"
    assert entity_tuples(example) == [
        ("G#a", "B cells", ((0, 1), (12, 17))),
        ("G#a", "T cells", ((3, 4), (12, 17))),
        ("G#a", "NK cells", ((9, 17),)),
    ]


def test_conjuncts_may_share_a_prefix_or_touch(tmp_path):
    content = f"{cons('human IL', 'human_IL*')}{cons('-2', '*-2')} or {cons('-4', '*-4')}"
    (example,) = read(tmp_path, conjunction(content, "human_IL-2 human_IL-4", operator="OR"))
    assert entity_tuples(example) == [("G#a", "human IL-2", ((0, 10),)), ("G#a", "human IL -4", ((0, 8), (14, 16)))]


def test_fragments_may_be_or_contain_terms(tmp_path):
    first = cons(cons("PMA", "PMA*"), "PMA", "G#lipid")
    second = cons(cons("TNF", "TNF", "G#protein"), "TNF*")
    content = f"{first} but not {second} {cons('stimulation', '*stimulation')}"
    (example,) = read(tmp_path, conjunction(content, "PMA_stimulation TNF_stimulation", "G#name", "BUT_NOT"))
    assert entity_tuples(example) == [
        ("G#name", "PMA stimulation", ((0, 3), (16, 27))),
        ("G#name", "TNF stimulation", ((12, 27),)),
        ("G#lipid", "PMA", ((0, 3),)),
        ("G#protein", "TNF", ((12, 15),)),
    ]


def test_an_inner_coordination_gives_no_separate_conjuncts(tmp_path):
    inner = conjunction(f"{cons('B', 'B*')} and {cons('T', 'T*')}", "B* T*", "G#b")
    content = f"{cons('mature', 'mature*')} {inner} {cons('cells', '*cell')}"
    (example,) = read(tmp_path, conjunction(content, "mature_B*_cell mature_T_cell"))
    assert entity_tuples(example) == [
        ("G#a", "mature B cells", ((0, 8), (15, 20))),
        ("G#a", "mature T cells", ((0, 6), (13, 20))),
    ]


def test_plural_last_fragments_match_and_misspelt_conjuncts_do_not(tmp_path):
    content = f"{cons('B', 'B*')} and {cons('T', 'U*')} {cons('cells', '*cells')}"
    (example,) = read(tmp_path, conjunction(content, "B_cell T_cell"))
    assert entity_tuples(example) == [("G#a", "B cells", ((0, 1), (8, 13)))]
    assert lost(example) == [(Reason.MENTION_NOT_IN_TEXT, "T_cell")]
    assert example.lost[0].unknown == (UnknownLabel("entities", "G#a"),)


def test_the_numbers_of_classes_and_conjuncts_must_match(tmp_path):
    (example,) = read(tmp_path, cons(cons("B cells", "B_cell*"), "(AND B_cell)", "(AND G#a G#a)"))
    assert example.entities == ()
    assert lost(example) == [(Reason.BROKEN_RECORD, "(AND B_cell)")]


def test_nested_coordinations_are_lost_and_counted(tmp_path):
    term = cons(cons("B cells", "B_cell"), "(BUT_NOT B_cell (OR T_cell NK_cell))", "(BUT_NOT G#a (OR G#c G#d))")
    (example,) = read(tmp_path, term + " with " + cons("IL-2", "IL-2", "G#b"))
    assert entity_tuples(example) == [("G#b", "IL-2", ((13, 17),))]
    assert lost(example) == [(Reason.BROKEN_RECORD, "(BUT_NOT B_cell (OR T_cell NK_cell))")]
    assert example.lost[0].unknown == tuple(UnknownLabel("entities", f"G#{name}") for name in "acd")


def test_sentences_before_broken_xml_are_kept(tmp_path):
    whole = f"{HEAD}<article>\n<sentence>One.</sentence>\n<sentence>Two</sentence>\n".encode()
    one, two, bad = read(tmp_path, content=whole + b"<sentence>Thr")
    assert (one.text, two.text) == ("One.", "Two")
    assert isinstance(bad, BadRecord) and bad.reason == Reason.BROKEN_RECORD and bad.place.startswith("f.xml:")


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path):
    with pytest.raises(SourceError, match=r"f\.xml:4: byte 0xe9 is not valid UTF-8"):
        read(tmp_path, content=HEAD.encode() + b"<sentence>caf\xe9</sentence></set>")


def test_external_entities_are_not_loaded(tmp_path):
    (tmp_path / "secret").write_text("secret")
    content = f'<!DOCTYPE set [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><set><sentence>a &e; b</sentence></set>'
    (example,) = read(tmp_path, content=content.encode())
    assert "secret" not in example.text


@pytest.mark.skipif(not REAL.exists(), reason="the corpus is not here")
def test_most_conjuncts_in_the_corpus_are_read():
    files = [file for file in list_files(str(REAL)) if file.name.endswith(".xml")]
    records = list(genia.read(files))
    entities = [entity for example in records for entity in example.entities]
    assert len(entities) == 41356  # of 41399: 39885 terms and 1514 conjuncts
    parts = Counter(str(part.reason) for example in records for part in example.lost)
    assert parts == {"mention_not_in_text": 43, "broken_record": 5}


def test_repeated_fragments_do_not_explode_the_search(tmp_path):
    fragments = " ".join(cons("a", "a*") for _ in range(40))
    (example,) = read(tmp_path, conjunction(fragments, f"{'a' * 30}b {'a' * 39}"))
    assert entity_tuples(example) == [("G#a", " ".join("a" * 39), ((0, 77),))]


def test_conjuncts_in_huge_coordinations_are_lost_and_counted(tmp_path):
    for count, expected in ((genia.MAX_FRAGMENTS, 2), (genia.MAX_FRAGMENTS + 1, 0)):
        fragments = " ".join(cons(f"a{n}", f"a{n}*") for n in range(count))
        (example,) = read(tmp_path, conjunction(fragments, "a0a1 a2a3"))
        assert len(entity_tuples(example)) == expected and len(lost(example)) == 2 - expected


def test_comments_and_processing_instructions_are_not_text(tmp_path):
    (example,) = read(tmp_path, f"The <?x no?>{cons('IL<!-- no -->-2', 'IL-2', 'G#protein')} gene")
    assert (example.text, entity_tuples(example)) == ("The IL-2 gene", [("G#protein", "IL-2", ((4, 8),))])
