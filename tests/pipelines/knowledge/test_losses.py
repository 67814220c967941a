"""The lines that report what the stages left out."""

import pytest

from pipelines.knowledge import losses
from schemas.errors import Reason
from schemas.knowledge_manifests import DumpRead, Entities, PageFile, Pages

WHERE = "; see rejects/entities/ for place and reason"


def dump(name: str, **rejected: int) -> DumpRead:
    reasons = {Reason(reason): n for reason, n in rejected.items()}
    first = tuple(f"{name}:{line}: {reason}: detail" for line, reason in enumerate(reasons, 1))
    return DumpRead(name, {"items": 3}, reasons, first)


@pytest.mark.parametrize(
    ("dumps", "repeated", "merged", "lines"),
    [
        ([dump("a.json")], 0, 0, []),
        (
            [dump("a.json"), dump("b.json", broken_json=1)],
            0,
            0,
            ["note: b.json: 1 bad record, first b.json:1: broken_json: detail" + WHERE],
        ),
        (
            [dump(f"{n}.json", broken_json=500, not_utf8=1) for n in range(6)],
            0,
            0,
            ["note: 3,006 bad records in 6 files, first 0.json:1: broken_json: detail" + WHERE],
        ),
        ([dump("a.json")], 2, 1, ["note: items left out: 2 repeated, 1 merged into others"]),
    ],
)
def test_lines_about_dumps(dumps, repeated, merged, lines):
    assert losses.in_entities(Entities(tuple(dumps), (), repeated, merged, 0, None, ()), None) == lines


def test_properties_without_a_statement_are_named_with_their_place(tmp_path):
    path = tmp_path / "themes.yaml"
    path.write_text(
        "themes:\n  Harbours:\n    pages: [human]\n    relations:\n"
        "      keeps:\n        properties: [P9, P8]\n        head: [human]\n        tail: [human]\n"
        "      feeds: {properties: [P8], head: [human], tail: [human]}\n"
    )
    assert losses.in_entities(Entities((dump("a"),), (), 0, 0, 0, None, (8,)), str(path)) == [
        f"note: {path}:6: P8 (keeps): no item of the dump has a statement of this property",
        f"note: {path}:9: P8 (feeds): no item of the dump has a statement of this property",
    ]


def test_many_properties_without_a_statement_are_one_line(tmp_path):
    path = tmp_path / "themes.yaml"
    properties = ", ".join(f"P{number}" for number in range(1, 9))
    path.write_text(
        "themes:\n  Harbours:\n    pages: [human]\n    relations:\n"
        f"      keeps: {{properties: [{properties}], head: [human], tail: [human]}}\n"
    )
    assert losses.in_entities(Entities((dump("a"),), (), 0, 0, 0, None, tuple(range(1, 9))), str(path)) == [
        f"note: {path}: no item of the dump has a statement of 8 properties, first {path}:5: P1 (keeps)"
    ]


def test_properties_of_the_bundled_themes_may_be_unused():
    assert losses.in_entities(Entities((dump("a"),), (), 0, 0, 0, None, (17, 19)), None) == []


def test_lines_about_pages():
    broken = PageFile(
        "a.xml", "xml", 5, 9, {"redirect": 2}, {}, {Reason.BROKEN_RECORD: 2}, ("a.xml:7: broken_record: x",)
    )
    fine = PageFile("b.jsonl", "json", 5, 9, {}, {"short": 1}, {}, ())
    assert losses.in_pages(Pages((broken, fine), (), 9, 0)) == [
        "note: a.xml: 2 bad records, first a.xml:7: broken_record: x; see rejects/pages/ for place and reason"
    ]
    assert losses.in_pages(Pages((fine,), (), 9, 3)) == ["note: 3 redirects lead to no page"]
