"""The lines that report what the stages left out."""

import pytest

from pipelines.knowledge import losses
from schemas.errors import Reason
from schemas.knowledge_manifests import DumpRead, Entities, PageFile, Pages


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
            ["note: b.json: 1 bad line, first b.json:1: broken_json: detail"],
        ),
        (
            [dump(f"{n}.json", broken_json=500, not_utf8=1) for n in range(6)],
            0,
            0,
            ["note: 3,006 bad lines in 6 files, first 0.json:1: broken_json: detail"],
        ),
        ([dump("a.json")], 2, 1, ["note: items left out: 2 repeated, 1 merged into others"]),
    ],
)
def test_lines_about_dumps(dumps, repeated, merged, lines):
    assert losses.in_entities(Entities(tuple(dumps), (), repeated, merged, 0, None)) == lines


def test_lines_about_pages():
    broken = PageFile(
        "a.xml", "xml", 5, 9, {"redirect": 2}, {}, {Reason.BROKEN_RECORD: 2}, ("a.xml:7: broken_record: x",)
    )
    fine = PageFile("b.jsonl", "json", 5, 9, {}, {"short": 1}, {}, ())
    assert losses.in_pages(Pages((broken, fine), (), 9, 0)) == [
        "note: a.xml: 2 bad pages, first a.xml:7: broken_record: x"
    ]
    assert losses.in_pages(Pages((fine,), (), 9, 3)) == ["note: 3 redirects lead to no page"]
