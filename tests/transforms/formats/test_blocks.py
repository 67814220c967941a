"""The reader of tagged sentences: text without tags, direction of the relation, blocks of both corpora."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.blocks import parse, read

UNDIRECTED = ("Other", "no_relation")


@pytest.fixture
def read_text(tmp_path):
    def read_all(content: str) -> list[RawExample | BadRecord]:
        (tmp_path / "a.txt").write_text(content, newline="")
        return list(read([File(str(tmp_path / "a.txt"), "a.txt")], UNDIRECTED))

    return read_all


def mention(text: str, start: int) -> Mention:
    return Mention(text, ((start, start + len(text)),))


def one_relation(place: str, text: str, label: str, head: tuple[str, int], tail: tuple[str, int]) -> RawExample:
    return RawExample(place, text, relations=(Relation(label, mention(*head), mention(*tail)),))


def test_semeval_blocks(read_text):
    got = read_text(
        '1\t"The <e1>lid</e1> of a <e2>pot</e2>."\r\nComponent-Whole(e1,e2)\r\nComment: fine\r\n\r\n'
        '2\t""A <e1>pot</e1> <e2>lid</e2>," she said."\r\nComponent-Whole(e2,e1)\r\nComment:\r\n\r\n'
        '3\t"A <e1>pot</e1> and a <e2>lid</e2>."\r\nOther\r\nComment: no <e2> here\r\n\r\n'
    )
    assert got == [
        one_relation("a.txt:1", "The lid of a pot.", "Component-Whole", ("lid", 4), ("pot", 13)),
        one_relation("a.txt:5", '"A pot lid," she said.', "Component-Whole", ("lid", 7), ("pot", 3)),
        one_relation("a.txt:9", "A pot and a lid.", "Other", ("pot", 2), ("lid", 12)),
    ]


def test_kbp37_blocks(read_text):
    got = read_text(
        '41\t" <e1> Ada Poe </e1> ( born in <e2> Rye </e2> ) . "\nper:city_of_birth(e1,e2)\n\n\n'
        '7\t" The <e2> Rye Bank </e2> and <e1> Ada </e1> "\nno_relation\n\n\n'
    )
    assert got == [
        one_relation("a.txt:1", "Ada Poe ( born in Rye ) .", "per:city_of_birth", ("Ada Poe", 0), ("Rye", 18)),
        one_relation("a.txt:5", "The Rye Bank and Ada", "no_relation", ("Ada", 17), ("Rye Bank", 4)),
    ]


GOOD = '9\t"An <e1>arm</e1> of <e2>me</e2>."\nComponent-Whole(e1,e2)\n\n'


@pytest.mark.parametrize(
    "block",
    [
        '1\t"An <e1>arm</e1> of <e2>me."\nComponent-Whole(e1,e2)\nComment:\n',
        '1\t"An <e1>arm</e1> of </e2>me<e2>."\nComponent-Whole(e1,e2)\n',
        '1\t"An <e1>arm</e1> of <e1>me</e1>."\nComponent-Whole(e1,e2)\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>.\nComponent-Whole(e1,e2)\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>."\nComponent-Whole\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>."\nComponent-Whole(e1,e1)\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>."\nComment: where is the relation?\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>."\nComponent-Whole(e1,e2)\nComment:\nand more\n',
        '1\t"An <e1>arm</e1> of <e2>me</e2>."\n',
        '"An <e1>arm</e1> of <e2>me</e2>."\nComponent-Whole(e1,e2)\n',
    ],
)
def test_only_a_broken_block_is_lost(read_text, block):
    good, bad, last = read_text(f"{GOOD}{block}\n{GOOD}")
    assert isinstance(good, RawExample) and isinstance(last, RawExample)
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("a.txt:4", Reason.BROKEN_RECORD)


def test_a_number_starts_a_block_without_a_blank_line(read_text):
    assert [record.place for record in read_text(GOOD.strip() + "\n" + GOOD)] == ["a.txt:1", "a.txt:3"]


PIECE = st.text("aé <>\"'", max_size=5)
WORD = st.from_regex(r"[aé](?:[ a]{0,3}[aé])?", fullmatch=True)


@given(PIECE, WORD, PIECE, WORD, PIECE, st.sampled_from(["e1", "e2"]))
def test_parse_removes_the_tags(before, first, between, second, after, name):
    other = "e2" if name == "e1" else "e1"
    text, spans = parse(f"{before}<{name}>{first}</{name}>{between}<{other}>{second}</{other}>{after}")
    assert text == before + first + between + second + after
    assert spans[name] == (len(before), len(before + first))
    assert text[slice(*spans[other])] == second
