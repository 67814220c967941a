"""The readers of tables: columns, places, quotes, rows with a wrong number of cells."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from transforms.files import File
from transforms.formats.delimited import csv_rows, tab_rows


@pytest.fixture
def file(tmp_path):
    def write(content: str) -> File:
        (tmp_path / "a.tsv").write_text(content, newline="")
        return File(str(tmp_path / "a.tsv"), "a.tsv")

    return write


def test_tab_rows_are_split_only_at_tabs(file):
    got = list(tab_rows([file('\ufeffone "two\t 3,4 \r\n \t \r\n\t\nx\ty')], 2))
    assert got == [("a.tsv:1", ['one "two', " 3,4 "]), ("a.tsv:4", ["x", "y"])]


@pytest.mark.parametrize("line", ["x", "x\ty\tz", "x y"])
def test_only_a_row_with_a_different_length_is_lost(file, line):
    good, bad, last = tab_rows([file(f"a\tb\n{line}\nc\td\n")], 2)
    assert good[1] == ["a", "b"] and last == ("a.tsv:3", ["c", "d"])
    assert isinstance(bad, BadRecord) and (bad.place, bad.reason) == ("a.tsv:2", Reason.WRONG_COLUMNS)


def test_csv_rows_have_named_columns_and_their_first_line(file):
    content = 'id,text,label\r\n1,"a ""b"",\r\nc",X\r\n\r\n2,d,Y\r\n'
    got = list(csv_rows([file(content)], ("label", "text")))
    assert got == [("a.tsv:2", ["X", 'a "b",\nc']), ("a.tsv:5", ["Y", "d"])]


def test_csv_rows_with_a_different_length_are_lost(file):
    good, short, last = csv_rows([file("text,label\na,X\nb\nc,Y")], ("text", "label"))
    assert good == ("a.tsv:2", ["a", "X"]) and last == ("a.tsv:4", ["c", "Y"])
    assert (short.place, short.reason) == ("a.tsv:3", Reason.WRONG_COLUMNS)


def test_an_unclosed_quote_is_one_bad_record(file):
    good, bad = csv_rows([file('text,label\na,X\n"b,Y\nc,Z\n')], ("text", "label"))
    assert good == ("a.tsv:2", ["a", "X"])
    assert (bad.place, bad.reason) == ("a.tsv:3", Reason.WRONG_COLUMNS)


@pytest.mark.parametrize("cell", ["b\rb", "b" * 140_000])
def test_an_error_in_the_csv_module_is_one_bad_record(file, cell):
    good, bad, last = csv_rows([file(f"text,label\na,X\n{cell},Y\nc,Z\n")], ("text", "label"))
    assert (good, last) == (("a.tsv:2", ["a", "X"]), ("a.tsv:4", ["c", "Z"]))
    assert (bad.place, bad.reason) == ("a.tsv:3", Reason.WRONG_COLUMNS)
    (bad,) = csv_rows([file(f"text,{cell}\na,X\n")], ("text",))
    assert (bad.place, bad.reason) == ("a.tsv:1", Reason.WRONG_COLUMNS)


@pytest.mark.parametrize("content", ["", "text;label\na;X\n"])
def test_a_header_without_a_column_is_one_bad_record(file, content):
    (bad,) = csv_rows([file(content)], ("text", "label"))
    assert (bad.place, bad.reason) == ("a.tsv:1", Reason.WRONG_COLUMNS)


CELL = st.text('aé"\n, ', max_size=4)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=4))
def test_csv_rows_are_read_back(tmp_path_factory, rows):
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(buffer.getvalue(), newline="")
    got = [columns for _, columns in csv_rows([File(str(path), "a.csv")], ("c", "a"))]
    assert got == [[c, a] for a, _, c in rows]
