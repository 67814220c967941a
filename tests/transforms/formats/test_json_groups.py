"""The reader of an object of arrays: places, malformed rows, broken files, rows left out."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats import json_groups


class Row(msgspec.Struct):
    text: str


def to_example(place: str, group: str, row: Row) -> RawExample | None:
    return None if group == "skip" else RawExample(place, f"{group}/{row.text}")


@pytest.fixture
def read_text(tmp_path):
    def read_all(content: str | bytes) -> list[RawExample | BadRecord]:
        (tmp_path / "a.json").write_bytes(content.encode() if isinstance(content, str) else content)
        return list(json_groups.read([File(str(tmp_path / "a.json"), "a.json")], to_example, Row))

    return read_all


def test_rows_in_all_groups_have_their_lines(read_text):
    got = read_text(
        '\ufeff{"A": [{"text": "one"},\r\n{"text": "two"}],\r\n "B": [], "skip": [{"text": "x"}],"C":[{"text":"𝒳"}]}'
    )
    assert got == [RawExample("a.json:1", "A/one"), RawExample("a.json:2", "A/two"), RawExample("a.json:3", "C/𝒳")]


def test_only_a_malformed_row_is_lost(read_text):
    first, bad, last = read_text('{"A": [{"text": "one"}, {"words": 1}, {"text": "two"}]}')
    assert (first.text, last.text) == ("A/one", "A/two")
    assert (bad.place, bad.reason) == ("a.json:1", Reason.MISSING_FIELD)
    assert bad.detail.startswith("row 1 of A: ")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"A": [{"text": "one"},\n{"text": "tw', 2),
        ('{"A": [{"text": "one"}\n', 2),
        ('{"A": [{"text": "one"}],\n"B" 5}', 2),
        ('{"A": [{"text": "one"}],\n"B": {"text": "two"}}', 2),
        ('{"A": [{"text": "one"}], nonsense}', 1),
        ('{"A": [{"text": "one"}], ["B"]: []}', 1),
        ('{"A": [{"text": "one"}]}\n{}', 2),
    ],
)
def test_the_rest_after_broken_json_is_one_bad_record(read_text, content, line):
    good, bad = read_text(content)
    assert good.text == "A/one"
    assert (bad.place, bad.reason) == (f"a.json:{line}", Reason.BROKEN_JSON)


@pytest.mark.parametrize("content", ["[]", "x", '"A"'])
def test_a_file_without_an_object_is_one_bad_record(read_text, content):
    (bad,) = read_text(content)
    assert (bad.place, bad.reason) == ("a.json:1", Reason.BROKEN_JSON)


def test_invalid_utf_8_stays_in_its_row(read_text):
    one, two = read_text(b'{"A": [{"text": "caf\xe9"}, {"text": "two"}]}')
    assert one.text == "A/caf\udce9" and two.text == "A/two"


@given(st.dictionaries(st.text(max_size=4), st.lists(st.text(max_size=5), max_size=3)), st.sampled_from([None, 1]))
def test_random_rows_are_read_back(groups, indent):
    content = json.dumps({group: [{"text": text} for text in texts] for group, texts in groups.items()}, indent=indent)
    got = [(group, number, row["text"]) for _, group, number, row in json_groups.rows(content)]
    assert got == [(group, number, text) for group, texts in groups.items() for number, text in enumerate(texts)]


DEEP = "[" * 9000 + "]" * 9000


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'{"text": "x", "y": %s}' % DEEP.encode(), Reason.BROKEN_JSON),
        (b'{"text": "x", "y": %s}' % (b"7" * 5000), Reason.BROKEN_JSON),
        (b'{"text": "x", "caf\xe9": 1}', Reason.NOT_UTF8),
    ],
)
def test_only_a_row_that_fails_to_convert_is_lost(read_text, row, reason):
    first, bad, last = read_text(b'{"\xe9": [{"text": "one"},\n' + row + b',\n{"text": "two"}]}')
    assert (first.text, last.text) == ("\udce9/one", "\udce9/two")
    assert (bad.place, bad.reason) == ("a.json:2", reason)
    assert bad.detail.startswith(r"row 1 of \xe9: ")
