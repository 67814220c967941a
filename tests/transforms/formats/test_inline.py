"""The readers of inline annotations: nested marks, and chunks with a tag."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadRecord, Reason
from schemas.example import Entity, Mention, RawExample, surface
from transforms.files import File
from transforms.formats import inline

BRACES = re.compile(r"\{\{(?P<label>\w+):|\}\}")
NAMES = re.compile(r'<N T="(?P<label>\w+)"(?: S="(?P<before>\d+)")?(?: E="(?P<after>\d+)")?>|</N>')


def read(tmp_path, content: str | bytes, mark=BRACES, **options):
    path = tmp_path / "f.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(inline.read([File(str(path), "f.txt")], mark, **options))


def entity_tuples(example: RawExample):
    """(label, surface, spans) of each entity, which must match the text."""
    assert all(surface(example.text, entity.mention.spans) == entity.mention.text for entity in example.entities)
    return [(entity.label, entity.mention.text, entity.mention.spans[0]) for entity in example.entities]


def test_marks_are_removed_and_their_text_is_kept(tmp_path):
    (example,) = read(tmp_path, "在{{loc:青阳}}的{{org:青阳𝒜厂}}。\n")
    assert (example.place, example.text) == ("f.txt:1", "在青阳的青阳𝒜厂。")
    assert entity_tuples(example) == [("loc", "青阳", (1, 3)), ("org", "青阳𝒜厂", (4, 8))]


def test_nested_marks_are_ordered_outer_first(tmp_path):
    (example,) = read(tmp_path, "{{org:{{loc:东海}}大学{{loc:北}}}}，{{time:今天}}")
    assert example.text == "东海大学北，今天"
    assert entity_tuples(example) == [
        ("org", "东海大学北", (0, 5)),
        ("loc", "东海", (0, 2)),
        ("loc", "北", (4, 5)),
        ("time", "今天", (6, 8)),
    ]


def test_blanks_at_the_edges_are_outside_the_mention(tmp_path):
    (example,) = read(tmp_path, "记者{{per: 顾小舟 }}报道")
    assert example.text == "记者 顾小舟 报道"
    assert entity_tuples(example) == [("per", "顾小舟", (3, 6))]


def test_characters_before_and_after_a_mention(tmp_path):
    line = '<N T="NORP" S="4">non-Danes</N> and <N T="GPE" E="6">U.K.-based</N> <N T="ORG" S="1" E="1">(UN)</N>'
    (example,) = read(tmp_path, line, NAMES)
    assert example.text == "non-Danes and U.K.-based (UN)"
    assert entity_tuples(example) == [("NORP", "Danes", (4, 9)), ("GPE", "U.K.", (14, 18)), ("ORG", "UN", (26, 28))]


def test_text_between_marks_is_respelt(tmp_path):
    (example,) = read(tmp_path, r"a\nb{{x:c\n}}d\n", respell=lambda text: text.replace(r"\n", "\n"))
    assert example.text == "a\nbc\nd\n"
    assert entity_tuples(example) == [("x", "c", (3, 4))]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("{{x:a", Reason.BROKEN_RECORD, "{{x: is not closed on its line"),
        ("{{x:{{y:a}}", Reason.BROKEN_RECORD, "{{x: is not closed on its line"),
        ("a}}b", Reason.BROKEN_RECORD, "}} at character 1 closes nothing"),
        ("{{x:a}}}}", Reason.BROKEN_RECORD, "}} at character 7 closes nothing"),
        ("a{{x:}}", Reason.MISSING_FIELD, "a mark is empty"),
        ("a{{x:  }}", Reason.MISSING_FIELD, "a mark is empty"),
    ],
)
def test_only_a_broken_line_is_lost(tmp_path, line, reason, detail):
    assert read(tmp_path, f"one\n{line}\ntwo\n") == [
        RawExample("f.txt:1", "one", ()),
        BadRecord("f.txt:2", reason, detail),
        RawExample("f.txt:3", "two", ()),
    ]


def test_cutting_more_characters_than_exist_rejects_the_line(tmp_path):
    (bad,) = read(tmp_path, '<N T="X" S="3" E="3">abcd</N>', NAMES)
    assert (bad.place, bad.reason) == ("f.txt:1", Reason.MISSING_FIELD)


def test_skipped_and_blank_lines_are_not_records(tmp_path):
    content = "\ufeff<DOC A>\r\n \r\n{{x:a}}\r\n</DOC>"
    (example,) = read(tmp_path, content, skip=re.compile("</?DOC"))
    assert example == RawExample("f.txt:3", "a", (Entity("x", Mention("a", ((0, 1),))),))


TREES = st.recursive(
    st.sampled_from(["a", "bé", "药", "𝒜 x"]),
    lambda inner: st.tuples(st.sampled_from("xy"), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


def written(tree) -> str:
    return tree if isinstance(tree, str) else f"{{{{{tree[0]}:{''.join(map(written, tree[1]))}}}}}"


def plain(tree) -> str:
    return tree if isinstance(tree, str) else "".join(map(plain, tree[1]))


def marks(tree) -> list[tuple[str, str]]:
    return [] if isinstance(tree, str) else [(tree[0], plain(tree)), *(m for inner in tree[1] for m in marks(inner))]


@given(st.lists(TREES, min_size=1, max_size=3))
def test_random_lines_are_read_back(tmp_path_factory, trees):
    (example,) = read(tmp_path_factory.mktemp("inline"), "".join(map(written, trees)))
    assert example.text == "".join(map(plain, trees))
    assert [(label, string) for label, string, _ in entity_tuples(example)] == [
        m for tree in trees for m in marks(tree)
    ]


def read_chunks(tmp_path, content: str):
    path = tmp_path / "f.txt"
    path.write_bytes(content.encode())
    return list(inline.read_chunks([File(str(path), "f.txt")], labels=("nr", "ns"), outside="o"))


def test_chunks_are_joined_without_blanks(tmp_path):
    one, two = read_chunks(tmp_path, "周敏/nr 到/o 北山/ns 。/o \r\n\r\n下雨/o")
    assert (one.place, one.text) == ("f.txt:1", "周敏到北山。")
    assert entity_tuples(one) == [("nr", "周敏", (0, 2)), ("ns", "北山", (3, 5))]
    assert two == RawExample("f.txt:3", "下雨", ())


def test_a_chunk_may_have_blanks_and_slashes(tmp_path):
    (example,) = read_chunks(tmp_path, "60 km/h 和/或/o Ana Sol/nr a/nr/o  ")
    assert example.text == "60 km/h 和/或Ana Sola/nr"
    assert entity_tuples(example) == [("nr", "Ana Sol", (11, 18))]


@pytest.mark.parametrize("line", ["到/o 北山", "到/o 北山/nt", "/o", "到/O"])
def test_a_malformed_chunk_rejects_the_line(tmp_path, line):
    bad, good = read_chunks(tmp_path, f"{line}\n好/o\n")
    assert (bad.place, bad.reason) == ("f.txt:1", Reason.BROKEN_RECORD)
    assert good.text == "好"


def test_nesting_depth_is_limited(tmp_path):
    path = tmp_path / "f.txt"
    for depth, kind in ((inline.MAX_DEPTH, RawExample), (inline.MAX_DEPTH + 1, BadRecord)):
        path.write_text("{{x:a" * depth + "}}" * depth + "\nb {{x:c}}\n")
        first, second = inline.read([File(str(path), "f.txt")], re.compile(r"\{\{(?P<label>[a-z]+):|\}\}"))
        assert isinstance(first, kind)
        assert second.entities == (Entity("x", Mention("c", ((2, 3),))),)
