"""Plain text to predict on."""

import pytest

from schemas.example import RawExample
from tests.tool_files import head_of, read_tool_file
from transforms.formats.plain_text import read, read_lines, recognises, recognises_lines

TEXT = "Ada met Bo.\r\n\r\nThey left.\n"


def test_file_and_lines(tmp_path):
    assert read_tool_file(read, tmp_path, TEXT, "a.txt") == [
        RawExample("a.txt:1", "Ada met Bo.\n\nThey left.", document="a", item="a")
    ]
    assert read_tool_file(read_lines, tmp_path, TEXT, "a.txt") == [
        RawExample("a.txt:1", "Ada met Bo."),
        RawExample("a.txt:3", "They left."),
    ]
    assert read_tool_file(read_lines, tmp_path, "", "a.txt") == []


def test_encodings(tmp_path):
    assert read_tool_file(read, tmp_path, "Ådä".encode("utf-16"), "a.txt")[0].text == "Ådä"
    (example,) = read_tool_file(read, tmp_path, "Ådä".encode("latin-1"), "a.txt")
    assert example.text == "\udcc5d\udce4"  # `transforms.normalize` rejects it


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [("a.txt", TEXT, True), ("a.txt", "", False), ("a.txt", "a\0b", False), ("b/README.txt", TEXT, False)],
)
def test_recognition(tmp_path, name, content, expected):
    (tmp_path / "b").mkdir()
    head = head_of(tmp_path, content, name)
    assert (recognises(head), recognises_lines(head)) == (expected, False)
