"""The reader of tagged sentences with a label code: direction by tag, blanks in tags, rows without a label."""

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.tagged_rows import read

GOOD = "<e1>甲公司</e1>的总裁<e2>乙</e2>\tcr28\n"


@pytest.fixture
def read_text(tmp_path):
    def read_all(content: str | bytes) -> list[RawExample | BadRecord]:
        (tmp_path / "a").write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read([File(str(tmp_path / "a"), "a")]))

    return read_all


def test_e1_is_the_head_in_any_order(read_text):
    got = read_text("\ufeff<e2>𠮷日</e2>生于<e1> A B </e1> 的\tcr2\r\n \r\n" + GOOD.strip())
    assert got == [
        RawExample(
            "a:1",
            "𠮷日生于 A B  的",
            relations=(Relation("cr2", Mention("A B", ((5, 8),)), Mention("𠮷日", ((0, 2),))),),
        ),
        RawExample(
            "a:3",
            "甲公司的总裁乙",
            relations=(Relation("cr28", Mention("甲公司", ((0, 3),)), Mention("乙", ((6, 7),))),),
        ),
    ]


def test_numbered_rows_are_not_annotated(read_text):
    got = read_text("0001\t<e2>乙</e2>和<e1>甲</e1>\n0002\t甲和乙\n")
    assert got == [RawExample("a:1", "乙和甲"), RawExample("a:2", "甲和乙")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("<e1>甲</e1>和乙\tcr28", Reason.BROKEN_RECORD),
        ("<e1>甲</e1>和<e2>乙\tcr28", Reason.BROKEN_RECORD),
        ("<e1>甲</e1>和<e1>乙</e1>\tcr28", Reason.BROKEN_RECORD),
        ("甲和乙\tcr28", Reason.BROKEN_RECORD),
        ("0003\t<e1>甲</e1>和<e2", Reason.BROKEN_RECORD),
        ("<e1>甲</e1>和<e2>乙</e2>", Reason.WRONG_COLUMNS),
        ("<e1>甲</e1>\t和<e2>乙</e2>\tcr28", Reason.WRONG_COLUMNS),
    ],
)
def test_only_a_broken_row_is_lost(read_text, line, reason):
    good, bad, last = read_text(f"{GOOD}{line}\n{GOOD}")
    assert good.text == last.text == "甲公司的总裁乙"
    assert (bad.place, bad.reason) == ("a:2", reason)


def test_gbk_bytes_are_kept_as_surrogates(read_text):
    (example,) = read_text(GOOD.encode("gbk"))
    assert any("\ud800" <= character <= "\udfff" for character in example.text)
