"""The GENETAG reader on two small files, and its offsets on spans of random sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, surface
from transforms.files import File
from transforms.formats import genetag
from transforms.normalize import normalize


def read(tmp_path, sentences: str | bytes, mentions: str | bytes | None):
    files = []
    for name, content in (("x.in", sentences), ("GENE.eval", mentions)):
        if content is not None:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
            files.append(File(str(tmp_path / name), f"train/{name}"))
    return list(genetag.read(files, "GENE"))


def gene(string: str, start: int) -> Entity:
    return Entity("GENE", Mention(string, ((start, start + len(string)),)))


SENTENCES = "S1 The p38 kinase  binds A|B .\nS2 No gene.\nS3 RAD1\n"
MENTIONS = "S1|3 11|p38 kinase\nS1|6 11|kinase\nS3|0 3|RAD1\nS1|17 19|A|B\n"
READ = [
    RawExample(
        "train/x.in:1", "The p38 kinase  binds A|B .", (gene("p38 kinase", 4), gene("kinase", 8), gene("A|B", 22))
    ),
    RawExample("train/x.in:2", "No gene.", ()),
    RawExample("train/x.in:3", "RAD1", (gene("RAD1", 0),)),
]


def test_offsets_skip_blanks_and_ends_are_inclusive(tmp_path):
    assert all(surface(e.text, g.mention.spans) == g.mention.text for e in READ for g in e.entities)
    assert read(tmp_path, SENTENCES, MENTIONS) == READ


@pytest.mark.parametrize(
    "change", [lambda s: s.replace("\n", "\r\n"), lambda s: "\ufeff" + s, str.rstrip, lambda s: s + " \n\n"]
)
def test_line_ends_and_blank_lines_give_the_same_sentences(tmp_path, change):
    assert read(tmp_path, change(SENTENCES), change(MENTIONS)) == READ


def test_sentences_without_a_mention_file_are_unannotated(tmp_path):
    assert [example.entities for example in read(tmp_path, SENTENCES, None)] == [None, None, None]
    assert [example.entities for example in read(tmp_path, SENTENCES, "")] == [(), (), ()]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("S2|0 x|No", Reason.WRONG_COLUMNS),
        ("S2|0 1", Reason.WRONG_COLUMNS),
        ("S2|-2 1|No", Reason.WRONG_COLUMNS),
        ("S2|1 0|No", Reason.OFFSET_MISMATCH),
        ("S2|2 7|gene..", Reason.OFFSET_MISMATCH),
        ("S2|2 5|gen", Reason.OFFSET_MISMATCH),  # a truncated line
        ("S2|2 5|", Reason.OFFSET_MISMATCH),
    ],
)
def test_a_broken_mention_rejects_its_sentence(tmp_path, line, reason):
    one, bad, three = read(tmp_path, SENTENCES, f"{line}\n{MENTIONS}")
    assert (one, three) == (READ[0], READ[2])
    assert isinstance(bad, BadRecord)
    assert (bad.place, bad.reason) == ("train/GENE.eval:1", reason)


def test_a_shifted_mention_is_kept_for_the_repair(tmp_path):
    (example,) = read(tmp_path, "S1 of /Tfb9 here\n", "S1|2 6|Tfb9\n")
    repaired = normalize(example, {"GENE": None}, {}, {}, {})
    assert example.entities == (Entity("GENE", Mention("Tfb9", ((3, 8),))),)
    assert repaired.entities == ()


def test_broken_sentences_and_mentions_without_a_sentence(tmp_path):
    records = read(tmp_path, "S1\nS2 \nS3 RAD1\nS3 again\n", "S1|0 1|x\nS3|0 3|RAD1\nS9|0 1|x\n")
    assert [(r.place, r.reason) for r in records if isinstance(r, BadRecord)] == [
        ("train/x.in:1", Reason.WRONG_COLUMNS),
        ("train/x.in:2", Reason.WRONG_COLUMNS),
        ("train/x.in:4", Reason.BROKEN_RECORD),
        ("train/GENE.eval:1", Reason.BROKEN_RECORD),
    ]
    assert "2 such lines" in records[3].detail
    assert records[4].text == "RAD1"


def test_invalid_utf_8_rejects_its_sentence(tmp_path):
    one, two, three = (normalize(r, {"GENE": None}, {}, {}, {}) for r in read(tmp_path, b"S1 a\nS2 b\xe9\nS3 c\n", ""))
    assert (one.text, two.reason, three.text) == ("a", Reason.NOT_UTF8, "c")


@given(st.data(), st.text("aé𝒜 \t药", min_size=1).filter(str.strip))
def test_every_span_in_a_sentence_is_read_back(tmp_path_factory, data, text):
    solid = [index for index, character in enumerate(text) if not character.isspace()]
    first = data.draw(st.integers(0, len(solid) - 1))
    last = data.draw(st.integers(first, len(solid) - 1))
    start, end = solid[first], solid[last] + 1
    string = text[start:end]
    (example,) = read(tmp_path_factory.mktemp("gm"), f"S {text}\n", f"S|{first} {last}|{string}\n")
    assert example == RawExample("train/x.in:1", text, (gene(string, start),))
