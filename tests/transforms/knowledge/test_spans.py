"""Spans of texts and their hashes."""

from hypothesis import given
from hypothesis import strategies as st

from transforms.knowledge.spans import fold, hash_spans, hash_strings, normal_name, span_table, text_spans, tokenize

TEXTS = st.text(st.sampled_from("aB c.'-,(é北京《》·1\n\u0301ß’İ"), max_size=40)


def surfaces(text: str, max_tokens: int = 8) -> list[str]:
    starts, ends = text_spans(text, max_tokens)
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def test_spans_are_runs_of_words_with_short_gaps():
    assert surfaces("St. Louis") == ["St", "St.", "St. Louis", "Louis"]
    assert surfaces("Ada's river") == ["Ada", "Ada's", "Ada's river", "s", "s river", "river"]
    assert surfaces("one; two") == ["one", "two"]
    assert surfaces("a b c", max_tokens=2) == ["a", "a b", "b", "b c", "c"]


def test_every_han_character_is_a_word():
    assert [*tokenize("北IBM公")] == [(0, 1), (1, 4), (4, 5)]
    assert surfaces("北海。城") == ["北", "北海", "海", "城"]
    assert surfaces("北海城", max_tokens=1) == ["北", "北海", "海", "海城", "城"]


@given(TEXTS, st.integers(1, 4))
def test_hashes_of_spans_equal_those_of_their_strings(text, max_tokens):
    folded = fold(text)
    assert len(folded) == len(text)
    starts, ends = text_spans(text, max_tokens)
    strings = [folded[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert hash_spans(folded, starts, ends).tolist() == hash_strings(strings).tolist()
    assert len(set(strings)) == len(set(hash_strings(strings).tolist()))


@given(st.lists(TEXTS, max_size=4))
def test_a_table_has_the_spans_of_all_texts(texts):
    table = span_table(texts, 3, 10, 8)
    expected = [
        (3, row, *span) for row, text in enumerate(texts, 10) for span in zip(*text_spans(text, 8), strict=True)
    ]
    assert [(r["shard"], r["row"], r["start"], r["end"]) for r in table.to_pylist()] == expected


def test_names_are_compared_without_case_and_kinds_of_quotes():
    assert normal_name(" O’Neill–Smith ") == normal_name("o'neill-smith")
    assert normal_name("E\u0301cole") == "école"
