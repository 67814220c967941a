"""The reader of sentences with triples: three layouts, arrays and lines, rows without triples."""

import json

import pytest

from schemas.errors import BadRecord, Reason
from schemas.example import Mention, RawExample, Relation
from transforms.files import File
from transforms.formats.triples import read

COPYRE = {
    "sentText": "Ada left Rye .",
    "articleId": "x",
    "relationMentions": [
        {"em1Text": "Ada", "em2Text": "Rye", "label": "/a/b"},
        {"em1Text": "Rye", "em2Text": "Ada", "label": "/c/d"},
    ],
}
HRL = {
    "sentext": " Ada left Rye . ",
    "relations": [
        {"tags": [1, 0, 2, 0], "em1": "Ada", "em2": "Rye", "rtext": "/a/b"},
        {"tags": [2, 0, 1, 0], "em1": "Rye", "em2": "Ada", "rtext": "/c/d"},
    ],
}
CASREL = {"text": " Ada left Rye . ", "triple_list": [["Ada", "/a/b", "Rye"], ["Rye", "/c/d", "Ada"]]}
RELATIONS = (
    Relation("/a/b", Mention("Ada"), Mention("Rye")),
    Relation("/c/d", Mention("Rye"), Mention("Ada")),
)


@pytest.fixture
def read_text(tmp_path):
    def read_all(content: str) -> list[RawExample | BadRecord]:
        (tmp_path / "a.json").write_text(content, newline="")
        return list(read([File(str(tmp_path / "a.json"), "a.json")]))

    return read_all


@pytest.mark.parametrize("row", [COPYRE, HRL, CASREL])
def test_all_layouts_give_the_same_examples(read_text, row):
    assert read_text(json.dumps(row)) == [RawExample("a.json:1", "Ada left Rye .", relations=RELATIONS)]


def test_an_array_is_read_like_lines(read_text):
    array = read_text(f"[\r\n{json.dumps(CASREL)},\r\n{json.dumps(HRL)}\r\n]")
    assert array == [RawExample(f"a.json:{line}", "Ada left Rye .", relations=RELATIONS) for line in (2, 3)]
    lines = read_text(f"\n{json.dumps(CASREL)}\n \n{json.dumps(HRL)}")
    assert lines == [RawExample(f"a.json:{line}", "Ada left Rye .", relations=RELATIONS) for line in (2, 4)]


def test_missing_triples_are_unknown_and_empty_triples_are_none(read_text):
    keys = (("sentText", "relationMentions"), ("sentext", "relations"), ("text", "triple_list"))
    for text, triples in keys:
        unknown, none = read_text(f'{{"{text}": "One ."}}\n{{"{text}": "Two .", "{triples}": []}}')
        assert unknown == RawExample("a.json:1", "One .")
        assert none == RawExample("a.json:2", "Two .", relations=())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"title": "One ."}', Reason.MISSING_FIELD),
        ('{"sentText": "One .", "relationMentions": [{"em1Text": "One", "label": "/a/b"}]}', Reason.MISSING_FIELD),
        ('{"text": "One .", "triple_list": [["One", "/a/b"]]}', Reason.MISSING_FIELD),
        ('{"text": "One .", "triple_list": [["One", "/a', Reason.BROKEN_JSON),
        ("text", Reason.BROKEN_JSON),
    ],
)
def test_only_a_broken_line_is_lost(read_text, line, reason):
    good, bad, last = read_text(f"{json.dumps(COPYRE)}\n{line}\n{json.dumps(HRL)}\n")
    assert good.relations == last.relations == RELATIONS
    assert (bad.place, bad.reason) == ("a.json:2", reason)


def test_a_truncated_array_keeps_its_complete_rows(read_text):
    good, bad = read_text(f"[{json.dumps(CASREL)},\n{json.dumps(CASREL)[:-9]}")
    assert good.relations == RELATIONS
    assert (bad.place, bad.reason) == ("a.json:2", Reason.BROKEN_JSON)
