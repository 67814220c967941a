from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import texts
from transforms.decontaminate import Leak, leakage_key, leaks


def test_a_tokenised_copy_has_the_same_key():
    assert leakage_key("Cells (2.5%) grew, in vitro.") == leakage_key("cells ( 2.5 % ) grew ,\nin vitro .")
    assert leakage_key("ＡＢＣ公司，成立") == leakage_key("abc 公司,成立")
    assert leakage_key("Straße") == leakage_key("STRASSE")
    assert leakage_key("cells grew") != leakage_key("cell grew")
    assert len(leakage_key("")) == 16


@given(texts())
def test_blanks_and_case_are_ignored(text):
    assert leakage_key(" ".join(text.split())) == leakage_key(text)
    assert leakage_key(text.casefold()) == leakage_key(text)


@given(st.text(st.characters(max_codepoint=127)) | st.text())
def test_ascii_texts_are_normalised_like_any_other(text):
    assert leakage_key(text) == leakage_key(text + "\u3000")


def test_rows_leak_into_test_splits_with_the_same_text():
    tests = [("b", "test", 3), ("a", "test", 7), ("b", "test", 4)]
    assert leaks([("c", "train", 9), *tests, ("a", "train", 1), ("b", "validation", 0)]) == [
        Leak("a", "train", 1, ("a", "b")),
        Leak("b", "validation", 0, ("a", "b")),
        Leak("c", "train", 9, ("a", "b")),
    ]


def test_nothing_leaks_without_a_copy_in_a_test_split():
    assert leaks([("a", "train", 1), ("b", "validation", 1)]) == []
    assert leaks([("a", "test", 1), ("b", "test", 1)]) == []


@given(st.permutations([("a", "train", 2), ("a", "train", 1), ("b", "test", 0), ("a", "validation", 1)]))
def test_row_order_does_not_change_the_leaks(rows):
    leaking = [("a", "train", 1), ("a", "train", 2), ("a", "validation", 1)]
    assert leaks(rows) == [Leak(*row, ("b",)) for row in leaking]
