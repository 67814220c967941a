"""The lines of a file at the place of a record that cannot be read."""

import pytest

from pipelines.stages.reject_lines import AROUND, CHARS, LONG, with_lines
from schemas.errors import Reason, Reject
from transforms.files import File


@pytest.fixture
def record(tmp_path):
    """A function: content of a file and place in it → the `record` of a reject there."""

    def record(content: str | bytes, place: str) -> str:
        path = tmp_path / "notes.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        reject = Reject("ingest", "a", "train", "", place, Reason.BROKEN_RECORD, "broken")
        other = Reject("ingest", "a", "train", "", "other.txt:1", Reason.BROKEN_RECORD, "broken")
        shown = with_lines([other, reject], [File(str(path), "notes.txt")])
        assert [each.place for each in shown] == ["other.txt:1", place] and shown[0].record == ""
        return shown[1].record

    return record


COLUMNS = "".join(f"word{n} O\n" for n in range(1, 10))


def test_short_lines_are_shown_with_those_around_them(record):
    lines = record(COLUMNS, "notes.txt:5").split("\n")
    assert lines == ["  3  word3 O", "  4  word4 O", "> 5  word5 O", "  6  word6 O", "  7  word7 O"]
    assert len(lines) == 2 * AROUND + 1
    assert record(COLUMNS, "notes.txt:1").startswith("> 1  word1 O\n  2  ")


def test_a_long_line_is_a_record_of_its_own(record):
    row = '{"text": "' + "x" * LONG + '"'
    assert record(f"{row}\n{row}y\n{row}", "notes.txt:2") == f"{row}y"
    assert len(record("z" * 3 * CHARS, "notes.txt:1")) == CHARS


def test_the_line_of_a_whole_array_is_not_shown(record):
    assert record("[" + '{"a": 1}, ' * CHARS, "notes.txt:1") == ""


@pytest.mark.parametrize("place", ["notes.txt", "notes.txt:0", "notes.txt:99", "notes.txt:x", "notes.txt:²"])
def test_a_place_without_such_a_line_has_no_record(record, place):
    assert record(COLUMNS, place) == ""


def test_binary_lines_are_not_shown(record):
    assert record(b"\x00\x01\x02 zipped\n", "notes.txt:1") == ""


def test_bytes_that_are_not_utf_8_can_be_written(record):
    assert "caf\udce9" in record(b"caf\xe9\n", "notes.txt:1")  # which `schemas.errors.writable` escapes
