"""Ids of any key survive formatting and parsing, one by one and as columns."""

import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.example import SPLITS, TASKS
from schemas.example_id import LIMIT, ExampleId, InstructionId, format_id
from schemas.id_columns import positions, source_keys

NAMES = st.sampled_from(["a", "5", "05", "0", "IE-en", *SPLITS, *TASKS, "", " ", "\n", "中文", "😀", "train\n"])
TRICKY = st.lists(NAMES, min_size=1, max_size=6).map("/".join)
"""Paths whose parts look like other parts of an id, are empty, or contain spaces and line breaks."""

KEYS = (TRICKY | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)).filter(bool)
COUNTS = st.integers(0, 30) | st.sampled_from([LIMIT - 1, 10**9])
EXAMPLE_IDS = st.builds(ExampleId, KEYS, st.sampled_from(SPLITS), COUNTS, st.none() | COUNTS)
TEXTS = TRICKY | EXAMPLE_IDS.map(str) | st.builds("{}{}".format, EXAMPLE_IDS, st.sampled_from(["\n", "/", "/x", "0"]))


@given(EXAMPLE_IDS)
@example(ExampleId("a/train/5", "train", 3))
@example(ExampleId("a/train", "test", 3, 0))
@example(ExampleId("a/train/5/6", "validation", 7, 8))
def test_an_id_survives_formatting_and_parsing(id_):
    assert ExampleId.parse(str(id_)) == id_
    assert str(id_).startswith(f"{id_.prefix}/")
    assert str(id_).startswith(format_id(id_.key, id_.split, id_.number))


@given(TEXTS)
def test_every_id_has_one_text(text):
    """No two ids share a text, so the ids of any two keys differ."""
    parsed = ExampleId.match(text)
    assert parsed is None or str(parsed) == text


@given(EXAMPLE_IDS, st.sampled_from(TASKS), COUNTS)
def test_an_instruction_id_survives_formatting_and_parsing(id_, task, batch):
    instruction = InstructionId(id_, task, batch)
    assert InstructionId.parse(str(instruction)) == instruction
    assert ExampleId.match(str(instruction)) is None


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("a/train/5", ExampleId("a", "train", 5)),
        ("a/train/5/0", ExampleId("a", "train", 5, 0)),
        ("a/train/5/train/3", ExampleId("a/train/5", "train", 3)),
        ("a/train/5/train/3/1", ExampleId("a/train/5", "train", 3, 1)),
        ("a/train/5/6/test/7", ExampleId("a/train/5/6", "test", 7)),
        ("test/test/0", ExampleId("test", "test", 0)),
        ("IE-en/NER/my-notes/validation/12", ExampleId("IE-en/NER/my-notes", "validation", 12)),
    ],
)
def test_texts_are_parsed_as_ids(text, id_):
    assert ExampleId.parse(text) == id_
    assert str(id_) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a/5", "a/dev/5", "/train/5", "train/5", "a/train/", "a/train/x", "a/train/-1", "a/train/05"),
        *("a/train/5/", "a/train/5/x", "a/train/5/00", "a/train/5/6/7", "a/train/5\n", "a/train/٣", "a/train/5/NER/0"),
        "a/train/" + "1" * 19,
    ],
)
def test_a_text_that_is_not_an_id_is_refused(text):
    assert ExampleId.match(text) is None
    with pytest.raises(
        ValueError, match=re.escape(f"{text!r} is not an example id; expected <key>/<split>/<number> or ")
    ):
        ExampleId.parse(text)


@pytest.mark.parametrize("text", ["a/train/5", "a/train/5/0", "a/train/5/ner/0", "a/train/5/NER/00", "a/5/NER/0"])
def test_a_text_that_is_not_an_instruction_id_is_refused(text):
    assert InstructionId.match(text) is None
    with pytest.raises(
        ValueError, match=re.escape(f"{text!r} is not an instruction id; expected <example id>/<task>/")
    ):
        InstructionId.parse(text)


@pytest.mark.parametrize(
    "parts",
    [
        *(("", "train", 0), ("a", "dev", 0), ("a", "5", 0), ("a", "train", -1), ("a", "train", LIMIT)),
        *(("a", "train", 0, -1), ("a", "train", 0, LIMIT)),
    ],
)
def test_invalid_parts_are_refused(parts):
    with pytest.raises(ValueError, match="is not a valid example id; expected a non-empty key, one of train, vali"):
        ExampleId(*parts)


def test_a_window_has_no_windows():
    window = ExampleId("a", "train", 5).with_window(0)
    assert window == ExampleId("a", "train", 5, 0)
    with pytest.raises(ValueError, match="a/train/5/0: a window cannot be cut again"):
        window.with_window(1)


def chunked(texts: list[str], cut: int) -> pa.ChunkedArray:
    return pa.chunked_array([texts[:cut], texts[cut:]], pa.string())


@given(st.lists(TEXTS, max_size=6), st.integers(0, 6))
def test_keys_of_a_column_agree_with_the_parsed_ids(texts, cut):
    keys = [parsed.key if (parsed := ExampleId.match(text)) else text for text in texts]
    assert source_keys(chunked(texts, cut)).to_pylist() == keys
    assert source_keys(pa.array(texts, pa.string())).to_pylist() == keys


ENDINGS = st.integers(0, 12).map(str) | st.sampled_from(
    ["", "x", "-1", "+1", " 1", "05", "3/0", "3/1", "3/", "/3", "3/1/2", "3/-1", "3\n", "٣", "1.0", "1" * 18, "1" * 19]
)


@given(EXAMPLE_IDS, st.lists(ENDINGS, max_size=5), st.booleans(), st.integers(0, 5))
def test_positions_of_a_column_agree_with_the_parsed_ids(id_, endings, stray, cut):
    texts = [f"{id_.prefix}/{ending}" for ending in endings] + [f"{id_.prefix}x/3"] * stray
    parsed = [ExampleId.match(text) for text in texts]
    expected = None
    if all(other is not None and other.prefix == id_.prefix for other in parsed):
        expected = [(other.number, -1 if other.window is None else other.window) for other in parsed]
    for column in (chunked(texts, cut), pa.array(texts, pa.string())):
        columns = positions(column, id_.prefix)
        assert (columns and list(zip(*(values.tolist() for values in columns), strict=True))) == expected


def test_a_null_has_no_position():
    assert positions(pa.array(["a/train/1", None]), "a/train") is None
