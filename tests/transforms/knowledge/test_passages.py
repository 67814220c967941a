"""Links keep their places when parts of a text are replaced, holes are repaired, long texts are cut at sentences."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.knowledge import Link
from transforms.knowledge.passages import HOLE, Passage, cut, pieces, substitute, tidy, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Berlin (#) is", "Berlin is"),
        ("Berlin (#; #) is", "Berlin is"),
        ("Maya (#; born 1952) is", "Maya (born 1952) is"),
        ("Maya (born 1952, #) is", "Maya (born 1952) is"),
        ("Maya (born 1952; #; died 1990) is", "Maya (born 1952; died 1990) is"),
        ("Maya ((#)) is", "Maya is"),
        ("玛雅（#；1952年）是", "玛雅（1952年）是"),
        ("玛雅（#）是", "玛雅是"),
        ("she sang “#” and left", "she sang and left"),
        ("It is old.#  It is big.#", "It is old. It is big."),
        ("It is old #.", "It is old."),
        ("It is old, # and big", "It is old, and big"),
        ("It is old #, and big", "It is old, and big"),
        ("word#word", "wordword"),
        ("word # word", "word word"),
        ("# The start", "The start"),
        ("The end #", "The end"),
        ("(#", "("),
        ("(#]", "(]"),
        ("main() returns", "main() returns"),  # nothing was removed
        ("a  b\n c\u00a0d\u200b", "a b c d"),
        ("第一行\n第二行", "第一行第二行"),
        ("one .", "one."),
        ("one .# Two", "one. Two"),
        ("( one )", "(one)"),
        ("uses .NET here", "uses .NET here"),
        (",#" * 3_000, ""),
        ("(" * 100_000 + "#" + ")" * 100_000, "(" * 99_995 + ")" * 99_995),  # the time for these is limited
    ],
)
def test_what_removed_parts_leave_is_repaired(text, expected):
    assert tidy(Passage(text.replace("#", HOLE))).text == expected


@given(st.text(f"ab ,;()（）。.“”\n{HOLE}", max_size=40))
def test_tidy_leaves_no_holes_and_no_outer_or_double_blanks(text):
    tidied = tidy(Passage(text)).text
    assert HOLE not in tidied
    assert tidied == " ".join(tidied.split())


@st.composite
def passages(draw) -> Passage:
    """Links are words of capitals, which no replacement changes."""
    parts = draw(st.lists(st.one_of(st.text(f"ab ,;()\n{HOLE}", max_size=6), st.sampled_from(["<AB>", "<X>"]))))
    links, text = [], ""
    for part in parts:
        if part.startswith("<"):
            links.append(Link(len(text), len(text) + len(part) - 2, part))
            part = part.strip("<>")
        text += part
    return Passage(text, tuple(links))


@given(passages())
def test_links_keep_their_texts_when_a_text_is_tidied(passage):
    tidied = tidy(passage)
    assert [(f"<{tidied.text[link.start : link.end]}>", link.title) for link in tidied.links] == [
        (link.title, link.title) for link in passage.links
    ]


@given(passages(), st.sampled_from(["a", "a+", "b|,", r"\s+", "A", "[AB]B?"]), st.sampled_from(["", "z", "long"]))
def test_substitute_replaces_as_re_does_and_leaves_links_in_order(passage, pattern, replacement):
    changed = substitute(passage, re.compile(pattern), replacement)
    assert changed.text == re.sub(pattern, replacement, passage.text)
    ends = [end for link in changed.links for end in (link.start, link.end)]
    assert ends == sorted(ends) and all(link.start < link.end for link in changed.links)
    assert all(0 <= end <= len(changed.text) for end in ends)


def test_a_link_keeps_what_is_left_of_its_text():
    passage = Passage("abcdef", (Link(1, 2, "A"), Link(2, 4, "B"), Link(5, 6, "C")))
    assert substitute(passage, re.compile("abc"), "xy") == Passage("xydef", (Link(2, 3, "B"), Link(4, 5, "C")))


def test_links_are_cut_with_the_text():
    passage = Passage("one two three four", (Link(0, 7, "A"), Link(8, 13, "B"), Link(14, 18, "C")))
    assert cut(passage, 4, 15) == Passage("two three f", (Link(0, 3, "A"), Link(4, 9, "B"), Link(10, 11, "C")))
    assert cut(passage, 3, 8) == Passage(" two ", (Link(1, 4, "A"),))


def test_tokens_are_words_or_chinese_characters():
    assert tokens("one two, three", "en") == 3
    assert tokens("柏林 是。", "zh") == 4


SENTENCES = "One two three four. Five six seven. Eight nine ten eleven. Twelve thirteen."


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [
        (13, [SENTENCES]),
        (12, ["One two three four. Five six seven.", "Eight nine ten eleven. Twelve thirteen."]),
        (4, ["One two three four.", "Five six seven.", "Eight nine ten eleven.", "Twelve thirteen."]),
        (3, ["Five six seven.", "Twelve thirteen."]),  # a longer sentence is left out
        (1, []),
    ],
)
def test_long_texts_are_cut_at_ends_of_sentences(max_tokens, expected):
    assert [piece.text for piece in pieces(Passage(SENTENCES), "en", max_tokens)] == expected


def test_no_link_is_cut():
    start = SENTENCES.index("seven")
    passage = Passage(SENTENCES, (Link(0, 3, "A"), Link(start, start + 12, "B"), Link(len(SENTENCES) - 4, 75, "C")))
    cut_at = list(pieces(passage, "en", 7))
    texts = [[piece.text[link.start : link.end] for link in piece.links] for piece in cut_at]
    assert texts == [["One"], ["seven. Eight"], ["een."]]


@given(st.lists(st.sampled_from(["Ada ran. ", "It was a long day in the old port. ", "No! "]), max_size=30))
def test_pieces_are_short_enough_and_in_order(sentences):
    text = "".join(sentences).strip()
    texts = [piece.text for piece in pieces(Passage(text), "en", 9)]
    assert all(tokens(each, "en") <= 9 for each in texts)
    assert " ".join(texts) == text
