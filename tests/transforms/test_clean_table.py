"""Rows that cleaning leaves unchanged are detected on columns, in agreement with the functions for single rows."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import examples_to_table
from schemas.example import Argument, Entity, Event, Example, Mention, Relation
from transforms.clean import ONE_LETTER_IN, is_clean, letter_count, low_quality, repair
from transforms.clean_table import STRINGS_PER_CHECK, clean_strings, has_letters, untouched
from transforms.windows import windows

MAX_CHARS = 12
strings = st.text("abé e\u0301\u00a0\t\n中。。1\u200b ", max_size=14)
ordinary = st.text("ab中", min_size=5, max_size=9)
mentions = st.builds(Mention, strings | ordinary | st.just(""), st.sampled_from([(), ((0, 1),)]))
layers = {
    "entities": st.builds(Entity, st.just("x"), mentions),
    "relations": st.builds(Relation, st.just("x"), mentions, mentions),
    "events": st.builds(
        Event,
        st.just("x"),
        st.none() | mentions,
        st.lists(st.builds(Argument, st.just("r"), mentions), max_size=1).map(tuple),
    ),
}
examples = st.builds(
    Example,
    st.just("k/train/0"),
    st.just("K"),
    st.just("train"),
    st.just("en"),
    strings | ordinary,
    st.sampled_from([("NER",), ()]),
    **{name: st.none() | st.lists(item, max_size=2).map(tuple) for name, item in layers.items()},
)


def stays(example: Example) -> bool:
    return (
        repair(example) is example
        and windows(example, MAX_CHARS)[0] == [example]
        and low_quality(example) is None
        and bool(example.tasks)
    )


@given(st.lists(examples, min_size=1, max_size=4))
def test_untouched_rows_are_those_that_the_row_functions_keep(rows):
    table = pa.concat_tables([examples_to_table([row]) for row in rows]).combine_chunks()
    for row, fine in zip(rows, untouched(table, MAX_CHARS).tolist(), strict=True):
        assert stays(row) or not fine


def test_an_ordinary_row_is_left_untouched():
    row = Example("k/train/0", "K", "train", "en", "Ada saw.", ("NER",), (Entity("x", Mention("Ada")),), None, None)
    long = Example("k/train/1", "K", "train", "en", "Ada saw the sea.", ("NER",), (), None, None)
    assert untouched(examples_to_table([row, long, row]), MAX_CHARS).tolist() == [True, False, True]


@given(st.lists(strings | st.text(max_size=5), max_size=6), st.sampled_from([0, STRINGS_PER_CHECK - 2]))
def test_clean_strings_are_detected_beside_dirty_ones(some, before):
    column = pa.array(["Ada"] * before + some, pa.string())
    assert clean_strings(column).tolist() == [True] * before + [is_clean(string) for string in some]
    assert clean_strings(column.slice(1)).tolist() == [is_clean(string) for string in column.slice(1).to_pylist()]


@given(st.lists(st.text("1·中\u4dc0\u4fff\u9000", max_size=9) | st.text(max_size=9), max_size=4))
def test_letters_detected_from_bytes_are_letters(texts):
    column = pa.array(["Ada", *texts], pa.string()).slice(1)
    assert has_letters(column).tolist() == [letter_count(text) * ONE_LETTER_IN >= len(text) for text in texts]
