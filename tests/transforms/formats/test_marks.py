"""Marks of annotation tools: whatever they count, the mention is what was marked."""

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.example import Mention
from transforms.formats.marks import Mark, read

TEXTS = st.text(st.sampled_from("ab \n\r😀👩é東"), min_size=1, max_size=12)


def utf_16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(TEXTS, st.data(), st.booleans(), st.booleans())
def test_the_strings_decide_what_offsets_count(text, data, in_utf_16, with_plain_line_breaks):
    counted = text.replace("\r\n", "\n").replace("\r", "\n") if with_plain_line_breaks else text
    length = utf_16_length if in_utf_16 else len
    marks, strings = [], []
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(counted) - 1))
        end = data.draw(st.integers(start + 1, len(counted)))
        assume(counted[start:end].strip())
        strings.append(counted[start:end])
        marks.append(Mark(length(counted[:start]), length(counted[:end]), counted[start:end]))
    reading = read(text, marks)
    assert reading.fitting == len(marks)
    for mention, string in zip(reading.mentions, strings, strict=True):
        assert mention.text.split() == string.split()
        ((start, end),) = mention.spans
        assert reading.text[start:end] == mention.text


def test_without_strings_offsets_count_code_points_unless_they_only_fit_otherwise():
    assert read("😀 Ada", [Mark(2, 5)]).mentions == [Mention("Ada", ((2, 5),))]
    assert read("😀 Ada", [Mark(3, 6)]).mentions == [Mention("Ada", ((2, 5),))]


def test_blanks_that_a_browser_shortened_do_not_matter():
    assert read("Coal  \nQuay", [Mark(0, 11, "Coal\\nQuay")]).mentions == [Mention("Coal  \nQuay", ((0, 11),))]


def test_a_mark_that_does_not_fit_keeps_its_offsets_and_its_string():
    reading = read("Ada left Oslo", [Mark(0, 3, "Ada"), Mark(3, 7, "Oslo")])
    assert reading.mentions == [Mention("Ada", ((0, 3),)), Mention("Oslo", ((3, 7),))]
    assert reading.fitting == 1


def test_marks_of_nothing_cannot_be_used():
    empty, outside, blank = read("Ada left", [Mark(2, 2, "Ada"), Mark(5, 99), Mark(3, 4)]).mentions
    assert empty == "2 to 2 is an empty span"
    assert outside == "5 to 99 is not a span of the text; the text has 8 characters"
    assert blank == "3 to 4 is blank; the text has 8 characters"
