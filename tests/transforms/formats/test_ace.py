"""The ACE reader: the origin of offsets, the length of entity references, and the effect of broken files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample
from transforms.files import File
from transforms.formats import ace
from transforms.formats.ace import Link, Marked, plain_text

SGM = """<DOC>
<DOCID> D1 </DOCID>
<DATETIME> 2003-05-01 </DATETIME>
<BODY>
<TEXT>
<TURN>
<SPEAKER> ANN </SPEAKER>
The Reed &amp; Son
mill hired Bo 🎷 Lind.

Gone.
</TURN>
</TEXT>
</BODY>
</DOC>
"""
# Without tags: "\n D1 \n 2003-05-01 \n\n\n\n ANN \nThe Reed &amp; Son\nmill hired Bo 🎷 Lind.\n\nGone.\n..."
BODY = "ANN \nThe Reed & Son mill hired Bo 🎷 Lind.\n\nGone."
PLAIN = re.sub("<.*?>", "", SGM, flags=re.S)


def charseq(string: str, written: str | None = None, shift: int = 0) -> str:
    """The charseq of a string in the body; `written` is its form in the text file."""
    start = PLAIN.index(written or string) + shift
    end = start + len(written or string) - 1
    return f'<charseq START="{start}" END="{end}">{string.replace("&", "&amp;")}</charseq>'


def entity(identifier: str, kind: str, extent: str, head: str) -> str:
    return (
        f'<entity ID="{identifier}" TYPE="{kind}" SUBTYPE="x"><entity_mention ID="{identifier}-1" TYPE="NAM">'
        f"<extent>{extent}</extent><head>{head}</head></entity_mention></entity>"
    )


MILL = entity(
    "E1", "ORG", charseq("The Reed & Son mill", "The Reed &amp; Son\nmill"), charseq("Reed & Son", "Reed &amp; Son")
)
BO = entity("E2", "PER", charseq("Bo 🎷 Lind"), charseq("Bo 🎷 Lind"))
DATE = (
    '<timex2 ID="T1" VAL="2003-05-01"><timex2_mention ID="T1-1"><extent>'
    + charseq("2003-05-01")
    + "</extent></timex2_mention></timex2>"
)


def argument(tag: str, role: str, reference: str) -> str:
    return f'<{tag} REFID="{reference}" ROLE="{role}"><extent>{charseq("Bo 🎷 Lind")}</extent></{tag}>'


HIRED = (
    '<event ID="V1" TYPE="Personnel" SUBTYPE="Start-Position"><event_mention ID="V1-1">'
    + f"<extent>{charseq('hired')}</extent><anchor>{charseq('hired')}</anchor>"
    + argument("event_mention_argument", "Person", "E2-1")
    + argument("event_mention_argument", "Entity", "E1-1")
    + "</event_mention></event>"
)
WORKS = (
    '<relation ID="R1" TYPE="ORG-AFF" SUBTYPE="Employment"><relation_mention ID="R1-1">'
    + argument("relation_mention_argument", "Arg-1", "E2-1")
    + argument("relation_mention_argument", "Arg-2", "E1-1")
    + "</relation_mention></relation>"
)


def apf(*parts: str) -> str:
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE source_file SYSTEM "apf.v5.1.1.dtd">\n'
        '<source_file URI="D1.sgm" ENCODING="UTF-8"><document DOCID="D1">\n'
        + "\n".join(parts)
        + "\n</document></source_file>\n"
    )


@pytest.fixture
def read_pair(tmp_path):
    def read(annotation: str | bytes | None, text: str | bytes | None = SGM):
        """The document of the pair of files, or its BadRecord."""
        files = []
        for name, content in (("d/D1.apf.xml", annotation), ("d/D1.sgm", text)):
            if content is not None:
                (tmp_path / "d").mkdir(exist_ok=True)
                (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
                files.append(File(str(tmp_path / name), name))
        seen = []

        def keep(place, document):
            seen.append(document)
            return RawExample(place, document.text)

        (record,) = ace.read(files, keep)
        return seen[0] if seen else record

    return read


def spot(document, mention: Mention) -> str:
    ((start, end),) = mention.spans
    return document.text[start:end]


def test_a_document_is_its_body_with_wrapped_lines_joined(read_pair):
    document = read_pair(apf(MILL, BO, DATE, HIRED, WORKS))
    assert document.text == BODY
    assert document.mentions == {
        "E1-1": Marked("ORG", Mention("The Reed & Son mill", ((5, 24),)), Mention("Reed & Son", ((9, 19),))),
        "E2-1": Marked("PER", Mention("Bo 🎷 Lind", ((31, 40),)), Mention("Bo 🎷 Lind", ((31, 40),))),
    }
    assert document.events == (
        Link("Personnel.Start-Position", (("Person", "E2-1"), ("Entity", "E1-1")), Mention("hired", ((25, 30),))),
    )
    assert document.relations == (Link("ORG-AFF.Employment", (("Arg-1", "E2-1"), ("Arg-2", "E1-1"))),)


def test_offsets_may_count_an_entity_reference_as_one_character(read_pair):
    late = entity("E2", "PER", charseq("Bo 🎷 Lind", shift=-4), charseq("Lind", shift=-4))
    mill = entity("E1", "ORG", charseq("The Reed & Son mill", "The Reed &amp; Son"), charseq("Reed", "Reed"))
    document = read_pair(apf(late, mill))
    assert document.mentions["E2-1"].extent == Mention("Bo 🎷 Lind", ((31, 40),))
    assert document.mentions["E2-1"].head == Mention("Lind", ((36, 40),))


def test_crlf_line_ends_give_the_same_document(read_pair):
    assert read_pair(apf(MILL, BO), SGM.replace("\n", "\r\n")) == read_pair(apf(MILL, BO))


def test_a_time_argument_outside_the_body_extends_the_text(read_pair):
    within = argument("event_mention_argument", "Time-Within", "T1-1")
    hired = HIRED.replace("</event_mention>", within + "</event_mention>")
    document = read_pair(apf(MILL, BO, DATE, hired))
    assert document.text.startswith("2003-05-01 \n")
    assert spot(document, document.mentions["T1-1"].extent) == "2003-05-01"
    assert document.mentions["T1-1"].head is None
    assert spot(document, document.events[0].trigger) == "hired"


def test_a_wrong_offset_is_kept_for_the_repair(read_pair):
    moved = entity("E2", "PER", charseq("Bo 🎷 Lind", shift=2), charseq("Bo 🎷 Lind"))
    assert read_pair(apf(moved)).mentions["E2-1"].extent == Mention("Bo 🎷 Lind", ((33, 42),))


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (apf(BO.replace('END="', 'END="9')), Reason.OFFSET_MISMATCH),
        (apf(BO.replace('START="', 'START="-')), Reason.OFFSET_MISMATCH),
        (apf(re.sub('START="[0-9]+"', 'START="999"', BO)), Reason.OFFSET_MISMATCH),
        (apf(BO.replace('TYPE="PER"', "")), Reason.MISSING_FIELD),
        (apf(re.sub("<head>.*</head>", "", BO)), Reason.MISSING_FIELD),
        (apf(BO.replace('START="', 'BEGIN="')), Reason.MISSING_FIELD),
        (apf(MILL, BO, HIRED.replace('<anchor><charseq START="', '<anchor><charseq START="9')), Reason.OFFSET_MISMATCH),
        (apf(MILL, BO)[:-30], Reason.BROKEN_RECORD),
        (apf(MILL, BO).encode("gb18030"), Reason.NOT_UTF8),
        (b"", Reason.BROKEN_RECORD),
        (None, Reason.MISSING_FIELD),
    ],
)
def test_broken_annotations_reject_their_document(read_pair, annotation, reason):
    bad = read_pair(annotation)
    assert isinstance(bad, BadRecord) and bad.reason == reason
    assert re.fullmatch(r"d/D1\.(apf\.xml|sgm):[0-9]+", bad.place)


def test_truncated_and_missing_texts_have_different_reasons(read_pair):
    assert read_pair(apf(), SGM[: SGM.index("Gone")]).reason == Reason.BROKEN_RECORD
    assert read_pair(apf(MILL), None).reason == Reason.MISSING_FIELD


def test_the_line_of_the_first_broken_element_is_reported(read_pair):
    bad = read_pair(apf(MILL, BO.replace('TYPE="PER"', "")))
    assert bad.place == "d/D1.apf.xml:5" and "TYPE" in bad.detail


@given(st.text("ab \n<>&;", max_size=30))
def test_every_character_outside_tags_has_an_offset(text):
    plain, moved, _ = plain_text(text)
    assert len(moved) == len(re.sub("<.*?>", "", text, flags=re.S)) + 1
    assert moved == sorted(moved) and (moved[0], moved[-1]) == (0, len(plain))


@given(st.lists(st.sampled_from(["a", " ", "\n", "&amp;", "&lt;", "&#233;", "&x", "<B>", "é"]), max_size=12))
def test_entity_references_shift_later_offsets(pieces):
    plain, moved, _ = plain_text("".join(pieces))
    characters = {"&amp;": "&", "&lt;": "<", "&#233;": "é", "<B>": ""}
    expected = "".join(characters.get(piece, piece) for piece in pieces)
    assert plain.replace("\n", " ") == expected.replace("\n", " ")
    written = 0
    for piece in pieces:
        if piece != "<B>":
            assert plain[moved[written] : moved[written + len(piece)]].replace("\n", " ") in (
                characters.get(piece, piece),
                " ",
            )
            written += len(piece)


def test_a_reference_with_too_many_digits_is_kept_as_text():
    """Python converts at most 4,300 digits."""
    huge = f"&#{'7' * 5000};"
    assert plain_text(f"a{huge}b")[0] == f"a{huge}b"
    assert ace._plain(f"{huge}&#65;") == f"{huge}A"
