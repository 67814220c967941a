import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.example import Span
from transforms import sentences as module
from transforms.sentences import CLAUSE_END, disjoint, pieces, sentences, without_blanks

spans = st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda item: (item[0], item[0] + item[1]))


@given(st.lists(spans, max_size=8))
def test_disjoint_spans_cover_the_same_positions(some):
    def inside(stretches: list[Span]) -> set[int]:
        return {place for start, end in stretches for place in range(start + 1, end)}

    merged = disjoint(some)
    assert inside(merged) == inside(some)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(merged))


def plain_pieces(text: str, span: Span, max_chars: int, whole: list[Span]) -> list[Span]:
    """The rule of `pieces`, with a search over all spans and the whole remaining text for each piece."""
    start, end = span
    parts = []
    while end - start > max_chars:
        limit = start + max_chars
        free = [at for at in range(start + 1, limit + 1) if not any(left < at < right for left, right in whole)]
        at_clause_ends = [at for at in free if CLAUSE_END.match(text, at)]
        cut = (at_clause_ends or free or [limit])[-1]
        parts.append(without_blanks(text, start, cut))
        start, _ = without_blanks(text, cut, end)
    return [*parts, (start, end)]


@given(st.text("ab ，", min_size=1, max_size=40), st.lists(spans, max_size=6), st.integers(1, 12))
def test_pieces_equal_the_naive_rule(text, whole, most):
    span = without_blanks(text, 0, len(text))
    if span[0] < span[1]:
        assert list(pieces(text, span, most, disjoint(whole))) == plain_pieces(text, span, most, whole)


FRAGMENTS = ("Ada left. ", "Dr. Lind came. ", "“Hi. You.” ", "天下。", "\n\n", "\n", "x", "Why? ", "(a. b.) ")


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join), st.integers(20, 60), st.sampled_from(["en", "zh"])
)
def test_sentences_cover_a_long_text_without_gaps(text, stretch, lang):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STRETCH", stretch)
        result = sentences(text, lang)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in result)
    assert "".join("".join(text[start:end] for start, end in result).split()) == "".join(text.split())
    assert [start for start, _ in result] == sorted(start for start, _ in result)


@given(st.lists(st.sampled_from(["Ada left. Bo came.", "Why? Go!", "天下。山水。"]), min_size=2, max_size=9))
def test_splitting_by_paragraphs_gives_the_same_sentences(paragraphs):
    text = "\n\n".join(paragraphs)
    whole = sentences(text, "en")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STRETCH", 45)
        assert sentences(text, "en") == whole


def test_a_sentence_longer_than_a_stretch_is_not_split():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STRETCH", 30)
        text = "Ada left. " + "and " * 40 + "Bo came. Then Cy went."
        assert [text[start:end] for start, end in sentences(text, "en")] == [
            *("Ada left.", "and " * 40 + "Bo came.", "Then Cy went."),
        ]
