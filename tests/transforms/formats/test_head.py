"""Tests for the beginning of a file."""

import pytest

from transforms.files import File
from transforms.formats.head import LINES, ROWS, Head


def head(tmp_path, content: bytes, name: str = "a.JSON") -> Head:
    (tmp_path / name).write_bytes(content)
    return Head(File(str(tmp_path / name), f"folder.x/{name}"))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b'[{"a": 1}, 2]', [{"a": 1}, 2]),
        (b'{"a": 1}\n{"b": 2}\n', [{"a": 1}, {"b": 2}]),
        (b'\n{\n "a": 1\n}', [{"a": 1}]),
        (b"a\tB\n", []),
        (b"", []),
        (b"\x89PNG\r\n\x1a\n\0", []),
        (b'["not", "closed"', ["not", "closed"]),
    ],
)
def test_rows(tmp_path, content, rows):
    assert head(tmp_path, content).rows == rows


def test_a_long_file_is_not_read_to_its_end(tmp_path):
    long = head(tmp_path, b'{"a": 1}\n' * 10_000)
    assert len(long.lines) == LINES
    assert len(long.rows) == ROWS


def test_suffix(tmp_path):
    assert head(tmp_path, b"").suffix == ".json"
    assert head(tmp_path, b"", "README").suffix == ""
