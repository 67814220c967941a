"""The reader of pipe-separated rows: one example per sentence, and the positions of its mentions."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.pipes import Kind, occurrences, read

KINDS = {"CAUSE": Kind("cause", "Drug", "Effect"), "DOSE": Kind("dose", "Drug", "Amount")}


@pytest.fixture
def read_texts(tmp_path):
    """{file name: content} → the records, with the files in the given order."""

    def read_all(contents: dict[str, str], unknown: re.Pattern | None = None):
        for name, content in contents.items():
            (tmp_path / name).write_text(content, newline="")
        return list(read([File(str(tmp_path / name), name) for name in contents], KINDS, unknown))

    return read_all


def relation(kind: str, head: tuple[str, int], tail: tuple[str, int]) -> Relation:
    ends = [Mention(string, ((start, start + len(string)),)) for string, start in (head, tail)]
    return Relation(KINDS[kind].label, *ends, KINDS[kind].head_label, KINDS[kind].tail_label)


def test_rows_with_the_same_sentence_are_one_example(read_texts):
    text = "Rash and fever after 5 mg of zopin."
    got = read_texts(
        {
            "CAUSE.rel": f"7|{text}|Rash|100|104|zopin|129|134\n7|{text}|fever|109|114|zopin|129|134\n",
            "dose.REL": f"7|{text}|5 mg|121|125|zopin|129|134\n8|{text}|5 mg|31|35|zopin|39|44\n",
        }
    )
    dose = relation("DOSE", ("zopin", 29), ("5 mg", 21))
    causes = [relation("CAUSE", ("zopin", 29), tail) for tail in (("Rash", 0), ("fever", 9))]
    assert got == [
        RawExample("CAUSE.rel:1", text, relations=(*causes, dose)),
        RawExample("dose.REL:2", text, relations=(dose,)),  # another document
    ]


def test_the_offset_distance_selects_among_several_positions(read_texts):
    text = "Ache, zopin, more ache."
    got = read_texts({"CAUSE.rel": f"1|{text}|ache|218|222|zopin|206|211\n1|Ache ache zopin|ache|5|9|zopin|10|15\n"})
    assert [example.relations for example in got] == [
        (relation("CAUSE", ("zopin", 6), ("ache", 18)),),
        (relation("CAUSE", ("zopin", 10), ("ache", 5)),),
    ]


def test_rows_with_one_sentence_agree_on_its_start(read_texts):
    text = "Early zopin ache, late zopin ache."
    early, late = "ache|512|516|zopin|506|511", "ache|529|533|zopin|523|528"
    for rows in ((early, late), (late, early)):
        (example,) = read_texts({"CAUSE.rel": "".join(f"1|{text}|{row}\n" for row in rows)})
        assert {r.tail.spans for r in example.relations} == {((12, 16),), ((29, 33),)}
        assert {r.head.spans for r in example.relations} == {((6, 11),), ((23, 28),)}


def test_an_ambiguous_row_takes_the_first_position(read_texts):
    (example,) = read_texts({"CAUSE.rel": "1|zopin ache, zopin ache|ache|906|910|zopin|900|905\n"})
    assert example.relations == (relation("CAUSE", ("zopin", 0), ("ache", 6)),)


def test_blanks_around_a_mention_are_stripped(read_texts):
    (example,) = read_texts({"CAUSE.rel": "1|Ache of zopin .|Ache|50|54| zopin |57|64\n"})
    assert example.relations == (relation("CAUSE", ("zopin", 8), ("Ache", 0)),)


def test_negative_lines(read_texts):
    negative = '1 NEG Two of "us" | three.\n2 NEG Zopin 5 mg.\n1 NEG Two of "us" | three.\n1 NEG ache of zopin\n'
    got = read_texts(
        {"none.txt": negative, "CAUSE.rel": "1|ache of zopin|ache|0|4|zopin|8|13\n"}, unknown=re.compile("mg")
    )
    assert got == [
        RawExample("none.txt:1", 'Two of "us" | three.', relations=()),
        RawExample("none.txt:2", "Zopin 5 mg.", relations=None),
        RawExample("none.txt:4", "ache of zopin", relations=(relation("CAUSE", ("zopin", 8), ("ache", 0)),)),
    ]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("CAUSE.rel", "1|ache of zopin|ache|0|4|zopin|8", Reason.WRONG_COLUMNS),
        ("CAUSE.rel", "1|ache | zopin|ache|0|4|zopin|7|12", Reason.WRONG_COLUMNS),
        ("CAUSE.rel", "1|ache of zopin|ache|0|4|zopin|8|1", Reason.OFFSET_MISMATCH),
        ("CAUSE.rel", "1|ache of zopin|pain|0|4|zopin|8|13", Reason.OFFSET_MISMATCH),
        ("CAUSE.rel", "1|ache of zopin|ache|0|4|zopin|9|14", Reason.OFFSET_MISMATCH),
        ("CAUSE.rel", "1|ache of zopin|ache|-4|0|zopin|8|13", Reason.BROKEN_RECORD),
        ("CAUSE.rel", "1|ache of zopin||0|0|zopin|8|13", Reason.MISSING_FIELD),
        ("none.txt", "2", Reason.WRONG_COLUMNS),
        ("none.txt", "1 POS ache of zopin", Reason.WRONG_COLUMNS),
    ],
)
def test_only_a_bad_line_is_lost_with_its_place(read_texts, name, line, reason):
    before = {"CAUSE.rel": "9|zopin ache|ache|6|10|zopin|0|5", "none.txt": "9 NEG Nothing."}[name]
    bad, good = sorted(read_texts({name: f"{before}\n{line}\n"}), key=lambda record: isinstance(record, RawExample))
    assert isinstance(bad, BadRecord) and isinstance(good, RawExample)
    assert (bad.place, bad.reason) == (f"{name}:2", reason)
    assert good.place == f"{name}:1"


def test_an_inconsistent_row_rejects_its_whole_sentence(read_texts):
    rows = "1|ache of zopin|ache|0|4|zopin|8|13\n1|ache of zopin|ache|0|4|lopin|8|13\n"
    assert [(record.place, type(record)) for record in read_texts({"CAUSE.rel": rows})] == [("CAUSE.rel:2", BadRecord)]


@given(
    words=st.lists(st.sampled_from(["ab", "b", "abab", "."]), min_size=2, max_size=8),
    ends=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=4),
    start=st.integers(0, 999),
)
def test_mentions_keep_their_text_and_offset_distance(words, ends, start, tmp_path_factory):
    text = " ".join(words)

    def columns(index):
        at = len(" ".join(words[:index])) + (index > 0)
        return f"{words[index]}|{start + at}|{start + at + len(words[index])}"

    pairs = [(head % len(words), tail % len(words)) for head, tail in ends]
    path = tmp_path_factory.getbasetemp() / "CAUSE.rel"
    path.write_text("".join(f"1|{text}|{columns(tail)}|{columns(head)}\n" for head, tail in pairs))
    (example,) = read([File(str(path), "CAUSE.rel")], KINDS)
    for (head, tail), made in zip(pairs, example.relations, strict=True):
        for mention, index in ((made.head, head), (made.tail, tail)):
            ((first, end),) = mention.spans
            assert text[first:end] == mention.text == words[index]
        distance = len(" ".join(["", *words[:tail]])) - len(" ".join(["", *words[:head]]))
        assert made.tail.spans[0][0] - made.head.spans[0][0] == distance


@example("aaa", "aa")
@given(st.text("ab ", max_size=12), st.text("ab ", min_size=1, max_size=3))
def test_occurrences_may_overlap(text, string):
    assert list(occurrences(text, string)) == [at for at in range(len(text)) if text.startswith(string, at)]
