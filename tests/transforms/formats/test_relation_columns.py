"""The reader of token lines and relation lines: blocks, joined words, escapes, broken lines."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.relation_columns import read


def tokens(number: int, *columns: tuple[str, str, str]) -> str:
    """Lines of (entity type, part of speech, token)."""
    return "".join(
        f"{number}\t{kind}\t{index}\tO\t{tag}\t{token}\tO\tO\tO\n" for index, (kind, tag, token) in enumerate(columns)
    )


PAIR = (("Peop", "NNP/NNP", "Ada/Poe"), ("O", "VBD", "left"), ("Loc", "NNP", "Rye"))
GOOD = tokens(1, *PAIR) + "\n0\t2\tLive_In\n\n"


@pytest.fixture
def read_text(tmp_path):
    def read_all(content: str) -> list[RawExample | BadRecord]:
        (tmp_path / "a.corp").write_text(content, newline="")
        return list(read([File(str(tmp_path / "a.corp"), "a.corp")]))

    return read_all


def test_sentences_with_and_without_relations(read_text):
    ada, rye = Mention("Ada Poe", ((0, 7),)), Mention("Rye", ((13, 16),))
    got = read_text(tokens(0, ("O", "UH", "Hm")) + "\n\n" + GOOD + tokens(2, ("O", "UH", "Oh")) + " \n")
    assert got == [
        RawExample("a.corp:1", "Hm", entities=(), relations=()),
        RawExample(
            "a.corp:4",
            "Ada Poe left Rye",
            entities=(Entity("Peop", ada), Entity("Loc", rye)),
            relations=(Relation("Live_In", ada, rye, "Peop", "Loc"),),
        ),
        RawExample("a.corp:10", "Oh", entities=(), relations=()),
    ]


@pytest.mark.parametrize(
    ("tag", "token", "text"),
    [
        (",", "COMMA", ","),
        ("NNP/CD/,/CD", "Dec./8/COMMA/1987", "Dec. 8 , 1987"),
        ("-LRB-", "-LRB-", "("),
        ("-LRB-/CD/NNP", "-LRB-/2/March", "( 2 March"),
        ("NNP", "Editor/Publisher", "Editor/Publisher"),
        ("NN/NNS", "300/400/MHz", "300/400/MHz"),
        ("NN", "/", "/"),
    ],
)
def test_words_joined_in_a_token(read_text, tag, token, text):
    (example,) = read_text(tokens(0, ("Other", tag, token), ("O", "NN", "x")))
    assert example.text == f"{text} x"
    assert example.entities == (Entity("Other", Mention(text, ((0, len(text)),))),)


def test_an_end_without_an_entity_has_no_type(read_text):
    (example,) = read_text(tokens(1, *PAIR) + "\n1\t2\tKill\n")
    (relation,) = example.relations
    assert (relation.head.text, relation.head_label, relation.tail_label) == ("left", None, "Loc")


@pytest.mark.parametrize(
    ("block", "line", "reason"),
    [
        ("1\tO\t0\tO\tNN\tx\tO\tO\n\n0\t0\tKill\n\n", 6, Reason.WRONG_COLUMNS),
        (tokens(1, *PAIR).replace("\t1\tO\tVBD", "\t3\tO\tVBD") + "\n", 7, Reason.BROKEN_RECORD),
        (tokens(1, *PAIR).replace("left", "") + "\n", 7, Reason.BROKEN_RECORD),
        (tokens(1, *PAIR) + "\n0\t3\tKill\n\n", 6, Reason.OFFSET_MISMATCH),
        (tokens(1, *PAIR) + "\n-1\t0\tKill\n\n", 10, Reason.WRONG_COLUMNS),
        (tokens(1, *PAIR) + "\n0\t2\tKill\n0\tKill\n\n", 11, Reason.WRONG_COLUMNS),
    ],
)
def test_only_the_sentence_with_a_broken_line_is_lost(read_text, block, line, reason):
    good, bad, last = read_text(GOOD[:-1] + "\n" + block + GOOD)
    assert isinstance(good, RawExample) and isinstance(last, RawExample)
    assert (bad.place, bad.reason) == (f"a.corp:{line + 1}", reason)


def test_relations_without_a_sentence(read_text):
    bad, good = read_text("0\t2\tKill\n\n" + GOOD)
    assert (bad.place, bad.reason) == ("a.corp:1", Reason.BROKEN_RECORD)
    assert isinstance(good, RawExample)
