"""JSON rows: both layouts give the same rows, and other content is a bad record with the reason."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.json_rows import contains, read


class Row(msgspec.Struct):
    text: str


def read_bytes(folder, data: bytes | str) -> list:
    path = folder / "a.json"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read([File(str(path), "a.json")], lambda place, row: RawExample(place, row.text), Row))


def outcome(records) -> list:
    return [record.reason if isinstance(record, BadRecord) else record.text for record in records]


LAYOUTS = {
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "lines with blank ones": lambda rows: "\n \n" + "\r\n\n".join(map(json.dumps, rows)) + "\n\n",
    "array on one line": json.dumps,
    "array, one element a line": lambda rows: "[" + ",\n".join(map(json.dumps, rows)) + "]\n",
    "array with its brackets alone": lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
    "indented": lambda rows: json.dumps(rows, indent=2),
    "indented, CRLF": lambda rows: json.dumps(rows, indent="\t").replace("\n", "\r\n"),
}
objects = st.fixed_dictionaries({"text": st.text(max_size=5)}, optional={"[": st.text(), "{": st.lists(st.none())})


@pytest.mark.parametrize("layout", LAYOUTS)
@given(rows=st.lists(objects, max_size=4), mark=st.booleans())
def test_each_layout_gives_the_same_rows(tmp_path_factory, layout, rows, mark):
    data = ("\ufeff" if mark else "") + LAYOUTS[layout](rows)
    assert outcome(read_bytes(tmp_path_factory.getbasetemp(), data)) == [row["text"] for row in rows]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_single_object_is_one_row(tmp_path, indent):
    assert outcome(read_bytes(tmp_path, json.dumps({"id": {"n": [1]}, "text": "a"}, indent=indent))) == ["a"]


DEEP = '{"text": "x", "y": ' + "[" * 9000 + "]" * 9000 + "}"
A, B = '{"text": "a"}', '{"text": "b"}'
BROKEN, MISSING = Reason.BROKEN_JSON, Reason.MISSING_FIELD


@pytest.mark.parametrize(
    ("lines", "records"),
    [
        ([DEEP, A, B], [BROKEN, "a", "b"]),
        ([A, DEEP, B], ["a", BROKEN, "b"]),
        (["[" * 9000, A, B], [BROKEN, "a", "b"]),  # deep nesting on the first line
        (['{"text": "x', A, B], [BROKEN, "a", "b"]),
        (["{", A], [BROKEN, "a"]),
        (["[]", A], [MISSING, "a"]),
        (["[1]", A], [MISSING, "a"]),
        (['{"text": "x", "n": ' + "7" * 5000 + "}", A], ["x", "a"]),  # an unused field is not converted
        (["7" * 5000, A], [BROKEN, "a"]),
        (['{"words": "x"}', A], [MISSING, "a"]),
        (['{"text": "\\udce9"}', A], [BROKEN, "a"]),
        (["{", '"data": [', A, "]", "}"], [MISSING]),  # an object around the rows is one bad record
        (['{"version": 2,', '"data": [', A, "]}"], [MISSING]),
        (["[", "1,", "2", "]"], [MISSING, MISSING]),
        (['["x",', '"y"]'], [MISSING, MISSING]),
        (["[", A, B], ["a", "b", BROKEN]),  # lines after an unclosed bracket
        (["[", A + ",", DEEP + ",", B, "]"], ["a", BROKEN, "b"]),
        (["text,label", "a,b"], [BROKEN, BROKEN]),
    ],
)
def test_only_a_bad_line_is_lost(tmp_path, lines, records):
    got = read_bytes(tmp_path, "\n".join(lines))
    assert outcome(got) == records
    assert all(len(record.detail) < 200 for record in got if isinstance(record, BadRecord))


def test_a_file_in_another_format_is_one_bad_record(tmp_path):
    [bad] = read_bytes(tmp_path, json.dumps({"data": [{"text": "a"}, {"text": "b"}]}, indent=2))
    assert "missing required field `text`" in bad.detail


def test_utf16_is_read_and_latin1_refused(tmp_path):
    assert outcome(read_bytes(tmp_path, f"{A}\r\n{B}\r\n".encode("utf-16"))) == ["a", "b"]
    assert outcome(read_bytes(tmp_path, b'{"text": "caf\xe9"}\n{"caf\xe9": 1, "text": "b"}\n' + A.encode())) == [
        Reason.NOT_UTF8,
        "b",
        "a",
    ]


@pytest.mark.parametrize("before", [0, (1 << 20) - 5, 1 << 20])
def test_a_pattern_is_found_across_pieces(tmp_path, before):
    (tmp_path / "a.json").write_text("x" * before + '"type": "relation"' + "x")
    files = [File(str(tmp_path / "a.json"), "a.json")]
    assert contains(files, re.compile(r'"type"\s*:\s*"relation"'))
    assert not contains(files, re.compile(r'"type"\s*:\s*"choices"'))
