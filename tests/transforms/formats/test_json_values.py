"""JSON files: one object or an array of objects, and the effect of broken parts."""

import json
import tracemalloc
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import RawExample
from transforms.files import File
from transforms.formats.json_values import TAIL, read_file, values


class Row(msgspec.Struct):
    text: str


@pytest.fixture
def read_bytes(tmp_path):
    def read_all(data: bytes | str):
        path = tmp_path / "a.json"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return list(read_file(File(str(path), "a.json"), lambda place, row: RawExample(place, row.text), Row))

    return read_all


def test_array_elements_have_their_first_line(read_bytes):
    assert read_bytes('\n[ {"text": "a"},\n {"text":\n "b"}\n, {"text": "c"} ]\n') == [
        RawExample("a.json:2", "a"),
        RawExample("a.json:3", "b"),
        RawExample("a.json:5", "c"),
    ]


def test_one_object_with_a_byte_order_mark_and_blank_lines(read_bytes):
    assert read_bytes(b'\xef\xbb\xbf\r\n \r\n{"text": "a"}\r\n \r\n') == [RawExample("a.json:3", "a")]


def test_an_empty_array_has_no_records(read_bytes):
    assert read_bytes(" [ ] ") == []


@pytest.mark.parametrize(
    ("data", "kept", "line"),
    [
        ("", 0, 1),
        ('{"text": "a"', 0, 1),
        ('{"text": "a"}\nnonsense', 1, 2),
        ('[{"text": "a"}, {"text": "b"\n', 1, 2),
        ('[{"text": "a"}', 1, 1),  # truncated between two elements
        ('[{"text": "a"}, nonsense, {"word": "b"}]', 1, 1),
        ('[{"text": "a"}]\n{"text": "b"}', 1, 2),  # something follows the array
    ],
)
def test_elements_before_broken_json_are_kept(read_bytes, data, kept, line):
    *examples, bad = read_bytes(data)
    assert len(examples) == kept
    assert (bad.place, bad.reason) == (f"a.json:{line}", Reason.BROKEN_JSON)


@pytest.mark.parametrize("layout", ["lines", "one line", "indented", "objects one after another"])
@pytest.mark.parametrize(
    "broken", ['{"text": "x", "y": @@@}', '{"text": "x", "y": [{"text": 1]}', "nonsense", '{"text": "x"']
)
def test_only_a_broken_element_is_lost(read_bytes, layout, broken):
    rows = [
        json.dumps({"text": f"t{n}", "y": [{"z": n}]}, indent=1 if layout == "indented" else None) for n in range(9)
    ]
    rows[4] = broken
    if layout == "indented":
        text = "[\n " + ",\n ".join(row.replace("\n", "\n ") for row in rows) + "\n]"
    elif layout == "objects one after another":
        text = "\n".join(rows)
    else:
        text = f"[{(', ' if layout == 'one line' else ',' + chr(10)).join(rows)}]"
    records = read_bytes(text)
    texts = [record.text for record in records if isinstance(record, RawExample)]
    assert texts == [f"t{n}" for n in range(9) if n != 4]
    assert [record.reason for record in records if isinstance(record, BadRecord)] == [Reason.BROKEN_JSON]


def test_only_a_malformed_object_is_lost(read_bytes):
    first, second, third = read_bytes('[{"text": "a"},\n{"words": "b"},\n{"text": "c"}]')
    assert (first.text, third.text) == ("a", "c")
    assert isinstance(second, BadRecord) and second.reason == Reason.MISSING_FIELD and second.place == "a.json:2"
    assert "text" in second.detail


HUGE = "7" * 5000


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ('{"text": "x", "y": ' + "[" * 9000 + "]" * 9000 + "}", Reason.BROKEN_JSON),
        ('{"y": ' + '{"[":' * 9000 + '"\\"]}"' + "}" * 9000 + "}", Reason.BROKEN_JSON),
        ('{"text": "x", "y": ' + HUGE + "}", Reason.BROKEN_JSON),
        (HUGE, Reason.BROKEN_JSON),
        (b'{"text": "x", "caf\xe9": 1}', Reason.NOT_UTF8),
        ("7", Reason.MISSING_FIELD),
    ],
)
def test_only_an_element_that_fails_to_convert_is_lost(read_bytes, element, reason):
    element = element if isinstance(element, bytes) else element.encode()
    first, bad, last = read_bytes(b'[{"text": "a"},\n' + element + b',\n{"text": "b"}]')
    assert (first, last) == (RawExample("a.json:1", "a"), RawExample("a.json:3", "b"))
    assert (bad.place, bad.reason) == ("a.json:2", reason)
    assert bad.detail.isprintable() and len(bad.detail) < 200


def test_invalid_utf_8_stays_in_its_string(read_bytes):
    assert [record.text for record in read_bytes(b'[{"text": "caf\xe9"}, {"text": "b"}]')] == ["caf\udce9", "b"]


objects = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(), max_size=3)


@given(st.lists(objects), st.sampled_from([None, 1]))
def test_random_arrays_are_read_back(rows, indent):
    assert [value for _, value in values([json.dumps(rows, indent=indent)])] == rows


@given(st.lists(objects, min_size=1), st.data())
def test_a_truncated_array_gives_a_prefix(rows, data):
    text = json.dumps(rows)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    kept = []
    with pytest.raises(json.JSONDecodeError):
        for _, value in values([cut]):
            kept.append(value)
    assert kept == rows[: len(kept)]


def outcome(pieces) -> list:
    """(line, value) of each element, then the line and the message of the error, if there is one."""
    result = []
    try:
        result.extend(values(pieces))
    except json.JSONDecodeError as error:
        result.append((error.lineno, error.msg))
    return result


PARTS = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"t"',
        '"',
        "\n",
        "  ",
        "12",
        "1.5e3",
        "true",
        "\\ud83d",
        "é",
        '{"t": 1}',
        ',\n{"t": [{"t": 2}]}',
    ]
)


@given(st.lists(PARTS), st.booleans(), st.integers(1, 9))
def test_the_pieces_in_which_a_text_is_read_do_not_matter(parts, in_array, size):
    text = "".join(["[" * in_array, '\n{"t": 0}', *parts, "]" * in_array])
    assert outcome([text[at : at + size] for at in range(0, len(text), size)]) == outcome([text])


def test_recovery_across_pieces():
    key = '"a": 1'
    text = f"[{{{key}}},\n{{{key}, @@@" + "x" * 3 * TAIL + f"}},\n{{{key}}}]"
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    assert outcome(pieces) == outcome([text])
    assert [line for line, _ in outcome(pieces)] == [1, 2, 3]


def test_memory_is_bounded_by_the_longest_element(tmp_path):
    rows = ['{"text": "x", "y": @@@}', json.dumps({"text": "b" * 200_000})] * 80  # 16 MB, in one line
    (tmp_path / "a.json").write_text(f"[{', '.join(rows)}]")
    file = File(str(tmp_path / "a.json"), "a.json")
    tracemalloc.start()
    records = Counter(
        record if isinstance(record, int) else record.reason
        for record in read_file(file, lambda place, row: len(row.text), Row)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert records == {200_000: 80, Reason.BROKEN_JSON: 80}
    assert peak < 12 << 20
