"""The CHEMDNER reader on two small files."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, surface
from transforms.files import File
from transforms.formats import chemdner

ABSTRACTS = "7\tTea 𝛽 and tin.\tTin helps. 𝛽 is Greek.\n8\tNothing.\tNo chemical.\n"
ANNOTATIONS = "7\tT\t10\t13\ttin\tTRIVIAL\n7\tA\t0\t3\tTin\tTRIVIAL\n7\tA\t11\t12\t𝛽\tABBREVIATION\n"
TEXT = "Tea 𝛽 and tin. Tin helps. 𝛽 is Greek."
READ = [
    RawExample(
        "x.abstracts.txt:1",
        TEXT,
        (
            Entity("TRIVIAL", Mention("tin", ((10, 13),))),
            Entity("TRIVIAL", Mention("Tin", ((15, 18),))),
            Entity("ABBREVIATION", Mention("𝛽", ((26, 27),))),
        ),
    ),
    RawExample("x.abstracts.txt:2", "Nothing. No chemical.", ()),
]


def read(tmp_path, abstracts: str, annotations: str | None):
    files = []
    for name, content in (("x.abstracts.txt", abstracts), ("x.annotations.txt", annotations)):
        if content is not None:
            (tmp_path / name).write_bytes(content.encode())
            files.append(File(str(tmp_path / name), name))
    return list(chemdner.read(files))


def test_offsets_restart_in_the_abstract(tmp_path):
    assert all(surface(TEXT, entity.mention.spans) == entity.mention.text for entity in READ[0].entities)
    assert read(tmp_path, ABSTRACTS, ANNOTATIONS) == READ


@pytest.mark.parametrize("change", [lambda s: s.replace("\n", "\r\n"), lambda s: "\ufeff" + s, str.rstrip])
def test_all_line_ends_give_the_same_documents(tmp_path, change):
    assert read(tmp_path, change(ABSTRACTS), change(ANNOTATIONS)) == READ


def test_documents_without_a_mention_file_are_unannotated(tmp_path):
    assert [example.entities for example in read(tmp_path, ABSTRACTS, None)] == [None, None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("8\tT\t0\t7\tNothing", Reason.WRONG_COLUMNS),
        ("8\tB\t0\t7\tNothing\tTRIVIAL", Reason.WRONG_COLUMNS),
        ("8\tT\t-3\t7\tNothing\tTRIVIAL", Reason.WRONG_COLUMNS),
        ("8\tT\t3\t3\t\tTRIVIAL", Reason.OFFSET_MISMATCH),
        ("8\tT\t5\t9\ting. \tTRIVIAL", Reason.OFFSET_MISMATCH),  # exceeds the title
        ("8\tA\t3\t13\tchemical..\tTRIVIAL", Reason.OFFSET_MISMATCH),
    ],
)
def test_a_broken_mention_rejects_its_document(tmp_path, line, reason):
    good, bad = read(tmp_path, ABSTRACTS, f"{ANNOTATIONS}{line}\n")
    assert good == READ[0]
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("x.annotations.txt:4", reason)


@pytest.mark.parametrize("line", ["9\tTitle alone", "9\ta\tb\tc"])
def test_a_document_has_a_title_and_an_abstract(tmp_path, line):
    one, two, bad = read(tmp_path, f"{ABSTRACTS}{line}\n", ANNOTATIONS)
    assert [one, two] == READ
    assert (bad.place, bad.reason) == ("x.abstracts.txt:3", Reason.WRONG_COLUMNS)


def test_mentions_without_a_document_are_one_bad_record(tmp_path):
    bad, *rest = read(tmp_path, ABSTRACTS, f"9\tT\t0\t1\tx\tTRIVIAL\n{ANNOTATIONS}9\tT\t1\t2\ty\tTRIVIAL\n")
    assert rest == READ
    assert (bad.place, bad.reason) == ("x.annotations.txt:1", Reason.BROKEN_RECORD)
