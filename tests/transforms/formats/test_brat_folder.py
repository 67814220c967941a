"""Users' brat folders: texts to predict on, annotations that are lost alone, ignored lines, other files."""

from pathlib import Path

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample
from schemas.label import UnknownLabel
from transforms.files import File, list_files
from transforms.formats.brat_folder import read, recognises
from transforms.formats.head import Head

REAL = Path(__file__).resolve().parents[4] / "shared" / "formats" / "brat" / "dkpro"
TEXT = "Ada 🦊 met Rye.\n"
ADA = Entity("Person", Mention("Ada", ((0, 3),)), "T1")
RYE = Entity("Town", Mention("Rye", ((10, 13),)), "T2")
ANN = "T1\tPerson 0 3\tAda\nT2\tTown 10 13\tRye\n"


@pytest.fixture
def read_folder(tmp_path):
    def read_all(**contents: str) -> list[RawExample | BadRecord]:
        for name, content in contents.items():
            (tmp_path / name.replace("_", ".")).write_bytes(content.encode())
        return list(read(list_files(str(tmp_path))))

    return read_all


def test_document(read_folder):
    (example,) = read_folder(a_txt=TEXT, a_ann=ANN, annotation_conf="[entities]\nPerson\n")
    assert example == RawExample("a.ann:1", TEXT.strip(), (ADA, RYE), (), (), document="a", item="a")


def test_text_without_annotations(read_folder):
    assert read_folder(a_txt="Ada\r\nmet.\n") == [RawExample("a.txt:1", "Ada\nmet.", document="a", item="a")]


def test_annotations_without_text(read_folder):
    (bad, example) = read_folder(a_ann=ANN, b_txt=TEXT, b_ann="")
    assert (bad.place, bad.reason) == ("a.ann:1", Reason.MISSING_FIELD)
    assert example.entities == ()


def test_parts_are_lost_alone(read_folder):
    lines = (
        "T3\tTown 10 99\tRye\nT4\tMeet 6 6\t\nT5\tMeet 6 9\tmet\nE1\tMeet:T4 Who:T1\nE2\tMeet:T4\n"
        "E3\tMeet:T5 Who:T1 Where:T3\nR1\tIn Arg1:T1 Arg2:T3\n"
        "A1\tSure T1\nM2\tLoud E3\n#1\tAnnotatorNotes T1\tqueen\n*\tEquiv T1 T2\n"
    )
    (example,) = read_folder(a_txt=TEXT, a_ann=ANN + lines)
    assert example.entities == (ADA, RYE)
    assert example.relations == ()
    assert [(event.label, [a.role for a in event.arguments]) for event in example.events] == [("Meet", ["Who"])]
    assert [(part.place, part.reason, part.unknown) for part in example.lost] == [
        ("a.ann:3", Reason.OFFSET_MISMATCH, (UnknownLabel("entities", "Town"),)),
        ("a.ann:4", Reason.OFFSET_MISMATCH, (UnknownLabel("events", "Meet"),)),
        ("a.ann:3", Reason.OFFSET_MISMATCH, (UnknownLabel("events", "Meet"),)),
        ("a.ann:3", Reason.OFFSET_MISMATCH, (UnknownLabel("relations", "In"),)),
        *[("a.ann:1", Reason.IGNORED_ANNOTATION, ())] * 3,
    ]
    assert [part.detail[:20] for part in example.lost[-3:]] == [
        "2 x brat attribute, ",
        "1 x brat equivalence",
        "1 x brat note, which",
    ]


def test_broken_line(read_folder):
    (bad,) = read_folder(a_txt=TEXT, a_ann=ANN + "T3 Town 10 13 Rye\n")
    assert (bad.place, bad.reason) == ("a.ann:3", Reason.WRONG_COLUMNS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(ANN, True), ("", True), ("\n", False), ("Ada met Rye.\n", False), ("A\tB\n1\t2\n3\t4", False)],
)
def test_recognition(tmp_path, content, expected):
    (tmp_path / "a.ann").write_text(content)
    assert recognises(Head(File(str(tmp_path / "a.ann"), "a.ann"))) is expected


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/formats")
def test_real_files():
    examples = list(read(list_files(str(REAL))))
    counts = [(len(e.entities), len(e.relations), len(e.events), len(e.lost)) for e in examples]
    assert counts == [(77, 0, 126, 1), *[(0, 0, 5, 0)] * 2, *[(0, 0, 4, 0)] * 2, (3, 1, 1, 1), (1, 0, 1, 0)]
