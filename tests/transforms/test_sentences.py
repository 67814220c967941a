"""The sentences of a text, and the pieces of a sentence that is too long."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.example import Span
from tests.strategies import texts
from transforms import sentences as module
from transforms.sentences import CLAUSE_END, disjoint, is_mark, pieces, sentences, without_blanks

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
        candidates = at_clause_ends or free or [limit]
        cut = next((at for at in reversed(candidates) if not is_mark(text, at)), candidates[-1])
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


LONG = "the very long sentence without an end"


def test_a_sentence_that_is_too_long_is_cut_at_blanks_outside_mentions():
    assert list(pieces(LONG, (0, 37), 18, [])) == [(0, 13), (14, 30), (31, 37)]
    assert list(pieces(LONG, (0, 37), 13, [])) == [(0, 13), (14, 22), (23, 33), (34, 37)]
    # the blank at 13 is in "long sentence", so the cut moves left to the one before it
    assert list(pieces(LONG, (0, 37), 18, [(9, 22)])) == [(0, 8), (9, 22), (23, 37)]
    assert list(pieces("abcdefghij", (0, 10), 4, [])) == [(0, 4), (4, 8), (8, 10)]
    assert list(pieces("abcdefghij", (0, 10), 4, [(3, 6), (6, 8)])) == [(0, 3), (3, 6), (6, 10)]
    assert list(pieces("abcdefghij", (0, 10), 4, [(0, 10)])) == [(0, 4), (4, 8), (8, 10)]
    assert list(pieces("甲方，乙方，丙方签字", (0, 10), 8, [])) == [(0, 6), (6, 10)]
    assert list(pieces(LONG, (4, 13), 9, [])) == [(4, 13)]


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("en", ["Dr. Wu saw it, i.e. the U.S. map (Fig. 2).", " ", "E. coli grew.", "\n\n", "Was it 2.5 mg?"]),
        ("en", ["A title", "\n\n", "Wrapped\nlines stay.", "\n", "So they do."]),
        ("zh", ["他说：“走吧。”", "她问为什么？", "\n", "2.5万元……未付；", "两人分居。"]),
        ("zh", []),
    ],
)
def test_sentence_boundaries(lang, parts):
    text = "".join(parts)
    spans = sentences(text, lang)
    if lang == "zh" and parts:
        parts = [*parts[:3], parts[3] + parts[4]]  # an ellipsis or a semicolon does not end a sentence
    assert [text[start:end] for start, end in spans] == [part for part in parts if part.strip()]


def test_multibyte_blanks_after_an_initial():
    """A multi-byte blank between an initial and a full stop makes sentencex 1.0.32 panic."""
    for blank in "\u3000\u00a0\u2003\u2028\x85":
        text = f"J{blank}. Wu came. He left."
        assert [text[start:end] for start, end in sentences(text, "en")] == [f"J{blank}. Wu came.", "He left."]


@given(texts(), st.sampled_from(["en", "zh"]))
def test_sentences_cover_the_whole_text(text, lang):
    spans = sentences(text, lang)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(text.split())
    assert spans == sorted(spans) and all(text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("de", ["Dr. Amsel kam z. B. am 3. Mai nach Bonn.", "Er blieb."]),
        ("ja", ["港は静かだ。", "船が来たか？", "はい！"]),
        ("ar", ["عاد أحمد إلى الميناء.", "هل رأى السفينة؟", "نعم."]),
        ("hi", ["राम बंदरगाह गया।", "वह लौटा।"]),
        ("th", ["ท่าเรือเงียบ", "เรือมาถึงแล้ว"]),
        ("km", ["កំពង់ផែស្ងាត់។", "កប៉ាល់មកដល់"]),
        ("bo", ["གྲུ་ཁ་ཁུ་སིམ་པོ་རེད།", "གྲུ་སླེབས་སོང་།"]),
        ("qaa", ["It rained.", "They stayed."]),  # unknown: as English
    ],
)
def test_sentences_of_other_languages(lang, expected):
    joiner = "" if lang in ("ja", "km") else " "
    text = joiner.join(expected)
    assert [text[start:end] for start, end in sentences(text, lang)] == expected


def test_a_piece_does_not_begin_with_a_mark():
    text = "กี่" * 4
    assert [text[start:end] for start, end in pieces(text, (0, 12), 5, ())] == ["กี่"] * 4
