"""Joining of tokens by script."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.joining import join_tokens

JOINED = {
    "Ada met Rye": ["Ada", "met", "Rye"],
    "船は港に入った。": ["船", "は", "港", "に", "入った", "。"],
    "เรือเข้าท่า": ["เรือ", "เข้า", "ท่า"],
    "用IE Forge写的": ["用", "IE", "Forge", "写", "的"],
    "在2024年用AB": list("在2024年用AB"),
    "배가 왔다": ["배가", "왔다"],
    "السفينة هنا": ["السفينة", "هنا"],
    "A B": ["A", "B"],
    "读“Rye Quay”的人": ["读", "“", "Rye", "Quay", "”", "的", "人"],
    "港 - A": ["港", " ", "-", "A"],
}


@pytest.mark.parametrize("text", JOINED)
def test_scripts(text):
    tokens = JOINED[text]
    joined, spans = join_tokens(tokens)
    assert (joined, [joined[start:end] for start, end in spans]) == (text, tokens)


@given(st.lists(st.text("ab 1港の。ท🦊", max_size=3)))
def test_spans_mark_the_tokens(tokens):
    text, spans = join_tokens(tokens)
    assert [text[start:end] for start, end in spans] == tokens
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
